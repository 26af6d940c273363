"""gigawatt energy MODEL [--on A,B,C]."""

from __future__ import annotations

import json

import click

from gigawatt.cli.options import job_options, words
from gigawatt.cli.output import emit, progress_bar, refuse_place
from gigawatt.cli.pictures import picture_options, write_pictures
from gigawatt.study import EQUAL, NOTHING, ON, energy, energy_document


@click.command("energy")
@click.argument("model", default="llama3.1-70b", metavar="[MODEL]")
@click.option(
    "--on",
    "machines",
    default=",".join(ON),
    show_default=True,
    metavar="A,B,C",
    help="Two to eight machines: names, or files, with commas.",
)
@click.option("--against", metavar="MACHINE", help="The baseline of all ratios; else the first machine.")
@click.option(
    "--equal",
    type=click.Choice((*EQUAL, NOTHING)),
    default="chips",
    show_default=True,
    help="The part of each machine that has the same chips, megawatts or dollars an hour; or all of it.",
)
@click.option(
    "--amount",
    metavar="QUANTITY",
    help="How much of that, e.g. 4096, '20 MW' or '9000 $/h'; the most that all have if not given.",
)
@job_options
@picture_options
@click.option("--json", "as_json", is_flag=True, help="The whole table as one JSON document.")
@click.option("-o", "--output", metavar="FILE", help="Write there in place of the terminal.")
def command(
    model: str,
    *,
    machines: str,
    against: str | None,
    equal: str,
    amount: str | None,
    tokens: float | None,
    batch: float | None,
    batch_sequences: int | None,
    seq: int | None,
    dtype: str | None,
    stack: str | None,
    by: str,
    fixed: str | None,
    html: str | None,
    svg: str | None,
    png: str | None,
    as_json: bool,
    output: str | None,
) -> None:
    """How much energy does a token of MODEL take on each chip, and why is that not the datasheets' ratio?

    The same job is planned on as many chips (or megawatts, or dollars an hour) of each machine, each with
    its own best layout. MODEL is llama3.1-70b when left out. --dtype takes several formats with commas; a
    machine is left out of a format that its chip does not have.

    \b
    gigawatt energy llama3.1-70b --tokens 15T
    gigawatt energy llama3.1-70b --on superpod-h100,superpod-gb200 --dtype bf16,fp8,nvfp4
    """
    for place in (output, html, svg, png):
        refuse_place(place)
    with progress_bar("searching layouts") as progress:
        found = energy(
            model,
            on=machines.split(","),
            dtypes=_formats(dtype),
            against=against,
            equal=equal,
            amount=amount,
            by=by,
            progress=progress,
            tokens=tokens,
            batch_tokens=batch,
            batch_sequences=batch_sequences,
            seq_tokens=seq,
            stack=stack,
            fixed=words(fixed, option="--fixed", several=True) if fixed is not None else None,
        )
    document = energy_document(found)
    if html or svg or png:
        from gigawatt.cli.energy_text import energy_page
        from gigawatt.study.energy_chart import energy_chart

        chart = energy_chart(document)
        write_pictures(chart, lambda drawn: energy_page(document, drawn), html=html, svg=svg, png=png)
    if as_json:
        emit(json.dumps(document, indent=1, sort_keys=True, allow_nan=False), output)
        return
    from gigawatt.cli.energy_text import energy_text

    emit(energy_text(document), output)


def _formats(dtype: str | None) -> tuple[str, ...]:
    return ("bf16",) if dtype is None else tuple(name.strip().lower() for name in dtype.split(","))
