"""Claims for a terminal: all as a table, or one with its figures, tests and sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gigawatt.cli.tables import Wide

COLOURS = {
    "holds": "green",
    "holds under a reading": "yellow",
    "does not hold": "red",
    "opinion or not computable": "dim",
    "failed": "bold red",
}
MARKS = {True: "✓", False: "✗"}
WEAK = ("assumed", "estimated", "predicted")


def claims_text(document: Mapping[str, Any]) -> RenderableType:
    """Return the article, one row a claim, and how many hold."""
    inputs, result = document["inputs"], document["result"]
    rows = result["claims"]
    parts: list[RenderableType] = [Text(inputs["title"], style="bold"), Text(_article(inputs), style="dim")]
    parts += [Text(""), Wide(_table(rows), _stacked(rows)), Text("")]
    parts.append(Text(", ".join(f"{n} {word}" for word, n in result["counts"].items() if n)))
    parts += [Text(f"{w['code']}: {w['what']}: {w['message']}", style="red") for w in document["warnings"]]
    name = inputs["file"]
    parts.append(
        Text(
            f"one claim with figures and sources: gigawatt claims {name} --show {rows[0]['id']}", style="dim"
        )
    )
    return Group(*parts)


def _article(inputs: Mapping[str, Any]) -> str:
    article = inputs["article"]
    told = ", ".join(article[key] for key in ("title", "by", "published") if article[key])
    return f"{told}. {article['about']}" if article["about"] and told else told or article["about"]


def said_text(row: Mapping[str, Any]) -> str:
    """Return what a claim says in figures."""
    told = (f"{f['label']} {f['text']}" if f["unit"] == "1" else f["text"] for f in row["said"])
    return "; ".join(told) or "-"


def computed_text(row: Mapping[str, Any]) -> str:
    """Return the figures of a row, each with what it is."""
    if row["error"]:
        return str(row["error"])
    figures = {figure["name"]: figure for figure in row["figures"]}
    told = (figures[name] for name in row["headline"])
    return "; ".join(f"{figure['label']}: {figure['text']}" for figure in told) or "-"


def verdict_text(row: Mapping[str, Any]) -> str:
    """Return the verdict, and which readings hold where only some do."""
    held = [reading["label"] for reading in row["readings"] if reading["holds"]]
    return (
        f"{row['verdict']}: {'; '.join(held)}"
        if row["verdict"] == "holds under a reading"
        else row["verdict"]
    )


def _table(rows: Sequence[Mapping[str, Any]]) -> Table:
    found = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 1, 0))
    found.add_column("id", no_wrap=True)
    for name, ratio in (("claim", 8), ("said", 3), ("computed", 8), ("verdict", 5)):
        found.add_column(name, ratio=ratio)
    for row in rows:
        colour = COLOURS[row["verdict"]]
        found.add_row(row["id"], row["claim"], said_text(row), computed_text(row),
                      Text(verdict_text(row), style=colour))  # fmt: skip
    return found


def _stacked(rows: Sequence[Mapping[str, Any]]) -> Group:
    """Return the claims one under the other, for a narrow place."""
    lines: list[RenderableType] = []
    for row in rows:
        lines.append(Text(f"{row['id']}  {row['claim']}"))
        lines.append(Padding(Text(f"said: {said_text(row)}"), (0, 0, 0, 4)))
        lines.append(Padding(Text(f"computed: {computed_text(row)}"), (0, 0, 0, 4)))
        lines.append(Padding(Text(verdict_text(row), style=COLOURS[row["verdict"]]), (0, 0, 1, 4)))
    return Group(*lines)


def shown_text(document: Mapping[str, Any]) -> RenderableType:
    """Return one claim: what is said, the figures and how each is known, the readings, the sources."""
    (row,) = document["result"]["claims"]
    parts: list[RenderableType] = [Text(f"{row['id']}  {row['claim']}", style="bold")]
    place = ", ".join(part for part in (row["who"], row["where"]) if part)
    parts.append(Text(f"{place}{': ' if row['quote'] else ''}{row['quote']}", style="dim"))
    parts += [Text(f"said: {said_text(row)}"), Text(row["verdict"], style=f"bold {COLOURS[row['verdict']]}")]
    if row["error"]:
        parts.append(Text(row["error"], style="red"))
    for reading in row["readings"]:
        parts += [Text(""), *_reading(reading)]
    if row["opinion"]:
        parts += [Text(""), Text(row["opinion"])]
    if row["note"]:
        parts += [Text(""), Text(row["note"])]
    if row["figures"]:
        parts += [Text(""), Text("figures", style="bold"), *_figures(row["figures"])]
    sources = [s for s in document["provenance"]["sources"] if s["id"] in row["sources"]]
    if sources:
        parts += [Text(""), Text("sources", style="bold")]
        parts += [Text(_source(source), style="dim") for source in sources]
    return Group(*parts)


def _reading(reading: Mapping[str, Any]) -> list[RenderableType]:
    colour = "green" if reading["holds"] else "red"
    lines: list[RenderableType] = [Text(f"{MARKS[reading['holds']]} {reading['label']}", style=colour)]
    for test in reading["tests"]:
        lines.append(Padding(Text(f"{MARKS[test['holds']]} {test['text']}"), (0, 0, 0, 4)))
    if reading["note"]:
        lines.append(Padding(Text(reading["note"], style="dim"), (0, 0, 0, 4)))
    return lines


def _figures(figures: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    lines: list[RenderableType] = []
    for figure in figures:
        style = "yellow" if figure["kind"] in WEAK else ""
        lines.append(Text(f"{figure['label']}: {figure['text']}, {figure['kind']}", style=style))
        about = "; ".join(part for part in (figure["note"], ", ".join(figure["sources"])) if part)
        if about:
            lines.append(Padding(Text(about, style="dim"), (0, 0, 0, 4)))
        lines.append(Padding(Text(f"by: {figure['by']}", style="dim"), (0, 0, 0, 4)))
    return lines


def _source(source: Mapping[str, Any]) -> str:
    when = f", {source['published']}" if source["published"] else ""
    return f"{source['id']}: {source['producer']}, {source['title']}{when}"
