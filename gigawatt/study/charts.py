"""Pictures of a validation: predicted against measured, and residuals. Needs the extra `report`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from gigawatt.errors import MissingExtraError

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"  # names the grammar; nothing is fetched
TOP_SOURCES = 10


def renderer() -> Any:
    """Return the library that draws charts.

    Raises: MissingExtraError with the command that installs it.
    """
    try:
        return import_module("vl_convert")
    except ImportError:
        raise MissingExtraError("pictures need the extra 'report': pip install 'gigawatt[report]'") from None


def validation_chart(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return predicted against measured step times and the errors by source, as one Vega-Lite chart."""
    rows = [
        {k: row[k] for k in ("measured_s", "predicted_s", "source")} | {"error": 100 * row["error"]}
        for row in document["result"]["rows_compared"]
    ]
    log = {"type": "log"}
    colour = {"field": "source", "type": "nominal", "legend": {"title": None, "symbolLimit": 40}}
    scatter = {
        "width": 480,
        "height": 420,
        "title": "Step time, predicted against measured",
        "layer": [
            {
                "mark": {"type": "point", "size": 14, "opacity": 0.6},
                "encoding": {
                    "x": {
                        "field": "measured_s",
                        "type": "quantitative",
                        "scale": log,
                        "title": "measured (s)",
                    },
                    "y": {
                        "field": "predicted_s",
                        "type": "quantitative",
                        "scale": log,
                        "title": "predicted (s)",
                    },
                    "color": colour,
                },
            },
            {
                "mark": {"type": "line", "color": "black", "strokeWidth": 1},
                "encoding": {
                    "x": {"field": "measured_s", "type": "quantitative"},
                    "y": {"field": "measured_s", "type": "quantitative"},
                },
            },
        ],
    }
    residuals = {
        "width": 480,
        "title": "Errors by source (%; above 0: predicted too slow)",
        "mark": {"type": "boxplot", "size": 9, "outliers": {"size": 6}},
        "encoding": {
            "y": {"field": "source", "type": "nominal", "title": None},
            "x": {
                "field": "error",
                "type": "quantitative",
                "title": "error (%)",
                "scale": {"domain": [-60, 60], "clamp": True},
            },
            "color": {**colour, "legend": None},
        },
    }
    return {"$schema": SCHEMA, "data": {"values": rows}, "vconcat": [scatter, residuals]}


def svg(chart: Mapping[str, Any]) -> str:
    """Return a chart as SVG."""
    return str(renderer().vegalite_to_svg(dict(chart)))


def png(chart: Mapping[str, Any], *, pixels_per_point: float = 2.0) -> bytes:
    """Return a chart as PNG."""
    return bytes(renderer().vegalite_to_png(dict(chart), scale=pixels_per_point))
