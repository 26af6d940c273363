"""Distributions: from a uniform number to a value, by the inverse of the distribution function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Column = NDArray[Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """One distribution of one field.

    `numbers` are in SI units, or shares of the base value where `of_base`. Of `published` and `band` the
    numbers come from the scenario: a fact's own range, the measured error of such predictions.
    """

    kind: str
    numbers: tuple[float, ...] = ()
    of_base: bool = False
    choices: tuple[Any, ...] = ()
    weights: tuple[float, ...] = ()


def uniform(u: Column, numbers: Sequence[float]) -> Column:
    """Return uniform draws.

    >>> uniform(np.array([0.0, 0.5]), (2.0, 4.0)).tolist()
    [2.0, 3.0]
    """
    least, most = numbers
    return least + (most - least) * u


def log_uniform(u: Column, numbers: Sequence[float]) -> Column:
    """Return draws whose logarithm is uniform.

    >>> log_uniform(np.array([0.5]), (1.0, 100.0)).tolist()
    [10.0]
    """
    least, most = numbers
    found: Column = least * (most / least) ** u
    return found


def triangular(u: Column, numbers: Sequence[float]) -> Column:
    r"""Return triangular draws.

    .. math:: x = a + \sqrt{u (b - a)(c - a)} \text{ below } c,
        \quad b - \sqrt{(1 - u)(b - a)(b - c)} \text{ above}

    Source: inverse of the distribution function; Johnson 1997, doi:10.1111/1467-9884.00091.

    >>> triangular(np.array([0.0, 0.5, 1.0]), (0.0, 1.0, 2.0)).tolist()
    [0.0, 1.0, 2.0]
    """
    a, c, b = numbers
    width = max(b - a, 1e-300)
    below = a + np.sqrt(u * width * (c - a))
    above = b - np.sqrt((1.0 - u) * width * (b - c))
    return np.where(u * width < c - a, below, above)


def normal(u: Column, numbers: Sequence[float]) -> Column:
    """Return normal draws.

    >>> normal(np.array([0.5]), (3.0, 1.0)).tolist()
    [3.0]
    """
    mean, deviation = numbers
    found: Column = mean + deviation * ndtri(u)
    return found


def log_normal(u: Column, numbers: Sequence[float]) -> Column:
    """Return log-normal draws, given by their median and 90th percentile.

    >>> log_normal(np.array([0.5, 0.9]), (2.0, 3.0)).round(12).tolist()
    [2.0, 3.0]
    """
    median, p90 = numbers
    found: Column = median * np.exp(np.log(p90 / median) / Z90 * ndtri(u))
    return found


Z90 = float(ndtri(0.9))
INVERSE: dict[str, Callable[[Column, Sequence[float]], Column]] = {
    "uniform": uniform,
    "log_uniform": log_uniform,
    "triangular": triangular,
    "normal": normal,
    "log_normal": log_normal,
}
NUMBERS = {"uniform": 2, "log_uniform": 2, "triangular": 3, "normal": 2, "log_normal": 2}
MEANING = {
    "uniform": "[least, most]",
    "log_uniform": "[least, most]",
    "triangular": "[least, likeliest, most]",
    "normal": "[mean, standard deviation]",
    "log_normal": "[median, 90th percentile]",
}


def within(draw: Draw, u: Column, *, least: float, most: float) -> Column:
    """Return draws of a distribution cut off at a field's range: what lies beyond is drawn again inside.

    Source: inverse transform of the truncated distribution, u' = F(a) + u (F(b) - F(a)).

    >>> bell = Draw(kind="normal", numbers=(0.0, 1.0))
    >>> within(bell, np.array([0.0, 0.5]), least=0.0, most=9.0).round(2).tolist()
    [0.0, 0.67]
    """
    if draw.kind in ("normal", "log_normal"):
        low, high = (_below(draw, limit) for limit in (least, most))
        u = low + u * (high - low)
    return np.clip(INVERSE[draw.kind](u, draw.numbers), least, most)


def _below(draw: Draw, value: float) -> float:
    """Return the probability of less than a value."""
    first, second = draw.numbers
    if draw.kind == "normal":
        return float(ndtr((value - first) / second))
    return float(ndtr(np.log(max(value, 1e-300) / first) / np.log(second / first) * Z90))


def category(draw: Draw, u: Column) -> Column:
    """Return which of the choices each uniform number takes.

    >>> category(Draw(kind="choices", choices=("a", "b"), weights=(1.0, 3.0)), np.array([0.2, 0.3])).tolist()
    [0, 1]
    """
    weights = np.asarray(draw.weights or [1.0] * len(draw.choices))
    edges = np.cumsum(weights / weights.sum())[:-1]
    return np.searchsorted(edges, u, side="right")
