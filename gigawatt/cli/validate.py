"""gigawatt validate [FILES]: published against predicted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

import click

from gigawatt.cli.output import emit, progress_bar, refuse_place
from gigawatt.cli.page import STYLE
from gigawatt.errors import GigawattError, InputError
from gigawatt.study import validate, validate_scaling, validation_document

BY = ("source", "accelerator", "software", "model size")


@click.command("validate")
@click.argument("files", nargs=-1, type=click.Path(dir_okay=False))
@click.option("--scaling", "scaling", metavar="[DIR]", is_flag=False, flag_value="", default=None,
              help="Published figures of scaling laws, recomputed; DIR holds run files.")  # fmt: skip
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
    files: tuple[str, ...],
    scaling: str | None,
    as_json: bool,
    html: str | None,
    png: str | None,
    worst: int,
    output: str | None,
) -> None:
    """How wrong are the predictions, on measured training runs?

    FILES are CSVs of the columns that `gigawatt predict` reads, with what was measured beside them.
    Errors are those of the step time: predicted / measured - 1.

    With --scaling the published figures of scaling laws are computed anew: from formulas, and from run files
    in DIR, or those that come with gigawatt. A case whose file is not there is not run, and says so.
    """
    if scaling is not None:
        _scaling(scaling or None, files, as_json=as_json, pictures=html or png, output=output)
        return
    if not files:
        raise click.UsageError("name a CSV of measured runs, or give --scaling")
    with progress_bar("comparing rows", total=float("nan")) as progress:
        document = validation_document(validate(files, progress=progress))
    if html or png:
        _pictures(document, html=html, png=png)
    if as_json:
        emit(json.dumps(document, indent=1, sort_keys=True), output)
        return
    from gigawatt.cli.validate_text import validation_text

    emit(validation_text(document, worst=worst), output)


def _scaling(
    folder: str | None, files: tuple[str, ...], *, as_json: bool, pictures: str | None, output: str | None
) -> None:
    """Show the published figures of scaling laws beside what is computed.

    Raises: InputError for words that do not go with it; GigawattError when a case fails, unexplained.
    """
    if files:
        raise InputError(f"files = {files[0]!r} does not go with --scaling, which takes a folder")
    if pictures:
        raise InputError(f"{pictures!r} does not go with --scaling; it shows a table, or --json")
    refuse_place(output)
    with progress_bar("computing cases") as progress:
        document = validate_scaling(folder, progress=progress)
    if as_json:
        emit(json.dumps(document, indent=1, sort_keys=True, allow_nan=False), output)
    else:
        from gigawatt.cli.scaling_checks_text import checks_text

        emit(checks_text(document), output)
    failed, cases = document["result"]["counts"]["fails"], len(document["result"]["cases"])
    if failed:
        raise GigawattError(f"{failed} of {cases} cases fail without an explanation")


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
    if result["peak_memory"]:
        tables += f"<h2>Peak memory, where rows print it</h2><div>{_table(result['peak_memory'])}</div>"
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
