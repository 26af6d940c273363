"""Optional packages: imported when they are needed, and named in one sentence when they are not there."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from gigawatt.errors import MissingExtraError


def extra_module(name: str, *, extra: str, what: str) -> Any:
    """Return an optional package.

    Raises: MissingExtraError with the command that installs it.
    """
    try:
        return import_module(name)
    except ImportError:
        raise MissingExtraError(
            f"{what} need the package {name.partition('.')[0]!r} of the extra {extra!r}: "
            f"pip install 'gigawatt[{extra}]'"
        ) from None
