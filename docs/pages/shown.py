"""Commands whose output a page shows: run when the page is built, so that no number is typed by hand.

A block begins with `<!-- shown: gigawatt ... -->`, or `<!-- shown to ledger: ... -->` to stop before the
first line that begins with `ledger`, and ends with `<!-- /shown -->`. What stands between is written anew.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from unittest import mock

from docs.pages.markdown import files
from gigawatt.cli.main import run

BLOCK = re.compile(
    r"^<!-- shown(?: to (?P<stop>[^:]+))?: (?P<command>.*?) -->\n.*?^<!-- /shown -->$",
    re.MULTILINE | re.DOTALL,
)
WIDTH = "104"
ENVIRONMENT = {"COLUMNS": WIDTH, "NO_COLOR": "1"}
CLOCK = re.compile(r"( layouts) in [\d.]+ (?:m|µ)?s\b")  # the one number that differs from run to run


def filled(text: str) -> str:
    """Return a page with its shown commands run."""
    named = files(text)
    return BLOCK.sub(lambda found: _block(found["command"], found["stop"], named), text)


def _block(command: str, stop: str | None, named: dict[str, str]) -> str:
    code, told = outcome(command, tuple(sorted(named.items())))
    if code:
        raise SystemExit(f"a shown command failed with {code}: {command}\n{told}")
    opening = f"<!-- shown{f' to {stop}' if stop else ''}: {command} -->"
    body = "\n".join(_until(CLOCK.sub(r"\1", told).rstrip("\n").splitlines(), stop))
    return f"{opening}\n```console\n$ {command}\n{body}\n```\n<!-- /shown -->"


def _until(lines: list[str], stop: str | None) -> list[str]:
    end = next((i for i, line in enumerate(lines) if stop and line.startswith(stop)), len(lines))
    kept = [line.rstrip() for line in lines[:end]]
    while kept and not kept[-1]:
        kept.pop()
    return kept if end == len(lines) else [*kept, "..."]


@lru_cache(maxsize=64)
def outcome(command: str, named: tuple[tuple[str, str], ...] = ()) -> tuple[int, str]:
    """Return the exit code and the text of one gigawatt command, run beside the files of its page."""
    words = shlex.split(command)
    if words[:1] != ["gigawatt"]:
        raise SystemExit(f"not a gigawatt command: {command}")
    told = io.StringIO()
    with folder(dict(named)), contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        code = run(words[1:])
    return code, told.getvalue()


@contextlib.contextmanager
def folder(named: dict[str, str]) -> Iterator[Path]:
    """Work in a new folder that holds the given files, with the environment that pages are built in."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as place, mock.patch.dict(os.environ, ENVIRONMENT):
        for name, text in named.items():
            (Path(place) / name).write_text(text, encoding="utf-8")
        os.chdir(place)
        try:
            yield Path(place)
        finally:
            os.chdir(before)
