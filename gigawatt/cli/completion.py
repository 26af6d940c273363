"""gigawatt completion SHELL."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from gigawatt.cli.output import emit


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), metavar="SHELL")
def command(shell: str) -> None:
    """Print the completion script of a shell (bash, zsh or fish), to be sourced."""
    from gigawatt.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None
    emit(kind(cli, {}, "gigawatt", "_GIGAWATT_COMPLETE").source(), None)
