"""Training runs as three columns: parameters, tokens and the loss that was reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from gigawatt.errors import InputError
from gigawatt.scaling.forms import Floats

FLOP_PER_PARAM_TOKEN = 6.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Runs:
    """Runs to fit a law to: equal columns of floats above 0."""

    params: Floats
    tokens: Floats
    losses: Floats

    @classmethod
    def of(cls, params: Any, tokens: Any, *, losses: Any) -> Self:
        """Return columns as floats: 6 N D of whole numbers would not fit in 64 bits.

        Raises: InputError when they are not equally long, or hold what is not above 0.
        """
        columns = {"params": params, "tokens": tokens, "losses": losses}
        found = {
            name: np.atleast_1d(np.asarray(column, dtype=np.float64)) for name, column in columns.items()
        }
        if len({column.shape for column in found.values()}) != 1 or found["params"].ndim != 1:
            sizes = ", ".join(f"{column.shape} {name}" for name, column in found.items())
            raise InputError(f"runs are columns of one length, and these are {sizes}")
        for name, column in found.items():
            bad = np.flatnonzero(~(np.isfinite(column) & (column > 0)))
            if len(bad):
                raise InputError(f"{name}[{bad[0]}] = {column[bad[0]]} is not a number above 0")
        return cls(**found)

    def __len__(self) -> int:
        return len(self.params)

    @property
    def flop(self) -> Floats:
        """6 N D of each run."""
        return FLOP_PER_PARAM_TOKEN * self.params * self.tokens

    def take(self, chosen: Any) -> Runs:
        """Return some of the runs, by mask or by place."""
        return Runs(params=self.params[chosen], tokens=self.tokens[chosen], losses=self.losses[chosen])
