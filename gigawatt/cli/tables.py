"""Tables of the catalogue for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

RIGHT = {"chips", "bf16 peak", "memory", "bandwidth", "scale-up", "power", "price", "parameters", "active",
         "layers", "value", "year", "seconds", "share", "MFU"}  # fmt: skip
WEAK = ("assumed", "estimated")


def table(rows: Sequence[Mapping[str, str]], *, title: str = "") -> Table:
    """Return rows as a table, numbers to the right."""
    found = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in rows[0] if rows else ():
        found.add_column(name, justify="right" if name in RIGHT else "left", no_wrap=name in ("id", "fact"))
    for row in rows:
        style = "dim" if row.get("status") == "announced" else "yellow" if row.get("kind") in WEAK else ""
        found.add_row(*(Text(value) for value in row.values()), style=style)
    return found


def pairs(rows: Mapping[str, str]) -> Table:
    """Return names and values as two columns."""
    found = Table(box=None, pad_edge=False, show_header=False)
    found.add_column(style="bold", no_wrap=True)
    found.add_column()
    for name, value in rows.items():
        found.add_row(name, Text(value))
    return found


def shown(found: Mapping[str, Any]) -> RenderableType:
    """Return one entry of the catalogue: summary, note, facts."""
    parts: list[RenderableType] = [Text(found["title"], style="bold"), pairs(found["summary"])]
    if found["note"]:
        parts += [Text(""), Text(found["note"])]
    if found["facts"]:
        parts += [Text(""), table(found["facts"])]
    return Group(*parts)
