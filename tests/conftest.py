"""What all tests share: where things are, and the same random examples on every run."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

os.environ.pop("COLUMNS", None)  # workers of pytest-xdist set it: text would be as wide as they say

REPOSITORY = Path(__file__).resolve().parents[1]

# The same examples each time, and no clock: a shared machine is slow at times, and that is no bug.
hypothesis.settings.register_profile("gigawatt", derandomize=True, deadline=None, print_blob=False)
hypothesis.settings.load_profile("gigawatt")


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the folder that holds pyproject.toml."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_facts() -> Path:
    """Return the folder of published measurements beside the repository; tests that need it skip without."""
    folder = REPOSITORY.parent / "shared" / "facts"
    if not folder.is_dir():
        pytest.skip("the published measurements (../shared/facts) are not here")
    return folder
