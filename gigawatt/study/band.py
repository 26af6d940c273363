"""How wrong predictions of this kind have been."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from gigawatt.perf.kernel_constants import kernel_law
from gigawatt.study.scenario import Scenario

MIN_ROWS = 5  # fewer say little about the next one


@dataclass(frozen=True, kw_only=True, slots=True)
class Band:
    """Relative error of predicted step times on measured rows like this one."""

    rows: int  # 0: no such row was measured
    p50: float
    p90: float
    like: str  # what the rows share with this question
    calibration: str  # where the constants come from


@lru_cache(maxsize=1)
def residuals() -> dict[str, Any]:
    """Return the errors of the last calibration, by stack and by chip family."""
    return tomllib.loads(
        (files("gigawatt.catalog") / "data" / "calibration" / "residuals.toml").read_text("utf-8")
    )


def band_of(scenario: Scenario) -> Band:
    """Return the error band of the closest kind of rows: stack and chip family, then the family, then all."""
    family, table = scenario.machine.chip.family, residuals()
    law = kernel_law(scenario.machine.chip, scenario.job.dtype)
    calibration = f"stack {scenario.stack.id}; kernels {law.origin}"
    kinds: tuple[tuple[dict[str, Any] | None, str], ...] = (
        (table["both"].get(f"{scenario.stack.id}/{family}"), f"stack {scenario.stack.id} on {family}"),
        (table["family"].get(family), f"chips of the {family} family"),
        (table["all"], "all rows"),
    )
    for row, like in kinds:
        if row and row["rows"] >= MIN_ROWS:
            return Band(rows=row["rows"], p50=row["p50"], p90=row["p90"], like=like, calibration=calibration)
    return Band(rows=0, p50=math.nan, p90=math.nan, like="nothing measured yet", calibration=calibration)
