"""A plan for a terminal, drawn from its document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gigawatt.cli.tables import pairs, table
from gigawatt.errors import unknown_name
from gigawatt.units import figures
from gigawatt.units import format as fmt

BAR = 24
COLOURS = {  # one meaning each, everywhere: compute, messages, idle, lost to failure
    "useful": "green", "kernels": "green4", "power": "green4", "memory_bound": "green4", "recompute": "green4",
    "optimizer": "green4", "launch": "grey50", "bubble": "grey50", "imbalance": "grey50", "straggler": "grey50",
    "restart": "red", "rework": "red", "checkpoint": "red",
}  # fmt: skip
MESSAGES = "dodger_blue2"


def plan_text(document: Mapping[str, Any]) -> RenderableType:
    """Return the plan as tables: headline, layout, step, memory, ledger, alternatives, assumptions."""
    result, inputs = document["result"], document["inputs"]
    title = f"{inputs['model_name']} on {inputs['machine_name']}"
    asked = (
        f"{inputs['chips']:,} x {inputs['chip']}, {fmt(inputs['tokens'], '1')} tokens, "
        f"{inputs['batch_sequences']:,} sequences of {inputs['seq_tokens']:,} a step, {inputs['dtype']}, "
        f"stack {inputs['stack']}"
    )
    parts: list[RenderableType] = [Text(title, style="bold"), Text(asked, style="dim"), Text("")]
    parts += [pairs(headline(result)), Text("")]
    side = Table.grid(padding=(0, 4))
    side.add_row(_step(result), _memory(result))
    parts += [side, Text(""), _ledger(result), Text("")]
    parts += [_search(result), Text("")]
    parts += _assumptions(result)
    parts += [Text(f"warning: {w['message']}", style="yellow") for w in document["warnings"]]
    parts.append(Text("open a number: --explain NAME; everything: --json", style="dim"))
    return Group(*parts)


def headline(result: Mapping[str, Any]) -> dict[str, str]:
    """Return the numbers that people ask for first, as text."""
    known = {name: value for name, value in result.items() if value is not None}

    def text(name: str, unit: str) -> str:
        return fmt(known[name], unit) if name in known else "unknown"

    layout = {k: v for k, v in result["layout"].items() if v not in (1, False)}
    money = f"{text('cost_usd', 'USD')} rented, {text('cost_own_usd', 'USD')} owned"
    return {
        "layout": ", ".join(f"{k} {str(v).lower()}" for k, v in layout.items()),
        "step": f"{fmt(result['step_s'], 's')}{_band(result['band'])}; at datasheet peak {fmt(result['bounds']['step_s'], 's')}",
        "MFU": f"{fmt(result['mfu'], '%')} (causal); {fmt(result['mfu_full_attention'], '%')} counting full attention; "
        f"HFU {fmt(result['hfu'], '%')}",
        "throughput": f"{fmt(result['tokens_per_s'], 'token/s')}, {figures(result['tokens_per_s_per_chip'])} a chip",
        "time": f"{figures(result['days'])} d, of which {figures(result['days_without_failures'])} d without failures; "
        f"{fmt(result['chip_hours'], '1')} chip-hours",
        "failures": f"{figures(result['interruptions'])} interruptions, one in {fmt(result['mtti_s'], 's')}; "
        f"goodput {fmt(result['goodput'], '%')}",
        "energy": f"{text('it_energy_j', 'J')} IT, {text('facility_energy_j', 'J')} at the meter, {text('co2e_kg', 'kg')} CO2e",
        "cost": money,
        "loss": f"{figures(result['loss_nats'], 4)} nat/token by {result['loss_law']}",
    }


def _band(band: Mapping[str, Any]) -> str:
    if not band["rows"]:
        return ""
    return f" (median error {fmt(band['p50'], '%')}, 90th percentile {fmt(band['p90'], '%')} on {band['rows']} measured: {band['like']})"


def _step(result: Mapping[str, Any]) -> Table:
    rows = [
        {"step time": p["label"], "seconds": fmt(p["seconds"], "s"), "share": fmt(p["share"], "%")}
        for p in result["step_parts"]
        if p["seconds"] > 0
    ]
    return table([*rows, {"step time": "total", "seconds": fmt(result["step_s"], "s"), "share": "100 %"}])


def _memory(result: Mapping[str, Any]) -> Table:
    parts = [p for p in result["memory_parts"] if p["bytes"] > 0]
    rows = [{"memory of a chip": p["label"], "value": fmt(p["bytes"], "byte")} for p in parts]
    total = result["memory"]
    rows.append({"memory of a chip": "total", "value": fmt(total["total_bytes"], "byte")})
    rows.append({"memory of a chip": "of", "value": fmt(total["limit_bytes"], "byte")})
    return table(rows)


def _ledger(result: Mapping[str, Any]) -> Table:
    found = Table(
        title="where the chip-hours went", title_justify="left", box=None, pad_edge=False, show_header=False
    )
    found.add_column()
    found.add_column(justify="right")
    found.add_column(justify="right")
    found.add_column()
    for entry in result["ledger"]:
        if entry["fraction"] > 0:
            colour = COLOURS.get(entry["name"], MESSAGES)
            bar = Text("█" * max(round(entry["fraction"] * BAR * 2), 1), style=colour)
            hours = f"{fmt(entry['chip_hours'], '1')} h"
            found.add_row(entry["label"], fmt(entry["fraction"], "%"), hours, bar)
    return found


def _search(result: Mapping[str, Any]) -> RenderableType:
    search = result["search"]
    lost = ", ".join(f"{n:,} {why}" for why, n in search["verdicts"].items() if n and why != "fits")
    told = Text(
        f"{search['candidates']:,} layouts in {fmt(search['seconds'], 's')}: {search['fit']:,} fit; {lost}"
    )
    if not search["alternatives"]:
        return told
    rows = [
        {
            "next best": " ".join(
                f"{k}={str(c[k]).lower()}" for k in result["layout"] if k in c and c[k] not in (1, False)
            ),
            "seconds": fmt(c["step_s"], "s"),
            "memory": fmt(c["memory_bytes"], "byte"),
            "MFU": fmt(c["mfu"], "%"),
        }
        for c in search["alternatives"]
    ]
    return Group(told, table(rows))


def _assumptions(result: Mapping[str, Any]) -> list[RenderableType]:
    if not result["assumptions"]:
        return []
    rows = [{"assumed": a["what"], "value": a["value"], "why": a["why"]} for a in result["assumptions"]]
    return [table(rows), Text("")]


def explained(document: Mapping[str, Any], name: str) -> RenderableType:
    """Return one headline number opened, or all of them.

    Raises: InputError for a number that has no explanation.
    """
    told = document["result"]["explain"]
    if name != "all" and name not in told:
        raise unknown_name("explain", name, told)
    chosen = told if name == "all" else {name: told[name]}
    return Group(*(_one(key, e, document["result"]) for key, e in chosen.items()))


def _one(key: str, told: Mapping[str, Any], result: Mapping[str, Any]) -> RenderableType:
    value = "unknown" if told["value"] is None else _quantity(told["value"], told["unit"])
    rows = {"formula": told["formula"], "here": told["substituted"], "source": told["source"]}
    parts: list[RenderableType] = [Text(f"{key}: {told['label']} = {value}", style="bold"), pairs(rows)]
    if told["parts"]:
        parts.append(
            table([{"part": p["label"], "value": _quantity(p["value"], p["unit"])} for p in told["parts"]])
        )
    facts = [f for f in result["facts"] if f["name"] in told["facts"]]
    if facts:
        rows_ = [
            {
                "fact": f["name"],
                "value": f["text"],
                "kind": f["kind"],
                "source": f["source"],
                "where": f["where"],
            }
            for f in facts
        ]
        parts.append(table(rows_))
    parts.append(Text(""))
    return Group(*parts)


def _quantity(value: float | None, unit: str) -> str:
    if value is None:
        return "unknown"
    return figures(value, 4) if unit in ("1", "nat/token", "d") else fmt(value, unit)
