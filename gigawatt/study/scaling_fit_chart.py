"""The pictures of a fit: runs and the best loss over compute, the best split, the misses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gigawatt.study.charts import SCHEMA

LINE, BAND = "#b2182b", "#f4a582"
WIDTH, HEIGHT = 430, 300
LEGENDS = {
    "params": ("parameters N", ".0e"),
    "tokens_per_param": ("D/N", "~g"),
    "flop": ("budget, flop", ".0e"),
}
DIAMOND = {"type": "point", "shape": "diamond", "size": 110, "filled": True, "color": LINE}
LOG = {"type": "log", "nice": False, "padding": 8}
FREE = {"zero": False, "nice": False, "padding": 8}


def scaling_fit_chart(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the pictures of a fit as one Vega-Lite chart."""
    result = document["result"]
    panels = _law(result) if result["law"] else _isoflop(result)
    told = result["law"]["equation"] if result["law"] else result["isoflop"]["equation"]
    return {
        "$schema": SCHEMA,
        "title": {"text": told, "subtitle": _about(document), "anchor": "start"},
        "background": "white",
        "concat": panels,
        "columns": 2,
        "resolve": {"scale": {"color": "independent"}},
    }


def _about(document: Mapping[str, Any]) -> str:
    inputs = document["inputs"]
    name = str(inputs["file"]).replace("\\", "/").rsplit("/", 1)[-1]
    kept = f"{inputs['rows'] - inputs['dropped']:,} runs of {name}"
    if inputs["method"] == "isoflop":
        return f"{kept}; parabolas at {len(document['result']['isoflop']['budgets'])} budgets"
    bands = f"; bands: 80 % of {inputs['bootstrap']:,} resamples" if inputs["bootstrap"] else ""
    return f"{kept}; objective {inputs['objective']}{bands}"


def _law(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    runs = [{**row, "error": 100 * (row["predicted"] / row["loss"] - 1)} for row in result["runs"]]
    panels = [_losses(runs, result["frontier"])]
    if result["frontier"]:
        panels.append(_split(runs, result["frontier"]))
    return [*panels, _misses(runs)]


def _axis(field: str, title: str, **scale: Any) -> dict[str, Any]:
    return {"field": field, "type": "quantitative", "title": title, "scale": scale or FREE,
            "axis": {"format": ".0e" if scale.get("type") == "log" else "~g", "tickCount": 6}}  # fmt: skip


def _panel(title: str, *layers: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "width": WIDTH, "height": HEIGHT, "layer": list(layers)}


def _points(rows: Any, x: dict[str, Any], *, y: dict[str, Any], colour: str = "params") -> dict[str, Any]:
    title, form = LEGENDS[colour]
    return {
        "data": {"values": rows},
        "mark": {"type": "circle", "size": 22, "opacity": 0.75},
        "encoding": {
            "x": x,
            "y": y,
            "color": {
                "field": colour,
                "type": "quantitative",
                "scale": {"type": "log", "scheme": "viridis"},
                "legend": {
                    "title": title,
                    "format": form,
                    "gradientLength": HEIGHT - 40,
                },
            },
        },
    }


def _curve(rows: Any, x: dict[str, Any], *, y: dict[str, Any]) -> dict[str, Any]:
    return {"data": {"values": rows}, "mark": {"type": "line", "color": LINE, "strokeWidth": 2},
            "encoding": {"x": x, "y": y}}  # fmt: skip


def _band(rows: Any, x: dict[str, Any], *, low: dict[str, Any], high: str) -> list[dict[str, Any]]:
    if not rows or rows[0][high] is None:
        return []
    return [{"data": {"values": rows}, "mark": {"type": "area", "color": BAND, "opacity": 0.5},
             "encoding": {"x": x, "y": low, "y2": {"field": high}}}]  # fmt: skip


def _losses(runs: Any, frontier: Any) -> dict[str, Any]:
    x, y = _axis("flop", "compute C, flop", **LOG), _axis("loss", "loss", **FREE)
    curves = [_curve(frontier, x, y=y)] if frontier else []
    band = _band(frontier, x, low=_axis("loss_low", "loss", **FREE), high="loss_high")
    return _panel("Loss over compute; line: the best split", *band, _points(runs, x, y=y), *curves)


def _split(runs: Any, frontier: Any) -> dict[str, Any]:
    x, y = _axis("flop", "compute C, flop", **LOG), _axis("params", "parameters N", **LOG)
    grey = {"data": {"values": runs}, "mark": {"type": "circle", "size": 14, "color": "grey", "opacity": 0.6},
            "encoding": {"x": x, "y": y}}  # fmt: skip
    band = _band(frontier, x, low=_axis("params_low", "parameters N", **LOG), high="params_high")
    return _panel("The best size for a compute; dots: the runs", *band, grey, _curve(frontier, x, y=y))


def _misses(runs: Any) -> dict[str, Any]:
    rows = [{**row, "tokens_per_param": row["tokens"] / row["params"]} for row in runs]
    x, y = _axis("flop", "compute C, flop", **LOG), _axis("error", "predicted over measured, %", **FREE)
    zero = {"data": {"values": [{"error": 0}]}, "mark": {"type": "rule", "color": LINE}, "encoding": {"y": y}}
    return _panel("What the law misses", _points(rows, x, y=y, colour="tokens_per_param"), zero)


def _isoflop(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    line = result["isoflop"]
    b, A = line["tokens_exponent"]["value"], line["tokens_factor"]["value"]
    x, y = _axis("tokens", "tokens D", **LOG), _axis("loss", "loss", **FREE)
    lowest = {"data": {"values": line["budgets"]}, "encoding": {"x": x, "y": y}, "mark": DIAMOND}
    runs = _points(result["runs"], x, y=y, colour="flop")
    valley = _panel("Runs at each budget, and the lowest points", runs, lowest)
    ends = [line["budgets"][0]["flop"], line["budgets"][-1]["flop"]]
    drawn = [{"flop": flop, "tokens": A * flop**b} for flop in ends]
    c, d = _axis("flop", "compute C, flop", **LOG), _axis("tokens", "best tokens D*", **LOG)
    marks = {"data": {"values": line["budgets"]}, "encoding": {"x": c, "y": d}, "mark": DIAMOND}
    return [valley, _panel(f"D* = {A:.3g} C^{b:.3f}", _curve(drawn, c, y=d), marks)]
