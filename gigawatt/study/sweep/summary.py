"""A run of a study as one JSON-ready document: what was asked, how much of it is done, and the quantiles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gigawatt
from gigawatt.study.sweep.fields import fields
from gigawatt.study.sweep.outputs import OUTPUTS
from gigawatt.study.sweep.query import quantiles
from gigawatt.study.sweep.store import missing_parts, opened, read_manifest
from gigawatt.study.sweep.study_file import Study, Sweep

SCHEMA = "gigawatt/study/1"
MAX_POINTS = 1000


def study_document(folder: str | Path) -> dict[str, Any]:
    """Return what a study's folder says.

    Raises: InputError when the folder holds no study.
    """
    place = Path(folder)
    manifest, (study, pricer) = read_manifest(place), opened(place)
    missing = missing_parts(place, study)
    rows = study.rows - sum(part.rows for part in missing)
    undone = {part.set for part in missing}
    return {
        "schema": SCHEMA,
        "tool": {"name": "gigawatt", "version": gigawatt.__version__},
        "inputs": {"name": study.name, "seed": study.seed, "study": manifest["study"]},
        "provenance": {"digest": manifest["digest"], "folder": str(place)},
        "status": "partial" if missing else "ok",
        "result": {
            "rows": study.rows,
            "rows_done": rows,
            "layouts": len(pricer.layouts),
            "units": units_of(study),
            "sets": [_set(place, study, sweep, done=sweep.name not in undone) for sweep in study.sets],
        },
    }


def units_of(study: Study) -> dict[str, str]:
    """Return the unit of every column that is varied or kept; "" for words."""
    known = fields()
    varied = (name for sweep in study.sets for name in (*sweep.grid, *sweep.draw))
    found = {known[name].column: known[name].unit for name in varied}
    return found | {name: OUTPUTS[name].unit for name in study.outputs}


def _set(place: Path, study: Study, sweep: Sweep, *, done: bool) -> dict[str, Any]:
    known = fields()
    return {
        "name": sweep.name,
        "rows": sweep.rows,
        "method": sweep.method if sweep.draw else "grid",
        "grid": {known[n].column: len(values) for n, values in sweep.grid.items()},
        "draws": [known[n].column for n in sweep.draw],
        "points": quantiles(place, study, sweep=sweep)[:MAX_POINTS] if done and _counts(sweep) else [],
    }


def _counts(sweep: Sweep) -> bool:
    """Return whether quantiles of a set mean something: a tornado's rows are no samples."""
    return sweep.method != "tornado" or not sweep.draw
