"""gigawatt validate [FILES]: published against predicted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

import click

from gigawatt.cli.output import emit, progress_bar
from gigawatt.cli.page import STYLE
from gigawatt.study import validate, validation_document

BY = ("source", "accelerator", "software", "model size")


@click.command("validate")
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="All tables and rows as one JSON document.")
@click.option("--html", type=click.Path(dir_okay=False), help="Write tables and plots as one page.")
@click.option("--png", type=click.Path(dir_okay=False), help="Write the plots as a picture.")
@click.option(
    "--worst",
    default=20,
    show_default=True,
    type=click.IntRange(0, 1000),
    help="How many of the worst rows to show.",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write there in place of the terminal.")
def command(
    files: tuple[str, ...], as_json: bool, html: str | None, png: str | None, worst: int, output: str | None
) -> None:
    """How wrong are the predictions, on measured training runs?

    FILES are CSVs of the columns that `gigawatt predict` reads, with what was measured beside them.
    Errors are those of the step time: predicted / measured - 1.
    """
    with progress_bar("comparing rows", total=float("nan")) as progress:
        document = validation_document(validate(files, progress=progress))
    if html or png:
        _pictures(document, html=html, png=png)
    if as_json:
        emit(json.dumps(document, indent=1, sort_keys=True), output)
        return
    from gigawatt.cli.validate_text import validation_text

    emit(validation_text(document, worst=worst), output)


def _pictures(document: Mapping[str, Any], *, html: str | None, png: str | None) -> None:
    from gigawatt.study.charts import png as png_of
    from gigawatt.study.charts import svg, validation_chart

    chart = validation_chart(document)
    if png:
        emit(png_of(chart), png)
    if html:
        emit(page(document, svg(chart)), html)


def page(document: Mapping[str, Any], picture: str) -> str:
    """Return one self-contained page: the plots, the tables, and the worst rows."""
    result = document["result"]
    tables = "".join(
        f"<h2>By {escape(name)}</h2><div>{_table(rows)}</div>" for name, rows in result["by"].items()
    )
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>gigawatt: validation</title><style>{STYLE}</style><h1>Published against predicted</h1>"
        f"<p>{result['compared']:,} measured rows. Errors of the step time.</p>"
        f"<figure>{picture}</figure>{tables}"
        f"<h2>The worst rows</h2><div>{_worst(result['worst'])}</div></html>"
    )


def _worst(rows: list[Mapping[str, Any]]) -> str:
    body = "".join(
        f"<tr><td>{escape(row['id'])}<td>{100 * row['error']:+.0f} %<td>{row['measured_s']:.3g} s"
        f"<td>{row['chips']:,} x {escape(row['chip'])}<td>{escape(row['stack'])}<td>{_parts(row['parts'])}"
        for row in rows
    )
    names = ("row", "error", "measured", "chips", "software", "predicted step, % of it")
    return f"<table><tr>{''.join(f'<th>{name}' for name in names)}{body}</table>"


def _parts(parts: Mapping[str, float]) -> str:
    return escape(", ".join(f"{n.removesuffix('_s')} {100 * p:.0f}" for n, p in list(parts.items())[:5]))


def _table(rows: list[Mapping[str, Any]]) -> str:
    names = ("median", "mean", "p90", "worst", "bias")
    head = "".join(f"<th>{n}" for n in ("", "rows", *names))
    body = "".join(
        f"<tr><td>{escape(row['group'])}<td>{row['rows']}"
        + "".join(f"<td>{100 * row[n]:.1f} %" for n in names)
        for row in rows
    )
    return f"<table><tr>{head}{body}</table>"
