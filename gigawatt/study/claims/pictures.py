"""The pictures of a claim file as numbers: bars of figures, and lines over a field that varies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gigawatt.errors import InputError
from gigawatt.study.claims.asked import Desk
from gigawatt.study.claims.figures import Figure
from gigawatt.study.claims.queries import QUERIES
from gigawatt.study.claims.rows import PictureRow
from gigawatt.units import parse

LOG_RATIO = 50.0  # a range of more than this is drawn by its logarithm


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One bar: what it is, how long, and whether it is what is said."""

    label: str
    value: float
    text: str
    said: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line: its points, from left to right."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """One picture: bars or lines."""

    title: str
    claim: str
    note: str
    bars: tuple[Bar, ...] = ()
    lines: tuple[Line, ...] = ()
    x_label: str = ""
    y_label: str = ""
    log_x: bool = False


def picture_of(row: PictureRow, *, figures: Mapping[str, Figure], desk: Desk) -> Picture:
    """Return one picture, computed now.

    Raises: InputError for a bar that is no number.
    """
    bars = tuple(_bar(name, figures[name]) for name in row.bars)
    if row.bars:
        return Picture(title=row.title, claim=row.claim, note=row.note, bars=bars)
    x, log = _axis(row)
    lines = tuple(
        Line(label=line.label, x=tuple(x), y=tuple(_y(line.query, row.vary, value, desk) for value in x))
        for line in row.lines
    )
    return Picture(title=row.title, claim=row.claim, note=row.note, lines=lines, x_label=row.x_label,
                   y_label=row.y_label, log_x=log)  # fmt: skip


def _bar(name: str, figure: Figure) -> Bar:
    if isinstance(figure.value, str) or figure.unit == "date":
        raise InputError(f"bars: {name} is {figure.text!r}, not a size")
    return Bar(label=figure.label, value=figure.value, text=figure.text, said=name.startswith("said_"))


def _axis(row: PictureRow) -> tuple[list[float], bool]:
    low, high = (parse(end, "1", field=name) for end, name in ((row.low, "low"), (row.high, "high")))
    if not (math.isfinite(low) and low < high):
        raise InputError(f"a picture over {row.vary!r} needs low < high; these are {row.low} and {row.high}")
    log = low > 0 and high / low > LOG_RATIO
    points = np.geomspace(low, high, row.points) if log else np.linspace(low, high, row.points)
    return [float(value) for value in points], log


def _y(words: Mapping[str, Any], vary: str, value: float, desk: Desk) -> float:
    given = {**{k: v for k, v in words.items() if k != "query"}, vary: value}
    found = QUERIES[str(words["query"])].model_validate(given).found(desk)
    return float(found.value)
