"""Where text goes: the terminal, a pipe or a file; and progress on standard error."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gigawatt.errors import InputError

if TYPE_CHECKING:
    from rich.console import RenderableType

PIPE_WIDTH = 110


def emit(what: RenderableType | str, output: str | None) -> None:
    """Print text or a rich object, or write it to a file, all or nothing.

    Raises: InputError when the file cannot be written.
    """
    if output is None:
        if isinstance(what, str):
            click.echo(what)
        else:
            _console().print(what)
        return
    text = what if isinstance(what, str) else _plain(what)
    file = Path(output)
    try:
        handle, temporary = tempfile.mkstemp(dir=file.parent or ".", prefix=f".{file.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text + "\n")
        Path(temporary).replace(file)
    except OSError as error:
        raise InputError(f"--output {output!r} cannot be written ({error.strerror})") from None


def _console(**kwargs: Any) -> Any:
    from rich.console import Console

    if not sys.stdout.isatty():
        kwargs.setdefault("width", PIPE_WIDTH)
    return Console(highlight=False, soft_wrap=False, **kwargs)


def _plain(what: Any) -> str:
    console = _console(
        width=PIPE_WIDTH, no_color=True, record=True, file=open(os.devnull, "w", encoding="utf-8")
    )
    console.print(what)
    return str(console.export_text()).rstrip("\n")


@contextmanager
def progress_bar(label: str, total: float = 1.0) -> Iterator[Callable[[float], None] | None]:
    """Yield a function that takes how much is done; nothing is shown unless a person is looking."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done: bar.update(task, completed=done)
