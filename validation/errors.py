"""The errors of today beside those that were accepted last."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gigawatt.study import validate, validation_document

HERE = Path(__file__).resolve().parent
ROWS = HERE.parents[1] / "shared" / "facts" / "training"
NOT_ROWS = ("accelerator_alias.csv", "sanity_flags.csv")
STORED = HERE / "errors.csv"
WORSE = 0.002  # of a median, beyond which a change must give its reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A source whose median error grew, or of which fewer rows are predicted."""

    source: str
    what: str


def measured_files(folder: Path = ROWS) -> list[Path]:
    """Return the tables of measured rows, none where they are not at hand."""
    return [file for file in sorted(folder.glob("*.csv")) if file.name not in NOT_ROWS]


def document_of(files: list[Path]) -> dict[str, Any]:
    """Return the validation of some tables."""
    return validation_document(validate(files))


def errors_by_source(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the errors of each source, and of all."""
    return {row["group"]: row for row in document["result"]["by"]["source"]}


def stored(file: Path = STORED) -> dict[str, dict[str, float]]:
    """Return the errors that were accepted last, by source."""
    with file.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return {row["source"]: {k: float(v) for k, v in row.items() if k != "source"} for row in rows}


def store(document: Mapping[str, Any], file: Path = STORED) -> None:
    """Accept today's errors."""
    names = ("rows", "median", "p90", "bias")
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["source", *names])
        for source, row in errors_by_source(document).items():
            writer.writerow([source, row["rows"], *(f"{row[name]:.4f}" for name in names[1:])])


def worse(
    now: Mapping[str, Mapping[str, Any]], before: Mapping[str, Mapping[str, float]]
) -> list[Difference]:
    """Return what is worse than what was accepted."""
    found = []
    for source, accepted in before.items():
        row = now.get(source)
        if row is None or row["rows"] < accepted["rows"]:
            told = f"{accepted['rows']:.0f} rows were compared, now {row['rows'] if row else 0}"
            found.append(Difference(source=source, what=told))
        elif row["median"] > accepted["median"] + WORSE:
            told = f"median error {accepted['median']:.1%} -> {row['median']:.1%}"
            found.append(Difference(source=source, what=told))
    return found
