"""Approach 2: at each compute budget a parabola through the runs, then a line through the lowest points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gigawatt.errors import InputError
from gigawatt.scaling.forms import Floats
from gigawatt.scaling.runs import FLOP_PER_PARAM_TOKEN, Runs

LEAST_RUNS = 4  # at one budget: three would be met by any parabola
FAR = 3.0  # standard deviations of ln D outside the runs: a lowest point further off is none
APART = 1.1  # budgets that are not given: runs whose compute differs by less belong together


@dataclass(frozen=True, kw_only=True, slots=True)
class Valley:
    """The lowest point of the parabola at each budget, as columns, and whether it lies among the runs."""

    flop: Floats
    params: Floats
    tokens: Floats
    loss: Floats
    runs: Floats
    inside: Floats


@dataclass(frozen=True, kw_only=True, slots=True)
class Approach2:
    """D* = tokens_factor x C^tokens_exponent, N* alike with params, and the valley behind them."""

    valley: Valley
    left_out: dict[float, str]  # budget: why it has no lowest point
    tokens_exponent: float
    tokens_factor: float
    params_exponent: float
    params_factor: float
    r_squared: float  # of the line through ln D* over ln C
    draws: dict[str, Floats]  # tokens_exponent and tokens_factor of runs drawn again within each budget


def budgets_of(flop: Floats) -> Floats:
    """Return for each run the budget that it belongs to: runs of nearly equal compute, at their mean of logs.

    >>> budgets_of(np.array([1e18, 1.01e18, 9e18])).round(-15).tolist()
    [1.005e+18, 1.005e+18, 9e+18]
    """
    order = np.argsort(flop)
    jumps = np.diff(np.log(flop[order])) > np.log(APART)
    group = np.concatenate([[0], np.cumsum(jumps)])
    means = np.bincount(group, np.log(flop[order])) / np.bincount(group)
    found = np.empty_like(flop)
    found[order] = np.exp(means[group])
    return found


def approach2(runs: Runs, budgets: Any = None, *, resamples: int = 0, seed: int = 0) -> Approach2:
    """Return exponents of the best tokens and parameters over compute, from parabolas in ln D.

    `budgets` says the compute of each run, 6 N D grouped where not given. A budget with fewer than 4 runs, or
    whose parabola opens downwards, is left out and named. N* is C / (6 D*).
    Raises: InputError when fewer than two budgets are left.
    """
    flop = budgets_of(runs.flop) if budgets is None else np.asarray(budgets, dtype=np.float64)
    rng, points, left_out, draws = np.random.default_rng(seed), [], {}, []
    for budget in np.unique(flop):
        mine = runs.take(flop == budget)
        x, y = np.log(mine.tokens), mine.losses
        if len(np.unique(x)) < LEAST_RUNS:
            left_out[float(budget)] = f"{len(np.unique(x))} different sizes; it takes {LEAST_RUNS} or more"
            continue
        lowest, loss = _parabola(x, y[None, :], weights=np.ones((1, len(x))))
        if not np.isfinite(lowest[0]):
            left_out[float(budget)] = "its parabola has no lowest point"
            continue
        inside = x.min() <= lowest[0] <= x.max()
        points.append((budget, lowest[0], loss[0], len(x), inside))
        if resamples:
            weights = rng.multinomial(len(x), np.full(len(x), 1 / len(x)), size=resamples).astype(float)
            draws.append(_parabola(x, np.broadcast_to(y, weights.shape), weights=weights)[0])
    if len(points) < 2:
        raise InputError(
            f"{len(points)} compute budgets have a lowest point; a line takes 2 or more: "
            + ("; ".join(f"{budget:.3g} flop: {why}" for budget, why in left_out.items()) or "give more runs")
        )
    return _lines(np.array(points, float), left_out, draws=np.array(draws))


def _parabola(x: Floats, y: Floats, *, weights: Floats) -> tuple[Floats, Floats]:
    """Return where each weighted parabola (rows) is lowest and how low; nan where there is none near."""
    middle, size = x.mean(), x.std()
    u = (x - middle) / size
    powers = np.stack([np.ones_like(u), u, u * u], axis=-1)
    normal = np.einsum("si,ip,iq->spq", weights, powers, powers, optimize=True)
    right = np.einsum("si,ip->sp", weights * y, powers, optimize=True)
    normal[:, np.arange(3), np.arange(3)] += 1e-12 * weights.sum(axis=1, keepdims=True)
    level, slope, bend = np.linalg.solve(normal, right[..., None])[..., 0].T
    with np.errstate(all="ignore"):
        at = np.where(bend > 1e-9, -slope / (2 * bend), np.nan)
    at = np.where((u.min() - FAR <= at) & (at <= u.max() + FAR), at, np.nan)
    return middle + size * at, level + at * (slope + bend * at)


def _lines(points: Floats, left_out: dict[float, str], *, draws: Floats) -> Approach2:
    budget, log_tokens, loss, runs, inside = points.T
    log_flop = np.log(budget)
    slope, level, r2 = _line(log_flop, log_tokens)
    drawn = {}
    if draws.size:
        good = np.isfinite(draws).all(axis=0)
        centred = log_flop - log_flop.mean()
        slopes = centred @ draws[:, good] / (centred @ centred)
        levels = draws[:, good].mean(axis=0) - slopes * log_flop.mean()
        drawn = {"tokens_exponent": slopes, "tokens_factor": np.exp(levels)}
    tokens = np.exp(log_tokens)
    valley = Valley(flop=budget, params=budget / (FLOP_PER_PARAM_TOKEN * tokens), tokens=tokens, loss=loss,
                    runs=runs, inside=inside.astype(bool))  # fmt: skip
    return Approach2(
        valley=valley, left_out=left_out, tokens_exponent=slope, tokens_factor=float(np.exp(level)),
        params_exponent=1.0 - slope, params_factor=float(np.exp(-level) / FLOP_PER_PARAM_TOKEN),
        r_squared=r2, draws=drawn,
    )  # fmt: skip


def _line(x: Floats, y: Floats) -> tuple[float, float, float]:
    slope, level = np.polyfit(x - x.mean(), y, 1)
    left = y - level - slope * (x - x.mean())
    total = float(np.sum((y - y.mean()) ** 2))
    return float(slope), float(level - slope * x.mean()), 1.0 - float(left @ left) / total if total else 1.0
