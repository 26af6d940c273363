"""Options that take quantities, and words of the form name=value."""

from __future__ import annotations

from typing import Any

import click

from gigawatt.errors import InputError
from gigawatt.units import parse


class Quantity(click.ParamType):
    """Text with a unit, such as 15.6T or 4M."""

    name = "number"

    def __init__(self, unit: str, field: str) -> None:
        self.unit, self.field = unit, field

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return SI.

        Raises: InputError as `units.parse`, or when it is not above 0.
        """
        found = parse(value, self.unit, field=self.field)
        if not found > 0:
            raise InputError(f"{self.field} = {value!r} is not above 0")
        return found


class Whole(Quantity):
    """A whole number, such as 16384 or 16k."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # type: ignore[override]
        """Return an int.

        Raises: InputError when it is not one.
        """
        found = super().convert(value, param, ctx)
        if found != int(found):
            raise InputError(f"{self.field} = {value!r} is not a whole number; the nearest is {round(found)}")
        return int(found)


TRUTH = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}


def words(text: str, *, option: str, several: bool = False) -> dict[str, Any]:
    """Return what "tp=8,pp=16,recompute=full" says; with `several`, "tp=4|8" is a list.

    Raises: InputError for what has no name or value, or a name that comes twice.

    >>> words("tp=8,recompute=full,sp=true", option="--layout")
    {'tp': 8, 'recompute': 'full', 'sp': True}
    """
    found: dict[str, Any] = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not name or not value:
            raise InputError(f"{option} {part.strip()!r} is not of the form name=value, e.g. tp=8,pp=16")
        if name in found:
            raise InputError(f"{option} names {name!r} twice")
        values = [_value(v.strip()) for v in value.split("|")] if several else [_value(value)]
        found[name] = values if len(values) > 1 else values[0]
    return found


def _value(text: str) -> Any:
    if text.lower() in TRUTH:
        return TRUTH[text.lower()]
    try:
        return int(text)
    except ValueError:
        return text
