"""A fit to runs as one JSON-ready document: what was asked, constants with bands, and what it cannot tell."""

from __future__ import annotations

from typing import Any

import numpy as np

from gigawatt.scaling import (
    Approach2,
    Foreseen,
    condition_number,
    correlations,
    fitted_loss,
    frontier_exponents,
    raw_condition_number,
    spread_of,
)
from gigawatt.study.document import known
from gigawatt.study.envelope import envelope
from gigawatt.study.runs_file import RunTable
from gigawatt.study.scaling_findings import findings, isoflop_findings
from gigawatt.study.scaling_fit import AtCompute, IsoflopFit, ScalingFit, TaskFit, at_compute

SCHEMA = "gigawatt/scaling-fit/1"
FRONTIER_POINTS = 25
PERCENTILES = {"p2_5": 2.5, "p10": 10.0, "p50": 50.0, "p90": 90.0, "p97_5": 97.5}
EXPONENTS = {
    "params_exponent": "a: the best parameters grow as C^a",
    "tokens_exponent": "b = 1 - a: the best tokens grow as C^b",
}


def scaling_fit_document(found: ScalingFit | IsoflopFit) -> dict[str, Any]:
    """Return the versioned envelope of a fit; null is a figure that was not asked for, or is not known."""
    law = isinstance(found, ScalingFit)
    told = findings(found) if isinstance(found, ScalingFit) else isoflop_findings(found)
    plain: dict[str, Any] = known(envelope(
        SCHEMA,
        inputs={"method": "law" if law else "isoflop", **_file(found.table), **_asked(found)},
        provenance={},
        warnings=[{"code": one.code, "message": one.message} for one in told],
        result=_law(found) if isinstance(found, ScalingFit) else _isoflop(found),
    ))  # fmt: skip
    return plain


def _file(table: RunTable) -> dict[str, Any]:
    return {
        "file": table.path,
        "columns": table.columns,
        "text": table.text,
        "rows": table.rows,
        "dropped": table.dropped,
        "imputed": table.imputed,
        "flop_over_6nd": table.flop_ratio,
    }


def _asked(found: ScalingFit | IsoflopFit) -> dict[str, Any]:
    none = dict.fromkeys(("law", "objective", "starts", "generator", "holdout", "accuracy"))
    more = {"holdout": found.holdout} if isinstance(found, ScalingFit) else {}
    return {**none, **found.asked, **more}


def _law(found: ScalingFit) -> dict[str, Any]:
    fit = found.fit
    return {
        "law": {
            "equation": fit.form.equation,
            "constants": _constants(found),
            "parameters": _parameters(found),
            "objective": {
                "words": fit.objective.words,
                "value": fit.objective_value,
                "gradient": float(np.abs(fit.gradient).max()),
                "settled": fit.settled,
                "starts": fit.starts,
                "reached": fit.reached,
                "rmse": fit.rmse,
                "rms_log": float(np.sqrt(np.mean(fit.residuals**2))),
            },
            "settled_resamples": None if found.bands is None else found.bands.settled,
            "identify": _identify(found),
        },
        "isoflop": None,
        "optima": [_optimum(one) for one in found.optima],
        "frontier": _frontier(found),
        "holdout": [_foreseen(one) for one in found.foreseen],
        "task": None if found.task is None else _task(found.task, held=bool(found.foreseen)),
        "runs": _runs(found),
    }


def _constants(found: ScalingFit) -> list[dict[str, Any]]:
    fit, bands = found.fit, found.bands
    meanings = dict(fit.form.constants_of)
    values: dict[str, Any] = dict(fit.constants)
    draws: dict[str, Any] = {} if bands is None else dict(bands.constants)
    if fit.form.surface:
        meanings |= EXPONENTS
        for columns in filter(None, (values, draws)):
            a, b = frontier_exponents(fit.form.surface(columns))
            columns |= {"params_exponent": a, "tokens_exponent": b}
    ends = {p.constant.removeprefix("ln "): p for p in found.profiles}
    return [
        {
            "name": name,
            "value": float(values[name]),
            "meaning": meaning,
            **_band(draws.get(name)),
            "profile_low": ends[name].low if name in ends else None,
            "profile_high": ends[name].high if name in ends else None,
        }
        for name, meaning in meanings.items()
    ]


def _parameters(found: ScalingFit) -> list[dict[str, Any]]:
    """Return what the solver moves, its gradient, and its profile interval."""
    fit = found.fit
    return [
        {"name": name, "value": float(value), "gradient": float(slope)}
        for name, value, slope in zip(fit.form.parameters, fit.theta, fit.gradient, strict=True)
    ]


def _band(draws: Any) -> dict[str, float | None]:
    if draws is None or not np.size(draws):
        return dict.fromkeys(("sd", *PERCENTILES))
    good = np.asarray(draws)[np.isfinite(draws)]
    if not len(good):
        return dict.fromkeys(("sd", *PERCENTILES))
    ends = np.percentile(good, list(PERCENTILES.values()))
    with np.errstate(over="ignore"):
        sd = float(good.std())
    return {"sd": sd, **dict(zip(PERCENTILES, map(float, ends), strict=True))}


