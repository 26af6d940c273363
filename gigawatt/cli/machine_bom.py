"""gigawatt machine bom MACHINE, and gigawatt machine cables MACHINE."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from gigawatt.cli.options import whole
from gigawatt.cli.output import emit, refuse_place
from gigawatt.errors import InputError
from gigawatt.study import bom, bom_document, bom_rows, cable_readings, cables_document
from gigawatt.units import parse

LENGTH_CLASSES = ("in rack", "in row", "in hall", "between halls")


@click.command("bom")
@click.argument("machine")
@click.option("--chips", callback=whole("chips", example="4096"), help="Only so many of its chips.")
@click.option("--switch", metavar="ID", help="Another switch, e.g. qm9700; see the message for all.")
@click.option("--radix", type=int, help="Ports of a switch at the rate of a link.")
@click.option("--oversubscription", type=float, help="Ports down for each port up of a leaf; 1 is full.")
@click.option("--planes", type=int, help="Independent networks that a server's links are spread over.")
@click.option("--area-per-rack", metavar="M2", type=float, help="Square metres of the hall for each rack.")
@click.option(
    "--lengths",
    metavar="RACK,ROW,HALL,BETWEEN",
    help="Cable lengths by class, e.g. '2 m,10 m,40 m,200 m', in place of the geometry.",
)
@click.option("--csv", "as_csv", is_flag=True, help="One row for each kind of part, as CSV.")
@click.option("--json", "as_json", is_flag=True, help="All of it as one JSON document.")
@click.option("-o", "--output", metavar="FILE", help="Write there in place of the terminal.")
def bom_command(
    machine: str,
    *,
    chips: int | None,
    switch: str | None,
    radix: int | None,
    oversubscription: float | None,
    planes: int | None,
    area_per_rack: float | None,
    lengths: str | None,
    as_csv: bool,
    as_json: bool,
    output: str | None,
) -> None:
    """What is MACHINE made of? Chips, racks, switches, cables and their lengths, modules, watts, dollars.

    Switches and links follow from the rules of the fabric; lengths from racks that stand in rows and halls.
    What is not known is listed by name and counted nowhere.

    \b
    gigawatt machine bom eagle
    gigawatt machine bom colossus --oversubscription 2
    """
    refuse_place(output)
    if as_csv and as_json:
        raise InputError("--csv and --json are two forms of one answer; give one of them")
    found = bom(
        machine,
        chips=chips,
        switch=switch,
        radix=radix,
        oversubscription=oversubscription,
        planes=planes,
        area_per_rack_m2=area_per_rack,
        lengths_m=_lengths(lengths),
    )
    document = bom_document(found)
    if as_json:
        emit(json.dumps(document, indent=1, sort_keys=True, allow_nan=False), output)
    elif as_csv:
        emit(_csv(bom_rows(document)), output)
    else:
        from gigawatt.cli.machine_text import bom_text

        emit(bom_text(document), output)


def _lengths(text: str | None) -> dict[str, float]:
    if text is None:
        return {}
    words = text.split(",")
    if len(words) > len(LENGTH_CLASSES):
        raise InputError(
            f"--lengths = {text!r} has {len(words)} lengths; give up to four, e.g. '2 m,10 m,40 m'"
        )
    return {
        name: parse(word, "m", field=f"--lengths {name}")
        for name, word in zip(LENGTH_CLASSES, words, strict=False)
        if word.strip()
    }


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    paper = io.StringIO()
    writer = csv.DictWriter(paper, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return paper.getvalue().rstrip("\n")


@click.command("cables")
@click.argument("machine")
@click.option("--claim", required=True, metavar="LENGTH", help="The claimed length, e.g. '200,375 km'.")
@click.option(
    "--machines", default="1,5,30,60", show_default=True, metavar="N,N", help="Counts of such machines."
)
@click.option("--json", "as_json", is_flag=True, help="All of it as one JSON document.")
@click.option("-o", "--output", metavar="FILE", help="Write there in place of the terminal.")
def cables_command(machine: str, *, claim: str, machines: str, as_json: bool, output: str | None) -> None:
    """Can so much cable be? What a claimed length asks of each link, read as cables or as fibres.

    \b
    gigawatt machine cables eagle --claim "200,375 km" --machines 5,30,60
    """
    refuse_place(output)
    counts = [parse(word, "1", field="--machines") for word in machines.split(",") if word.strip()]
    claimed_m = parse(claim, "m", field="--claim")
    readings = cable_readings(machine, claimed_m, counts=counts)
    document = cables_document(machine, claimed_m, readings=readings)
    if as_json:
        emit(json.dumps(document, indent=1, sort_keys=True, allow_nan=False), output)
        return
    from gigawatt.cli.machine_text import cables_text

    emit(cables_text(document), output)
