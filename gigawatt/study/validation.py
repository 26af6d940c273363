"""Published against predicted: errors by source, chip, software and model size, and of peak memory."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gigawatt.errors import GigawattError, InputError
from gigawatt.perf import StepTime, memory_use, step_time
from gigawatt.study.measured import measured_step_s, read_measured
from gigawatt.study.row_cells import RowError
from gigawatt.study.row_layout import Question, question
from gigawatt.study.rows import read_rows
from gigawatt.study.run import step_bound_s
from gigawatt.units import Bytes, Fraction, Seconds
from gigawatt.workload.params import params

SCHEMA = "gigawatt/validate/1"
SIZES = (("below 3B", 3e9), ("3B to 15B", 1.5e10), ("15B to 100B", 1e11), ("100B and more", math.inf))
WORST = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """One measured row, and what was predicted for it."""

    id: str
    source: str  # the file it stands in
    asked: Question
    step: StepTime
    measured_s: Seconds
    bound_s: Seconds  # no step is shorter: model flop at datasheet peak
    memory_bytes: Bytes
    measured_memory_bytes: Bytes | None = None  # of the fullest chip, where the row prints it

    @property
    def fits(self) -> bool:
        return bool(self.memory_bytes <= self.asked.machine.chip.hbm_bytes)

    @property
    def predicted_s(self) -> float:
        return float(self.step.total_s)

    @property
    def error(self) -> float:
        return self.predicted_s / float(self.measured_s) - 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Validation:
    """Every row of some tables: those compared, and why the others were not."""

    checked: tuple[Checked, ...]
    refused: Mapping[str, int]  # by status
    rows: int

    @property
    def predicted(self) -> int:
        return self.rows - sum(n for status, n in self.refused.items() if status != "not measured")


@dataclass(frozen=True, kw_only=True, slots=True)
class Errors:
    """How wrong a group of rows was predicted: relative errors of the step time, or of the peak memory."""

    group: str
    rows: int
    median: Fraction
    mean: Fraction
    p90: Fraction
    worst: Fraction
    bias: Fraction  # median with its sign: below 0, predicted too fast


def validate(paths: Iterable[str | Path], *, progress: Callable[[int], None] | None = None) -> Validation:
    """Return every row of some tables, predicted from its configuration and set beside its measurement."""
    checked: list[Checked] = []
    refused: dict[str, int] = {}
    rows = 0
    for path in paths:
        for row, seen in zip(read_rows(path), read_measured(path), strict=True):
            rows += 1
            if progress:
                progress(rows)
            try:
                asked = question(row)
                if seen is None:
                    raise RowError("not measured", row["id"])
                seconds = measured_step_s(seen, asked)
                found = check(row["id"], Path(path).stem, asked=asked, measured_s=seconds)
                checked.append(dataclasses.replace(found, measured_memory_bytes=seen.memory_bytes))
            except RowError as error:
                refused[error.status] = refused.get(error.status, 0) + 1
            except GigawattError:
                refused["unsupported"] = refused.get("unsupported", 0) + 1
    return Validation(checked=tuple(checked), refused=refused, rows=rows)


def check(id: str, source: str, *, asked: Question, measured_s: Seconds) -> Checked:
    """Return one row, predicted."""
    where = {"machine": asked.machine, "strategy": asked.strategy, "stack": asked.stack}
    step = step_time(asked.job, asked.layout, **where)  # type: ignore[arg-type]
    memory = memory_use(asked.job, asked.layout, strategy=asked.strategy, stack=asked.stack)
    return Checked(
        id=id,
        source=source,
        asked=asked,
        step=step,
        measured_s=measured_s,
        bound_s=step_bound_s(asked.job, asked.machine),
        memory_bytes=float(memory.total_bytes),
    )


def _size(row: Checked) -> str:
    count = params(row.asked.job.model).total
    return next(name for name, limit in SIZES if count < limit)


GROUPINGS: dict[str, Callable[[Checked], str]] = {
    "source": lambda row: row.source,
    "accelerator": lambda row: row.asked.machine.chip.id,
    "software": lambda row: row.asked.stack.id,
    "model size": _size,
}


def errors_of(group: str, found: Sequence[float]) -> Errors:
    """Return the statistics of relative errors.

    >>> errors_of("x", [-0.75, 0.125, 0.25])
    Errors(group='x', rows=3, median=0.25, mean=0.375, p90=0.75, worst=-0.75, bias=0.125)
    """
    size = sorted(abs(e) for e in found)
    return Errors(
        group=group,
        rows=len(found),
        median=_quantile(size, 0.5),
        mean=math.fsum(size) / len(size),
        p90=_quantile(size, 0.9),
        worst=max(found, key=abs),
        bias=_quantile(sorted(found), 0.5),
    )


def _quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least a share of the values does not exceed."""
    return values[min(math.ceil(share * len(values)), len(values)) - 1]


