"""What a fit makes least, by name: Huber, absolute or squared residuals, of the loss or of its logarithm."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gigawatt.errors import InputError
from gigawatt.scaling.forms import Floats

LAD_DELTA = 1e-7  # below it a Huber objective is the sum of absolute values, to 4 figures of every constant
EXAMPLES = "huber:1e-3, lad, mse, mse-log, or huber:1e-3:over=10"


@dataclass(frozen=True, kw_only=True, slots=True)
class Objective:
    """A sum over runs of a function of the residual, predicted less measured.

    `delta` is where Huber's parabola ends, infinite for squares; `log` says whether the residual is that of
    ln L; `over` multiplies what a residual above 0 costs (a loss predicted too high).
    """

    name: str
    delta: float
    log: bool = True
    over: float = 1.0

    @property
    def squares(self) -> bool:
        """Whether it is a sum of squares."""
        return math.isinf(self.delta)

    @property
    def words(self) -> str:
        """Return it as people say it."""
        of = "ln(predicted) - ln(measured)" if self.log else "predicted - measured"
        kind = "squares" if self.squares else "absolute values" if self.name.startswith("lad") else (
            f"Huber's function, delta {self.delta:g},")  # fmt: skip
        more = f"; too high costs {self.over:g} times" if self.over != 1 else ""
        return f"sum over runs of {kind} of {of}{more}"

    def cost(self, residual: Floats, delta: float) -> Floats:
        """Return Huber's function over delta (half a square for squares) of each residual."""
        size = np.abs(residual)
        if self.squares:
            found = 0.5 * size * size
        else:
            found = np.where(size < delta, 0.5 * size * size / delta, size - 0.5 * delta)
        return found if self.over == 1 else found * self.tilt(residual)

    def tilt(self, residual: Floats) -> Floats:
        """Return the factor of each residual that its sign brings."""
        return np.where(residual > 0, self.over, 1.0)

    def pull(self, residual: Floats, delta: float) -> tuple[Floats, Floats, Floats]:
        """Return first derivative, second derivative, and the weight that makes a parabola lie above."""
        ones = np.ones_like(residual)
        if self.squares:
            first, second, weight = residual, ones, ones
        else:
            size = np.abs(residual)
            weight = 1.0 / np.maximum(size, delta)
            first, second = residual * weight, np.where(size < delta, 1.0 / delta, 0.0)
        if self.over == 1:
            return first, second, weight
        tilt = self.tilt(residual)
        return first * tilt, second * tilt, weight * tilt

    def printed(self, cost: float) -> float:
        """Return a sum of `cost` as papers print it: Huber's function itself, absolutes, or squares."""
        if self.squares:
            return 2.0 * cost
        return cost if self.name.startswith("lad") else cost * self.delta


def objective(text: str) -> Objective:
    """Return an objective by its name.

    Raises: InputError with what is allowed.

    >>> objective("huber:1e-3").delta, objective("mse").log, objective("huber:1e-3:over=10").over
    (0.001, False, 10.0)
    """
    name, *options = text.strip().lower().split(":")
    over = 1.0
    if options and options[-1].startswith("over="):
        over = _positive(text, options.pop()[5:])
    if name == "huber" and len(options) == 1:
        return Objective(name=text, delta=_positive(text, options[0]), over=over)
    if name == "lad" and not options:
        return Objective(name=text, delta=LAD_DELTA, over=over)
    if name in ("mse", "mse-log") and not options:
        return Objective(name=text, delta=math.inf, log=name == "mse-log", over=over)
    raise InputError(f"objective = {text!r} is not one of: {EXAMPLES}")


def _positive(text: str, number: str) -> float:
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not 1e-9 <= value <= 1e9:
        raise InputError(f"objective = {text!r}: {number!r} is not a number of 1e-9 to 1e9, as in {EXAMPLES}")
    return value
