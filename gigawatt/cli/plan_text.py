"""A plan for a terminal, drawn from its document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gigawatt.cli.layout_text import layout_columns, layout_line, words_of
from gigawatt.cli.tables import Either, bar, beside, pairs, table
from gigawatt.units import figures
from gigawatt.units import format as fmt

BAR = 20
NOTHING = 1e-6  # of a step or of all chip-hours: not worth a line
COLOURS = {  # one meaning each, everywhere: compute, messages, idle, lost to failure
    "useful": "green", "kernels": "green4", "power": "green4", "memory_bound": "green4",
    "recompute": "green4", "optimizer": "green4", "launch": "grey50", "bubble": "grey50",
    "imbalance": "grey50", "straggler": "grey50", "restart": "red", "rework": "red", "checkpoint": "red",
}  # fmt: skip
MESSAGES = "dodger_blue2"


def plan_text(document: Mapping[str, Any]) -> RenderableType:
    """Return the plan as tables: headline, layout, step, memory, ledger, alternatives, assumptions."""
    result, inputs = document["result"], document["inputs"]
    parts: list[RenderableType] = [*title(inputs), Text(""), pairs(headline(result)), Text("")]
    parts += [beside(_step(result), _memory(result)), Text(""), _ledger(result), Text("")]
    parts += [_search(result), Text("")]
    parts += _assumptions(result)
    parts += [Text(f"warning: {w['message']}", style="yellow") for w in document["warnings"]]
    hints = "open a number: --explain NAME; time against memory: --pareto; everything: --json"
    parts.append(Text(hints, style="dim"))
    return Group(*parts)


def title(inputs: Mapping[str, Any]) -> list[RenderableType]:
    """Return what was asked, in two lines."""
    asked = (
        f"{inputs['chips']:,} x {inputs['chip']}, {fmt(inputs['tokens'], '1')} tokens, "
        f"{inputs['batch_sequences']:,} sequences of {inputs['seq_tokens']:,} tokens a step, "
        f"{inputs['dtype']}, stack {inputs['stack']}, for least {inputs['by']}"
    )
    return [
        Text(f"{inputs['model_name']} on {inputs['machine_name']}", style="bold"),
        Text(asked, style="dim"),
    ]


def headline(result: Mapping[str, Any]) -> dict[str, str]:
    """Return the numbers that people ask for first, as text."""
    known = {name: value for name, value in result.items() if value is not None}

    def text(name: str, unit: str) -> str:
        return fmt(known[name], unit) if name in known else "unknown"

    return {
        "layout": layout_line(result["layout"]),
        "step": f"{fmt(result['step_s'], 's')}{_band(result['band'])}; at datasheet peak "
        f"{fmt(result['bounds']['step_s'], 's')}",
        "MFU": f"{fmt(result['mfu'], '%')} (causal); {fmt(result['mfu_full_attention'], '%')} counting full "
        f"attention; HFU {fmt(result['hfu'], '%')}",
        "throughput": f"{fmt(result['tokens_per_s'], 'token/s')}, "
        f"{fmt(result['tokens_per_s_per_chip'], 'token/s')} a chip",
        "time": f"{_days(result['days'])}, of which {_days(result['days_without_failures'])} without "
        f"failures; {fmt(result['chip_hours'], '1')} chip-hours",
        "failures": _failures(result),
        "energy": f"{text('it_energy_j', 'J')} IT, {text('facility_energy_j', 'J')} at the meter, "
        f"{_tonnes(result['co2e_kg'])} CO2e",
        "cost": f"{_money(result['cost_usd'], 'rent')}, {_money(result['cost_own_usd'], 'own')}",
        "loss": f"{figures(result['loss_nats'], 4)} nat/token by {result['loss_law']}, "
        f"{_loss_band(result['loss_band'])}",
    }


def _loss_band(band: Mapping[str, float | None]) -> str:
    low, high = band["p10"], band["p90"]
    if low is None or high is None:
        return "no band published"
    return f"80 % band {figures(low, 4)} to {figures(high, 4)} (sampling of its runs alone)"


def _days(days: float) -> str:
    return f"{figures(days)} d" if days >= 1 else fmt(days * 86400.0, "s")


def _failures(result: Mapping[str, Any]) -> str:
    count, goodput = result["interruptions"], fmt(result["goodput"], "%")
    told = f"{figures(count)} interruptions expected" if count >= 0.01 else "hardly an interruption expected"
    return f"{told}, one in {fmt(result['mtti_s'], 's')}; goodput {goodput}"


def _money(usd: float | None, how: str) -> str:
    return f"cost to {how} unknown" if usd is None else f"{fmt(usd, 'USD')} to {how}"


def _tonnes(kilograms: float | None) -> str:
    if kilograms is None:
        return "unknown"
    return f"{kilograms / 1e3:,.0f} t" if kilograms >= 1e6 else fmt(kilograms, "kg")


def _band(band: Mapping[str, Any]) -> str:
    if not band["rows"]:
        return ""
    return (
        f" (median error {fmt(band['p50'], '%')}, 90th percentile {fmt(band['p90'], '%')} on "
        f"{band['rows']:,} measured: {band['like']})"
    )


def _step(result: Mapping[str, Any]) -> Table:
    rows = [
        {"step time": p["label"], "seconds": fmt(p["seconds"], "s"), "share": _share(p["share"])}
        for p in result["step_parts"]
        if p["share"] > NOTHING
    ]
    return table([*rows, {"step time": "total", "seconds": fmt(result["step_s"], "s"), "share": "100 %"}])


def _share(fraction: float) -> str:
    return fmt(fraction, "%") if fraction >= 1e-4 else "< 0.01 %"


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
    found.add_column(no_wrap=True)
    found.add_column(justify="right", no_wrap=True)
    found.add_column(justify="right", no_wrap=True)
    found.add_column(no_wrap=True)
    most = max(entry["fraction"] for entry in result["ledger"])
    for entry in result["ledger"]:
        if entry["fraction"] > NOTHING:
            drawn = Text(bar(entry["fraction"] / most, BAR), style=COLOURS.get(entry["name"], MESSAGES))
            hours = f"{fmt(entry['chip_hours'], '1')} h"
            found.add_row(entry["label"], _share(entry["fraction"]), hours, drawn)
    return found


def _search(result: Mapping[str, Any]) -> RenderableType:
    search = result["search"]
    if search["candidates"] == 1:
        return Text("one layout, as given")
    lost = ", ".join(f"{n:,} {why}" for why, n in search["verdicts"].items() if n and why != "fits")
    told = Text(
        f"{search['candidates']:,} layouts in {fmt(search['seconds'], 's')}: {search['fit']:,} fit"
        + (f"; {lost}" if lost else "")
    )
    best = {**result["layout"], "step_s": result["step_s"], "mfu": result["mfu"]}
    best |= {"memory_bytes": result["memory"]["total_bytes"]}
    return Group(told, _candidates([best, *search["alternatives"]]))


def _candidates(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return layouts side by side: only what differs between them, and what they give."""
    rows = [row for i, row in enumerate(rows) if words_of(row) not in map(words_of, rows[:i])]
    told = layout_columns(rows)
    numbers = [_scores(row, place=i) for i, row in enumerate(rows)]
    wide = table([{**found, **words} for found, words in zip(numbers, told, strict=True)])
    in_words = [", ".join(f"{k} {v}" for k, v in words.items() if v != "-") for words in told]
    narrow = table([{**found, "layout": line} for found, line in zip(numbers, in_words, strict=True)])
    return Either(wide, narrow)


