"""A validation for a terminal, drawn from its document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from gigawatt.cli.tables import table
from gigawatt.units import format as fmt


def validation_text(document: Mapping[str, Any], *, worst: int) -> RenderableType:
    """Return the tables by group and the worst rows."""
    result = document["result"]
    refused = ", ".join(f"{n} {status}" for status, n in result["refused"].items()) or "none"
    counts = f"{result['rows']:,} rows, {result['predicted']:,} predicted, {result['compared']:,} compared"
    told = f"{counts}; left out: {refused}"
    parts: list[RenderableType] = [Text(told)]
    parts.append(Text(f"{result['said_not_to_fit']} of the compared rows ran and are said not to fit"))
    for name, rows in result["by"].items():
        parts += [Text(""), table([_errors(name, row) for row in rows])]
    if result["peak_memory"]:
        rows = [_errors("peak memory, where printed", row) for row in result["peak_memory"]]
        parts += [Text(""), table(rows)]
    if worst and result["worst"]:
        parts += [Text(""), table([_worst(row) for row in result["worst"][:worst]])]
    return Group(*parts)


def _errors(name: str, row: Mapping[str, Any]) -> dict[str, str]:
    numbers = {n: f"{100 * row[n]:+.1f} %" if n in ("worst", "bias") else f"{100 * row[n]:.1f} %"
               for n in ("median", "mean", "p90", "worst", "bias")}  # fmt: skip
    return {name: row["group"], "rows": f"{row['rows']:,}", **numbers}


def _worst(row: Mapping[str, Any]) -> dict[str, str]:
    parts = ", ".join(
        f"{name.removesuffix('_s')} {100 * share:.0f}" for name, share in list(row["parts"].items())[:5]
    )
    return {
        "worst rows": row["id"],
        "error": f"{100 * row['error']:+.0f} %",
        "measured": fmt(row["measured_s"], "s"),
        "chip": f"{row['chips']:,} x {row['chip']}",
        "stack": row["stack"],
        "predicted step, % of it": parts,
    }
