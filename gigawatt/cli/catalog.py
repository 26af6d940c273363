"""gigawatt catalog [KIND]."""

from __future__ import annotations

import json

import click

from gigawatt.cli.output import emit
from gigawatt.study import KINDS, catalogue

DROP = {  # what a narrow terminal does without, the first first
    "machines": ("name", "status"),
    "chips": ("name", "price", "power", "scale-up", "status"),
    "models": ("recipe", "name", "status"),
    "stacks": ("year",),
}


@click.command("catalog")
@click.argument("kind", type=click.Choice(KINDS), default="machines", metavar="[KIND]")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(kind: str, as_json: bool) -> None:
    """List machines, chips, models or software stacks.

    KIND is one of them; machines when left out. A star marks an assumed or estimated value.
    """
    rows = catalogue(kind)
    if as_json:
        emit(json.dumps({"schema": "gigawatt/catalog/1", "kind": kind, "rows": rows}, indent=1), None)
        return
    from gigawatt.cli.tables import fitting

    emit(fitting(rows, title=f"{len(rows)} {kind}", drop=DROP[kind]), None, wide=True)
