"""A sizing for a terminal, drawn from its document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from gigawatt.cli.layout_text import layout_line
from gigawatt.cli.tables import fitting, pairs, table
from gigawatt.units import figures
from gigawatt.units import format as fmt

DAY_S = 86400.0
UNIT = {"deadline": (DAY_S, "d"), "power": (1e6, "MW"), "budget": (1e6, "M$")}
OBJECTIVE_TEXT = {
    "cost_usd": "cost", "wall_s": "wall time", "energy_j": "energy", "co2e_kg": "carbon",
}  # fmt: skip
SI = {"cost_usd": "USD", "energy_j": "J"}
PAID = {"rent": "to rent", "own": "to own"}


def size_text(document: Mapping[str, Any], *, top: int) -> RenderableType:
    """Return the sizing as tables: choice, front, limits, what holds it back, what was left out."""
    result = document["result"]
    parts: list[RenderableType] = [*title(document), Text(""), pairs(headline(document)), Text("")]
    front = result["front"]
    shown = _spread(front, top, chosen=result["chosen"])
    more = f"{len(shown)} of {len(front)} designs that none beats in time, cost, power and carbon, by time"
    parts += [Text(more), fitting(front_rows(shown), title="", drop=("layout", "CO2e", "chip")), Text("")]
    limits = [one for one in result["limits"] if one["binds"] or one["objective"] == asked_for(result)]
    if limits:
        parts += [table(limit_rows(limits), title="what a limit costs"), Text("")]
    parts += [table(doubled_rows(result["doubled"]), title="what the machine holds back"), Text("")]
    parts += [_left_out(result["left_out"]), _searched(result["search"], document["provenance"]["run"])]
    told = [w["message"] for w in document["warnings"] if w["code"] == "loss_params"]
    parts += [Text(f"warning: {message}", style="yellow") for message in told]
    parts.append(Text("everything: --json; picture: --png, --svg or --html", style="dim"))
    return Group(*parts)


def asked_for(result: Mapping[str, Any]) -> str | None:
    """Return the objective that was asked for: the first of those whose limits are priced."""
    return result["limits"][0]["objective"] if result["limits"] else None


def title(document: Mapping[str, Any]) -> list[RenderableType]:
    """Return what was asked, in two lines."""
    inputs, result = document["inputs"], document["result"]
    limits = [_limit(name, most) for name, most in inputs["limits"].items() if most is not None]
    asked = (
        f"{fmt(inputs['tokens'], '1', digits=4)} tokens, loss {figures(result['loss_nats'], 4)} nat/token; "
    )
    asked += f"within {', '.join(limits)}" if limits else "without limits"
    return [
        Text(f"What to buy for {inputs['model_name']}", style="bold"),
        Text(f"{asked}; for least {inputs['by']}, chips paid {PAID[inputs['price']]}", style="dim"),
    ]


def _limit(name: str, most: float) -> str:
    scale, unit = UNIT[name]
    return f"{name} {most / scale:,.4g} {unit}"


def headline(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the choice in words, by what each says."""
    one, result = document["result"]["chosen"], document["result"]
    return {
        "buy": f"{one['chips']:,} x {one['chip']}, as in {one['machine']}: {one['machine_name']}",
        "time": f"{figures(one['wall_s'] / DAY_S)} d, failures included; step {fmt(one['step_s'], 's')} of "
        f"{one['batch_sequences']:,} sequences",
        "cost": f"{fmt(one['cost_usd'], 'USD')} {PAID[document['inputs']['price']]}",
        "power": f"{fmt(one['facility_power_w'], 'W')} at the meter; {fmt(one['facility_energy_j'], 'J')}, "
        f"{one['co2e_kg'] / 1e3:,.0f} t CO2e",
        "layout": f"{layout_line(one['layout'])}; {one['dtype']}, {one['stack']}",
        "binds": ", ".join(result["binds"]) or "nothing: no limit and no part of the machine holds it back",
    }


