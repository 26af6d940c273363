"""Does a law foresee larger runs? Fitted to the small ones, and compared with the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigawatt.errors import InputError
from gigawatt.scaling.fit import Fit, fit_runs, fitted_loss
from gigawatt.scaling.forms import Floats
from gigawatt.scaling.runs import Runs
from gigawatt.units import Flop, Fraction

CUTS = (0.5, 0.6, 0.7, 0.8, 0.9)  # of the runs, by compute, behind which a roll-out looks ahead


@dataclass(frozen=True, kw_only=True, slots=True)
class Foreseen:
    """A law fitted to some runs, and what it says of the others: predicted less measured, over measured."""

    fit: Fit
    held: Runs
    mask: NDArray[np.bool_]  # which runs were held out
    predicted: Floats
    errors: Floats
    cut_flop: Flop  # the largest compute that was fitted

    @property
    def median(self) -> Fraction:
        """Median size of the error."""
        return float(np.median(np.abs(self.errors)))

    @property
    def worst(self) -> Fraction:
        """The error of largest size, with its sign."""
        return float(self.errors[np.argmax(np.abs(self.errors))])

    @property
    def bias(self) -> Fraction:
        """Mean of the error."""
        return float(self.errors.mean())


def foresee(runs: Runs, held: Any, **how: Any) -> Foreseen:
    """Return a law fitted to the runs that are not held out, and its errors on those that are.

    `how` are the words of `fit_runs`.
    Raises: InputError when nothing is held out, or what is left cannot be fitted.
    """
    mask = np.asarray(held, bool)
    if not mask.any():
        raise InputError("holdout holds out no run; choose a rule that some runs meet")
    fit = fit_runs(runs.take(~mask), **how)
    others = runs.take(mask)
    predicted = np.asarray(fitted_loss(others.params, others.tokens, by=fit))
    return Foreseen(
        fit=fit,
        held=others,
        mask=mask,
        predicted=predicted,
        errors=predicted / others.losses - 1.0,
        cut_flop=float(fit.runs.flop.max()),
    )


def roll_out(runs: Runs, flop: Floats, **how: Any) -> list[Foreseen]:
    """Return the law fitted below one compute after another, each compared with all runs above.

    Cuts that leave too few runs to fit, or none to compare with, are left out.
    """
    found = []
    for cut in np.unique(np.quantile(flop, CUTS)):
        held = flop > cut * (1 + 1e-9)
        if held.any():
            try:
                found.append(foresee(runs, held, **how))
            except InputError:
                continue
    return found
