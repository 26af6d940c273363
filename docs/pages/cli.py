"""The page of the command line, from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator

import click

from docs.pages.markdown import table
from gigawatt.cli.main import cli
from gigawatt.study.doctor import SETTINGS

EXIT_CODES = (
    ("0", "done"),
    ("1", "a bug of gigawatt: the message says how to report it"),
    ("2", "the command or a value on it cannot be used: unknown name, wrong unit, impossible layout"),
    ("3", "a file is malformed: the message has file, line, field and what is allowed"),
    ("4", "no answer exists: nothing fits, or a figure that is needed is not published"),
    ("6", "an optional package is missing: the message has the command that installs it"),
    ("130", "interrupted from the keyboard"),
)
SETTING_TEXT = {
    "COLUMNS": "width of the text when the output is a pipe or a file",
    "FORCE_COLOR": "colours also in a pipe or a file",
    "GIGAWATT_TRACE": "any value: an internal error prints where it comes from",
    "NO_COLOR": "no colours on a terminal",
}


def page() -> str:
    """Return the reference of the command line."""
    exits = [{"code": code, "meaning": text} for code, text in EXIT_CODES]
    settings = [{"variable": f"`{name}`", "effect": SETTING_TEXT[name]} for name in SETTINGS]
    return "\n".join(
        (
            "# Command line\n",
            "Results go to standard output, progress and errors to standard error. An error is one sentence "
            "with the field, the value, what is allowed and the nearest fix.\n",
            "## Exit codes\n",
            table(exits),
            "## Environment\n",
            "Nothing else is read from the environment, and there is no configuration file.\n",
            table(settings),
            *(section(path, command) for path, command in leaves(cli, "gigawatt")),
        )
    )


def leaves(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield every command that does something, with what is typed for it."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command, info_name=path)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        if found is None:
            raise SystemExit(f"{path} lists {name!r} and cannot load it")
        yield from leaves(found, f"{path} {name}")


def section(path: str, command: click.Command) -> str:
    """Return the help of one command."""
    names = cli.context_settings["help_option_names"]
    context = click.Context(
        command, info_name=path, terminal_width=96, max_content_width=96, help_option_names=names
    )
    return f"## {path}\n\n```text\n{command.get_help(context)}\n```\n"
