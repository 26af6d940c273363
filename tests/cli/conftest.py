"""The command line called in-process, in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gigawatt.cli.main import run


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """Return a function that runs a command line and returns what it said."""

    def call(*argv: str) -> Told:
        code = run(list(argv))
        found = capsys.readouterr()
        return Told(code=code, out=found.out, err=found.err)

    return call


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, which is the working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
