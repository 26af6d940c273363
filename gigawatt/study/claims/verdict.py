"""From figures to verdicts: tests, readings, and one word for a claim. Nothing here knows a claim."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gigawatt.errors import InputError
from gigawatt.study.claims.expression import evaluate, names_in
from gigawatt.study.claims.figures import SI_UNITS, Figure, span_of, told
from gigawatt.study.claims.rows import ReadingRow, TestRow
from gigawatt.units import figures as digits
from gigawatt.units import parse

HOLDS, PARTLY, FAILS = "holds", "holds under a reading", "does not hold"
OPINION, FAILED = "opinion or not computable", "failed"
VERDICTS = (HOLDS, PARTLY, FAILS, OPINION, FAILED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tested:
    """One comparison and how it went."""

    text: str
    holds: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """One reading of a claim: it holds when all its tests do."""

    label: str
    tests: tuple[Tested, ...]
    note: str

    @property
    def holds(self) -> bool:
        return all(test.holds for test in self.tests)


def verdict_of(readings: Sequence[Read]) -> str:
    """Return the word for a claim: all, some or none of its readings hold; without one, it is an opinion.

    >>> verdict_of([])
    'opinion or not computable'
    """
    if not readings:
        return OPINION
    held = sum(reading.holds for reading in readings)
    return HOLDS if held == len(readings) else PARTLY if held else FAILS


def read(row: ReadingRow, figures: Mapping[str, Figure], *, said: Mapping[str, Figure]) -> Read:
    """Return how one reading of a claim goes.

    Raises: InputError for what cannot be compared.
    """
    return Read(
        label=row.label, tests=tuple(tested(test, figures, said=said) for test in row.tests), note=row.note
    )


def tested(test: TestRow, figures: Mapping[str, Figure], *, said: Mapping[str, Figure]) -> Tested:
    """Return how one test goes.

    Raises: InputError for values of different units, or what has no order.
    """
    if test.when:
        found = evaluate(test.when, numbers(figures, said), field="when")
        if not isinstance(found, bool):
            raise InputError(f"when = {test.when!r} is a number, not a condition; write e.g. a > b")
        return Tested(text=_condition(test, figures), holds=found)
    computed = figures[test.figure]
    asked = _asked(test, figures, said)
    holds, how = RULES[test.rule](computed, asked, test)
    label, word = test.label or computed.label, "" if holds else "not "
    return Tested(text=f"{label}: {computed.text} is {word}{how} {asked.text}", holds=holds)


def _condition(test: TestRow, figures: Mapping[str, Figure]) -> str:
    """Return a condition in words, with the figures that it hangs on."""
    named = [figures[name] for name in sorted(names_in(test.when, field="when")) if name in figures]
    return f"{test.label or test.when} ({', '.join(f'{f.label} {f.text}' for f in named)})"


def _asked(test: TestRow, figures: Mapping[str, Figure], said: Mapping[str, Figure]) -> Figure:
    """Return what a figure is compared with: another one, a limit, or what is said."""
    if test.than:
        return figures[test.than]
    if test.value is None:
        return said[test.said or test.figure]
    unit = figures[test.figure].unit
    span = span_of(test.value, unit, field="value")
    text = told(span.value, unit, low=span.low, high=span.high)
    return Figure(name="value", label="", value=span.value, unit=unit, text=text, by="", kind="assumed",
                  low=span.low, high=span.high)  # fmt: skip


def numbers(figures: Mapping[str, Figure], said: Mapping[str, Figure]) -> dict[str, float]:
    """Return all that an expression can name; words have no value in arithmetic."""
    named = {**figures, **{f"said_{name}": figure for name, figure in said.items()}}
    return {name: float(f.value) for name, f in named.items() if not isinstance(f.value, str)}


Outcome = tuple[bool, str]


def _within(computed: Figure, asked: Figure, test: TestRow) -> Outcome:
    """Return whether a figure is as near to what is said as the test allows."""
    value, _ = _pair(computed, asked)
    if asked.unit == "date":
        days = _share(test.by, "days")
        return asked.low - days <= value <= asked.high + days, f"within {digits(days)} days of"
    share = _share(test.by, "share")
    low, high = _ends(asked)
    return low - share * abs(low) <= value <= high + share * abs(high), f"within {100 * share:g} % of"


def _at_least(computed: Figure, asked: Figure, test: TestRow) -> Outcome:
    value, _ = _pair(computed, asked)
    low, _ = _ends(asked)
    slack = _slack(low, asked, test)
    return value >= low - slack, "at least" if not test.by else f"at least (by {test.by})"


def _at_most(computed: Figure, asked: Figure, test: TestRow) -> Outcome:
    value, _ = _pair(computed, asked)
    _, high = _ends(asked)
    slack = _slack(high, asked, test)
    return value <= high + slack, "at most" if not test.by else f"at most (by {test.by})"


def _same(computed: Figure, asked: Figure, test: TestRow) -> Outcome:
    """Return whether two words are the same, two dates overlap, or two numbers are equal."""
    if isinstance(computed.value, str) or isinstance(asked.value, str):
        return str(computed.value).casefold() == str(asked.value).casefold(), "the same as"
    value, said = _pair(computed, asked)
    if computed.unit == "date":
        return computed.low <= asked.high and asked.low <= computed.high, "the same time as"
    return value == said, "the same as"


RULES: dict[str, Callable[[Figure, Figure, TestRow], Outcome]] = {
    "within": _within,
    "at_least": _at_least,
    "at_most": _at_most,
    "same": _same,
}


def _pair(computed: Figure, asked: Figure) -> tuple[float, float]:
    if isinstance(computed.value, str) or isinstance(asked.value, str):
        raise InputError(f"{computed.name} is {computed.text!r}, which has no size; compare words with same")
    if (computed.unit == "date") != (asked.unit == "date"):
        raise InputError(f"{computed.name} in {computed.unit!r} cannot be compared with {asked.unit!r}")
    if computed.unit != asked.unit and {computed.unit, asked.unit} & {*SI_UNITS, "%"}:
        raise InputError(
            f"{computed.name} is in {computed.unit!r} and {asked.name} in {asked.unit!r}: give both one unit"
        )
    return computed.value, asked.value


def _ends(asked: Figure) -> tuple[float, float]:
    value = float(asked.value)
    return (asked.low, asked.high) if asked.low == asked.low else (value, value)


def _slack(value: float, asked: Figure, test: TestRow) -> float:
    return _share(test.by, "days") if asked.unit == "date" else _share(test.by, "share") * abs(value)


def _share(written: str | float, what: str) -> float:
    found = parse(str(written).removesuffix(" days"), "1", field="by")
    if found < 0:
        raise InputError(f"by = {written!r} is negative; a {what} is 0 or more")
    return found
