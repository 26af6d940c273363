"""The `show` command of chips, machines and models."""

from __future__ import annotations

import json

import click

from gigawatt.cli.output import emit
from gigawatt.study import show


def show_group(kind: str) -> click.Group:
    """Return the group `gigawatt KIND` with its command `show`."""

    @click.group(kind, help=f"Look into one {kind}.")
    def group() -> None:
        pass

    if kind == "machine":
        from gigawatt.cli.machine_show import machine_show

        group.add_command(machine_show)
        return group

    @group.command("show", help=f"Show one {kind}, fact by fact, with sources; contradicting facts are kept.")
    @click.argument("name")
    @click.option("--json", "as_json", is_flag=True, help="As JSON.")
    def show_command(name: str, as_json: bool) -> None:
        found = show(kind, name)
        if as_json:
            emit(json.dumps({"schema": "gigawatt/show/1", "kind": kind, **found}, indent=1), None)
            return
        from gigawatt.cli.tables import shown

        emit(shown(found), None)

    return group
