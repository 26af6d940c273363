"""Fit a law to runs: many starts at once, in centred logarithms, by a named objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gigawatt.errors import InputError
from gigawatt.scaling.descend import Descent, descend
from gigawatt.scaling.forms import Design, Floats, Form, form
from gigawatt.scaling.objective import Objective
from gigawatt.scaling.objective import objective as objective_of
from gigawatt.scaling.runs import Runs
from gigawatt.units import Count, Real

DEFAULT_FORM, DEFAULT_OBJECTIVE, DEFAULT_STARTS = "chinchilla", "huber:1e-3", 32
SAME = 1e-6  # two objectives are the same optimum when they differ by less of themselves
EXACT = 1e-12  # of a run: an objective below it is met exactly
MOST_STARTS = 100_000
MANY, KEPT = 3000, 3  # runs above which starts see a sample of so many, and ends then fitted to all


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """A fitted law: its constants, how good the least of the objective is, and the runs behind it.

    `theta` are the parameters that the solver moves: logarithms of E, and of the two falling terms at the
    means of ln N and ln D, and the exponents. `gradient` and `hessian` are of `objective_value` in them.
    """

    form: Form
    objective: Objective
    constants: dict[str, float]
    objective_value: float  # as papers print it: a sum over runs
    gradient: Floats
    hessian: Floats
    theta: Floats
    means: tuple[float, float]  # of ln N and ln D
    starts: int
    reached: int  # how many starts ended at the optimum
    settled: bool  # whether the solver stopped because nothing was left to gain
    seed: int
    runs: Runs

    @property
    def residuals(self) -> Floats:
        """ln(predicted) - ln(measured) of each run."""
        return np.log(fitted_loss(self.runs.params, self.runs.tokens, by=self)) - np.log(self.runs.losses)

    @property
    def rmse(self) -> float:
        """Root mean square of predicted less measured, in the unit of the loss."""
        left = fitted_loss(self.runs.params, self.runs.tokens, by=self) - self.runs.losses
        return float(np.sqrt(np.mean(left**2)))

    @property
    def design(self) -> Design:
        """The form at the fit's own runs."""
        return design_of(self.form, self.runs, means=self.means)


def fit_law(
    params: Any,
    tokens: Any,
    *,
    losses: Any,
    law: str = DEFAULT_FORM,
    objective: str = DEFAULT_OBJECTIVE,
    starts: int = DEFAULT_STARTS,
    seed: int = 0,
) -> Fit:
    """Return a law fitted to runs: the least of the objective over all starts.

    The logarithms of N and D are centred first: uncentred, A and alpha (and B and beta) nearly cancel, and a
    solver crawls along a valley. Parameters of one run count as the file counts them; the constants follow.
    Raises: InputError for columns that cannot be fitted, or a law or objective that there is not.

    >>> import numpy as np
    >>> n, d = (x.ravel() for x in np.meshgrid(np.geomspace(1e8, 1e10, 5), np.geomspace(2e9, 2e11, 5)))
    >>> found = fit_law(n, d, losses=1.8 + 480 * n**-0.35 + 2100 * d**-0.37)
    >>> {name: round(value, 4) for name, value in found.constants.items()}
    {'E': 1.8, 'A': 480.0, 'B': 2100.0, 'alpha': 0.35, 'beta': 0.37}
    """
    return fit_runs(
        Runs.of(params, tokens, losses=losses), law, objective=objective, starts=starts, seed=seed
    )


