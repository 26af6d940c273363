"""Can the runs tell a parameter? Curvature, correlation, profiles, and what the runs span."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gigawatt.scaling.descend import descend
from gigawatt.scaling.fit import MANY, Fit
from gigawatt.scaling.forms import Floats
from gigawatt.units import Count, Fraction, Real

CHI2_95 = 3.841458820694124  # 95th percentile of chi-squared with one degree of freedom: 1.959964 squared
STEPS, WIDEST = 24, 4.0  # of a profile to each side: how many, and how far in logarithms or times the value


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """How far one parameter can be moved, all others fitted anew, before the runs object.

    An end is infinite (or 0 for a constant that is a logarithm inside) when it was not found in the range
    looked at.
    """

    constant: str
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """What runs span: ratios of most to least, and how N and D move together."""

    params_ratio: Count
    tokens_ratio: Count
    flop_ratio: Count
    correlation: Real  # of ln N and ln D
    above_floor: Fraction  # (least loss - E) / E of the best run; nan without an E


def spread_of(fit: Fit) -> Spread:
    """Return what the runs of a fit span."""
    runs = fit.runs
    n, d = np.log(runs.params), np.log(runs.tokens)
    floor = fit.constants.get("E", np.nan)
    correlation = float(np.corrcoef(n, d)[0, 1]) if n.std() > 0 and d.std() > 0 else 1.0
    return Spread(
        params_ratio=float(runs.params.max() / runs.params.min()),
        tokens_ratio=float(runs.tokens.max() / runs.tokens.min()),
        flop_ratio=float(runs.flop.max() / runs.flop.min()),
        correlation=correlation,
        above_floor=float((runs.losses.min() - floor) / floor) if floor > 0 else np.inf,
    )


def condition_number(fit: Fit) -> Real:
    """Return how much longer than wide the bowl at the optimum is, each parameter in its own scale.

    Definition: ratio of the largest to the least eigenvalue of the Hessian, scaled to a diagonal of ones.
    Infinite where it is no bowl.
    """
    scaled = _scaled(fit.hessian)
    values = np.linalg.eigvalsh(scaled)
    return float(values[-1] / values[0]) if values[0] > 0 else np.inf


def raw_condition_number(fit: Fit) -> Real:
    """Return the same without centring or scaling: what a solver meets in ln A, ln B, ln E, alpha, beta.

    Definition: ratio of the extreme eigenvalues of the Hessian in uncentred parameters.
    """
    p = len(fit.theta)
    turn = np.eye(p)
    if fit.form.name == "chinchilla":
        turn[1, 3] = -fit.means[0]  # ln A' = ln A - alpha mean ln N
        turn[2, 4] = -fit.means[1]
    values = np.linalg.eigvalsh(turn.T @ fit.hessian @ turn)
    return float(values[-1] / values[0]) if values[0] > 0 else np.inf


def _scaled(hessian: Floats) -> Floats:
    size = np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-300))
    found: Floats = hessian / np.outer(size, size)
    return found


def correlations(draws: Floats) -> Floats:
    """Return how the parameters of resamples move together (parameters x parameters)."""
    with np.errstate(all="ignore"):
        found: Floats = np.atleast_2d(np.corrcoef(draws.T))
    return np.nan_to_num(found, nan=0.0)


def profiles(fit: Fit, places: Sequence[int]) -> list[Profile]:
    """Return the 95 % profile interval of some parameters, by their places.

    The objective is read as a likelihood: squares as normal residuals, Huber and absolute values as Laplace
    ones, each with its spread at its best. An end is where twice the drop of the log-likelihood is 3.84.
    None are taken of more than 3,000 runs: the bootstrap says it sooner.
    """
    return [_profile(fit, place) for place in places] if len(fit.runs) <= MANY else []


def _profile(fit: Fit, place: int) -> Profile:
    steps = WIDEST * np.linspace(0, 1, STEPS + 1)[1:] ** 2
    logs = fit.form.parameters[place].startswith("ln ")
    value = fit.theta[place]
    moves = (steps if logs else steps / WIDEST * 2 * abs(value)) + 0.0
    grid = np.concatenate([value - moves, value + moves])
    theta = np.repeat(fit.theta[None, :], len(grid), axis=0)
    theta[:, place] = grid
    free = np.ones(len(fit.theta))
    free[place] = 0.0
    ended = descend(fit.design, np.log(fit.runs.losses), objective=fit.objective, theta=theta, free=free)
    least = fit.objective_value / fit.objective.printed(1.0)
    power = 1.0 if fit.objective.squares else 2.0
    fall = power * len(fit.runs) * np.log(np.maximum(ended.cost, 1e-300) / max(least, 1e-300))
    low = _crossing(moves, fall[: len(moves)])
    high = _crossing(moves, fall[len(moves) :])
    ends = (value - low, value + high)
    if logs:
        ends = (float(np.exp(ends[0])), float(np.exp(ends[1])))
    return Profile(constant=fit.form.parameters[place], low=float(ends[0]), high=float(ends[1]))


def _crossing(moves: Floats, fall: Floats) -> float:
    """Return how far a parameter moves until the likelihood has fallen enough; infinite if it never does."""
    over = np.flatnonzero(fall > CHI2_95)
    if not len(over):
        return np.inf
    i = over[0]
    before = (0.0, 0.0) if i == 0 else (float(moves[i - 1]), float(max(fall[i - 1], 0.0)))
    share = (np.sqrt(CHI2_95) - np.sqrt(before[1])) / (np.sqrt(fall[i]) - np.sqrt(before[1]))
    return float(before[0] + share * (moves[i] - before[0]))
