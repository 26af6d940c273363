"""Software stacks: calibration values by framework and era, read from the package's data."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files

from gigawatt.catalog.records import Stack
from gigawatt.errors import unknown_name


@lru_cache(maxsize=1)
def stacks() -> dict[str, Stack]:
    """Return every software stack by id. A stack inherits what it does not say from its `base`."""
    text = (files("gigawatt.catalog") / "data" / "calibration" / "stacks.toml").read_text("utf-8")
    tables = tomllib.loads(text)["stack"]
    return {name: _stack(name, tables) for name in tables}


def _values(name: str, tables: dict[str, dict[str, object]]) -> dict[str, float]:
    table = tables[name]
    own = {k: float(v) for k, v in table.items() if isinstance(v, int | float) and k != "year"}
    base = table.get("base")
    return {**(_values(str(base), tables) if base else {}), **own}


def _stack(name: str, tables: dict[str, dict[str, object]]) -> Stack:
    table = tables[name]
    return Stack(
        id=name,
        name=str(table["name"]),
        year=int(str(table["year"])),
        values=_values(name, tables),
        note=str(table.get("note", "")),
    )


def stack(name: str) -> Stack:
    """Return one software stack.

    Raises: InputError for an unknown name, with the nearest ones.
    """
    known = stacks()
    if name not in known:
        raise unknown_name("stack", name, known)
    return known[name]
