"""A study for a terminal: its summary, the answer to a query, the bars of a sensitivity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gigawatt.cli.tables import bar, table
from gigawatt.study.document import PER_HOUR
from gigawatt.units import figures
from gigawatt.units import format as fmt

SHOWN_POINTS, SHOWN_ROWS, FIRST_OUTPUTS = 20, 1000, 3
BAR = 24
HALF = 16
SMALL = 0.005  # of the variance: not worth a bar


def value_text(value: Any, unit: str) -> str:
    """Return a number with its unit as people write it; words as they are.

    >>> value_text(2.5 / 3600, "USD/s"), value_text(41.234, "d"), value_text(None, "d"), value_text("eos", "")
    ('2.5 $/h', '41.2 d', '-', 'eos')
    """
    if value is None:
        return "-"
    if isinstance(value, str) or not unit:
        return str(value)
    if unit in PER_HOUR:
        factor, word = PER_HOUR[unit]
        return f"{value * factor:.3g} {word}"
    if unit == "d":
        return f"{figures(value)} d"
    if unit == "1" and value == int(value) and abs(value) < 1e9:
        return f"{int(value):,}"
    return fmt(value, unit)


def study_text(document: Mapping[str, Any]) -> RenderableType:
    """Return a summary: each set with p10, p50 and p90 of its results."""
    result, inputs = document["result"], document["inputs"]
    seeded = f", seed {inputs['seed']}" if any(s["draws"] for s in result["sets"]) else ""
    title = f"{inputs['name']}: {result['rows']:,} scenarios{seeded}"
    parts: list[RenderableType] = [Text(title, style="bold")]
    if document["status"] == "partial":
        done = f"{result['rows_done']:,} of {result['rows']:,} rows are computed; `gigawatt study` goes on"
        parts.append(Text(done, style="yellow"))
    for one in result["sets"]:
        parts += [Text(""), Text(_set_line(one)), *_set(one, result["units"])]
    folder = document["provenance"]["folder"]
    hint = f'ask more: gigawatt study query {folder} "select ... from {result["sets"][0]["name"]}"'
    return Group(*parts, Text(""), Text(hint, style="dim"))


def _set_line(one: Mapping[str, Any]) -> str:
    told = [f"{name} ({count})" for name, count in one["grid"].items()]
    axes = f", grid of {' x '.join(told)}" if told else ""
    draws = f", drawn: {', '.join(one['draws'])} ({one['method']})" if one["draws"] else ""
    return f"{one['name']}: {one['rows']:,} rows{axes}{draws}"


def _set(one: Mapping[str, Any], units: Mapping[str, str]) -> list[RenderableType]:
    points = one["points"]
    if not points:
        tornado = one["method"] == "tornado"
        return [Text("a tornado: see gigawatt study sensitivity" if tornado else "not complete", style="dim")]
    parts: list[RenderableType] = [
        _one_point(points[0], units) if len(points) == 1 else _points(points, units)
    ]
    lost = sum(p["rows"] - p["fit"] for p in points)
    if lost:
        parts.append(Text(f"{lost:,} rows do not fit, and are not in these figures", style="yellow"))
    return parts


def _one_point(point: Mapping[str, Any], units: Mapping[str, str]) -> Table:
    rows = [
        {"": name, **{q: value_text(value, units[name]) for q, value in quantiles.items()}}
        for name, quantiles in point["quantiles"].items()
    ]
    return _right(table(rows))


def _points(points: Sequence[Mapping[str, Any]], units: Mapping[str, str]) -> RenderableType:
    """Return a line for each grid point: the first few results, as p10 / p50 / p90 where they differ."""
    shown = list(points[0]["quantiles"])[:FIRST_OUTPUTS]
    rows = []
    for point in points[:SHOWN_POINTS]:
        axes = {name: value_text(value, units[name]) for name, value in point["at"].items()}
        rows.append(axes | {name: _range(point["quantiles"][name], units[name]) for name in shown})
    notes = []
    if any(" / " in row[name] for row in rows for name in shown):
        notes.append("p10 / p50 / p90")
    left = len(points[0]["quantiles"]) - len(shown)
    if left:
        notes.append(f"{left} more results and all points: --json or a query")
    if len(points) > SHOWN_POINTS:
        notes.append(f"the first {SHOWN_POINTS} of {len(points):,} points")
    return Group(_right(table(rows)), Text("; ".join(notes), style="dim"))


def _range(quantiles: Mapping[str, Any], unit: str) -> str:
    texts = [value_text(value, unit) for value in quantiles.values()]
    if len(set(texts)) == 1:
        return texts[0]
    tails = {text.partition(" ")[2] for text in texts}
    if len(tails) == 1 and (tail := tails.pop()):
        return " / ".join(text.partition(" ")[0] for text in texts) + f" {tail}"
    return " / ".join(texts)


def _right(found: Table) -> Table:
    for column in found.columns[1:]:
        column.justify = "right"
    return found


def query_text(document: Mapping[str, Any]) -> RenderableType:
    """Return the rows of an answer; numbers to the right, in full."""
    if not document["columns"]:
        return Text("done")
    rows = document["rows"][:SHOWN_ROWS]
    found = Table(box=None, pad_edge=False, header_style="bold")
    for i, name in enumerate(document["columns"]):
        numbers = all(isinstance(row[i], int | float | None) for row in rows)
        found.add_column(name, justify="right" if numbers else "left", no_wrap=True)
    for row in rows:
        found.add_row(*(Text(_plain(value)) for value in row))
    if len(document["rows"]) <= SHOWN_ROWS:
        return found
    note = f"the first {SHOWN_ROWS:,} of {len(document['rows']):,} rows; --json has all"
    return Group(found, Text(note, style="dim"))


def _plain(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def sensitivity_text(document: Mapping[str, Any]) -> RenderableType:
    """Return the inputs of a result, the one that matters most first."""
    output, unit = document["output"], document["unit"]
    parts: list[RenderableType] = [Text(f"{document['study']}: what {output} is sensitive to", style="bold")]
    for point in document["points"][:SHOWN_POINTS]:
        if point["at"]:
            at = ", ".join(f"{name} = {value:.4g}" if isinstance(value, float) else f"{name} = {value}"
                           for name, value in point["at"].items())  # fmt: skip
            parts += [Text(""), Text(at)]
        drawn = _tornado if document["method"] == "tornado" else _indices
        parts.append(drawn(point, unit))
    if len(document["points"]) > SHOWN_POINTS:
        parts.append(Text(f"the first {SHOWN_POINTS} of {len(document['points']):,} points", style="dim"))
    return Group(*parts)


def _tornado(point: Mapping[str, Any], unit: str) -> RenderableType:
    """Return bars to both sides of the middle: each input at its 10th and 90th percentile."""
    middle = point["middle"]
    most = (
        max((abs(r[end] - middle) for r in point["inputs"] for end in ("at_p10", "at_p90")), default=0.0)
        or 1.0
    )
    found = Table(box=None, pad_edge=False, header_style="bold")
    for name, justify in (
        ("input", "left"),
        ("at p10", "right"),
        ("", "right"),
        ("", "left"),
        ("at p90", "right"),
    ):
        found.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for row in point["inputs"]:
        below, above = sorted((row["at_p10"] - middle, row["at_p90"] - middle))
        found.add_row(
            row["input"],
            value_text(row["at_p10"], unit),
            Text("█" * round(HALF * max(-below, 0.0) / most), style="dodger_blue2"),
            Text("█" * round(HALF * max(above, 0.0) / most), style="red"),
            value_text(row["at_p90"], unit),
        )
    return Group(Text(f"in the middle of all draws: {value_text(middle, unit)}"), found)


def _indices(point: Mapping[str, Any], unit: str) -> RenderableType:
    """Return the total index of each input with its first-order part."""
    told = " / ".join(value_text(point[q], unit) for q in ("p10", "p50", "p90"))
    rows = [
        {
            "input": row["input"],
            "alone": figures(max(row["first"], 0.0), 2),
            "with others": figures(max(row["total"], 0.0), 2),
            "95 %": f"{row['total_low']:.2f} .. {row['total_high']:.2f}",
            " ": bar(min(row["total"], 1.0), BAR) if row["total"] > SMALL else "",
        }
        for row in point["inputs"]
    ]
    note = "share of the variance: alone (first-order Sobol index), with others (total index)"
    return Group(Text(f"p10 / p50 / p90: {told}"), table(rows), Text(note, style="dim"))
