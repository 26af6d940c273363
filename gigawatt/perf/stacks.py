"""Software stacks and sustained clocks: calibration values, read from the package's data."""

from __future__ import annotations

import dataclasses
import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any

from gigawatt.catalog.records import Chip, Stack
from gigawatt.errors import unknown_name
from gigawatt.units import Fraction

DATA = files("gigawatt.catalog") / "data" / "calibration"


@lru_cache(maxsize=1)
def _tables() -> dict[str, dict[str, Any]]:
    tables: dict[str, dict[str, Any]] = tomllib.loads((DATA / "stacks.toml").read_text("utf-8"))["stack"]
    return tables


@lru_cache(maxsize=1)
def fitted() -> dict[str, Any]:
    """Return the fitted values: by stack under `stack`, clocks under `family` and `chip`."""
    file = DATA / "training.toml"
    found: dict[str, Any] = tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
    return found


def chain(name: str) -> tuple[str, ...]:
    """Return a stack and what it builds on, itself first.

    >>> chain("megatron-deepspeed")
    ('megatron-deepspeed', 'megatron-2021', 'modern')
    """
    base = _tables()[name].get("base")
    return (name, *(chain(str(base)) if base else ()))


def initial(name: str) -> dict[str, float]:
    """Return a stack's written values; what it does not say is its base's."""
    values: dict[str, float] = {}
    for owner in reversed(chain(name)):
        own = _tables()[owner].items()
        values |= {k: float(v) for k, v in own if isinstance(v, int | float) and k != "year"}
    return values


@lru_cache(maxsize=1)
def stacks() -> dict[str, Stack]:
    """Return every software stack by id, fitted values over written ones."""
    return {name: _stack(name) for name in _tables()}


def _stack(name: str) -> Stack:
    table, own = _tables()[name], fitted().get("stack", {})
    first = initial(name)  # where this is 0 the mechanism is absent, whatever a base was fitted to
    line = chain(name)
    fit = next((i for i, owner in enumerate(line) if owner in own), len(line))
    said = {k for owner in line[:fit] for k in _tables()[owner]}  # written nearer than what was fitted
    nearest: dict[str, Any] = own[line[fit]] if fit < len(line) else {}
    return Stack(
        id=name,
        name=str(table["name"]),
        year=int(table["year"]),
        values=first | {k: float(v) for k, v in nearest.items() if first[k] != 0 and k not in said},
        schedules=next(tuple(_tables()[o]["schedules"]) for o in chain(name) if "schedules" in _tables()[o]),
        note=str(table.get("note", "")),
    )


def written(software: Stack) -> Stack:
    """Return a stack with the values that were fitted as they are written; what else was set is kept."""
    first, known = initial(software.id), stacks()[software.id].values
    values = {k: first[k] if v == known[k] else v for k, v in software.values.items()}
    return dataclasses.replace(software, values=values)


def stack(name: str) -> Stack:
    """Return one software stack.

    Raises: InputError for an unknown name, with the nearest ones.
    """
    known = stacks()
    if name not in known:
        raise unknown_name("stack", name, known)
    return known[name]


def default_stack(chip: Chip) -> Stack:
    """Return the stack of a plan that names none: the newest measured one of the chip's family."""
    by_family = tomllib.loads((DATA / "stacks.toml").read_text("utf-8"))["default"]
    return stack(str(by_family.get(chip.family, "modern")))


def clock_of(chip: Chip) -> Fraction:
    """Return the rate of a chip's kernels in a training loop over their rate alone: power holds the clock.

    Definition: fitted for the chip, else for its family, else 1.
    """
    for table, name in (("chip", chip.id), ("family", chip.family)):
        if name in fitted().get(table, {}):
            return float(fitted()[table][name])
    return 1.0
