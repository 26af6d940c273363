"""Pictures and pages of the scaling verbs, from their documents."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from gigawatt.cli.page import html_page, table
from gigawatt.cli.pictures import write_pictures

LEFT = "#t td,#t th{text-align:left;white-space:normal}"


def pictures(document: Mapping[str, Any], *, html: str | None, svg: str | None, png: str | None) -> None:
    """Write the pictures that were asked for.

    Raises: MissingExtraError when what draws them is not installed.
    """
    if not (html or svg or png):
        return
    from gigawatt.study.scaling_charts import isoflop_chart, marginal_chart

    chart = marginal_chart(document) if _is_ladder(document) else isoflop_chart(document)
    write_pictures(chart, lambda drawn: page(document, drawn), html=html, svg=svg, png=png)


def _is_ladder(document: Mapping[str, Any]) -> bool:
    return bool(document["schema"].startswith("gigawatt/scaling-marginal"))


def page(document: Mapping[str, Any], picture: str) -> str:
    """Return one self-contained page: the picture, the tables and the warnings."""
    from gigawatt.cli import scaling_marginal_text, scaling_text

    words = scaling_marginal_text if _is_ladder(document) else scaling_text
    told = "".join(f"<tr><td>{escape(k)}<td>{escape(v)}" for k, v in words.headline(document).items())
    told_with = words.notes(document)
    bodies = "".join(
        f"<h2>{escape(name)}</h2><div>{table(rows)}</div><p>{escape(told_with.get(name, ''))}</p>"
        for name, rows in words.tables(document).items()
    )
    warned = "".join(f"<li>{escape(w['message'])}" for w in document["warnings"])
    foot = f"<h2>To know before trusting this</h2><ul>{warned}</ul>" if warned else ""
    body = f"<table id=t>{told}</table><figure>{picture}</figure>{bodies}{foot}"
    return html_page(words.title(document), body, style=LEFT)
