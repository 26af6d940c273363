"""Small studies, and what their folders hold."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from gigawatt.study.sweep.parts import Pricer, parts_of
from gigawatt.study.sweep.study_file import Study, study_of

LAYOUT = {"tp": 8, "pp": 4}
BASE: dict[str, Any] = {
    "model": "llama2-70b",
    "on": "eos",
    "chips": 512,
    "tokens": "1T",
    "seq_tokens": 4096,
    "batch_sequences": 512,
    "dtype": "bf16",
    "layout": LAYOUT,
}
DRAWS: dict[str, Any] = {
    "machine.rent_usd_per_s": {"triangular": ["1.5 $/h", "2.35 $/h", "4 $/h"]},
    "machine.failures_per_chip_s": {"log_normal": [1, 1.7], "of": "base"},
    "machine.restart_s": {"published": True},
    "step_ratio": {"band": True},
}
PRICES: dict[str, Any] = {
    "seed": 5,
    "part_rows": 500,
    "base": BASE,
    "sets": {
        "drawn": {
            "grid": {"tokens": ["1T", "2T"], "chips": [256, 512]},
            "draw": DRAWS,
            "samples": 1024,
            "method": "sobol",
        }
    },
    "outputs": ["days", "cost_usd", "mfu"],
}


def study(rows: dict[str, Any]) -> Study:
    """Return the study of some rows."""
    return study_of(rows, where="prices.yaml")


def table(asked: Study, *, layouts: Any = None) -> dict[str, list[Any]]:
    """Return all rows of a study of one set, computed here, as columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pricer = Pricer(asked, layouts or {})
    parts = [pq.read_table(pa.BufferReader(pricer.part_bytes(part))) for part in parts_of(asked)]
    found: dict[str, list[Any]] = pa.concat_tables(parts).to_pydict()
    return found


def contents(folder: Path) -> dict[str, str]:
    """Return a hash of every part file of a folder."""
    files = sorted((folder / "parts").rglob("*.parquet"))
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}
