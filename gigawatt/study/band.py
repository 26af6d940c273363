"""How wrong predictions of this kind have been."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from gigawatt.perf.kernel_constants import kernel_law
from gigawatt.study.scenario import Scenario

MIN_ROWS = 5  # fewer say little about the next one
NONE: dict[str, Any] = {"rows": 0}


@dataclass(frozen=True, kw_only=True, slots=True)
class Band:
    """Relative error of predicted step times on measured rows like this one."""

    rows: int
    p50: float
    p90: float
    like: str  # what the rows share with this question
    calibration: str  # where the constants come from


@lru_cache(maxsize=2)
def residuals(file: str) -> dict[str, Any]:
    """Return the errors that the last calibration stored in a file."""
    return tomllib.loads((files("gigawatt.catalog") / "data" / "calibration" / file).read_text("utf-8"))


def band_of(scenario: Scenario) -> Band:
    """Return the error of rows of this stack on this chip family, their model left out of the fit.

    Where there are none, that of rows whose whole source was left out: software not met before is worse
    predicted than a new model is. A family whose own rows did worse than that has the worse of the two.
    """
    family, table = scenario.machine.chip.family, residuals("residuals.toml")
    law = kernel_law(scenario.machine.chip, scenario.job.dtype)
    calibration = f"stack {scenario.stack.id}; kernels {law.origin}"
    own = table["both"].get(f"{scenario.stack.id}/{family}", NONE)
    if own["rows"] >= MIN_ROWS:
        return _band(own, like=f"stack {scenario.stack.id} on {family}", calibration=calibration)
    others = residuals("source_residuals.toml")["all"]
    relatives = table["family"].get(family, NONE)
    if relatives["rows"] >= MIN_ROWS and relatives["p90"] > others["p90"]:
        return _band(relatives, like=f"chips of the {family} family", calibration=calibration)
    return _band(others, like="software and chips not met before", calibration=calibration)


def _band(found: Mapping[str, Any], *, like: str, calibration: str) -> Band:
    own = {name: found[name] for name in ("rows", "p50", "p90")}
    return Band(**own, like=like, calibration=calibration)
