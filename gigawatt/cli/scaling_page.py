"""Pictures and pages of the scaling verbs, from their documents."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from gigawatt.cli.output import emit
from gigawatt.cli.page import STYLE, table

LEFT = "#t td,#t th{text-align:left;white-space:normal}"


def pictures(document: Mapping[str, Any], *, html: str | None, svg: str | None, png: str | None) -> None:
    """Write the pictures that were asked for.

    Raises: MissingExtraError when what draws them is not installed.
    """
    if not (html or svg or png):
        return
    from gigawatt.study.charts import png as png_of
    from gigawatt.study.charts import svg as svg_of
    from gigawatt.study.scaling_charts import isoflop_chart, marginal_chart

    chart = marginal_chart(document) if _is_ladder(document) else isoflop_chart(document)
    if svg:
        emit(svg_of(chart), svg)
    if png:
        emit(png_of(chart), png)
    if html:
        emit(page(document, svg_of(chart)), html)


def _is_ladder(document: Mapping[str, Any]) -> bool:
    return bool(document["schema"].startswith("gigawatt/scaling-marginal"))


def page(document: Mapping[str, Any], picture: str) -> str:
    """Return one self-contained page: the picture, the tables and the warnings."""
    from gigawatt.cli import scaling_marginal_text, scaling_text

    words = scaling_marginal_text if _is_ladder(document) else scaling_text
    head = escape(words.title(document))
    told = "".join(f"<tr><td>{escape(k)}<td>{escape(v)}" for k, v in words.headline(document).items())
    told_with = words.notes(document)
    bodies = "".join(
        f"<h2>{escape(name)}</h2><div>{table(rows)}</div><p>{escape(told_with.get(name, ''))}</p>"
        for name, rows in words.tables(document).items()
    )
    warned = "".join(f"<li>{escape(w['message'])}" for w in document["warnings"])
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>gigawatt: {head}</title><style>{STYLE}{LEFT}</style><h1>{head}</h1>"
        f"<table id=t>{told}</table><figure>{picture}</figure>{bodies}"
        f"{f'<h2>To know before trusting this</h2><ul>{warned}</ul>' if warned else ''}</html>"
    )
