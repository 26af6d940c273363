"""The picture of energy at equal work: joules a token, and each ratio beside that of the datasheets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gigawatt.study.charts import SCHEMA

MADE = "of a token, planned at equal work"
SAID = "of a peak flop, by datasheets (peak per TDP)"
ROW_POINTS = 26
TICKS = [0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32]
GUESS = {"yes": "chip's power is an estimate", "no": "chip's power is published"}


def energy_chart(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the two panels as one Vega-Lite chart."""
    result, inputs = document["result"], document["inputs"]
    rows = [_row(one) for one in result["rows"]]
    order = [row["name"] for row in rows]
    base = f"{inputs['baseline']} {inputs['baseline_dtype']}"
    return {
        "$schema": SCHEMA,
        "title": {
            "text": f"Energy of a token: {inputs['model_name']}, the same job on each",
            "subtitle": f"{inputs['tokens'] / 1e12:.4g}T tokens, {held(inputs)}; lines: 90th percentile of "
            "the step's error, and the range of the power figure",
            "anchor": "start",
        },
        "data": {"values": rows},
        "hconcat": [_joules(order), _ratios(rows, order, base)],
        "resolve": {"scale": {"color": "independent", "shape": "independent"}},
    }


def held(inputs: Mapping[str, Any]) -> str:
    """Return what is equal of the machines, in words."""
    equal, amount = inputs["equal"], inputs["amount"]
    if equal is None:
        return "whole machines"
    if equal == "chips":
        return f"at most {int(amount):,} chips each"
    return (
        f"at most {amount / 1e6:.3g} MW each"
        if equal == "power"
        else f"at most {amount * 3600:,.0f} $/h each"
    )


def _row(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": f"{one['machine']} {one['dtype']}",
        "token_j": one["token_j"],
        "low": one["token_low_j"],
        "high": one["token_high_j"] or one["token_j"],
        MADE: one["energy_ratio"],
        SAID: one["sheet_ratio"],
        "power": GUESS["yes" if one["tdp_kind"] in ("assumed", "estimated") else "no"],
    }


def _joules(order: list[str]) -> dict[str, Any]:
    y = {"field": "name", "type": "nominal", "sort": order, "axis": {"title": None, "labelLimit": 260}}
    x = {"type": "quantitative", "axis": {"title": "joules a token at the meter"}}
    colour = {
        "field": "power",
        "type": "nominal",
        "scale": {"domain": list(GUESS.values()), "range": ["#e8a33d", "#4477aa"]},
        "legend": {"title": None, "orient": "bottom", "labelLimit": 300},
    }
    return {
        "width": 340,
        "height": {"step": ROW_POINTS},
        "layer": [
            {
                "mark": {"type": "bar", "height": 13},
                "encoding": {"y": y, "x": {**x, "field": "token_j"}, "color": colour},
            },
            {
                "mark": {"type": "rule", "strokeWidth": 1.5},
                "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}},
            },
        ],
    }


def _ratios(rows: list[dict[str, Any]], order: list[str], base: str) -> dict[str, Any]:
    y = {"field": "name", "type": "nominal", "sort": order, "axis": {"title": None, "labels": False}}
    title = f"times less energy than {base}"
    scale = {"type": "log", "base": 2, "nice": False, "padding": 12}
    x = {
        "field": "ratio",
        "type": "quantitative",
        "scale": scale,
        "axis": {"title": title, "format": "~g", "values": TICKS},
    }
    points = [
        {"name": row["name"], "which": which, "ratio": row[which]} for row in rows for which in (MADE, SAID)
    ]
    colour = {
        "field": "which",
        "type": "nominal",
        "scale": {"domain": [MADE, SAID], "range": ["#222222", "#bb5566"]},
        "legend": {"title": None, "orient": "bottom", "labelLimit": 300, "columns": 1},
    }
    shape = {"field": "which", "type": "nominal", "legend": colour["legend"]}
    shape["scale"] = {"domain": [MADE, SAID], "range": ["circle", "diamond"]}
    return {
        "width": 340,
        "height": {"step": ROW_POINTS},
        "data": {"values": points},
        "layer": [
            {
                "data": {"values": [{"one": 1.0}]},
                "mark": {"type": "rule", "color": "#999", "strokeDash": [4, 3]},
                "encoding": {"x": {"field": "one", "type": "quantitative", "scale": scale}},
            },
            {
                "mark": {"type": "line", "color": "#bbb"},
                "encoding": {"y": y, "x": x, "detail": {"field": "name"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
                "encoding": {"y": y, "x": x, "color": colour, "shape": shape},
            },
        ],
    }
