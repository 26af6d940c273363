"""The published figures of scaling laws beside what is computed, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gigawatt.cli.tables import Either

STYLE = {"agrees": "green", "explained": "yellow", "fails": "bold red", "not run": "dim"}
SAID = {"agrees": "agree", "explained": "miss and are explained", "fails": "fail", "not run": "not run"}
UNKNOWN = "-"
NUMBERS = ("published", "computed", "error", "allowed")
NARROW = "too narrow for what each case is; --json has all"
BOUND = {"near": "", "at most": "<= ", "at least": ">= "}


def checks_text(document: Mapping[str, Any]) -> RenderableType:
    """Return the counts, the cases by where they are printed, and why each miss is one."""
    result = document["result"]
    cases = result["cases"]
    counts = ", ".join(f"{count} {SAID[name]}" for name, count in result["counts"].items())
    parts: list[RenderableType] = [
        Text("Published figures of scaling laws, and what is computed here", style="bold"),
        Text(f"{len(cases)} cases: {counts}"),
        Text(""),
        Either(_table(cases, wide=True), Group(_table(cases, wide=False), Text(NARROW, style="dim"))),
    ]
    misses = [case for case in cases if case["verdict"] in ("explained", "fails")]
    if misses:
        parts += [Text(""), Text("misses", style="bold"), *_notes(misses)]
    absent = sorted({case["note"] for case in cases if case["verdict"] == "not run"})
    if absent:
        parts += [Text(""), *(Text(f"not run: {note}", style="dim") for note in absent)]
        parts.append(Text("name the folder that holds these files: validate --scaling DIR", style="dim"))
    return Group(*parts)


def _notes(misses: list[Mapping[str, Any]]) -> list[RenderableType]:
    found: list[RenderableType] = []
    by_note = sorted(misses, key=lambda case: str(case["note"]))
    for note, cases in groupby(by_note, key=lambda case: str(case["note"])):
        told = note or "no explanation: either the figure or the formula is wrong"
        found.append(Text(", ".join(case["id"] for case in cases)))
        found.append(Padding(Text(told, style="yellow" if note else "bold red"), (0, 0, 0, 4)))
    return found


def _table(cases: list[Mapping[str, Any]], *, wide: bool) -> Table:
    found = Table(box=None, pad_edge=False, header_style="bold")
    for name in (
        "case",
        *(("what",) if wide else ()),
        "published",
        "computed",
        "error",
        "allowed",
        "verdict",
    ):
        right = name in ("published", "computed", "error", "allowed")
        found.add_column(name, justify="right" if right else "left", no_wrap=True)
    for case in cases:
        verdict = case["verdict"]
        cells = _cells(case) if wide else [_cells(case)[0], *_cells(case)[2:]]
        found.add_row(*(Text(cell) for cell in cells), Text(verdict, style=STYLE[verdict]))
    return found


def _cells(case: Mapping[str, Any]) -> list[str]:
    unit = "" if case["unit"] == "1" else f", {case['unit']}"
    error = case["error"]
    return [
        case["id"],
        f"{case['what']}{unit}",
        f"{BOUND[case['sense']]}{number(case['published'])}",
        number(case["computed"]),
        UNKNOWN if error is None or case["sense"] != "near" else f"{100 * error:+.2g} %",
        _allowed(case),
    ]


def _allowed(case: Mapping[str, Any]) -> str:
    if case["sense"] != "near":
        return "a bound"
    if case["tolerance_relative"]:
        return f"{100 * case['tolerance_relative']:.2g} %"
    return f"{case['tolerance']:.1g}" if case["tolerance"] else "exact"


def number(value: float | None) -> str:
    """Return a figure with seven digits at most.

    >>> number(0.0010182740346), number(482.01), number(6.4e13), number(None)
    ('0.001018274', '482.01', '6.4e+13', '-')
    """
    return UNKNOWN if value is None else f"{value:.7g}"
