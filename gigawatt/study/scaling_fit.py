"""Fit a law, or an isoFLOP line, to a file of runs: how sure it is, what it foresees, what it cannot tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigawatt.errors import InputError, unknown_name
from gigawatt.scaling import (
    DEFAULT_FORM,
    DEFAULT_OBJECTIVE,
    DEFAULT_STARTS,
    FORMS,
    OBJECTIVE_EXAMPLES,
    Approach2,
    Bootstrap,
    ErrorCurve,
    Fit,
    Foreseen,
    Profile,
    approach2,
    bootstrap,
    fit_error_curve,
    fit_runs,
    fitted_loss,
    foresee,
    optimal_split,
    profiles,
    roll_out,
    task_error,
)
from gigawatt.study.runs_file import COMPARISONS, Rule, RunTable, accuracies, read_runs, rule

METHODS = ("law", "isoflop")
FORM_NAMES = tuple(FORMS)
OBJECTIVES = OBJECTIVE_EXAMPLES
HOLDOUTS = "'flop>1e21', 'params>=1e9', largest:0.2 (a share of the runs, by compute) or rollout"
Progress = Callable[[float], None] | None
Column = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class AtCompute:
    """The best split of one compute: by the fit, and of each resample."""

    compute_flop: float
    params: float
    tokens: float
    loss: float
    draws: dict[str, Column]  # params, tokens, tokens_per_param, loss


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskFit:
    """The second step: a task's error over the loss of the same runs, and what both steps miss together.

    `chained` is the accuracy foreseen from N and D, less the measured one, of the runs held out (or of all).
    """

    column: str
    curve: ErrorCurve
    chained: Column
    accuracies: dict[float, Column]  # compute: by the fit first, then of each resample


@dataclass(frozen=True, kw_only=True, slots=True)
class ScalingFit:
    """A law fitted to a file of runs, with all that was asked about it."""

    table: RunTable
    fit: Fit
    bands: Bootstrap | None
    profiles: tuple[Profile, ...]
    optima: tuple[AtCompute, ...]
    holdout: str | None
    foreseen: tuple[Foreseen, ...]
    task: TaskFit | None
    asked: Mapping[str, object]  # the words of the call, for the document


@dataclass(frozen=True, kw_only=True, slots=True)
class IsoflopFit:
    """Parabolas through the runs of each budget, and the line through their lowest points."""

    table: RunTable
    line: Approach2
    asked: Mapping[str, object]


def fit_scaling(
    path: str | Path,
    law: str = DEFAULT_FORM,
    *,
    objective: str = DEFAULT_OBJECTIVE,
    columns: Mapping[str, str] | None = None,
    where: Sequence[str] = (),
    drop: Sequence[str] = (),
    best: bool = False,
    flop: Sequence[float] = (),
    resamples: int = 0,
    seed: int = 0,
    generator: str = "pcg64",
    starts: int = DEFAULT_STARTS,
    holdout: str | None = None,
    accuracy: str | None = None,
    progress: Progress = None,
) -> ScalingFit:
    """Return a law fitted to the runs of a file.

    `resamples` bootstrap fits give the bands; `flop` are the computes to split; `holdout` says which runs the
    law must foresee; `accuracy` is a column of 0..1 that is fitted over the loss and foreseen at each `flop`.
    Raises: FileFormatError for the file; InputError for the words.
    """
    table = read_runs(path, columns=columns, where=where, drop=drop, best=best)
    how: dict[str, object] = {"law": law, "objective": objective, "starts": starts, "seed": seed}
    fit = fit_runs(table.runs, law, objective=objective, starts=starts, seed=seed)
    foreseen = _foreseen(table, holdout, how=how)
    bands = None
    if resamples:
        bands = bootstrap(fit, resamples, seed=seed, generator=generator, progress=progress)
    optima = tuple(at_compute(fit, one, bands=bands) for one in flop) if fit.form.surface else ()
    return ScalingFit(
        table=table,
        fit=fit,
        bands=bands,
        profiles=tuple(profiles(fit, range(len(fit.theta)))),
        optima=optima,
        task=None if accuracy is None else _task(table, accuracy, fit=fit, foreseen=foreseen, optima=optima),
        holdout=holdout,
        foreseen=foreseen,
        asked={
            **how,
            "where": list(where),
            "drop": list(drop),
            "best": best,
            "accuracy": accuracy,
            "bootstrap": resamples,
            "generator": generator,
            "flop": [float(one) for one in flop],
        },
    )


def fit_isoflop(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    where: Sequence[str] = (),
    drop: Sequence[str] = (),
    best: bool = False,
    flop: Sequence[float] = (),
    resamples: int = 0,
    seed: int = 0,
) -> IsoflopFit:
    """Return an isoFLOP fit (Approach 2) to the runs of a file.

    The budget is the column `budget`, else runs of nearly equal compute are one budget.
    Raises: FileFormatError for the file; InputError for the words, or fewer than two budgets.
    """
    table = read_runs(path, columns=columns, where=where, drop=drop, best=best)
    line = approach2(table.runs, table.budgets, resamples=resamples, seed=seed)
    asked = {"where": list(where), "drop": list(drop), "best": best, "bootstrap": resamples, "seed": seed,
             "flop": [float(one) for one in flop]}  # fmt: skip
    return IsoflopFit(table=table, line=line, asked=asked)


def _task(
    table: RunTable,
    column: str,
    *,
    fit: Fit,
    foreseen: tuple[Foreseen, ...],
    optima: tuple[AtCompute, ...],
) -> TaskFit:
    """Return the curve of a task's error over the loss, fitted to the runs that the first law was fitted to.

    Raises: FileFormatError for a column that is not of accuracies.
    """
    measured = accuracies(table, column)
    last = foreseen[-1] if foreseen else None
    held = np.zeros(len(measured), bool) if last is None else last.mask
    curve = fit_error_curve(table.runs.losses[~held], 1.0 - measured[~held])
    first, others = (fit, ~held) if last is None else (last.fit, held)
    runs = table.runs.take(others)
    losses = fitted_loss(runs.params, runs.tokens, by=first)
    whole = fit_error_curve(table.runs.losses, 1.0 - measured)
    return TaskFit(
        column=column,
        curve=whole,
        chained=1.0 - np.asarray(task_error(losses, by=curve)) - measured[others],
        accuracies={
            at.compute_flop: 1.0
            - np.asarray(task_error(np.array([at.loss, *at.draws.get("loss", ())]), by=whole))
            for at in optima
        },
    )


def _losses(at: AtCompute) -> Column:
    """Return the loss at one compute: by the fit first, then of each resample."""
    return np.array([at.loss, *at.draws.get("loss", ())])


def at_compute(fit: Fit, compute_flop: float, *, bands: Bootstrap | None) -> AtCompute:
    """Return the best split of one compute by a fit and by each of its resamples."""
    best = _split(fit, {name: np.array([value]) for name, value in fit.constants.items()}, compute_flop)
    draws = {} if bands is None else _split(fit, bands.constants, compute_flop)
    return AtCompute(
        compute_flop=compute_flop,
        params=float(best["params"][0]),
        tokens=float(best["tokens"][0]),
        loss=float(best["loss"][0]),
        draws=draws,
    )


def _split(fit: Fit, constants: Mapping[str, Any], compute_flop: float) -> dict[str, Column]:
    assert fit.form.surface is not None
    s = fit.form.surface(constants)
    with np.errstate(all="ignore"):
        best = optimal_split(compute_flop, by=s)
        left = s.A * best.params**-s.alpha + s.B * best.tokens**-s.beta
        columns = {"params": best.params, "tokens": best.tokens, "loss": s.E + left**s.power}
        columns["tokens_per_param"] = best.tokens_per_param
    return {name: np.asarray(column) for name, column in columns.items()}


def _foreseen(table: RunTable, holdout: str | None, *, how: Mapping[str, object]) -> tuple[Foreseen, ...]:
    if holdout is None:
        return ()
    words = dict(how)
    if holdout.strip().lower() == "rollout":
        found = tuple(roll_out(table.runs, table.flop, **words))
        if not found:
            raise InputError(f"holdout = {holdout!r}: {len(table.runs)} runs are too few to roll out")
        return found
    return (foresee(table.runs, _held(table, holdout), **words),)


def _held(table: RunTable, holdout: str) -> NDArray[np.bool_]:
    """Return which runs a rule holds out.

    Raises: InputError that says what a rule is.
    """
    kind, _, share = holdout.strip().partition(":")
    if kind.lower() == "largest":
        try:
            part = float(share)
        except ValueError:
            part = 0.0
        if not 0 < part < 1:
            raise InputError(f"holdout = {holdout!r}: {share!r} is no share between 0 and 1, as largest:0.2")
        return np.asarray(table.flop > np.quantile(table.flop, 1 - part))
    try:
        asked = rule(holdout, option="--holdout")
    except InputError:
        raise InputError(f"holdout = {holdout!r} is not one of: {HOLDOUTS}") from None
    return _meeting(table, asked, holdout)


def _meeting(table: RunTable, asked: Rule, holdout: str) -> NDArray[np.bool_]:
    fields = {"params": table.runs.params, "tokens": table.runs.tokens, "flop": table.flop,
              "loss": table.runs.losses}  # fmt: skip
    if asked.column in table.cells:
        cells = table.cells[asked.column]
        return np.array([asked.holds({asked.column: cell}) for cell in cells])
    if asked.column not in fields:
        raise unknown_name("holdout column", asked.column, [*fields, *table.cells])
    try:
        value = float(asked.value)
    except ValueError:
        raise InputError(f"holdout = {holdout!r}: {asked.value!r} is not a number") from None
    return np.asarray(COMPARISONS[asked.sign](fields[asked.column], value))
