"""Figures of a claim: numbers, dates and words with a unit, how they are read and how they are shown."""

from __future__ import annotations

import calendar
import datetime
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gigawatt.errors import InputError
from gigawatt.units import figures, parse
from gigawatt.units import format as fmt

Value = float | str

SI_UNITS = (
    "byte", "byte/s", "flop", "flop/s", "W", "J", "USD", "USD/s", "USD/J", "kg", "kg/J", "m", "s", "1/s",
)  # fmt: skip
WEAKEST_FIRST = ("assumed", "estimated", "predicted", "derived", "spec", "measured")
DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?![\d-])")
HABITS = {  # how people write what is kept in SI: a factor, and the unit's name
    "USD/s": (3600.0, "$/h"),
    "USD/J": (3.6e6, "$/kWh"),
    "kg/J": (3.6e6, "kg/kWh"),
    "1/s": (3600.0, "/h"),
}
PREFIXED = ("J/token", "J/flop", "flop/J", "flop/s/W")  # shown with an SI prefix
LONG_M = 1e4  # from here on lengths are told in kilometres
LARGE_FLOP = 1e21  # from here on work is told as a power of ten: no prefix reaches it


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A value, and how far it reaches: a day, a month or a year of a date; the bounds of a range."""

    value: Value
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One figure: what it is, its value, how it is known, and the command that shows it."""

    name: str
    label: str
    value: Value  # in SI units; a date is the day's number
    unit: str
    text: str  # as people write it
    by: str  # what a reader can type
    kind: str
    low: float = math.nan  # the first and the last day of a date; the ends of a range
    high: float = math.nan
    sources: tuple[str, ...] = ()
    note: str = ""

    @property
    def is_number(self) -> bool:
        return not isinstance(self.value, str) and self.unit != "date"


def weakest(kinds: Iterable[str]) -> str:
    """Return the kind of a figure that is made of others: the weakest of theirs.

    >>> weakest(["spec", "predicted", "measured"]), weakest([])
    ('predicted', 'derived')
    """
    return min(kinds, key=WEAKEST_FIRST.index, default="derived")


def span_of(written: Any, unit: str, *, field: str) -> Span:
    """Return a value as written with its unit: a quantity, a number, a date or a word.

    Raises: InputError that says what was read and what is allowed.

    >>> span_of("561 PFLOP/s", "flop/s", field="x").value
    5.61e+17
    >>> span_of("2023-03", "date", field="x").high - span_of("2023-03", "date", field="x").low
    30.0
    """
    if unit == "text":
        return Span(value=str(written))
    if unit == "date":
        return date_span(str(written), field=field)
    if isinstance(written, dict):
        return _range(written, unit, field=field)
    return Span(value=parse(written, unit if unit in SI_UNITS else "1", field=field))


def _range(written: dict[str, Any], unit: str, *, field: str) -> Span:
    if set(written) != {"low", "high"}:
        raise InputError(f"{field} = {written!r} is a table; a range has low and high, and nothing else")
    low, high = (parse(written[end], unit if unit in SI_UNITS else "1", field=f"{field}.{end}")
                 for end in ("low", "high"))  # fmt: skip
    if low > high:
        raise InputError(f"{field}.low = {written['low']!r} is more than {field}.high = {written['high']!r}")
    return Span(value=(low + high) / 2.0, low=low, high=high)


def date_span(text: str, *, field: str) -> Span:
    """Return a year, a month or a day as the numbers of its first and last day.

    Raises: InputError for what does not start with a date.
    """
    found = DATE.match(text.strip())
    try:
        if found is None:
            raise ValueError
        year, month, day = (int(part) if part else None for part in found.groups())
        first = datetime.date(year or 0, month or 1, day or 1)
        last_month = month or 12
        last = first if day else first.replace(month=last_month, day=_days(first.year, last_month))
    except ValueError:
        raise InputError(f"{field} = {text!r} is not a date; write e.g. 2023-03 or 2023-03-31") from None
    return Span(value=float(first.toordinal()), low=float(first.toordinal()), high=float(last.toordinal()))


def _days(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def told(value: Value, unit: str, *, low: float = math.nan, high: float = math.nan) -> str:
    """Return a figure as people write it.

    >>> told(2_073_600.0, "cores"), told(9.89e19, "flop/s"), told(2.27, "x"), told(4.2e7, "m")
    ('2,073,600 cores', '98.9 EFLOP/s', '2.27 x', '42,000 km')
    >>> told(738580.0, "date", low=738580.0, high=738610.0), told(0.45, "%")
    ('2023-03', '45.0 %')
    >>> told(2.15e25, "flop")
    '2.15e25 flop'
    """
    if isinstance(value, str):
        return value
    if unit == "date":
        return date_text(low, high)
    if not math.isnan(low) and not math.isnan(high):
        return f"{_number(low, unit)} to {_number(high, unit)}"
    return _number(value, unit)


def date_text(low: float, high: float) -> str:
    """Return a day, a month or a year by its first and last day."""
    first, last = (datetime.date.fromordinal(int(day)) for day in (low, high))
    if first == last:
        return first.isoformat()
    return first.strftime("%Y-%m") if first.month == last.month else first.strftime("%Y")


def _number(value: float, unit: str) -> str:
    if unit == "m" and abs(value) >= LONG_M:
        return f"{value / 1e3:,.0f} km"
    if unit == "flop" and abs(value) >= LARGE_FLOP:
        return f"{value:.2e} flop".replace("e+", "e")
    if unit in HABITS:
        factor, word = HABITS[unit]
        return f"{figures(value * factor)} {word}"
    if unit in SI_UNITS or unit == "%":
        return fmt(value, unit)
    if unit in PREFIXED:
        return fmt(value, unit).replace("flop", "FLOP")
    text = f"{value:,.0f}" if value == int(value) and 10 <= abs(value) < 1e12 else _plain(value)
    return text if unit == "1" else f"{text} {unit}"


def _plain(value: float) -> str:
    """Return three figures, with thousands or a power where these read better.

    >>> _plain(0.4567), _plain(123456.7), _plain(2.15e25)
    ('0.457', '123,457', '2.15e+25')
    """
    if value == 0 or 1e-3 <= abs(value) < 1e3:
        return f"{value:g}" if value == int(value) else figures(value)
    return f"{value:,.0f}" if 1e3 <= abs(value) < 1e12 else f"{value:.3g}"
