"""gigawatt scaling marginal [--on MACHINE]."""

from __future__ import annotations

import json

import click

from gigawatt.cli.output import emit, progress_bar, refuse_place
from gigawatt.cli.scaling_optimal import DAYS, LAW, OUTPUTS, with_options
from gigawatt.cli.scaling_page import pictures
from gigawatt.study import marginal, marginal_document


@click.command("marginal")
@click.option("--on", "on", metavar="MACHINE", help="Where the ladder starts: a machine that you have.")
@click.option("--among", metavar="A,B,...", help="The machines of the ladder; else eight, to Stargate.")
@click.option(
    "--days", metavar="DAYS", callback=DAYS, help="How long on each, failures included; 90 if not given."
)
@LAW
@with_options(OUTPUTS)
def command(
    on: str | None,
    *,
    among: str | None,
    days: float | None,
    law: str,
    html: str | None,
    svg: str | None,
    png: str | None,
    as_json: bool,
    output: str | None,
) -> None:
    """What does the next dollar, day or megawatt-year buy, from here up to Stargate?

    Each machine of a ladder trains for the same days; the compute that the planner gets out of it is split
    best, and the slope of the loss there is divided by what the compute takes.

    \b
    gigawatt scaling marginal
    gigawatt scaling marginal --on eos --days 60 --png ladder.png
    """
    for place in (output, html, svg, png):
        refuse_place(place)
    with progress_bar("planning machines") as progress:
        found = marginal(
            on=on,
            among=among.split(",") if among is not None else None,
            days=days,
            by=law,
            progress=progress,
        )
    document = marginal_document(found)
    pictures(document, html=html, svg=svg, png=png)
    if as_json:
        emit(json.dumps(document, indent=1, sort_keys=True, allow_nan=False), output)
        return
    from gigawatt.cli.scaling_marginal_text import marginal_text

    emit(marginal_text(document), output)
