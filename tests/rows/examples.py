"""Rows of our own invention: a plain configuration, and what other sources would print differently."""

from __future__ import annotations

import csv
import io

from gigawatt.study.row_layout import Question, question
from gigawatt.study.rows import CONFIGURATION, Prediction, configuration, predict_row

MEASURED = (
    "reported_metric_name", "step_time_s", "tokens_per_s_per_accel", "model_tflops_per_accel",
    "hw_tflops_per_accel", "mfu_pct", "hfu_pct", "flops_formula_notes", "notes",
)  # fmt: skip
HEADER = (*CONFIGURATION, "source", "source_locator", *MEASURED)
COMPLETE = (  # what a complete configuration has
    "n_accel", "layers", "hidden", "seq_len", "global_batch_seqs", "micro_batch", "tp", "pp", "dp",
    "precision",
)  # fmt: skip
PLAIN = {
    "id": "plain",
    "year": "2024",
    "system": "a cluster",
    "accelerator": "H100-SXM5-80GB",
    "n_accel": "64",
    "accel_per_node": "8",
    "interconnect_inter_GBps_per_gpu": "50",
    "model_name": "Invented 9B",
    "layers": "32",
    "hidden": "4096",
    "ffn_hidden": "14336",
    "heads": "32",
    "kv_heads": "8",
    "vocab": "100000",
    "other_arch_notes": "gated SwiGLU MLP, GQA, untied",
    "seq_len": "4096",
    "global_batch_seqs": "256",
    "micro_batch": "2",
    "tp": "2",
    "pp": "1",
    "dp": "32",
    "precision": "bf16",
    "framework": "Megatron-LM",
}


def row(**changes: str) -> dict[str, str]:
    """Return the plain row with some cells changed; `n_accel="8"` and the like."""
    return configuration({**PLAIN, **changes})


def asked(**changes: str) -> Question:
    """Return what the changed row asks."""
    return question(row(**changes))


def predicted(**changes: str) -> Prediction:
    """Return the prediction of the changed row."""
    return predict_row(row(**changes))


def table(*rows: dict[str, str]) -> str:
    """Return rows as the text of a CSV file with every column of the published tables."""
    out = io.StringIO()
    writer = csv.DictWriter(out, HEADER, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
