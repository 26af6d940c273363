"""Pictures of a document: the options that ask for them, the files, and one self-contained page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import click

from gigawatt.cli.output import emit
from gigawatt.cli.page import html_page, table

Rows = Sequence[Mapping[str, str]]
PICTURES = (
    click.option("--html", metavar="FILE", help="Write the picture and the tables as one page."),
    click.option("--svg", metavar="FILE", help="Write the picture as SVG."),
    click.option("--png", metavar="FILE", help="Write the picture as PNG."),
)


def picture_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that write pictures."""
    for option in reversed(PICTURES):
        command = option(command)
    return command


def write_pictures(
    chart: Mapping[str, Any],
    page: Callable[[str], str],
    *,
    html: str | None,
    svg: str | None,
    png: str | None,
) -> None:
    """Write the files that were asked for; `page` makes a page of the picture."""
    from gigawatt.study.charts import png as png_of
    from gigawatt.study.charts import svg as svg_of

    if svg:
        emit(svg_of(chart), svg)
    if png:
        emit(png_of(chart), png)
    if html:
        emit(page(svg_of(chart)), html)


def page_of(
    title: str,
    picture: str,
    *,
    told: Sequence[str],
    tables: Mapping[str, Rows],
    seen: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> str:
    """Return one self-contained page: what is told, the picture, what is seen in it, tables, and notes."""
    head = "".join(f"<p>{escape(line)}" for line in told)
    body = "".join(f"<h2>{escape(name)}</h2><div>{table(rows)}</div>" for name, rows in tables.items())
    below = "".join(f"<li>{escape(line)}" for line in seen)
    foot = "".join(f"<p><small>{escape(line)}</small>" for line in notes)
    points = f"<ul>{below}</ul>" if below else ""
    return html_page(title, f"{head}<figure>{picture}</figure>{points}{body}{foot}")
