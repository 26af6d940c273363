"""What the planner answers to the questions of the gate, as rows of text."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gigawatt import plan
from gigawatt.catalog import model
from gigawatt.cli.options import words
from gigawatt.errors import GigawattError
from tests.gate.grid import LAYOUTS, MACHINES, MODELS, NARROW, STANDARD

FILE = Path(__file__).with_name("predictions.csv")
NUMBERS = ("step_s", "memory_bytes", "mfu", "wall_s", "rent_usd", "facility_energy_j")
COLUMNS = ("id", "status", "layout", *NUMBERS)

Row = dict[str, str]


def predictions() -> dict[str, Row]:
    """Return the rows of today's planner by id."""
    return {row["id"]: row for row in (*_searches(), *_layouts())}


def _searches() -> Iterator[Row]:
    for name in MODELS:
        known = model(name).recipe
        more = {key: value for key, value in STANDARD.items() if key not in known}
        for machine, chips in MACHINES:
            yield _row(f"{name} on {machine}", name, on=machine, chips=chips, fixed=NARROW, top=1, **more)


def _layouts() -> Iterator[Row]:
    for name, machine, chips, layout, job in LAYOUTS:
        said = words(layout, option="layout")
        yield _row(
            f"{name} on {chips} of {machine}: {layout}", name, on=machine, chips=chips, layout=said, **job
        )


def _row(id: str, name: str, **question: Any) -> Row:
    try:
        found = plan(name, **question)
    except GigawattError as error:
        return dict.fromkeys(COLUMNS, "") | {"id": id, "status": type(error).__name__}
    cut, run = found.layout, found.run
    degrees = (f"{field}={getattr(cut, field)}" for field in ("tp", "cp", "pp", "chunks", "dp", "ep"))
    values = (
        float(found.step.total_s),
        float(found.memory.total_bytes),
        found.use.mfu,
        run.wall_s,
        run.rent_usd,
        run.facility_energy_j,
    )
    numbers = {column: f"{value:.8g}" for column, value in zip(NUMBERS, values, strict=True)}
    return {"id": id, "status": "ok", "layout": " ".join(degrees), **numbers}


def stored() -> dict[str, Row]:
    """Return the rows in git by id."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def store() -> None:
    """Write today's rows."""
    with FILE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(predictions().values())