def errors_by(found: Validation, grouping: str) -> list[Errors]:
    """Return the errors of each group, most rows first, and of all rows last.

    Raises: InputError for an unknown grouping.
    """
    if grouping not in GROUPINGS:
        raise InputError(f"by = {grouping!r} is not one of: {', '.join(GROUPINGS)}")
    groups: dict[str, list[float]] = {}
    for row in found.checked:
        groups.setdefault(GROUPINGS[grouping](row), []).append(row.error)
    told = [errors_of(name, values) for name, values in groups.items()]
    told.sort(key=lambda e: (-e.rows, e.group))
    return [*told, errors_of("all", [row.error for row in found.checked])] if told else []


def memory_errors(found: Validation) -> list[Errors]:
    """Return the errors of peak memory by source, where rows print it, and of all such rows last."""
    groups: dict[str, list[float]] = {}
    for row in found.checked:
        if row.measured_memory_bytes:
            error = float(row.memory_bytes / row.measured_memory_bytes) - 1.0
            groups.setdefault(row.source, []).append(error)
    told = [errors_of(name, values) for name, values in groups.items()]
    return [*told, errors_of("all", [e for values in groups.values() for e in values])] if told else []


def worst_rows(found: Validation, most: int = WORST) -> list[dict[str, Any]]:
    """Return the rows of largest error, with the parts of the predicted step."""
    rows = sorted(found.checked, key=lambda row: -abs(row.error))[:most]
    return [_row(row) for row in rows]


def _row(row: Checked) -> dict[str, Any]:
    asked, total = row.asked, row.predicted_s
    parts = {f.name: float(getattr(row.step, f.name)) / total for f in dataclasses.fields(StepTime)}
    return {
        "id": row.id,
        "source": row.source,
        "model": asked.job.model.name,
        "chip": asked.machine.chip.id,
        "chips": asked.machine.chips,
        "stack": asked.stack.id,
        "measured_s": float(row.measured_s),
        "predicted_s": total,
        "error": row.error,
        "bound_s": float(row.bound_s),
        "fits": row.fits,
        "memory_bytes": float(row.memory_bytes),
        "measured_memory_bytes": row.measured_memory_bytes,
        "parts": {name: share for name, share in sorted(parts.items(), key=lambda p: -p[1]) if share > 0.01},
    }


def validation_document(found: Validation) -> dict[str, Any]:
    """Return a validation as one JSON-ready document."""
    return {
        "schema": SCHEMA,
        "result": {
            "rows": found.rows,
            "predicted": found.predicted,
            "compared": len(found.checked),
            "refused": dict(sorted(found.refused.items())),
            "said_not_to_fit": sum(not row.fits for row in found.checked),
            "faster_than_bound": [row.id for row in found.checked if row.measured_s < row.bound_s],
            "by": {name: [dataclasses.asdict(e) for e in errors_by(found, name)] for name in GROUPINGS},
            "peak_memory": [dataclasses.asdict(e) for e in memory_errors(found)],
            "worst": worst_rows(found),
            "rows_compared": [_row(row) for row in found.checked],
        },
    }
