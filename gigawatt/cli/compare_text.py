"""A comparison for a terminal: machines side by side, their ledgers, and why the best one wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gigawatt.cli.layout_text import layout_line
from gigawatt.cli.plan_text import COLOURS, MESSAGES
from gigawatt.cli.tables import Either
from gigawatt.units import figures
from gigawatt.units import format as fmt

SHOWN = 0.001  # of the chip-hours: a ledger line that is less everywhere is left out
BEST = "bold green"
ROWS = {  # label: field, unit, whether less is better (None: neither)
    "days": ("days", "d", True),
    "cost to rent": ("cost_usd", "USD", True),
    "cost to own": ("cost_own_usd", "USD", True),
    "rent an hour": ("rent_usd_per_h", "USD", None),
    "energy at the meter": ("facility_energy_j", "J", True),
    "power at the meter": ("facility_power_w", "W", None),
    "CO2e": ("co2e_kg", "kg", True),
    "MFU": ("mfu", "%", False),
    "step": ("step_s", "s", None),
    "goodput": ("goodput", "%", False),
    "interruptions": ("interruptions", "1", None),
    "chip-hours": ("chip_hours", "1", None),
}


def compare_text(document: Mapping[str, Any]) -> RenderableType:
    """Return the job, the table, the ledgers, the sentences, the layouts and what could not be compared."""
    inputs, result = document["inputs"], document["result"]
    machines = result["machines"]
    parts: list[RenderableType] = [*_title(inputs), Text("")]
    parts += [_sided(machines, _facts), Text(""), _sided(machines, _ledger), Text("")]
    parts += [Text(sentence) for sentence in result["why"]]
    parts += [Text(f"{r['machine']} is left out: {r['why']}", style="yellow") for r in result["refused"]]
    parts += [Text(""), Text("layouts", style="bold")]
    for row in machines:
        parts += [Text(f"{row['machine']} ({row['stack']}, {row['dtype']})"),
                  Padding(Text(layout_line(row["layout"])), (0, 0, 0, 4))]  # fmt: skip
    parts += [Text(f"warning: {w['machine']}: {w['message']}", style="yellow") for w in document["warnings"]]
    return Group(*parts, Text(_errors(machines), style="dim"))


def _title(inputs: Mapping[str, Any]) -> list[RenderableType]:
    asked = (
        f"{fmt(inputs['tokens'], '1')} tokens, {inputs['batch_sequences']:,} sequences of "
        f"{inputs['seq_tokens']:,} tokens a step, for least {inputs['by']}"
    )
    return [Text(inputs["model_name"], style="bold"), Text(f"{asked}; {_held(inputs)}", style="dim")]


def _held(inputs: Mapping[str, Any]) -> str:
    equal, amount = inputs["equal"], inputs["amount"]
    if equal is None:
        return "whole machines"
    if equal == "chips":
        return f"at most {int(amount):,} chips each"
    if equal == "power":
        return f"at most {fmt(amount, 'W')} at the meter each"
    how = "rent" if inputs["priced_by"] == "rent" else "what an owner pays"
    return f"at most {fmt(amount * 3600.0, 'USD')} an hour each ({how})"


def _errors(machines: Sequence[Mapping[str, Any]]) -> str:
    each = [f"{m['machine']} {fmt(m['band']['p50'], '%')} / {fmt(m['band']['p90'], '%')}" for m in machines]
    return f"error of step times like these, median / 90th percentile: {', '.join(each)}"


def _sided(machines: Sequence[Mapping[str, Any]], drawn: Any) -> RenderableType:
    """Return one table of all machines where there is room, else several of fewer."""
    choices = []
    for size in range(len(machines), 0, -1):
        pieces = [machines[i : i + size] for i in range(0, len(machines), size)]
        tables = [part for piece in pieces for part in (drawn(piece, machines), Text(""))]
        choices.append(Group(*tables[:-1]))
    return Either(*choices)


def _columns(machines: Sequence[Mapping[str, Any]], title: str) -> Table:
    found = Table(box=None, pad_edge=False, header_style="bold")
    found.add_column(title, no_wrap=True)
    for row in machines:
        found.add_column(row["machine"], justify="right", no_wrap=True)
    return found


def _facts(machines: Sequence[Mapping[str, Any]], every: Sequence[Mapping[str, Any]]) -> Table:
    found = _columns(machines, "")
    found.add_row("chips", *(f"{m['chips']:,}" for m in machines))
    found.add_row("of", *(m["chip"] for m in machines))
    for label, (name, unit, less) in ROWS.items():
        values = [m[name] for m in every if m[name] is not None]
        best = None if less is None or len(every) < 2 else min(values, default=None) if less else max(values)
        found.add_row(label, *(_value(m[name], unit, best=best) for m in machines))
    memory = [m["memory"] for m in machines]
    found.add_row("memory of a chip", *(f"{fmt(m['total_bytes'], 'byte')} of {fmt(m['limit_bytes'], 'byte')}"
                                        for m in memory))  # fmt: skip
    return found


def _value(value: float | None, unit: str, *, best: float | None) -> Text:
    if value is None:
        return Text("unknown", style="dim")
    if unit == "d":
        text = f"{figures(value)} d"
    elif unit == "1" and value < 1e4:
        text = figures(value)
    else:
        text = fmt(value, unit)
    return Text(text, style=BEST if value == best else "")


def _ledger(machines: Sequence[Mapping[str, Any]], every: Sequence[Mapping[str, Any]]) -> Table:
    found = _columns(machines, "where the chip-hours go")
    shares = [{e["name"]: e["fraction"] for e in m["ledger"]} for m in machines]
    most = {e["name"]: max(own["fraction"] for m in every for own in m["ledger"] if own["name"] == e["name"])
            for e in every[0]["ledger"]}  # fmt: skip
    for entry in every[0]["ledger"]:
        if most[entry["name"]] >= SHOWN:
            label = Text(entry["label"], style=COLOURS.get(entry["name"], MESSAGES))
            found.add_row(label, *(_share(own[entry["name"]]) for own in shares))
    return found


def _share(fraction: float) -> str:
    return f"{100 * fraction:.1f} %"
