"""gigawatt scaling fit RUNS.csv: a law that fits your runs, how sure it is, and what it cannot tell."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import click

from gigawatt.cli.options import whole
from gigawatt.cli.output import emit, progress_bar, refuse_place
from gigawatt.cli.page import html_page, table
from gigawatt.cli.pictures import write_pictures
from gigawatt.errors import InputError
from gigawatt.study import (
    FIT_FORMS,
    FIT_GENERATORS,
    FIT_METHODS,
    FIT_OBJECTIVES,
    fit_isoflop,
    fit_scaling,
    scaling_fit_document,
)
from gigawatt.units import parse


def _computes(_context: click.Context, _parameter: click.Parameter, text: str | None) -> list[float]:
    """Return the computes of --flop, as in "5.76e23,1e26".

    Raises: InputError for what is no amount of flop above 0.
    """
    found = [parse(part.strip(), "flop", field="flop") for part in text.split(",")] if text else []
    bad = [value for value in found if not 0 < value < 1e40]
    if bad:
        raise InputError(f"flop = {bad[0]:g} is not above 0 and below 1e40; write e.g. 5.76e23")
    return found


def _columns(_context: click.Context, _parameter: click.Parameter, text: str | None) -> dict[str, str]:
    """Return the columns of --columns, as in "params=N,tokens=D,loss=L".

    Raises: InputError for what is not of that form.
    """
    found = {}
    for part in text.split(",") if text else []:
        field, equals, column = (piece.strip() for piece in part.partition("="))
        if not (field and equals and column):
            raise InputError(f"--columns {part.strip()!r} is not FIELD=COLUMN; write e.g. params=N,loss=L")
        found[field] = column
    return found


def _number(field: str, least: int) -> Callable[[click.Context, click.Parameter, str], int]:
    """Return the reader of a whole number that may be 0."""
    read = whole(field, example="4000")

    def reader(context: click.Context, parameter: click.Parameter, text: str) -> int:
        if text.strip() == "0" and least == 0:
            return 0
        return read(context, parameter, text) or 0

    return reader


@click.command("fit")
@click.argument("runs", metavar="RUNS.csv")
@click.option("--method", type=click.Choice(FIT_METHODS), default="law", show_default=True,
              help="A law over N and D (Approach 3), or a parabola a budget (Approach 2).")  # fmt: skip
@click.option("--law", metavar="FORM", default="chinchilla", show_default=True,
              help=f"Which form: {', '.join(FIT_FORMS)}.")  # fmt: skip
@click.option("--objective", metavar="NAME", default="huber:1e-3", show_default=True,
              help=f"What is made least: {FIT_OBJECTIVES}.")  # fmt: skip
@click.option("--columns", metavar="FIELD=COLUMN,...", callback=_columns,
              help="Where the usual names do not tell: params=N,tokens=D,loss=L,text=corpus.")  # fmt: skip
@click.option("--where", metavar="CONDITION", multiple=True, help="Keep rows that meet it: dataset=c4.")
@click.option("--drop", metavar="CONDITION", multiple=True, help="Leave out rows that meet it: 'loss>4'.")
@click.option("--best", is_flag=True, help="Of runs of equal N and D keep the one of least loss.")
@click.option("--flop", metavar="C,...", callback=_computes,
              help="Computes to split between N and D, e.g. 5.76e23,1e26.")  # fmt: skip
@click.option("--bootstrap", metavar="N", default="0", show_default=True, callback=_number("bootstrap", 0),
              help="Bands from as many fits to runs drawn again, e.g. 4000.")  # fmt: skip
@click.option("--seed", metavar="N", default="0", show_default=True, callback=_number("seed", 0),
              help="Of starts and draws: the same seed gives the same bytes.")  # fmt: skip
@click.option("--resample", type=click.Choice(FIT_GENERATORS), default="pcg64", show_default=True,
              help="What draws: mt19937 draws as published intervals were drawn.")  # fmt: skip
@click.option("--starts", metavar="N", default="32", show_default=True, callback=_number("starts", 1),
              help="From how many points the search starts.")  # fmt: skip
@click.option("--holdout", metavar="RULE",
              help="Fit without these and foresee them: 'flop>1e21', largest:0.2, or rollout.")  # fmt: skip
@click.option(
    "--accuracy", metavar="COLUMN", help="A task's accuracy, 0..1: fitted over the loss and foreseen."
)
@click.option("--json", "as_json", is_flag=True, help="The whole fit as one JSON document.")
@click.option("--html", metavar="FILE", help="Write the pictures and the tables as one page.")
@click.option("--svg", metavar="FILE", help="Write the pictures as SVG.")
@click.option("--png", metavar="FILE", help="Write the pictures as PNG.")
@click.option("-o", "--output", metavar="FILE", help="Write there in place of the terminal.")
def command(
    runs: str,
    method: str,
    law: str,
    objective: str,
    columns: dict[str, str],
    where: tuple[str, ...],
    drop: tuple[str, ...],
    best: bool,
    flop: list[float],
    bootstrap: int,
    seed: int,
    resample: str,
    starts: int,
    holdout: str | None,
    accuracy: str | None,
    as_json: bool,
    html: str | None,
    svg: str | None,
    png: str | None,
    output: str | None,
) -> None:
    """Which law fits these runs, how sure is that, and what can they not tell?

    RUNS is a CSV or Parquet file, one run a row: parameters, tokens (or the compute), and the loss reached.

    \b
    gigawatt scaling fit runs.csv --bootstrap 4000 --flop 5.76e23
    gigawatt scaling fit runs.csv --columns params=N,tokens=D,loss=c4_loss --holdout 'flop>1e21'
    gigawatt scaling fit isoflop.csv --method isoflop --where dataset=c4 --bootstrap 1000
    """
    for place in (output, html, svg, png):
        refuse_place(place)
    words: dict[str, Any] = {"columns": columns, "where": where, "drop": drop, "best": best, "flop": flop,
                             "seed": seed}  # fmt: skip
    if method == "isoflop":
        _refuse_of_law(law=law, objective=objective, holdout=holdout, accuracy=accuracy)
        document = scaling_fit_document(fit_isoflop(runs, resamples=bootstrap, **words))
    else:
        with progress_bar("fitting resamples") as progress:
            document = scaling_fit_document(fit_scaling(
                runs, law, objective=objective, resamples=bootstrap, generator=resample, starts=starts,
                holdout=holdout, accuracy=accuracy, progress=progress, **words,
            ))  # fmt: skip
    if html or svg or png:
        from gigawatt.study.scaling_fit_chart import scaling_fit_chart

        chart = scaling_fit_chart(document)
        write_pictures(chart, lambda drawn: page(document, drawn), html=html, svg=svg, png=png)
    if as_json:
        emit(json.dumps(document, indent=1, sort_keys=True, allow_nan=False), output)
        return
    from gigawatt.cli.scaling_fit_text import scaling_fit_text

    emit(scaling_fit_text(document), output)


def _refuse_of_law(**words: str | None) -> None:
    """Refuse what only a law over N and D takes.

    Raises: InputError.
    """
    usual = {"law": "chinchilla", "objective": "huber:1e-3"}
    for name, value in words.items():
        if value != usual.get(name):
            raise InputError(f"{name} = {value!r} is of --method law; an isoFLOP line takes none")


def page(document: Mapping[str, Any], picture: str) -> str:
    """Return one self-contained page: the pictures, and every table of the fit."""
    from gigawatt.cli.scaling_fit_text import headline, tables, title

    told = "".join(f"<tr><td>{escape(k)}<td>{escape(v)}" for k, v in headline(document).items())
    body = "".join(f"<h2>{escape(name)}</h2><div>{table(rows)}</div>" for name, rows in tables(document))
    warned = "".join(f"<li>{escape(one['message'])}" for one in document["warnings"])
    foot = f"<h2>What these runs cannot tell</h2><ul>{warned}</ul>" if warned else ""
    told_all = f"<table id=t>{told}</table><figure>{picture}</figure>{body}{foot}"
    return html_page(title(document), told_all, style="#t td{text-align:left;white-space:normal}")
