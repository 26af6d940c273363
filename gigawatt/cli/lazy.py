"""A group whose commands are loaded when they are called."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from difflib import get_close_matches
from importlib.util import find_spec
from typing import Any

import click

Table = Mapping[str, tuple[str, str]]  # name: (module, one line for --help, which must not load the module)


class LazyGroup(click.Group):
    """A group that knows its commands' names and help lines before it loads them."""

    def __init__(self, *, table: Table, **settings: Any) -> None:
        super().__init__(**settings)
        self.table = {name: row for name, row in table.items() if find_spec(row[0]) is not None}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.table:
            return None
        command = importlib.import_module(self.table[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.table and not args[0].startswith("-"):
            near = get_close_matches(args[0], self.table, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(self.table)}"
            raise click.UsageError(f"no command {args[0]!r}{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.table.items()])
