"""The commands and options of the command line as text, so that a change of them shows in a diff.

`python -m tests.architecture.cli_options` writes cli_options.txt anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from gigawatt.cli.main import cli

FILE = Path(__file__).with_name("cli_options.txt")


def lines() -> list[str]:
    """Return one line for each command, argument and option."""
    return list(_lines(cli, "gigawatt"))


def _lines(command: click.Command, path: str) -> Iterator[str]:
    yield path
    for parameter in command.params:
        yield f"{path} {_parameter(parameter)}"
    if isinstance(command, click.Group):
        context = click.Context(command, **command.context_settings)
        for name in sorted(command.list_commands(context)):
            found = command.get_command(context, name)
            assert found is not None, f"{path} lists {name!r} and cannot load it"
            yield from _lines(found, f"{path} {name}")


def _parameter(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Argument):
        return f"<{parameter.name}{'...' if parameter.nargs != 1 else ''}>"
    choices = f" {'|'.join(parameter.type.choices)}" if isinstance(parameter.type, click.Choice) else ""
    kinds = [
        word
        for word, is_so in (
            ("flag", getattr(parameter, "is_flag", False)),
            ("required", parameter.required),
            ("many", parameter.multiple),
        )
        if is_so
    ]
    names = " ".join((*parameter.opts, *parameter.secondary_opts))
    return names + choices + (f" ({', '.join(kinds)})" if kinds else "")


if __name__ == "__main__":
    FILE.write_text("\n".join(lines()) + "\n", encoding="utf-8")
