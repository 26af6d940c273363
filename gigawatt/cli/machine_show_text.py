"""A machine for a terminal: what it is, its levels, a standard job, contradictions, figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from gigawatt.cli.tables import facts_table, pairs
from gigawatt.study import job_rows


def machine_text(page: Mapping[str, Any]) -> RenderableType:
    """Return the page of a machine for a terminal."""
    shade = "bold" if page["shipping"] else "bold red"
    summary = {k: v for k, v in page["summary"].items() if v and not k.startswith("level ")}
    parts: list[RenderableType] = [
        Text(page["title"], style="bold"),
        *([Text(page["status"], style=shade)] if page["status"] else []),
        pairs(summary),
    ]
    if page["note"]:
        parts += [Text(""), Text(page["note"])]
    parts += _section("structure", _levels(page["levels"]))
    if "job" in page:
        parts += _section("a standard job", _job(page["job"]))
    if page["contradictions"]:
        parts += _section("where sources disagree", [_contradiction(row) for row in page["contradictions"]])
    figures = [row for row in page["facts"] if not row["fact"].startswith("  not ")]
    return Group(*parts, *_section("figures", [facts_table(figures)]))


def _section(title: str, body: Sequence[RenderableType]) -> list[RenderableType]:
    return [Text(""), Text(title, style="bold"), *body]


def _levels(rows: Sequence[Mapping[str, str]]) -> list[RenderableType]:
    """Return one level a line, what it holds; its figures under it."""
    found: list[RenderableType] = []
    for row in rows:
        many = f"{row['in all']} x " if row["in all"] != "1" else ""
        of = f", of {row['of each']}" if row["of each"] and _tells_more(row) else ""
        chips = f": {many}{row['chips']} chip{'s' if row['chips'] != '1' else ''}{of}"
        found.append(Text.assemble((row["level"], "bold"), chips))
        if row["figures"]:
            found.append(Padding(Text(row["figures"], style="dim"), (0, 0, 0, 4)))
    if any("*" in row["figures"] for row in rows):
        found.append(Text("* assumed or estimated", style="dim"))
    return found


def _tells_more(row: Mapping[str, str]) -> bool:
    """Return whether what a level holds is more than its chips, and more than one."""
    first = row["of each"].split(" ")[0]
    return "torus" in row["of each"] or first not in ("1", row["chips"])


def _job(job: Mapping[str, Any]) -> list[RenderableType]:
    if job["status"] == "refused":
        return [Text(job["reason"])]
    return [pairs(job_rows(dict(job))), *(Text(f"note: {words}", style="dim") for words in job["warnings"])]


def _contradiction(row: Mapping[str, str]) -> RenderableType:
    line = Text.assemble((f"{row['fact']} of {row['of']}", "bold"), f": {row['chosen']}, not {row['not']}")
    return Group(line, Padding(Text(row["where"], style="dim"), (0, 0, 0, 4)))
