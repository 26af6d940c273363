"""Limits on designs: which meet them, which is best, and what each limit costs, by solving anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigawatt.study.designs import Design

QUANTITIES = ("wall_s", "cost_usd", "facility_power_w", "co2e_kg", "energy_j")
FRONT = ("wall_s", "cost_usd", "facility_power_w", "co2e_kg")
OBJECTIVE = {"cost": "cost_usd", "time": "wall_s", "energy": "energy_j", "carbon": "co2e_kg"}
ONE_MORE = {"deadline": 86400.0, "power": 1e6, "budget": 1e6}  # a day, a megawatt, a million dollars
EXAMPLES = {"deadline": "90d", "power": "150MW", "budget": "500M$"}
HOLDS = {"deadline": "wall_s", "power": "facility_power_w", "budget": "cost_usd"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """The quantities of many designs, a column each."""

    values: Mapping[str, NDArray[Any]]

    @classmethod
    def of(cls, designs: Sequence[Design]) -> Columns:
        """Return the columns of designs; each is one row."""
        return cls(
            values={q: np.array([float(getattr(d, q)) for d in designs], dtype=float) for q in QUANTITIES}
        )

    def meets(self, limits: Mapping[str, float]) -> NDArray[Any]:
        """Return which rows meet all limits."""
        met = np.ones(len(self.values["wall_s"]), dtype=bool)
        for name, most in limits.items():
            met &= self.values[HOLDS[name]] <= most
        return met

    def best(self, objective: str, limits: Mapping[str, float]) -> int | None:
        """Return the row of the least objective within the limits; of equals the fastest, then the first."""
        rows = np.flatnonzero(self.meets(limits))
        if not rows.size:
            return None
        order = np.lexsort((self.values["wall_s"][rows], self.values[objective][rows]))
        return int(rows[order[0]])

    def least(self, objective: str, limits: Mapping[str, float]) -> float:
        """Return the least objective within the limits; infinite where no row meets them."""
        row = self.best(objective, limits)
        return float("inf") if row is None else float(self.values[objective][row])

    def front(self, limits: Mapping[str, float]) -> list[int]:
        """Return the rows within the limits that no other equals or beats in all four ways, by time."""
        rows = np.flatnonzero(self.meets(limits))
        points = np.stack([self.values[q][rows] for q in FRONT], axis=1)
        order = np.lexsort(points.T[::-1])
        kept: list[int] = []
        for row in order:  # what beats a row comes before it
            if not kept or not (points[kept] <= points[row]).all(axis=1).any():
                kept.append(int(row))
        return [int(rows[i]) for i in kept]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shadow:
    """What one limit costs in one objective."""

    limit: str
    most: float
    used: float  # by the best design
    objective: str
    best: float
    one_more: float  # the best with one more day, megawatt or million dollars
    next_most: float  # the least limit that gives a better design; infinite where none does
    next_best: float
    without: float  # the best without this limit

    @property
    def binds(self) -> bool:
        return self.without < self.best


def shadows(columns: Columns, limits: Mapping[str, float], *, objective: str) -> list[Shadow]:
    """Return the price of every limit in one objective: the best is looked for anew with each one moved.

    Designs come in steps, so one more unit often buys nothing; the next step says what would.
    """
    row = columns.best(objective, limits)
    if row is None:
        return []
    best, found = float(columns.values[objective][row]), []
    for name, most in limits.items():
        others = {k: v for k, v in limits.items() if k != name}
        better = columns.meets(others) & (columns.values[objective] < best)
        needs = columns.values[HOLDS[name]][better]
        next_most = float(needs.min()) if needs.size else float("inf")
        found.append(
            Shadow(
                limit=name,
                most=most,
                used=float(columns.values[HOLDS[name]][row]),
                objective=objective,
                best=best,
                one_more=columns.least(objective, {**others, name: most + ONE_MORE[name]}),
                next_most=next_most,
                next_best=columns.least(objective, {**others, name: next_most}) if needs.size else best,
                without=columns.least(objective, others),
            )
        )
    return found
