"""gigawatt catalog [KIND]."""

from __future__ import annotations

import json

import click

from gigawatt.cli.output import emit
from gigawatt.study import KINDS, catalogue


@click.command("catalog")
@click.argument("kind", type=click.Choice(KINDS), default="machines")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(kind: str, as_json: bool) -> None:
    """List machines, chips, models or software stacks. A star marks an assumed or estimated value."""
    rows = catalogue(kind)
    if as_json:
        emit(json.dumps({"schema": "gigawatt/catalog/1", "kind": kind, "rows": rows}, indent=1), None)
        return
    from gigawatt.cli.tables import table

    emit(table(rows, title=f"{len(rows)} {kind}"), None)
