"""The same physics in other units: records and arguments rescaled by the units in their types and names."""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

Scales = Mapping[str, float]  # how many new units are one old, by base unit


def scale_of(unit: str, scales: Scales) -> float:
    """Return how many new units are one old; a watt is a joule a second."""
    top, _, bottom = unit.partition("/")
    below = scale_of(bottom, scales) if bottom else 1.0
    if top == "W":
        return scales.get("J", 1.0) / scales.get("s", 1.0) / below
    return scales.get(top, 1.0) / below


def hinted_unit(hint: Any) -> str | None:
    """Return the unit of an annotated type."""
    return hint.__metadata__[0] if hasattr(hint, "__metadata__") else None


def rescaled(value: Any, hint: Any, scales: Scales) -> Any:
    """Return a quantity, or a record with its annotated fields, in new units."""
    unit = hinted_unit(hint)
    if unit is not None:
        return value * scale_of(unit, scales)
    if dataclasses.is_dataclass(value):
        hints = get_type_hints(type(value), include_extras=True)
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        new = {k: rescaled(v, hints[k], scales) for k, v in fields.items() if hinted_unit(hints[k])}
        return dataclasses.replace(value, **new)
    return value


def call_in_other_units(formula: Callable[..., Any], arguments: Mapping[str, Any], scales: Scales) -> Any:
    """Return a formula's answer to the same question in new units."""
    hints = get_type_hints(formula, include_extras=True)
    changed = {k: rescaled(v, hints[k], scales) for k, v in arguments.items()}
    return call(formula, changed)


def call(formula: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Return a formula's answer to named arguments."""
    return formula(**{name: arguments[name] for name in inspect.signature(formula).parameters})


def seconds_of_named(values: Mapping[str, Any], factor: float) -> dict[str, Any]:
    """Return a table with every time and rate in a new second, by the unit that each name ends in."""
    return {name: _seconds(name, value, factor) for name, value in values.items()}


def _seconds(name: str, value: Any, factor: float) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isinf(value):
        return value
    if name.endswith("_per_s"):
        return value / factor
    return value * factor if name.endswith("_s") or "_s_per_" in name else value