def _identify(found: ScalingFit) -> dict[str, Any]:
    fit, spread = found.fit, spread_of(found.fit)
    matrix = None if found.bands is None else correlations(found.bands.theta).tolist()
    return {
        "condition_number": condition_number(fit),
        "raw_condition_number": raw_condition_number(fit),
        "params_ratio": spread.params_ratio,
        "tokens_ratio": spread.tokens_ratio,
        "flop_ratio": spread.flop_ratio,
        "correlation": spread.correlation,
        "above_floor": spread.above_floor,
        "correlations": matrix,
    }


def _optimum(at: AtCompute) -> dict[str, Any]:
    value = {"params": at.params, "tokens": at.tokens, "tokens_per_param": at.tokens / at.params}
    value["loss"] = at.loss
    bands = {name: {"value": value[name], **_band(at.draws.get(name))} for name in value}
    return {"compute_flop": at.compute_flop, **bands}


def _frontier(found: ScalingFit) -> list[dict[str, Any]]:
    """Return the best split over the computes of the runs and those asked for, to be drawn."""
    if not found.fit.form.surface or not np.isfinite(at_compute(found.fit, 1e20, bands=None).params):
        return []
    ends = [found.table.flop.min(), found.table.flop.max(), *(one.compute_flop for one in found.optima)]
    rows = []
    for flop in np.geomspace(min(ends), max(ends), FRONTIER_POINTS):
        at = at_compute(found.fit, float(flop), bands=found.bands)
        params, loss = _band(at.draws.get("params")), _band(at.draws.get("loss"))
        rows.append({"flop": float(flop), "params": at.params, "params_low": params["p10"],
                     "params_high": params["p90"], "loss": at.loss, "loss_low": loss["p10"],
                     "loss_high": loss["p90"]})  # fmt: skip
    return rows


def _foreseen(one: Foreseen) -> dict[str, Any]:
    held = one.held
    return {
        "cut_flop": one.cut_flop,
        "fitted": len(one.fit.runs),
        "held": len(held),
        "median": one.median,
        "bias": one.bias,
        "worst": one.worst,
        "constants": [{"name": name, "value": value} for name, value in one.fit.constants.items()],
        "runs": _rows(params=held.params, tokens=held.tokens, loss=held.losses, predicted=one.predicted,
                      error=one.errors),
    }  # fmt: skip


def _task(task: TaskFit, *, held: bool) -> dict[str, Any]:
    curve, missed = task.curve, np.abs(task.chained)
    return {
        "column": task.column,
        "equation": "1 - accuracy = ceiling - k exp(-gamma L)",
        "ceiling": curve.ceiling,
        "k": curve.k,
        "gamma": curve.gamma,
        "rmse": curve.rmse,
        "chained_held_out": held,
        "chained_runs": len(missed),
        "chained_median": float(np.median(missed)),
        "chained_worst": float(task.chained[np.argmax(missed)]),
        "at": [
            {"compute_flop": flop, "accuracy": {"value": float(found[0]), **_band(found[1:])}}
            for flop, found in task.accuracies.items()
        ],
    }


def _rows(**columns: Any) -> list[dict[str, float]]:
    return [dict(zip(columns, map(float, row), strict=True)) for row in zip(*columns.values(), strict=True)]


def _runs(found: ScalingFit) -> list[dict[str, float]]:
    runs, fit = found.table.runs, found.fit
    predicted = np.atleast_1d(fitted_loss(runs.params, runs.tokens, by=fit))
    return _rows(
        params=runs.params, tokens=runs.tokens, flop=found.table.flop, loss=runs.losses, predicted=predicted
    )


def _isoflop(found: IsoflopFit) -> dict[str, Any]:
    line, runs = found.line, found.table.runs
    exponent, factor = line.draws.get("tokens_exponent"), line.draws.get("tokens_factor")
    valley = {name: getattr(line.valley, name) for name in ("flop", "params", "tokens", "loss", "runs")}
    budgets = [{**row, "inside": bool(inside)} for row, inside in zip(_rows(**valley), line.valley.inside)]
    params_exponent = {"value": line.params_exponent, **_band(None if exponent is None else 1 - exponent)}
    asked: Any = found.asked["flop"]
    return {
        "law": None,
        "isoflop": {
            "equation": "D* = A C^b, N* = C / (6 D*), a = 1 - b",
            "tokens_exponent": {"value": line.tokens_exponent, **_band(exponent)},
            "tokens_factor": {"value": line.tokens_factor, **_band(factor)},
            "params_exponent": params_exponent,
            "params_factor": line.params_factor,
            "r_squared": line.r_squared,
            "budgets": budgets,
        },
        "optima": [_on_line(line, flop) for flop in asked],
        "frontier": [],
        "holdout": [],
        "task": None,
        "runs": [
            {**row, "predicted": None}
            for row in _rows(params=runs.params, tokens=runs.tokens, flop=found.table.flop, loss=runs.losses)
        ],
    }


def _on_line(line: Approach2, flop: float) -> dict[str, Any]:
    tokens = line.tokens_factor * flop**line.tokens_exponent
    draws = line.draws["tokens_factor"] * flop ** line.draws["tokens_exponent"] if line.draws else None
    found = {
        "params": flop / 6 / tokens,
        "tokens": tokens,
        "tokens_per_param": 6 * tokens**2 / flop,
    }
    drawn = {} if draws is None else {
        "params": flop / 6 / draws, "tokens": draws, "tokens_per_param": 6 * draws**2 / flop,
    }  # fmt: skip
    bands = {name: {"value": value, **_band(drawn.get(name))} for name, value in found.items()}
    return {"compute_flop": flop, **bands, "loss": None}
