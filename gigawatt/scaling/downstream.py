"""From loss to tasks: the error of a benchmark, or its accuracy, as a function of the loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gigawatt.errors import InputError
from gigawatt.scaling.forms import Floats
from gigawatt.units import Fraction, Real

SCANNED = 400  # rates looked at first
RATES = (0.02, 50.0)  # per unit of loss
NARROW = 1e-10  # relative width at which the search for the best rate ends


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorCurve:
    """Error = ceiling - k exp(-gamma L): what chance leaves, and how fast a lower loss takes it away."""

    ceiling: float
    k: float
    gamma: float  # per unit of loss
    rmse: float


def fit_error_curve(losses: Any, errors: Any) -> ErrorCurve:
    """Return the exponential curve of task error over loss with the least squares.

    For one gamma the other two are a linear fit: gamma is scanned, then narrowed by golden section.
    Raises: InputError for fewer than four points, or columns of different length.

    >>> L = np.linspace(2.0, 5.0, 20)
    >>> found = fit_error_curve(L, 0.75 - 2.0 * np.exp(-1.1 * L))
    >>> round(found.ceiling, 6), round(found.k, 6), round(found.gamma, 6)
    (0.75, 2.0, 1.1)
    """
    x, y = (np.asarray(column, dtype=np.float64) for column in (losses, errors))
    if x.shape != y.shape or x.ndim != 1 or len(x) < 4:
        sizes = f"{x.shape} and {y.shape}"
        raise InputError(f"an error curve takes two columns of 4 or more points, and these are {sizes}")
    rates = np.geomspace(*RATES, SCANNED)
    best = int(np.argmin([_linear(x, y, rate=rate)[2] for rate in rates]))
    low, high = rates[max(best - 1, 0)], rates[min(best + 1, SCANNED - 1)]
    gamma = _golden(x, y, low=float(low), high=float(high))
    ceiling, k, squares = _linear(x, y, rate=gamma)
    return ErrorCurve(ceiling=ceiling, k=k, gamma=gamma, rmse=float(np.sqrt(squares / len(x))))


def task_error(loss_nats: Real, *, by: ErrorCurve) -> Fraction:
    r"""Return the error of a task at a loss.

    .. math:: Err = \epsilon - k \exp(-\gamma L)

    Valid for: losses near those of the fit; the error is not kept above 0.
    Source: Gadre 2024, arXiv:2403.08540.

    >>> round(float(task_error(2.5, by=ErrorCurve(ceiling=0.757, k=2.045, gamma=1.080, rmse=0.0081))), 3)
    0.62
    """
    found: Real = by.ceiling - by.k * np.exp(-by.gamma * loss_nats)
    return found


def _linear(x: Floats, y: Floats, *, rate: float) -> tuple[float, float, float]:
    """Return ceiling, k and the sum of squares for one rate."""
    falling = np.exp(-rate * (x - x.min()))
    basis = np.stack([np.ones_like(x), -falling], axis=-1)
    (ceiling, k), *_ = np.linalg.lstsq(basis, y, rcond=None)
    left = y - basis @ np.array([ceiling, k])
    return float(ceiling), float(k * np.exp(rate * x.min())), float(left @ left)


def _golden(x: Floats, y: Floats, *, low: float, high: float) -> float:
    ratio = (np.sqrt(5.0) - 1.0) / 2.0
    while high - low > NARROW * high:
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        if _linear(x, y, rate=a)[2] < _linear(x, y, rate=b)[2]:
            high = b
        else:
            low = a
    return float(0.5 * (low + high))
