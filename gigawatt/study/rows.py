"""Predict the rows of a table of training configurations; measured columns are never read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gigawatt.errors import GigawattError
from gigawatt.perf import memory_use, step_time
from gigawatt.perf.kernel_constants import kernel_law
from gigawatt.study.row_cells import RowError
from gigawatt.study.row_framework import reported_flop_per_token
from gigawatt.study.row_layout import Question, question
from gigawatt.study.run import peak_flop_per_s
from gigawatt.study.table_file import read_columns, write_records

CONFIGURATION = (
    "id", "year", "system", "accelerator", "n_accel", "accel_per_node", "interconnect_intra",
    "interconnect_inter_GBps_per_gpu", "model_name", "params_B", "layers", "hidden", "ffn_hidden", "heads",
    "kv_heads", "head_dim", "vocab", "n_experts", "experts_topk", "moe_ffn_hidden", "other_arch_notes",
    "seq_len", "global_batch_seqs", "micro_batch", "tp", "sp", "pp", "vpp", "dp", "cp", "ep",
    "zero_or_fsdp_stage", "recompute", "precision", "framework", "overlap_notes",
)  # fmt: skip
NEEDED = ("id", "accelerator", "n_accel", "model_name", "seq_len", "global_batch_seqs", "precision")


@dataclass(frozen=True, kw_only=True, slots=True)
class Prediction:
    """One row of the answer; numbers are nan where the status is not ok."""

    id: str
    status: str  # ok, incomplete, unknown_chip, unknown_model, inconsistent, unsupported
    reason: str = ""
    step_time_s: float = float("nan")
    tokens_per_s_per_accel: float = float("nan")
    model_tflops_per_accel: float = float("nan")
    mfu_pct: float = float("nan")
    memory_bytes: float = float("nan")
    fits: str = ""
    calibration: str = ""


def read_rows(path: str | Path) -> list[dict[str, str]]:
    """Return the configuration columns of a table; other columns are not even kept.

    Raises: FileFormatError when the file is not such a table.
    """
    return read_columns(path, NEEDED, optional=[name for name in CONFIGURATION if name not in NEEDED])


def configuration(row: Mapping[str, str | None]) -> dict[str, str]:
    """Return what a prediction may read of a row: its configuration columns, blank where absent."""
    return {name: (row.get(name) or "").strip() for name in CONFIGURATION}


def predict(rows: Iterable[Mapping[str, str]]) -> Iterator[Prediction]:
    """Yield one prediction a row, in order; a row that cannot be predicted says why."""
    for row in rows:
        yield predict_row(row)


def predict_row(row: Mapping[str, str]) -> Prediction:
    """Return the prediction of one row.

    Definition: the same step_time and memory_use as a plan's, at the row's own layout.
    """
    try:
        return answer(row["id"], question(row))
    except RowError as error:
        return Prediction(id=row["id"], status=error.status, reason=error.reason)
    except GigawattError as error:
        return Prediction(id=row["id"], status="unsupported", reason=str(error))


def answer(id: str, asked: Question) -> Prediction:
    """Return the numbers of one resolved row."""
    job, machine, software = asked.job, asked.machine, asked.stack
    step = step_time(job, asked.layout, machine=machine, strategy=asked.strategy, stack=software)
    memory = memory_use(job, asked.layout, strategy=asked.strategy, stack=software)
    seconds, needed = float(step.total_s), float(memory.total_bytes)
    rate = job.batch_tokens / seconds / machine.chips
    flop_per_s = float(reported_flop_per_token(job, asked.framework.flop)) * rate
    law = kernel_law(machine.chip, job.dtype)
    return Prediction(
        id=id,
        status="ok",
        reason="; ".join(asked.assumed),
        step_time_s=seconds,
        tokens_per_s_per_accel=rate,
        model_tflops_per_accel=flop_per_s / 1e12,
        mfu_pct=100.0 * flop_per_s / peak_flop_per_s(machine, asked.framework.mfu_dtype or job.dtype),
        memory_bytes=needed,
        fits="true" if needed <= machine.chip.hbm_bytes else "false",
        calibration=f"{software.id}; {law.origin}",
    )


def write_predictions(
    path: str | Path, predictions: Iterable[Prediction], *, progress: Callable[[int], None] | None = None
) -> dict[str, int]:
    """Write predictions as CSV, all or nothing, and return the count of each status.

    Raises: InputError when the place cannot be written.
    """
    return write_records(path, predictions, kind=Prediction, progress=progress)
