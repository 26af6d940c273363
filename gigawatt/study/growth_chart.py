"""The picture of a build-out: cards, megawatts, exaflop, money and work done, over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gigawatt.study.charts import SCHEMA

WIDE, HIGH = 380, 200
SHEET_COLOURS = ["#1b9e77", "#7570b3", "#d95f02", "#444444"]
MONEY = {
    "capital_so_far_usd": "capital paid so far",
    "book_usd": "book value",
    "running": "energy and operations so far",
}
POWER = {"facility_power_w": "site, nameplate", "it_power_w": "IT, nameplate"}
PEAKS = {"bf16": "bf16 peak, dense", "fp8": "fp8 peak, dense", "fp4": "fp4 peak, dense"}
HPL = "HPL, machines one by one"
Row = Mapping[str, Any]


def growth_chart(document: Row) -> dict[str, Any]:
    """Return the panels as one Vega-Lite chart."""
    months, inputs = document["result"]["months"], document["inputs"]
    date = _date(months)
    upper = [_cards(months), _panel("megawatts", _power(months), date=date, colours=["#4477aa", "#88ccee"])]
    lower = [
        _panel("exaflop/s", _peaks(months), date=date, colours=SHEET_COLOURS, log=True),
        _panel("billion $", _money(months), date=date, colours=["#222222", "#4477aa", "#cc6677"]),
    ]
    resolve = {"scale": {"color": "independent"}}
    return {
        "$schema": SCHEMA,
        "title": {"text": inputs["title"], "subtitle": _subtitle(document), "anchor": "start"},
        "vconcat": [
            {"hconcat": upper, "resolve": resolve},
            {"hconcat": lower, "resolve": resolve},
            _work(months, document["result"]["jobs"]),
        ],
        "resolve": resolve,
    }


def _subtitle(document: Row) -> str:
    announced = [d["days"][0][:7] for d in document["result"]["deliveries"] if d["status"] == "announced"]
    told = "state at the end of each month"
    return f"{told}; from {min(announced)} announced, not delivered" if announced else told


def _after(month: str) -> str:
    """Return the first day after a month: where its end stands on the axis."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12}-{number % 12 + 1:02d}-01"


def _rows(months: Sequence[Row], values: Mapping[str, Sequence[float | None]]) -> list[dict[str, Any]]:
    dates = [_after(month["month"]) for month in months]
    return [
        {"date": date, "what": what, "value": value}
        for what, column in values.items()
        for date, value in zip(dates, column, strict=True)
        if value is not None
    ]


def _power(months: Sequence[Row]) -> list[dict[str, Any]]:
    return _rows(months, {label: [_scaled(m[name], 1e6) for m in months] for name, label in POWER.items()})


def _peaks(months: Sequence[Row]) -> list[dict[str, Any]]:
    found = {PEAKS[d]: [_scaled(m["peak_flop_per_s"][d], 1e18) for m in months] for d in PEAKS}
    found[HPL] = [_scaled(m["hpl_flop_per_s"], 1e18) for m in months]
    return [row for row in _rows(months, found) if row["value"] > 0]


def _money(months: Sequence[Row]) -> list[dict[str, Any]]:
    found, spent = {label: [_scaled(m.get(name), 1e9) for m in months] for name, label in MONEY.items()}, 0.0
    running: list[float | None] = []
    for month in months:
        cost = None if month["operations_usd"] is None else month["energy_usd"] + month["operations_usd"]
        spent += cost or 0.0
        running.append(None if cost is None else spent / 1e9)
    return _rows(months, {**found, MONEY["running"]: running})


def _scaled(value: float | None, unit: float) -> float | None:
    return None if value is None else value / unit


DECADES = [10.0**n for n in range(-3, 40)]


def _date(months: Sequence[Row]) -> dict[str, Any]:
    """Return the axis of dates, the same in all panels."""
    ends = (f"{months[0]['month']}-01", _after(months[-1]["month"]))
    domain = [{"year": int(end[:4]), "month": int(end[5:7]), "date": 1} for end in ends]
    axis = {"title": None, "format": "%b %Y", "labelAngle": -30, "tickCount": 8}
    return {"field": "date", "type": "temporal", "scale": {"domain": domain}, "axis": axis}


def _legend(columns: int = 2) -> dict[str, Any]:
    return {"title": None, "orient": "top", "columns": columns, "labelLimit": 260}


def _cards(months: Sequence[Row]) -> dict[str, Any]:
    chips = list(months[-1]["chips_by_type"])
    values = _rows(months, {chip: [_scaled(m["chips_by_type"][chip], 1e3) for m in months] for chip in chips})
    for row in values:
        row["rank"] = chips.index(row["what"])
    colour = {
        "field": "what",
        "type": "nominal",
        "sort": chips,
        "legend": _legend(4),
        "scale": {"scheme": "tableau10"},
    }
    y = {
        "field": "value",
        "type": "quantitative",
        "stack": "zero",
        "axis": {"title": "thousand cards"},
    }
    return {
        "width": WIDE,
        "height": HIGH,
        "data": {"values": values},
        "mark": {"type": "area", "interpolate": "step-before"},
        "encoding": {"x": _date(months), "y": y, "color": colour, "order": {"field": "rank"}},
    }


def _panel(
    title: str, values: list[dict[str, Any]], *, date: Row, colours: list[str], log: bool = False
) -> dict[str, Any]:
    names = list(dict.fromkeys(row["what"] for row in values))
    colour = {
        "field": "what",
        "type": "nominal",
        "sort": names,
        "scale": {"domain": names, "range": colours},
        "legend": _legend(),
    }
    y: dict[str, Any] = {"field": "value", "type": "quantitative", "axis": {"title": title}}
    if log:
        y["scale"] = {"type": "log", "nice": False, "padding": 8}
        y["axis"] |= {"values": DECADES, "format": ",~g"}
    return {
        "width": WIDE,
        "height": HIGH,
        "data": {"values": values},
        "mark": {"type": "line", "interpolate": "linear" if title == "billion $" else "step-before"},
        "encoding": {"x": date, "y": y, "color": colour},
    }


def _work(months: Sequence[Row], jobs: Sequence[Row]) -> dict[str, Any]:
    """Return the work done over time on a log axis, with a line for each job."""
    done = [{"date": _after(m["month"]), "value": m["worked_flop"]} for m in months if m["worked_flop"]]
    most = max((row["value"] for row in done), default=1.0)
    lines = [{"flop": job["flop"], "job": job["job"]} for job in jobs if job["flop"] < 3 * most]
    axis = {"title": "useful FLOP, all together", "format": ".0e", "values": DECADES}
    y: dict[str, Any] = {
        "type": "quantitative",
        "scale": {"type": "log", "nice": False, "padding": 8},
        "axis": axis,
    }
    end = {"value": 2 * WIDE + 40}
    return {
        "width": 2 * WIDE + 70,
        "height": HIGH,
        "layer": [
            {
                "data": {"values": done},
                "mark": {"type": "line", "color": "#228833"},
                "encoding": {"x": _date(months), "y": {**y, "field": "value"}},
            },
            {
                "data": {"values": lines},
                "mark": {"type": "rule", "strokeDash": [4, 3], "color": "#999"},
                "encoding": {"y": {**y, "field": "flop"}},
            },
            {
                "data": {"values": lines},
                "mark": {"type": "text", "align": "right", "dy": -6, "color": "#555"},
                "encoding": {"x": end, "y": {**y, "field": "flop"}, "text": {"field": "job"}},
            },
        ],
    }
