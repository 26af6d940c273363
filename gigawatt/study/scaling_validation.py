"""All published figures of scaling laws, each beside what is computed here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gigawatt.errors import InputError
from gigawatt.study import scaling_cases_chinchilla, scaling_cases_fits, scaling_cases_laws
from gigawatt.study.scaling_checks import RunFiles, ScalingCase, check_all, checks_document


def scaling_cases() -> list[ScalingCase]:
    """Return every case: fits to runs, then formulas."""
    return [*scaling_cases_chinchilla.CASES, *scaling_cases_fits.CASES, *scaling_cases_laws.CASES]


def validate_scaling(
    folder: str | None = None, *, progress: Callable[[float], None] | None = None
) -> dict[str, Any]:
    """Return the document of all cases; run files are looked for in a folder, then in the package.

    Raises: InputError when the folder is none.
    """
    if folder is not None and not Path(folder).is_dir():
        raise InputError(f"--scaling {folder!r} is not a folder of run files")
    runs = RunFiles(folder=None if folder is None else Path(folder))
    return checks_document(check_all(scaling_cases(), runs, progress=progress), folder=folder)