def fit_runs(
    runs: Runs,
    law: str = DEFAULT_FORM,
    *,
    objective: str = DEFAULT_OBJECTIVE,
    starts: int = DEFAULT_STARTS,
    seed: int = 0,
) -> Fit:
    """Return a law fitted to runs that are columns already; see `fit_law`.

    Raises: InputError as `fit_law` does.
    """
    shape, aim = form(law), objective_of(objective)
    _refuse(runs, shape, starts)
    means = (float(np.log(runs.params).mean()), float(np.log(runs.tokens).mean()))
    few = _few(runs, seed)
    cube = _spread(starts, len(shape.parameters), seed=seed)
    ended = _descended(few, shape, aim=aim, means=means, theta=shape.starts(cube, np.log(few.losses)))
    reached = int(np.sum(ended.cost <= ended.cost.min() * (1 + SAME) + EXACT * len(few)))
    if few is not runs:
        first = ended.theta[np.argsort(ended.cost, kind="stable")[:KEPT]]
        ended = _descended(runs, shape, aim=aim, means=means, theta=first, near=True)
    best = int(np.argmin(ended.cost))
    to_print = aim.printed(1.0)
    return Fit(
        form=shape,
        objective=aim,
        constants=constants_at(shape, ended.theta[best], means=means),
        objective_value=aim.printed(float(ended.cost[best])),
        gradient=ended.gradient[best] * to_print,
        hessian=ended.hessian[best] * to_print,
        theta=ended.theta[best],
        means=means,
        starts=starts,
        reached=reached,
        settled=bool(ended.settled[best]),
        seed=seed,
        runs=runs,
    )


def _few(runs: Runs, seed: int) -> Runs:
    """Return the runs, or so many of them that many starts cost little."""
    if len(runs) <= MANY:
        return runs
    return runs.take(np.sort(np.random.default_rng(seed).choice(len(runs), MANY, replace=False)))


def _descended(
    runs: Runs, shape: Form, *, aim: Objective, means: tuple[float, float], theta: Floats, near: bool = False
) -> Descent:
    design = design_of(shape, runs, means=means)
    return descend(design, np.log(runs.losses), objective=aim, theta=theta, near=near)


def _refuse(runs: Runs, shape: Form, starts: int) -> None:
    if not 1 <= starts <= MOST_STARTS:
        raise InputError(f"starts = {starts} is not in 1..{MOST_STARTS:,}")
    need = len(shape.parameters) + 1
    if len(runs) < need:
        have = f"{len(runs)} run{'s' if len(runs) > 1 else ''}"
        raise InputError(f"{have} cannot fit the {need - 1} parameters of {shape.name!r}; {need} or more can")


def _spread(points: int, dimensions: int, *, seed: int) -> Floats:
    """Return points that fill the unit cube: each of equal slices of each axis holds one."""
    rng = np.random.default_rng(seed)
    slices = rng.permuted(np.tile(np.arange(points), (dimensions, 1)), axis=1).T
    found: Floats = (slices + rng.random(slices.shape)) / points
    return found


def design_of(shape: Form, runs: Runs, *, means: tuple[float, float]) -> Design:
    """Return a form at runs, centred."""
    return Design.of(shape, np.log(runs.params) - means[0], log_tokens=np.log(runs.tokens) - means[1])


def constants_at(shape: Form, theta: Floats, *, means: tuple[float, float]) -> dict[str, float]:
    """Return the printed constants at one point."""
    with np.errstate(over="ignore"):
        return {name: float(v[0]) for name, v in shape.constants(theta[None, :], means).items()}


def fitted_loss(params: Count, tokens: Count, *, by: Fit) -> Real:
    """Return the loss that a fitted law gives, in the unit of the losses it was fitted to.

    Definition: the equation of the fit's form at the fit's constants.
    """
    found: Real = loss_at(by.form, by.theta[None, :], params=params, tokens=tokens, means=by.means)[0]
    return found


def loss_at(shape: Form, theta: Floats, *, params: Count, tokens: Count, means: tuple[float, float]) -> Any:
    """Return the loss at every point (a row of parameters each) for every run."""
    columns = np.broadcast_arrays(np.asarray(params, float), np.asarray(tokens, float))
    n, d = (np.log(np.atleast_1d(c).ravel()) - mean for c, mean in zip(columns, means, strict=True))
    found = np.exp(Design.of(shape, n, log_tokens=d).log_loss(theta)[0])
    return found.reshape(len(theta), *columns[0].shape)
