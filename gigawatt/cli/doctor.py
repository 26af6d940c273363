"""gigawatt doctor."""

from __future__ import annotations

import json

import click

from gigawatt.cli.output import emit
from gigawatt.study.doctor import doctor


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(as_json: bool) -> None:
    """Show versions, where the package lies, how much its catalogue holds, and which extras are there."""
    found = doctor()
    if as_json:
        emit(json.dumps({"schema": "gigawatt/doctor/1", **found}, indent=1), None)
        return
    from gigawatt.cli.tables import pairs

    emit(pairs(found), None)
