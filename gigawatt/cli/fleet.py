"""gigawatt fleet growth FILE.yaml | NAME."""

from __future__ import annotations

import json

import click

from gigawatt.cli.output import emit, progress_bar, refuse_place
from gigawatt.cli.pictures import picture_options, write_pictures
from gigawatt.study import growth, growth_document, growth_names


@click.group("fleet")
def command() -> None:
    """Look at many machines at once."""


@command.command("growth")
@click.argument("file", metavar="FILE|NAME", required=False)
@click.option("--until", metavar="MONTH", help="The last month, e.g. 2027-12; else as the file says.")
@picture_options
@click.option("--json", "as_json", is_flag=True, help="All months as one JSON document.")
@click.option("-o", "--output", metavar="FILE", help="Write there in place of the terminal.")
def grow(
    file: str | None,
    *,
    until: str | None,
    html: str | None,
    svg: str | None,
    png: str | None,
    as_json: bool,
    output: str | None,
) -> None:
    """What do deliveries over time add up to: cards, power, exaflop, money, and what can be trained by when?

    FILE is a growth file (YAML or TOML), NAME a build-out that comes with gigawatt; without either the names
    are listed.

    \b
    gigawatt fleet growth five-eagles
    gigawatt fleet growth build-out.yaml --until 2027-12 --png build-out.png
    """
    for place in (output, html, svg, png):
        refuse_place(place)
    if file is None:
        emit("\n".join(growth_names()), output)
        return
    with progress_bar("planning machines") as progress:
        found = growth(file, until=until, progress=progress)
    document = growth_document(found)
    if html or svg or png:
        from gigawatt.cli.growth_text import growth_page
        from gigawatt.study.growth_chart import growth_chart

        chart = growth_chart(document)
        write_pictures(chart, lambda drawn: growth_page(document, drawn), html=html, svg=svg, png=png)
    if as_json:
        emit(json.dumps(document, indent=1, sort_keys=True, allow_nan=False), output)
        return
    from gigawatt.cli.growth_text import growth_text

    emit(growth_text(document), output)
