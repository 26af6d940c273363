"""The whole tree is linted, formatted and typed."""

from __future__ import annotations

import subprocess
import sys

import pytest

CHECKS = {
    "lint": ["ruff", "check", "--quiet", "--output-format", "concise", "."],
    "format": ["ruff", "format", "--check", "--quiet", "."],
    "types": ["mypy"],
}


@pytest.mark.parametrize("check", CHECKS)
def test_the_tree_passes(check, repository):
    done = subprocess.run(
        [sys.executable, "-m", *CHECKS[check]], cwd=repository, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