def _spread(
    front: Sequence[Mapping[str, Any]], top: int, *, chosen: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """Return some designs of the front, from fastest to slowest, with the choice; none reads like another."""
    alike = {
        tuple(list(row.values())[:-1]): one
        for one, row in zip(front[::-1], front_rows(front[::-1]), strict=True)
    }
    front = [one for one in front if one == chosen or any(one is kept for kept in alike.values())]
    if len(front) <= top:
        return front
    places = {round(i * (len(front) - 1) / max(top - 1, 1)) for i in range(top)}
    return [one for i, one in enumerate(front) if i in places or one == chosen]


def front_rows(front: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return designs as rows of text."""
    return [
        {
            "time": f"{figures(one['wall_s'] / DAY_S)} d",
            "cost": fmt(one["cost_usd"], "USD"),
            "site power": fmt(one["facility_power_w"], "W"),
            "CO2e": f"{one['co2e_kg'] / 1e3:,.0f} t",
            "chips": f"{one['chips']:,}",
            "chip": one["chip"],
            "machine": one["machine"],
            "layout": layout_line(one["layout"]),
        }
        for one in front
    ]


def _value(objective: str, value: float | None) -> str:
    if value is None:
        return "-"
    if objective == "wall_s":
        return f"{figures(value / DAY_S)} d"
    return f"{value / 1e3:,.0f} t" if objective == "co2e_kg" else fmt(value, SI[objective])


def limit_rows(limits: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return what each limit costs in each objective: one unit more, the next step, and none at all."""
    rows = []
    for one in limits:
        scale, unit = UNIT[one["limit"]]
        saved = one["best"] - one["one_more"]
        step = "none better"
        if one["next_most"] is not None:
            extra = one["next_most"] - one["most"]
            step = f"+{figures(extra / scale)} {unit}: {_value(one['objective'], one['next_best'])}"
        rows.append(
            {
                "limit": _limit(one["limit"], one["most"]),
                "used": f"{figures(one['used'] / scale)} {unit}",
                "least": f"{OBJECTIVE_TEXT[one['objective']]} {_value(one['objective'], one['best'])}",
                f"one more {'/'.join(u for _, u in UNIT.values())}": (
                    f"saves {_value(one['objective'], saved)}" if saved > 0 else "buys nothing"
                ),
                "next step that buys": step,
                "without it": _value(one["objective"], one["without"]) if one["binds"] else "the same",
            }
        )
    return rows


TWICE = {
    "memory": "twice the memory of a chip",
    "network": "twice the rate of every link",
    "batch": "twice the batch",
}


def doubled_rows(doubled: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return what twice of each part would bring."""
    rows = []
    for one in doubled:
        gain = one["gain"]
        told = (
            "no layout divides"
            if gain is None
            else f"{abs(100 * gain):.1f} % {'less' if gain >= 0 else 'more'}"
        )
        rows.append({"with": TWICE[one["what"]], "time": told, "": "binds" if one["binds"] else ""})
    return rows


def _left_out(left: Sequence[Mapping[str, Any]]) -> RenderableType:
    if not left:
        return Text("no machine was left out")
    rows = sorted(left, key=lambda one: _reason(one))
    told = [
        {"left out, for": reason, "machines": ", ".join(one["machine"] for one in group)}
        for reason, group in groupby(rows, key=_reason)
    ]
    return Group(table(told), Text(""))


def _reason(one: Mapping[str, Any]) -> str:
    return f"no {one['fact']} known" if one["fact"] else str(one["why"])


def _searched(search: Mapping[str, Any], run: Mapping[str, Any]) -> Text:
    seen = f"{search['considered']:,} layouts in {fmt(run['search_s'], 's')} on {search['machines']} machines"
    fate = {
        "shared": f"the same on another machine (they have {search['networks']} networks of chips)",
        "ruled_out": "break a rule",
        "cut": "cut by a bound",
        "priced": f"priced, of which {search['fit']:,} fit",
    }
    told = ", ".join(f"{search[name]:,} {words}" for name, words in fate.items() if search[name])
    return Text(f"{seen}: {told}; {search['designs']:,} designs kept")
