"""Energy at equal work for a terminal and a page: joules, what makes the ratios, the job, datasheets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from gigawatt.cli.pictures import page_of
from gigawatt.cli.tables import dropping
from gigawatt.units import figures
from gigawatt.units import format as fmt

GUESSED = ("assumed", "estimated")
MARK = "*"
SENTENCES = 8
LEFT = ("machine", "format", "chip")
DROP = ("token/s a kW", "faster", "range", "x goodput", "x draw", "IT a chip", "PUE", "draw",
        "chip-hours", "fp4 x", "fp8 x", "bf16 x", "to own", "chips", "fp4", "fp8", "x PUE")  # fmt: skip
HEADS = {
    "chip": "chip",
    "format": "format",
    "use": "MFU",
    "goodput": "goodput",
    "system": "server",
    "load": "draw",
    "pue": "PUE",
}
Row = Mapping[str, Any]


def energy_text(document: Mapping[str, Any]) -> RenderableType:
    """Return the job, the tables, a sentence for each machine, and what was left out."""
    parts: list[RenderableType] = [Text(document["inputs"]["model_name"], style="bold")]
    parts += [Text(asked(document), style="dim")]
    for name, rows in tables(document).items():
        parts += [Text(""), Text(name, style="bold"), dropping(rows, left=LEFT, drop=DROP)]
    parts += [Text(""), *(Text(line) for line in sentences(document))]
    parts += [Text(line, style="yellow") for line in notes(document)]
    return Group(*parts)


def energy_page(document: Mapping[str, Any], picture: str) -> str:
    """Return one self-contained page."""
    title = f"Energy of a token of {document['inputs']['model_name']}"
    told, seen = [asked(document)], sentences(document)
    return page_of(title, picture, told=told, seen=seen, tables=tables(document), notes=notes(document))


def asked(document: Mapping[str, Any]) -> str:
    """Return what was asked, in one line."""
    inputs = document["inputs"]
    return (
        f"{fmt(inputs['tokens'], '1')} tokens, {inputs['batch_sequences']:,} sequences of "
        f"{inputs['seq_tokens']:,} tokens a step, for least {inputs['by']}; {_held(inputs)}; "
        f"against {inputs['baseline']} in {inputs['baseline_dtype']}"
    )


def _held(inputs: Row) -> str:
    equal, amount = inputs["equal"], inputs["amount"]
    if equal is None:
        return "whole machines"
    if equal == "chips":
        return f"at most {int(amount):,} chips each"
    if equal == "power":
        return f"at most {fmt(amount, 'W')} at the meter each"
    return f"at most {fmt(amount * 3600.0, 'USD')} an hour each"


def tables(document: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
    """Return the four tables by their headings."""
    rows, base = document["result"]["rows"], document["inputs"]["baseline"]
    return {
        "energy of a token at the meter": [_energy(row) for row in rows],
        f"what makes the ratio to {base}": [_factors(row) for row in rows],
        "the job": [_job(row) for row in rows],
        "what datasheets say: dense peak per watt of TDP (x: over the baseline's)": [
            _sheet(row) for row in document["result"]["sheet"]
        ],
    }


def _name(row: Row) -> dict[str, str]:
    return {"machine": row["machine"], "format": row["dtype"]}


def _energy(row: Row) -> dict[str, str]:
    mark = MARK if row["tdp_kind"] in GUESSED else ""
    high = figures(row["token_high_j"]) if row["token_high_j"] is not None else "?"
    return {
        **_name(row),
        "J a token": f"{figures(row['token_j'])}{mark}",
        "range": f"{figures(row['token_low_j'])} .. {high}",
        "less energy": f"{figures(row['energy_ratio'])} x",
        "datasheets": f"{figures(row['sheet_ratio'])} x",
        "faster": f"{figures(row['speed_ratio'])} x",
        "token/s a kW": fmt(1e3 * row["tokens_per_j"], "1"),
        "MFU": fmt(row["mfu"], "%"),
    }


def _factors(row: Row) -> dict[str, str]:
    parts = {HEADS[name]: figures(value) for name, value in row["factors"].items()}
    chip = {"peak/W": parts.pop("chip"), "x format": parts.pop("format")}
    return {
        **_name(row),
        **chip,
        **{f"x {k}": v for k, v in parts.items()},
        "=": figures(row["energy_ratio"]),
    }


def _job(row: Row) -> dict[str, str]:
    return {
        **_name(row),
        "chips": f"{row['chips']:,}",
        "energy": fmt(row["facility_energy_j"], "J"),
        "draw": fmt(row["mean_facility_power_w"], "W"),
        "days": figures(row["days"]),
        "chip-hours": fmt(row["chip_hours"], "1"),
        "to rent": _money(row["cost_usd"]),
        "to own": _money(row["cost_own_usd"]),
        "IT a chip": f"{fmt(row['it_power_per_chip_w'], 'W')}{_mark(row['power_kind'])}",
        "PUE": f"{row['pue']:g}",
    }


def _sheet(row: Row) -> dict[str, str]:
    found = {"chip": row["chip"], "TDP": f"{fmt(row['tdp_w'], 'W')}{_mark(row['tdp_kind'])}"}
    for dtype, value in row["flop_per_j"].items():
        times = row["ratio"][dtype]
        found[dtype] = "-" if value is None else f"{figures(value / 1e12)} TFLOP/J"
        found[f"{dtype} x"] = "-" if times is None else f"{figures(times)} x"
    return {**found, "best format": f"{figures(row['best_ratio'])} x"}


def _mark(kind: str) -> str:
    return MARK if kind in GUESSED else ""


def _power(row: Row) -> str:
    watts = f"{fmt(row['it_power_per_chip_w'], 'W')}{_mark(row['power_kind'])}"
    return f"power of a chip of {row['machine']}: {watts} IT, {row['power_kind']}: {row['power_where']}"


def _money(value: float | None) -> str:
    return "unknown" if value is None else fmt(value, "USD")


def sentences(document: Mapping[str, Any]) -> list[str]:
    """Return the sentence of each row; of many rows, that of each machine's best."""
    result, inputs = document["result"], document["inputs"]
    rows = [
        r
        for r in result["rows"]
        if (r["machine"], r["dtype"]) != (inputs["baseline"], inputs["baseline_dtype"])
    ]
    told = list(zip(rows, result["why"], strict=True))
    if len(told) > SENTENCES:
        best: dict[str, str] = {}
        for row, why in told:
            best.setdefault(row["machine"], why)
        return list(best.values())
    return [why for _, why in told]


def notes(document: Mapping[str, Any]) -> list[str]:
    """Return what is estimated and what was left out."""
    found = [f"{r['machine']} is left out: {r['why']}" for r in document["result"]["refused"]]
    found += dict.fromkeys(_power(row) for row in document["result"]["rows"])
    found += dict.fromkeys(f"{MARK} {w['message']}" for w in document["warnings"])
    bands = {row["machine"]: row["band"] for row in document["result"]["rows"]}
    each = ", ".join(f"{name} {fmt(b['p50'], '%')} / {fmt(b['p90'], '%')}" for name, b in bands.items())
    return [*found, f"error of step times like these, median / 90th percentile: {each}"]
