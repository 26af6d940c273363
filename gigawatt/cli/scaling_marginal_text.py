"""What more compute buys, for a terminal, drawn from its document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from gigawatt.cli.scaling_words import beyond, power
from gigawatt.cli.tables import fitting, pairs
from gigawatt.units import figures
from gigawatt.units import format as fmt

Document = Mapping[str, Any]


def title(document: Document) -> str:
    """Return what was asked, in one line."""
    return f"What more compute buys, by {document['inputs']['law']}"


def headline(document: Document) -> dict[str, str]:
    """Return the two ends of the ladder in words."""
    result, days = document["result"], document["inputs"]["days"]
    first, last = result["rungs"][0], result["rungs"][-1]
    told = {
        "each machine": f"{figures(days)} d, failures included, as the planner lays out a dense model of "
        "about the best size",
        "from": _end(first),
        "to": _end(last),
    }
    if result["law_runs_to_flop"] is not None:
        told["the law's runs"] = (
            f"end at {power(result['law_runs_to_flop'])} flop, loss "
            f"{figures(result['loss_nats_at_runs_end'], 4)}; beyond, all is extrapolation"
        )
    return told


def _end(rung: Mapping[str, Any]) -> str:
    run, compute = rung["compute"]["run"], rung["compute"]
    cost = "" if compute["cost_usd"] is None else f", {fmt(compute['cost_usd'], 'USD')}"
    return (
        f"{run['machine']}, {power(compute['flop'])} flop{cost}: loss {figures(rung['loss_nats'], 4)} with "
        f"{fmt(rung['params'], '1')} parameters on {fmt(rung['tokens'], '1')} tokens"
    )


def tables(document: Document) -> dict[str, list[dict[str, str]]]:
    """Return the ladder as a table."""
    return {
        "what more buys, in thousandths of a nat/token": [_row(one) for one in document["result"]["rungs"]]
    }


def _row(one: Mapping[str, Any]) -> dict[str, str]:
    run, compute = one["compute"]["run"], one["compute"]
    return {
        "machine": run["machine"] if one["shipping"] else f"{run['machine']} *",
        "chips": f"{run['chips']:,}",
        "flop": power(compute["flop"]),
        "rent": "-" if compute["cost_usd"] is None else fmt(compute["cost_usd"], "USD"),
        "power": "-" if run["facility_w"] is None else fmt(run["facility_w"], "W"),
        "MFU": fmt(run["mfu"], "%"),
        "goodput": fmt(run["goodput"], "%"),
        "loss": figures(one["loss_nats"], 4),
        "10x flop": _milli(one["nats_per_decade"]),
        "100 M$": _milli(one["nats_per_usd"], 1e8),
        "100 MW-yr": _milli(one["nats_per_mw_year"], 100.0),
        "day": _milli(one["nats_per_day"]),
        "beyond": beyond(one["orders_outside"]),
    }


def _milli(nats: float | None, times: float = 1.0) -> str:
    return "-" if nats is None else figures(1e3 * times * nats)


def notes(document: Document) -> dict[str, str]:
    """Return what must be read with a table, by the table's title."""
    about = (
        "* announced. The slope is that where each machine stands: a whole 100 M$ buys less where it is "
        "much of the rent. beyond: orders of magnitude outside the law's runs."
    )
    return {next(iter(tables(document))): about}


def marginal_text(document: Document) -> RenderableType:
    """Return the ladder: its ends, the table, what to know."""
    parts: list[RenderableType] = [Text(title(document), style="bold"), pairs(headline(document)), Text("")]
    for name, rows in tables(document).items():
        parts.append(Text(name, style="italic"))
        parts.append(fitting(rows, title="", drop=("goodput", "MFU", "power", "chips")))
        parts += [Text(notes(document)[name], style="dim"), Text("")]
    parts += [Text(f"warning: {w['message']}", style="yellow") for w in document["warnings"]]
    parts.append(Text("all: --json, --png, --svg, --html", style="dim"))
    return Group(*parts)