def _scores(row: Mapping[str, Any], *, place: int) -> dict[str, str]:
    return {
        "": "best" if place == 0 else str(place + 1),
        "step": fmt(row["step_s"], "s", digits=4),
        "memory": fmt(row["memory_bytes"], "byte"),
        "MFU": fmt(row["mfu"], "%"),
    }


def front_text(document: Mapping[str, Any]) -> RenderableType:
    """Return the layouts that trade step time against memory: none is better in both."""
    result = document["result"]
    front = result["search"]["front"]
    told = "what no other layout beats in both time and memory; the best first"
    parts: list[RenderableType] = [*title(document["inputs"]), Text(""), Text(told), _candidates(front)]
    return Group(*parts, Text(""), pairs({"all share": layout_line(front[0], shared_by=front)}))


GROUPS = {"recipe": "not given; from the model's recipe", "default": "not given; chosen"}


def _assumptions(result: Mapping[str, Any]) -> list[RenderableType]:
    """Return what the user did not say, in groups, the columns of all under one another."""
    parts: list[RenderableType] = []
    label, value = (
        max((len(a[name]) for a in result["assumptions"]), default=0) for name in ("label", "value")
    )
    for of, group in groupby(result["assumptions"], key=lambda a: a["of"]):
        found = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1))
        found.add_column(min_width=label, no_wrap=True)
        found.add_column(min_width=value, no_wrap=True, justify="right")
        found.add_column()
        for row in group:
            found.add_row(*(Text(row[name]) for name in ("label", "value", "why")))
        parts += [Text(GROUPS.get(of, f"assumed or estimated for {of}"), style="bold"), found, Text("")]
    return parts
