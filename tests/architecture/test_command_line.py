"""What people and scripts type does not change by accident."""

from __future__ import annotations

from tests.architecture.cli_options import FILE, lines


def test_commands_and_options_are_those_that_were_agreed():
    """A wanted change: `python -m tests.architecture.cli_options`, and a line in changes/."""
    assert lines() == FILE.read_text("utf-8").splitlines()
