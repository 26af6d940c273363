"""Pictures of scaling: losses of a compute over sizes, the best size by each law, what more buys."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from gigawatt.scaling import (
    Law,
    band,
    draws_of,
    frontier_nats,
    law,
    laws_of,
    loss_nats,
    optimal_split,
    published_split,
)
from gigawatt.study.charts import SCHEMA

BUDGETS = (1e-2, 1e-1, 1.0, 10.0)  # of the compute: one curve each
POINTS, AROUND = 81, 1.5  # of a curve, and decades of size on each side of its best
GREY, BLUE, ORANGE = "#888888", "#1f77b4", "#d95f02"


def isoflop_chart(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the loss over sizes at four computes, and the best size over compute by each law."""
    by, flop = law(document["inputs"]["law"]), document["result"]["compute"]["flop"]
    best = optimal_split(flop, by=by)
    return {
        "$schema": SCHEMA,
        "title": {
            "text": f"Best size for {_power(flop)} flop: {_billions(float(best.params))}",
            "subtitle": f"by {by.name}; bands: 80 %, of the sampling of its runs alone",
            "anchor": "start",
        },
        "hconcat": [_curves(by, flop), _sizes(by, flop)],
        "resolve": {"scale": {"color": "independent"}},
    }


def _curves(by: Law, flop: float) -> dict[str, Any]:
    rows, best = [], []
    for times in BUDGETS:
        budget = times * flop
        split = optimal_split(budget, by=by)
        label = f"{_power(budget)}"
        sizes = float(split.params) * np.logspace(-AROUND, AROUND, POINTS)
        losses: Any = loss_nats(sizes, budget / 6.0 / sizes, by=by)
        ends = _loss_ends(by, sizes, budget)
        keep = losses <= float(loss_nats(split.params, split.tokens, by=by)) + 0.12
        rows += [
            {
                "params": float(n),
                "loss": float(loss),
                "compute": label,
                "low": float(low),
                "high": float(high),
            }
            for n, loss, low, high in zip(sizes[keep], losses[keep], *(e[keep] for e in ends), strict=True)
        ]
        least = float(loss_nats(split.params, split.tokens, by=by))
        best.append(
            {
                "params": float(split.params),
                "loss": least,
                "compute": label,
                "text": _billions(float(split.params)),
            }
        )
    order = [row["compute"] for row in best]
    x = _log("params", "parameters", _ends([row["params"] for row in rows]))
    y = {"field": "loss", "type": "quantitative", "scale": {"zero": False}, "title": "loss (nat/token)"}
    colour = {
        "field": "compute", "type": "nominal", "sort": order, "scale": {"scheme": "viridis"},
        "legend": {"title": "flop", "orient": "top-right"},
    }  # fmt: skip
    layers: list[dict[str, Any]] = [
        {"data": {"values": rows}, "mark": {"type": "area", "opacity": 0.18}, "encoding": {
            "x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": colour}},
        {"data": {"values": rows}, "mark": {"type": "line"}, "encoding": {"x": x, "y": y, "color": colour}},
        {"data": {"values": best}, "mark": {"type": "line", "color": "black", "strokeDash": [4, 3]},
         "encoding": {"x": x, "y": y}},
        {"data": {"values": best}, "mark": {"type": "point", "filled": True, "size": 60, "color": "black"},
         "encoding": {"x": x, "y": y}},
        {"data": {"values": best}, "mark": {"type": "text", "align": "right", "dx": -6, "dy": 12},
         "encoding": {"x": x, "y": y, "text": {"field": "text"}}},
    ]  # fmt: skip
    return {"width": 420, "height": 380, "title": "Loss at one compute, over sizes", "layer": layers}


def _loss_ends(by: Law, sizes: Any, budget: float) -> tuple[Any, Any]:
    """Return both ends of the band of each loss; the loss itself where no band is published."""
    draws = draws_of(by)
    if draws is None:
        same = loss_nats(sizes, budget / 6.0 / sizes, by=by)
        return same, same
    ends = np.array([band(loss_nats(float(n), budget / 6.0 / float(n), by=draws)) for n in sizes])
    return ends[:, 0], ends[:, 1]


