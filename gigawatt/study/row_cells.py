"""Cells of a table row: read as numbers or refused by name."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

MOST = 10**9
Row = Mapping[str, str]


class RowError(Exception):
    """A row that cannot be predicted: its status, and what is missing or wrong."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def number_in(text: str) -> float:
    """Return the number of a cell.

    Raises: ValueError when it is not a finite one.

    >>> number_in("224.0")
    224.0
    """
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def amount(row: Row, name: str) -> float | None:
    """Return the positive number of a cell, None when the cell is blank.

    Raises: RowError that names the column.

    >>> amount({"micro_batch": "0.125"}, "micro_batch")
    0.125
    """
    text = row[name].strip()
    if not text:
        return None
    try:
        value = number_in(text)
    except ValueError:
        raise RowError("inconsistent", f"{name} = {text!r} is not a number") from None
    if not 0 < value <= MOST:
        raise RowError("inconsistent", f"{name} = {text!r} is not above 0 and up to {MOST}")
    return value


def whole(row: Row, name: str, *, default: int | None = None) -> int:
    """Return the whole number of a cell, or its default when the cell is blank.

    Raises: RowError that names the column.
    """
    text = row[name].strip()
    if not text:
        if default is None:
            raise RowError("incomplete", name)
        return default
    try:
        value = number_in(text)
    except ValueError:
        raise RowError("inconsistent", f"{name} = {text!r} is not a number") from None
    if value != int(value) or not 0 <= value <= MOST:
        raise RowError("inconsistent", f"{name} = {text!r} is not a whole number in 0..{MOST}")
    return int(value)


def positive(row: Row, name: str, *, default: int | None = None) -> int:
    """Return a whole number of 1 or more.

    Raises: RowError that names the column.
    """
    value = whole(row, name, default=default)
    if value < 1:
        raise RowError("inconsistent", f"{name} = {row[name]!r} is not 1 or more")
    return value


def accumulated(row: Row) -> int:
    """Return how many batches a step accumulates, as overlap notes say; 0 where they do not.

    >>> accumulated({"overlap_notes": "LBS=4, GA=2"})
    2
    """
    notes = re.search(r"\bga=(\d+)|grad_accum=(\d+)|accumulation=(\d+)", row["overlap_notes"].lower())
    return next((int(found) for found in notes.groups() if found), 0) if notes else 0
