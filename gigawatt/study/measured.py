"""What a row's source measured, as the time of one step and as peak memory: never read by a prediction."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gigawatt.study.row_framework import reported_flop_per_token
from gigawatt.study.row_layout import Question
from gigawatt.study.run import peak_flop_per_s
from gigawatt.units import Bytes, Flop, Seconds

METRICS = (  # the first that a row has is its measurement
    "step_time_s",
    "tokens_per_s_per_accel",
    "model_tflops_per_accel",
    "hw_tflops_per_accel",
    "mfu_pct",
    "hfu_pct",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """One measurement: the metric that the source prints, and its value there."""

    metric: str
    value: float
    flop_per_token: float = 0.0  # as the source's own formula counts them; 0: by the framework's convention
    memory_bytes: Bytes | None = None  # peak of the fullest chip, where the row prints it


def measured(row: Mapping[str, str]) -> Measured | None:
    """Return what a row measured, None where nothing readable is printed."""
    for metric in METRICS:
        value = _printed(row, metric)
        if value:
            return Measured(
                metric=metric,
                value=value,
                flop_per_token=printed_flop_per_token(row),
                memory_bytes=measured_memory_bytes(row),
            )
    return None


def _printed(row: Mapping[str, str], name: str) -> float:
    try:
        value = float(row.get(name) or 0.0)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) and value > 0 else 0.0


def printed_flop_per_token(row: Mapping[str, str]) -> float:
    """Return the flop per token of a source that counts 8 for each parameter of the size it prints, else 0.

    Definition: "size*4*2*seq*gbs": forward, backward as two and the recomputed forward, 2 a parameter each.

    >>> printed_flop_per_token({"flops_formula_notes": "size*4*2*seq*gbs/(t*gpus)", "params_B": "20"}) / 1e9
    160.0
    """
    said = "size*4*2*seq*gbs" in (row.get("flops_formula_notes") or "")
    return 8e9 * _printed(row, "params_B") if said else 0.0


def reported_flop(asked: Question, *, hardware: bool) -> Flop:
    """Return the flop of one step as the row's framework counts them.

    By the framework's convention; with recomputation counted, full recompute adds a forward pass (four
    thirds).
    Source: Narayanan 2021, arXiv:2104.04473 appendix; Chowdhery 2022, arXiv:2204.02311 App. B.
    """
    job = asked.job
    share = asked.strategy.recompute_share if asked.strategy.recompute == "full" else 0.0
    again = 1.0 + share / 3.0 if hardware else 1.0
    return reported_flop_per_token(job, asked.framework.flop) * job.batch_tokens * again


def measured_step_s(found: Measured, asked: Question) -> Seconds:
    """Return the step time that a measurement means.

    Definition: rates and utilisations turned round: step = batch / rate, flop / (chips x rate).
    """
    chips, hardware = asked.machine.chips, found.metric in ("hw_tflops_per_accel", "hfu_pct")
    if found.metric == "step_time_s":
        return found.value
    if found.metric == "tokens_per_s_per_accel":
        return asked.job.batch_tokens / (found.value * chips)
    rate = found.value * 1e12
    if found.metric.endswith("_pct"):
        dtype = asked.framework.mfu_dtype or asked.job.dtype
        rate = found.value / 100.0 * peak_flop_per_s(asked.machine, dtype)
    own = found.flop_per_token * asked.job.batch_tokens
    return (own or reported_flop(asked, hardware=hardware)) / (rate * chips)


def measured_memory_bytes(row: Mapping[str, str]) -> Bytes | None:
    """Return the peak memory of a chip that a row prints, in a column or in its notes, or None.

    Definition: GB of 1e9 bytes.

    >>> measured_memory_bytes({"notes": "GBS 2048; memory 40GB; 02-28"})
    40000000000.0
    """
    told = row.get("peak_memory_GB") or ""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*", told) or re.search(
        r"\bmemory (\d+(?:\.\d+)?) ?GB\b", row.get("notes") or ""
    )
    return float(found[1]) * 1e9 if found else None


def read_notes(path: str | Path) -> dict[str, str]:
    """Return what the source says of each measured row, by its id."""
    return {row["id"]: row.get("notes") or "" for row in _rows(path)}


def read_measured(path: str | Path) -> list[Measured | None]:
    """Return what each row of a table measured, in order."""
    return [measured(row) for row in _rows(path)]


def _rows(path: str | Path) -> Iterator[dict[str, str]]:
    yield from csv.DictReader(io.StringIO(Path(path).read_text("utf-8-sig"), newline=""))
