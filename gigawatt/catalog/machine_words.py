"""What is wrong with a machine file, in one sentence: place, field, value, what is allowed, the nearest."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from gigawatt.catalog.keyed_text import Places
from gigawatt.errors import InputError
from gigawatt.units import format as fmt
from gigawatt.units import parse

Fields = Mapping[str, Sequence[str]]

UNION_TAGS = {
    "str", "float", "int", "bool", "SiteRow", "FactRow", "list[NetworkLevel]", "tuple[int, ...]", "list[int]",
}  # fmt: skip
EITHER = {
    "network": "is neither a rate such as '400 Gbit/s' nor a list of levels",
    "site": "is neither the name of a site nor a table of pue, power_price and carbon",
    "facts": "is neither a quantity such as '2.5 $/h' nor a table with a value",
}
KINDS = {
    "string_type": 'is not text; write it in quotes, e.g. "{value}"',
    "bool_type": "is not true or false",
    "float_type": "is not a number",
    "list_type": "is not a list",
    "model_type": "is not a table of keys and values",
    "dict_type": "is not a table of keys and values",
    "literal_error": "is not one of: {expected}",
    "greater_than_equal": "is less than {ge:,}, the least that is allowed",
    "less_than_equal": "is more than {le:,}, the most that is allowed",
    "string_pattern_mismatch": "is not made of a-z, 0-9, dots and dashes alone",
}
EXAMPLES = {
    "chip": "chip: h100-sxm",
    "chips": "chips: 64",
    "per_chip": "per_chip: 400 Gbit/s",
    "pue": "pue: 1.2",
    "power_price": "power_price: 0.07 $/kWh",
    "carbon": "carbon: 0.38 kg/kWh",
}


def told(error: ValidationError, where: str, *, places: Places, fields: Fields) -> str:
    """Return one sentence for the first thing that is wrong, with the count of the others."""
    problems = error.errors()
    first = _most_telling(problems)
    path = tuple(p for p in first["loc"] if p not in UNION_TAGS)
    others = len({p["loc"][0] for p in problems}) - 1
    more = f" (and {others} more)" if others else ""
    return f"{where}{place_of(path, places)}: {_sentence(first, path, fields=fields)}{more}"


def place_of(path: tuple[Any, ...], places: Places) -> str:
    """Return ":line:column" of the innermost key of a path that is known, "" where none is."""
    return next((places[path[:n]] for n in range(len(path), 0, -1) if path[:n] in places), "")


def _most_telling(problems: Any) -> Any:
    """Return the deepest problem of the first field: of a union, the branch that got furthest."""
    field = problems[0]["loc"][0]
    mine = [p for p in problems if p["loc"][0] == field]
    return max(mine, key=lambda p: (len([part for part in p["loc"] if part not in UNION_TAGS]), -_rank(p)))


def _rank(problem: Any) -> int:
    return 1 if problem["type"].endswith("_type") else 0  # a broken bound tells more than a wrong type


def _sentence(problem: Any, path: tuple[Any, ...], *, fields: Fields) -> str:
    field, kind = ".".join(map(str, path)), problem["type"]
    allowed = list(fields[path[0] if len(path) > 1 else ""])
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(path[-1]), allowed, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}?" if near else f"allowed: {', '.join(sorted(allowed))}"
        return f"{field} is not a field of a machine file; {hint}"
    if kind == "missing":
        example = EXAMPLES.get(str(path[-1]))
        return f"{field} is missing" + (f"; write e.g. {example}" if example else "")
    return f"{field} = {problem['input']!r} {_why(problem, path)}"


def _why(problem: Any, path: tuple[Any, ...]) -> str:
    kind, value = problem["type"], problem["input"]
    in_union = any(part in UNION_TAGS for part in problem["loc"][1:])
    if in_union and kind.endswith("_type") and (len(path) == 1 or path[0] == "facts"):
        return EITHER.get(str(path[0]), "is not of a kind that is allowed here")
    if kind.startswith("int_"):
        return "is not a whole number" + _count_hint(value)
    known = KINDS.get(kind)
    return known.format(value=value, **problem.get("ctx", {})) if known else problem["msg"].lower()


def _count_hint(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    try:
        return f"; write {parse(value, '1'):.0f}"
    except InputError:
        return ""


USUAL = {  # the unit that people leave out, and what they forget to divide by
    "byte/s": ("Gbit/s", "/s"),
    "USD/s": ("$/h", "/h"),
    "USD/J": ("$/kWh", "/kWh"),
    "kg/J": ("kg/kWh", "/kWh"),
    "1/s": ("/h", "/h"),
    "s": ("us", ""),
    "W": ("W", ""),
}


def nearest_writing(written: Any, unit: str) -> str | None:
    """Return what was probably meant by a quantity that has no or the wrong unit, or None.

    >>> nearest_writing("400 GB", "byte/s"), nearest_writing(400, "byte/s"), nearest_writing("70 $", "USD/J")
    ('400 GB/s', '400 Gbit/s', '70 $/kWh')
    """
    text = str(written).strip()
    number = re.match(r"[\d.,_]+(?:[eE][+-]?\d+)?", text)
    usual, per = USUAL.get(unit, ("", ""))
    if number is None or not usual:
        return None
    word = text[number.end() :].strip()
    if not word:
        return f"{text} {usual}"
    spellings = (word, word[:1].upper() + word[1:], word.capitalize())
    tries = (f"{number[0]} {spelling}{end}" for spelling in spellings for end in ("", per))
    found = next((near for near in tries if _reads(near, unit)), text)
    return found if found.replace(" ", "") != text.replace(" ", "") else None


def _reads(text: str, unit: str) -> bool:
    try:
        parse(text, unit)
    except InputError:
        return False
    return True


HABITS = {  # in what people write these units
    "USD/J": (3.6e6, "$/kWh"),
    "kg/J": (3.6e6, "kg/kWh"),
    "USD/s": (3600.0, "$/h"),
    "1/s": (3600.0, "/h"),
}


def _text(value: float, unit: str) -> str:
    factor, word = HABITS.get(unit, (1.0, ""))
    return "0" if value == 0 else f"{value * factor:.3g} {word}" if word else fmt(value, unit)


def quantity_of(written: Any, unit: str, *, field: str) -> float:
    """Return a quantity as written, in SI.

    Raises: InputError, with what was probably meant where the unit is missing or another's.
    """
    try:
        return parse(written, unit, field=field)
    except InputError as error:
        near = nearest_writing(written, unit)
        hint = f"; did you mean {near!r}?" if near and "in a unit" in str(error) else ""
        raise InputError(f"{error}{hint}") from None


def refuse_outside(value: float, written: Any, *, unit: str, field: str, least: float, most: float) -> None:
    """Raise InputError for a quantity that is out of its range: most often its unit was left out."""
    if not least <= value <= most:
        near = nearest_writing(written, unit)
        hint = f"; write the unit, e.g. {near!r}" if near and value > 0 else ""
        raise InputError(
            f"{field} = {written!r} means {_text(value, unit)}, which is not in "
            f"{_text(least, unit)} .. {_text(most, unit)}{hint}"
        )
