"""Where text goes: the terminal, a pipe or a file; and progress on standard error."""

from __future__ import annotations

import io
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

PIPE_WIDTH, WIDE = 110, 250  # of a pipe or a file, when COLUMNS does not say


def emit(what: RenderableType | str | bytes, output: str | None, *, wide: bool = False) -> None:
    """Print text or a rich object, or write it or bytes to a file, all or nothing; `wide` is for long tables.

    Raises: InputError when the file cannot be written.
    """
    if output is not None:
        write(output, what if isinstance(what, str | bytes) else plain(what))
    elif isinstance(what, str | bytes):
        click.echo(what)
    elif sys.stdout.isatty() or os.environ.get("FORCE_COLOR"):
        from rich.console import Console

        Console(highlight=False, soft_wrap=False).print(what)
    else:
        click.echo(plain(what, width=WIDE if wide else PIPE_WIDTH))


def refuse_place(output: str | None) -> None:
    """Refuse a place that cannot be written, before the work and not after it.

    Raises: InputError with what is wrong there.
    """
    if output is None:
        return
    file = Path(output)
    if not output.strip() or "\0" in output:
        raise InputError(f"--output {output!r} is not the name of a file")
    if file.is_dir():
        raise InputError(f"--output {output!r} is a folder; name a file in it, e.g. {file / 'plan.txt'}")
    if not file.parent.is_dir():
        raise InputError(f"--output {output!r}: there is no folder {str(file.parent)!r}; make it first")
    if not os.access(file.parent, os.W_OK):
        raise InputError(f"--output {output!r}: the folder {str(file.parent)!r} cannot be written")


def write(output: str, what: str | bytes) -> None:
    """Write a file, all or nothing.

    Raises: InputError when it cannot be written.
    """
    file = Path(output)
    refuse_place(output)
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name[:50]}.")
        with os.fdopen(handle, "wb") as out:
            out.write(what if isinstance(what, bytes) else f"{what}\n".encode())
        Path(temporary).chmod(file.stat().st_mode if file.exists() else 0o666 & ~_umask())
        Path(temporary).replace(file)
    except OSError as error:
        raise InputError(f"--output {output!r} cannot be written ({error.strerror})") from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def plain(what: RenderableType, *, width: int = PIPE_WIDTH) -> str:
    """Return what is drawn as text without colours or blanks at the ends of lines."""
    from rich.console import Console

    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdecimal() and int(columns) > 0 else width
    paper = io.StringIO()
    Console(file=paper, width=width, no_color=True, highlight=False).print(what)
    return "\n".join(line.rstrip() for line in paper.getvalue().splitlines())


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
        task: Any = bar.add_task(label, total=total)
        yield lambda done: bar.update(task, completed=done)
