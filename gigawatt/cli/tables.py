"""Tables of the catalogue for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

RIGHT = {"chips", "bf16 peak", "memory", "bandwidth", "scale-up", "power", "price", "parameters", "active",
         "layers", "value", "year", "seconds", "share", "MFU", "step", "tp", "cp", "pp", "vp", "dp", "ep",
         "etp", "mbs", "ZeRO", "size", "tokens", "ratio", "loss", "flop", "rent", "goodput", "10x flop",
         "100 M$", "100 MW-yr", "day", "beyond"}  # fmt: skip
WHOLE = RIGHT | {"id", "fact", "kind", "chip", "status"}  # never broken over lines
WEAK = ("assumed", "estimated")
EIGHTHS = " ▏▎▍▌▋▊▉"
GAP = 4


class Either:
    """The first of several drawings that has room, else the last, which may be wrapped."""

    def __init__(self, *drawings: RenderableType) -> None:
        self.drawings = drawings

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for drawing in self.drawings:
            if drawing is self.drawings[-1] or natural_width(console, drawing) <= options.max_width:
                yield drawing
                return


def natural_width(console: Console, drawing: RenderableType) -> int:
    """Return how many columns a drawing takes where there is room for all."""
    return console.measure(drawing, options=console.options.update(width=10_000)).maximum


def beside(left: Table, right: Table) -> Either:
    """Return two tables side by side where there is room, else one under the other."""
    grid = Table.grid(padding=(0, GAP))
    grid.add_row(left, right)
    return Either(grid, Group(left, Text(""), right))


def fitting(rows: Sequence[Mapping[str, str]], *, title: str, drop: Sequence[str]) -> Either:
    """Return a table; where it is too wide, without the first columns of `drop`, and saying so."""
    drawings: list[RenderableType] = [table(rows, title=title)]
    gone: list[str] = []
    for name in drop:
        gone.append(name)
        fewer = [{k: v for k, v in row.items() if k not in gone} for row in rows]
        note = Text(f"too narrow for: {', '.join(gone)}; --json has all", style="dim")
        drawings.append(Group(table(fewer, title=title), note))
    return Either(*drawings)


def dropping(
    rows: Sequence[Mapping[str, str]], *, left: Sequence[str], wraps: Sequence[str] = (), drop: Sequence[str]
) -> Either:
    """Return a table, `left` to the left; where it is too wide, without the first columns of `drop`."""
    gone: list[str] = []
    drawings: list[RenderableType] = [_plain_table(rows, left, wraps)]
    for name in (name for name in drop if rows and name in rows[0]):
        gone.append(name)
        fewer = [{k: v for k, v in row.items() if k not in gone} for row in rows]
        note = Text(f"too narrow for: {', '.join(gone)}; --json has all", style="dim")
        drawings.append(Group(_plain_table(fewer, left, wraps), note))
    return Either(*drawings)


def _plain_table(rows: Sequence[Mapping[str, str]], left: Sequence[str], wraps: Sequence[str]) -> Table:
    found = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0] if rows else ():
        found.add_column(name, justify="left" if name in left else "right", no_wrap=name not in wraps)
    for row in rows:
        found.add_row(*row.values(), style="dim" if row.get("status") == "announced" else "")
    return found


def bar(fraction: float, width: int) -> str:
    """Return a bar of blocks and eighths of blocks; what is not nothing is seen.

    >>> bar(0.5, 4), bar(0.0001, 4)
    ('██', '▏')
    """
    eighths = max(round(fraction * width * 8), 1)
    return ("█" * (eighths // 8) + EIGHTHS[eighths % 8]).rstrip()


def table(rows: Sequence[Mapping[str, str]], *, title: str = "") -> Table:
    """Return rows as a table, numbers to the right."""
    found = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in rows[0] if rows else ():
        found.add_column(name, justify="right" if name in RIGHT else "left", no_wrap=name in WHOLE)
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


NARROW = 100  # below it, where a fact is from goes on a line of its own


def facts_table(rows: Sequence[Mapping[str, str]]) -> RenderableType:
    """Return facts with their sources; in a narrow place, each on two lines."""
    rows = [{**row, "source": row["source"].replace(";", "; ")} for row in rows]
    lines: list[RenderableType] = []
    for row in rows:
        style = "yellow" if row["kind"] in WEAK else ""
        lines.append(Text(f"{row['fact']}: {row['value']}, {row['kind']}", style=style))
        about = Text("; ".join(part for part in (row["source"], row["where"]) if part), style="dim")
        lines.append(Padding(about, (0, 0, 0, 4)))
    return Wide(table(rows), Group(*lines))


class Wide:
    """One drawing for wide places, another for narrow ones."""

    def __init__(self, wide: RenderableType, narrow: RenderableType) -> None:
        self.wide, self.narrow = wide, narrow

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.wide if options.max_width >= NARROW else self.narrow


def shown(found: Mapping[str, Any]) -> RenderableType:
    """Return one entry of the catalogue: summary, note, facts."""
    parts: list[RenderableType] = [
        Text(found["title"], style="bold"),
        pairs({k: v for k, v in found["summary"].items() if v}),
    ]
    if found["note"]:
        parts += [Text(""), Text(found["note"])]
    if found["facts"]:
        parts += [Text(""), facts_table(found["facts"])]
    return Group(*parts)
