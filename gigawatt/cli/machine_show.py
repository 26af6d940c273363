"""gigawatt machine show NAME: text, JSON, a picture, a page."""

from __future__ import annotations

import json

import click

from gigawatt.cli.output import emit, refuse_place, write
from gigawatt.study import machine_html, machine_page, machine_png, machine_svg


@click.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--job/--no-job", default=True, show_default=True, help="Plan a standard job on it.")
@click.option("--svg", metavar="FILE", help="Draw what it is made of as SVG, there.")
@click.option("--png", metavar="FILE", help="The same picture as PNG (needs the extra `report`).")
@click.option("--html", metavar="FILE", help="Picture, figures, job and sources as one page, there.")
def machine_show(
    name: str, as_json: bool, job: bool, svg: str | None, png: str | None, html: str | None
) -> None:
    """Show one machine: what it is made of, a standard job on it, every figure with its source.

    NAME is one of `gigawatt catalog machines`, or a YAML or TOML file. With --svg, --png or --html a file is
    written and nothing is printed. Figures that contradict one another are kept.

    \b
    gigawatt machine show colossus
    gigawatt machine show tpu-v4-pod --svg tpu-v4-pod.svg
    gigawatt machine show ./cluster.yaml --html cluster.html
    """
    places = [place for place in (svg, png, html) if place is not None]
    if places and as_json:
        raise click.UsageError("--json prints and --svg, --png, --html write a file; give one kind of them")
    for place in places:
        refuse_place(place)
    if svg is not None:
        write(svg, machine_svg(name))
    if png is not None:
        write(png, machine_png(name))
    if html is not None:
        write(html, machine_html(name, job=job))
    if not places:
        _print(name, as_json=as_json, job=job)


def _print(name: str, *, as_json: bool, job: bool) -> None:
    page = machine_page(name, job=job)
    if as_json:
        emit(json.dumps({"schema": "gigawatt/show/1", "kind": "machine", **page}, indent=1), None)
        return
    from gigawatt.cli.machine_show_text import machine_text

    emit(machine_text(page), None)
