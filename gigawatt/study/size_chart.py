"""The picture of a sizing: the front of time against money, chips by colour, power by size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gigawatt.study.charts import SCHEMA

DAY_S = 86400.0


def size_chart(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return days against million dollars of every design on the front, as one Vega-Lite chart."""
    result, inputs = document["result"], document["inputs"]
    rows = [_row(one) for one in result["front"]]
    chosen = _row(result["chosen"])
    x = {"field": "days", "type": "quantitative", "scale": {"type": "log", "nice": False, "padding": 12}}
    y = {"field": "million", "type": "quantitative", "scale": {"type": "log", "nice": False, "padding": 12}}
    x["axis"] = {"title": "wall time, days", "format": "~s"}
    y["axis"] = {"title": f"{PAID[inputs['price']]}, million $", "format": "~s"}
    points = {
        "mark": {"type": "circle", "opacity": 0.75, "stroke": "white", "strokeWidth": 0.5},
        "encoding": {
            "x": x,
            "y": y,
            "color": {"field": "chip", "type": "nominal", "legend": {"title": "chip"}},
            "size": {
                "field": "megawatt",
                "type": "quantitative",
                "scale": {"type": "sqrt", "range": [20, 500]},
                "legend": {"title": "site power, MW"},
            },
        },
    }
    ring = {
        "data": {"values": [chosen]},
        "mark": {"type": "point", "shape": "circle", "size": 650, "color": "black", "strokeWidth": 2},
        "encoding": {"x": x, "y": y},
    }
    place = {"x": x, "y": y, "text": {"field": "label"}}
    side = 5 if inputs["by"] == "cost" else -14  # all others cost more: beside the cheapest there is room
    mark = {"type": "text", "align": "left", "dx": 16, "dy": side, "fontSize": 12, "fontWeight": "bold"}
    label = {"data": {"values": [chosen]}, "mark": mark, "encoding": place}
    return {
        "$schema": SCHEMA,
        "title": {
            "text": f"What to buy for {inputs['model_name']}: what no other design beats",
            "subtitle": _subtitle(inputs),
            "anchor": "start",
        },
        "width": 620,
        "height": 420,
        "data": {"values": rows},
        "layer": [points, ring, label],
    }


PAID = {"rent": "rent of the run", "own": "owner's cost of the run"}


def _row(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "days": one["wall_s"] / DAY_S,
        "million": one["cost_usd"] / 1e6,
        "megawatt": one["facility_power_w"] / 1e6,
        "chip": one["chip"],
        "label": f"{one['chips']:,} x {one['chip']}",
    }


def _subtitle(inputs: Mapping[str, Any]) -> str:
    told = [f"{inputs['tokens'] / 1e12:.4g}T tokens", f"ring: least {inputs['by']}"]
    scale = {"deadline": (DAY_S, "d"), "power": (1e6, "MW"), "budget": (1e6, "M$")}
    for name, most in inputs["limits"].items():
        if most is not None:
            told.append(f"{name} {most / scale[name][0]:,.4g} {scale[name][1]}")
    return "; ".join(told)