def _sizes(by: Law, flop: float) -> dict[str, Any]:
    budgets = np.logspace(math.floor(min(math.log10(flop) - 2, 20)), math.ceil(math.log10(flop) + 1), 41)
    rows = []
    for one in laws_of("loss", "frontier").values():
        if one.flop not in ("6ND", "MD"):
            continue
        split = optimal_split(budgets, by=one) if one.kind == "loss" else published_split(one, budgets)
        rows += [
            {"flop": float(c), "params": float(n), "law": one.id}
            for c, n in zip(budgets, np.asarray(split.params), strict=True)
        ]
    ends = _size_ends(by, budgets)
    chosen = optimal_split(flop, by=by)
    x = _log("flop", "compute (flop)", _ends(budgets))
    y = _log("params", "best size (parameters)", _ends([row["params"] for row in rows]))
    own = [row for row in rows if row["law"] == by.id]
    others = [row for row in rows if row["law"] != by.id]
    edge = [{"flop": by.box["flop"][1], "text": "its runs end"}] if "flop" in by.box else []
    names = _apart(list({row["law"]: row for row in rows}.values()), by.id)
    at = {"flop": flop, "params": float(chosen.params)}
    text = {"type": "text", "align": "left", "dx": 4}
    colour = {"condition": {"test": f"datum.law === '{by.id}'", "value": ORANGE}, "value": GREY}
    layers: list[dict[str, Any]] = [
        {"data": {"values": ends}, "mark": {"type": "area", "opacity": 0.25, "color": ORANGE},
         "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}},
        {"data": {"values": others}, "mark": {"type": "line", "strokeWidth": 1, "color": GREY},
         "encoding": {"x": x, "y": y, "detail": {"field": "law"}}},
        {"data": {"values": own}, "mark": {"type": "line", "strokeWidth": 2.5, "color": ORANGE},
         "encoding": {"x": x, "y": y}},
        {"data": {"values": edge}, "mark": {"type": "rule", "strokeDash": [2, 3], "color": BLUE},
         "encoding": {"x": x}},
        {"data": {"values": edge}, "mark": {**text, "color": BLUE, "baseline": "bottom", "y": "height"},
         "encoding": {"x": x, "text": {"field": "text"}}},
        {"data": {"values": names}, "mark": {**text, "fontSize": 10},
         "encoding": {"x": x, "y": y, "text": {"field": "law"}, "color": colour}},
        {"data": {"values": [at]}, "mark": {"type": "point", "filled": True, "size": 70, "color": "black"},
         "encoding": {"x": x, "y": y}},
    ]  # fmt: skip
    return {"width": 420, "height": 380, "title": "Best size by each law", "layer": layers}


def _size_ends(by: Law, budgets: Any) -> list[dict[str, float]]:
    draws = draws_of(by)
    if draws is None:
        return []
    rows = []
    for c in budgets:
        low, high = band(optimal_split(float(c), by=draws).params)
        rows.append({"flop": float(c), "low": low, "high": high})
    return rows


def _apart(rows: list[dict[str, Any]], first: str) -> list[dict[str, Any]]:
    """Return the labels at the ends of lines that do not lie on one another: the chosen one, then others."""
    kept: list[dict[str, Any]] = []
    middle = next(row["params"] for row in rows if row["law"] == first)
    for row in sorted(rows, key=lambda r: (r["law"] != first, -abs(math.log(r["params"] / middle)))):
        if all(abs(math.log10(row["params"] / other["params"])) > 0.17 for other in kept):
            kept.append(row)
    return kept


def _log(field: str, title: str, ends: tuple[float, float]) -> dict[str, Any]:
    """Return a logarithmic axis with lines at powers of ten, or at 1, 2 and 5 where it is short."""
    low, high = math.floor(math.log10(ends[0])), math.ceil(math.log10(ends[1]))
    steps = (1.0,) if high - low > 3 else (1.0, 2.0, 5.0)
    values = [step * 10.0**power for power in range(low, high + 1) for step in steps]
    axis = {
        "values": [v for v in values if ends[0] <= v <= ends[1]],
        "format": "~s" if field == "params" else "~e",
        "labelExpr": "replace(replace(datum.label, 'G', 'B'), '+', '')",
    }
    scale = {"type": "log", "nice": False, "domain": list(ends)}
    return {"field": field, "type": "quantitative", "scale": scale, "title": title, "axis": axis}


def _ends(values: Any, margin: float = 1.0) -> tuple[float, float]:
    return float(min(values)) / margin, float(max(values)) * margin


def _power(flop: float) -> str:
    return f"{flop:.2g}".replace("e+", "e")


def _billions(params: float) -> str:
    return f"{params / 1e12:.3g}T" if params >= 1e12 else f"{params / 1e9:.3g}B"


def marginal_chart(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the loss along the frontier with the machines on it, and what money and power buy there."""
    by, result = law(document["inputs"]["law"]), document["result"]
    rungs = [_rung_row(one) for one in result["rungs"]]
    return {
        "$schema": SCHEMA,
        "title": {
            "text": "What more compute buys",
            "subtitle": f"by {by.name}; {document['inputs']['days']:g} days on each machine; band: 80 %, of "
            "the sampling of the law's runs alone",
            "anchor": "start",
        },
        "hconcat": [
            _frontier(by, rungs, result["law_runs_to_flop"]),
            {
                "vconcat": [
                    _buys(rungs, "per_usd", "Loss bought by 100 M$"),
                    _buys(rungs, "per_mw_year", "Loss bought by 100 MW-years"),
                ]
            },
        ],
    }


def _rung_row(one: Mapping[str, Any]) -> dict[str, Any]:
    run = one["compute"]["run"]
    return {
        "flop": one["compute"]["flop"],
        "loss": one["loss_nats"],
        "machine": run["machine"],
        "per_usd": None if one["nats_per_usd"] is None else -1e8 * one["nats_per_usd"],
        "per_mw_year": None if one["nats_per_mw_year"] is None else -100.0 * one["nats_per_mw_year"],
        "kind": "exists" if one["shipping"] else "announced",
    }


def _frontier(by: Law, rungs: list[dict[str, Any]], runs_end: float | None) -> dict[str, Any]:
    from_flop = min([runs_end / 100.0 if runs_end else math.inf, rungs[0]["flop"] / 10.0])
    budgets = np.geomspace(from_flop, rungs[-1]["flop"] * 10.0, 61)
    draws = draws_of(by)
    edge = [runs_end] if runs_end else []
    curve = []
    for flop in sorted({*budgets.tolist(), *edge}):
        loss = float(frontier_nats(flop, by=by))
        low, high = (loss, loss) if draws is None else band(frontier_nats(flop, by=draws))
        row = {"flop": flop, "loss": loss, "low": low, "high": high}
        inside, beyond = runs_end is not None and flop <= runs_end, runs_end is None or flop >= runs_end
        curve += [{**row, "where": where} for where, so in ((INSIDE, inside), (BEYOND, beyond)) if so]
    x = _log("flop", "compute (flop)", _ends(budgets))
    y = {"field": "loss", "type": "quantitative", "scale": {"zero": False}, "title": "least loss (nat/token)"}
    dash = {
        "field": "where", "type": "nominal", "legend": {"title": "the line"},
        "scale": {"domain": [INSIDE, BEYOND], "range": [[1, 0], [4, 3]]},
    }  # fmt: skip
    layers: list[dict[str, Any]] = [
        {"data": {"values": curve}, "mark": {"type": "area", "opacity": 0.25, "color": ORANGE},
         "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}},
        {"data": {"values": curve}, "mark": {"type": "line", "color": ORANGE},
         "encoding": {"x": x, "y": y, "strokeDash": dash}},
        _machines(rungs, x, y),
    ]  # fmt: skip
    return {"width": 420, "height": 430, "title": "Loss along the frontier", "layer": layers}


INSIDE, BEYOND = "within the law's runs", "beyond them"


def _buys(rungs: list[dict[str, Any]], field: str, title: str) -> dict[str, Any]:
    rows = [row for row in rungs if row[field] is not None]
    if not rows:
        return {
            "data": {"values": []},
            "mark": "point",
            "title": f"{title}: not known",
            "width": 420,
            "height": 175,
        }
    x = _log("flop", "compute (flop)", _ends([row["flop"] for row in rows], 1.25))
    y = _log(field, "nat/token", _ends([row[field] for row in rows], 1.6))
    line = {"data": {"values": rows}, "mark": {"type": "line", "color": GREY}, "encoding": {"x": x, "y": y}}
    return {"width": 420, "height": 175, "title": title, "layer": [line, _machines(rows, x, y)]}


def _machines(rows: list[dict[str, Any]], x: Mapping[str, Any], y: Mapping[str, Any]) -> dict[str, Any]:
    order = [row["machine"] for row in rows]
    colour = {"field": "machine", "type": "nominal", "sort": order, "scale": {"scheme": "tableau10"}}
    shape = {
        "field": "kind", "type": "nominal", "legend": {"title": None},
        "scale": {"domain": ["exists", "announced"], "range": ["circle", "diamond"]},
    }  # fmt: skip
    return {
        "data": {"values": rows},
        "mark": {
            "type": "point",
            "filled": True,
            "size": 90,
            "opacity": 1,
            "stroke": "white",
            "strokeWidth": 0.7,
        },
        "encoding": {"x": x, "y": y, "color": {**colour, "legend": {"title": "machine"}}, "shape": shape},
    }
