"""Damped Newton for many fits at once: all starts, or all resamples, as rows of one array."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gigawatt.scaling.forms import Design, Floats
from gigawatt.scaling.objective import Objective

ROUNDS = 300  # most steps of one row
MAJORISED, NEAR = 12, 4  # first steps: on the parabola above the objective, from afar and from near by
DONE = 1e-15  # of the objective: a row is done when the next step promises less
LONGEST = 2.0  # of a step, in logarithms or exponents
EASY, HARD = 0.25, 6.0  # how the damping falls after a good step, and rises after a bad one
LEAST, MOST = 1e-12, 1e10  # of the damping
CELLS = 30_000  # of rows x runs worked on at once: fits in the cache


@dataclass(frozen=True, kw_only=True, slots=True)
class Descent:
    """Where each row ended: parameters, objective (Huber over delta), its slope, and whether it settled."""

    theta: Floats
    cost: Floats
    gradient: Floats
    hessian: Floats
    settled: Floats


@dataclass(frozen=True, kw_only=True, slots=True)
class _Problem:
    design: Design
    log_loss: Floats
    objective: Objective
    delta: float
    free: Floats  # 1 for a parameter that moves, 0 for one that is held

    def cost(self, theta: Floats, weights: Floats) -> Floats:
        """Return the objective of each row."""
        found: Floats = (weights * self.objective.cost(self._residual(theta)[0], self.delta)).sum(axis=1)
        return np.where(np.isfinite(found), found, np.inf)

    def _residual(self, theta: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        with np.errstate(over="ignore", invalid="ignore"):
            log_loss, shares, soft = self.design.log_loss(theta)
            if self.objective.log:
                return log_loss - self.log_loss, log_loss, shares, soft
            return np.exp(log_loss) - np.exp(self.log_loss), log_loss, shares, soft

    def parts(self, theta: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the gradient, the Hessian and the Hessian of the parabola above, of each row."""
        residual, log_loss, shares, soft = self._residual(theta)
        first, second, weight = (weights * part for part in self.objective.pull(residual, self.delta))
        outer, inner = self.design.slope(theta, shares, soft=soft)
        pull = first
        if not self.objective.log:
            level = np.exp(log_loss)
            pull = first * level
            weight = weight * level * level
            second = second * level * level + pull
        gradient = np.einsum("si,sip->sp", pull, outer)
        turned = np.swapaxes(outer, 1, 2)
        hessian = (turned * second[:, None, :]) @ outer
        hessian += self.design.bend(theta, shares, inner=inner, pull=pull)
        above = (turned * weight[:, None, :]) @ outer
        return gradient * self.free, hessian, above


def descend(
    design: Design,
    log_loss: Floats,
    *,
    objective: Objective,
    theta: Floats,
    weights: Floats | None = None,
    free: Floats | None = None,
    near: bool = False,
) -> Descent:
    """Return each row of parameters moved to the least objective near it.

    `weights` (rows x runs) says how often each run counts; `free` which parameters move. An absolute or
    narrow Huber objective is come at from wider ones, each started where the last ended: from 0.1, or from
    0.001 where rows start `near`.
    """
    rows, runs = len(theta), len(log_loss)
    weights = np.ones((1, runs)) if weights is None else weights
    free = np.ones(theta.shape[1]) if free is None else free
    size = max(CELLS // runs, 1)
    found = []
    for low in range(0, rows, size):
        part = slice(low, min(low + size, rows))
        own = np.broadcast_to(weights, (rows, runs))[part]
        problem = _Problem(
            design=design, log_loss=log_loss, objective=objective, delta=objective.delta, free=free
        )
        found.append(_staged(problem, theta[part], weights=own, near=near))
    return Descent(**{
        name: np.concatenate([getattr(one, name) for one in found])
        for name in ("theta", "cost", "gradient", "hessian", "settled")
    })  # fmt: skip


def _staged(problem: _Problem, theta: Floats, *, weights: Floats, near: bool) -> Descent:
    if not problem.objective.squares:
        for delta in (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)[2 if near else 0 :]:
            if delta > 1.5 * problem.delta:
                theta = _newton(replace(problem, delta=delta), theta, weights=weights, rounds=25).theta
    first = NEAR if near else MAJORISED
    return _newton(problem, theta, weights=weights, rounds=ROUNDS, first=first)


def _newton(
    problem: _Problem, theta: Floats, *, weights: Floats, rounds: int, first: int = MAJORISED
) -> Descent:
    theta = theta.copy()
    damping = np.full(len(theta), 1e-3)
    cost = problem.cost(theta, weights)
    gradient, hessian, above = problem.parts(theta, weights)
    settled = np.zeros(len(theta), bool)
    live = np.arange(len(theta))
    for turn in range(rounds):
        bowl = above[live] if turn < first else hessian[live]
        step, promised = _step(
            gradient[live], bowl, above=above[live], damping=damping[live], free=problem.free
        )
        over = (promised >= 0) & (promised < DONE * cost[live]) if turn >= first else promised < 0
        stuck = damping[live] >= MOST
        settled[live[over]] = True
        going = ~(over | stuck)
        live, step = live[going], step[going]
        if not len(live):
            break
        tried = theta[live] + step
        reached = problem.cost(tried, weights[live])
        good = reached < cost[live]
        damping[live] = np.clip(damping[live] * np.where(good, EASY, HARD), LEAST, MOST)
        moved = live[good]
        if len(moved):
            theta[moved], cost[moved] = tried[good], reached[good]
            gradient[moved], hessian[moved], above[moved] = problem.parts(theta[moved], weights[moved])
    return Descent(theta=theta, cost=cost, gradient=gradient, hessian=hessian, settled=settled)


def _step(
    gradient: Floats, bowl: Floats, /, above: Floats, *, damping: Floats, free: Floats
) -> tuple[Floats, Floats]:
    """Return the damped step of each row, and how much it promises to lower the objective."""
    p = gradient.shape[1]
    places = np.arange(p)
    scale = np.maximum(above[:, places, places], 1e-12)
    matrix = bowl * (free[:, None] * free[None, :])
    matrix[:, places, places] += damping[:, None] * scale + (1.0 - free)
    step = -np.linalg.solve(matrix, gradient[..., None])[..., 0]
    promised = -0.5 * np.einsum("sp,sp->s", gradient, step)
    longest = np.abs(step).max(axis=1, keepdims=True)
    return step * np.minimum(1.0, LONGEST / np.maximum(longest, 1e-300)), promised
