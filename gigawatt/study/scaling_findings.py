"""What a fit cannot tell, in one sentence each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gigawatt.scaling import Runs, condition_number, correlations, floorless, spread_of
from gigawatt.study.scaling_fit import IsoflopFit, ScalingFit
from gigawatt.units import figures
from gigawatt.units import format as fmt

TOGETHER = 0.9  # correlation of ln N and ln D above which a fit has little to tell them apart by
NARROW = 10.0  # ratio of the most to the least N or D below which an exponent hangs on a short lever
FAR_FLOOR = 0.3  # of E: how far above it the best run may be before E is an extrapolation
LONG_BOWL = 1e6  # condition number, scaled, from which a combination of parameters is free
WIDE = 3.0  # ratio of the 97.5th to the 2.5th percentile of a constant
HUGE = 1e6
LOOSE = 0.3  # width of 80 % of the resamples of an exponent, of the middle one
PAIRED = 0.98  # correlation of two parameters over the resamples
FLOORLESS = 0.01  # of the resamples; and of E, below which a profile's end is none
OTHER_COUNT = 0.1  # how far flop may be from 6 N D
BEYOND = 10.0  # times the largest run
HALF = 0.5  # of the starts
FEW_BUDGETS = 4
UNLIKE = 0.02  # of the loss: far above what seeds bring
FACTORS, EXPONENTS = ("A", "B", "A_C", "N_c", "D_c"), ("alpha", "beta", "alpha_N", "alpha_D", "alpha_C")

SENTENCES = {
    "not-settled": "the solver stopped before nothing was left to gain: do not trust the constants; "
    "give more --starts",
    "few-starts": "only {reached} of {starts} starts reached the optimum: give more --starts",
    "together": "ln N and ln D move together (correlation {r:.3f}): what parameters and what tokens bring "
    "cannot be told apart; add runs with other tokens per parameter",
    "narrow-params": "parameters span a factor {ratio} only: alpha hangs on a short lever",
    "narrow-tokens": "tokens span a factor {ratio} only: beta hangs on a short lever",
    "untuned": "runs of equal N and D differ in loss by up to {spread} %: they were not tuned alike, and the "
    "law follows the worse ones too; --best keeps the best of each",
    "imputed": "tokens are not in the file: D = C / (6 N), with C of column {column!r}",
    "other-flop": "the compute in the file is {ratio} x 6 N D (median): it counts parameters or flop "
    "otherwise; N* for a compute is by 6 N D",
    "far-floor": "the best run is still {far} above E = {floor:.4g}: the runs do not saturate, and E is an "
    "extrapolation of the form",
    "no-floor": "in {share} % of the resamples no floor was found: E may be 0 for all that these runs say",
    "open-floor": "E has no lower end: any E from 0 to {high:.4g} fits the runs as well, within 95 %",
    "flat": "the objective at its least is {length}: the runs leave one combination of parameters open",
    "wide": "{name} is known within a factor {factor} only (95 % of the resamples: {low:.4g} to {high:.4g}); "
    "do not read it alone",
    "loose": "{name} lies anywhere from {low:.3f} to {high:.3f} (80 % of the resamples)",
    "paired": "{one} and {other} move together over the resamples, even about the middle run (correlation "
    "{r:+.3f}): read neither alone",
    "no-split": "the form {name!r} has no best split of compute; --flop is for the others",
    "no-optimum": "an exponent is not above 0: there is no best split of compute",
    "beyond": "{flop:.3g} flop is {times} times the largest run ({most:.3g} flop): an extrapolation",
    "lowest-outside": "at {outside} of {budgets} budgets the lowest point lies outside the runs: add smaller "
    "or larger models there",
    "few-budgets": "the line goes through {budgets} budgets only",
    "left-out": "the budget of {flop:.3g} flop is left out: {why}",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A word for programs and a sentence for people."""

    code: str
    message: str


def findings(found: ScalingFit) -> list[Finding]:
    """Return what a reader must know before trusting a fit, in a fixed order."""
    return [*_solver(found), *_data(found), *_floor(found), *_bands(found), *_beyond(found)]


def isoflop_findings(found: IsoflopFit) -> list[Finding]:
    """Return the same of an isoFLOP line."""
    valley, told = found.line.valley, []
    outside = len(valley.flop) - int(np.sum(valley.inside))
    if outside:
        told.append(_say("lowest-outside", outside=outside, budgets=len(valley.flop)))
    if len(valley.flop) < FEW_BUDGETS:
        told.append(_say("few-budgets", budgets=len(valley.flop)))
    told += [_say("left-out", flop=budget, why=why) for budget, why in found.line.left_out.items()]
    return [*told, *_counting(found)]


def _say(code: str, **words: object) -> Finding:
    return Finding(code=code, message=SENTENCES[code].format(**words))


def _solver(found: ScalingFit) -> list[Finding]:
    fit, told = found.fit, []
    if not fit.settled:
        told.append(_say("not-settled"))
    if fit.reached < HALF * fit.starts:
        told.append(_say("few-starts", reached=fit.reached, starts=fit.starts))
    return told


def _data(found: ScalingFit) -> list[Finding]:
    spread, told = spread_of(found.fit), []
    correlation = float(spread.correlation)
    if abs(correlation) > TOGETHER:
        told.append(_say("together", r=correlation))
    for name, ratio in (("params", spread.params_ratio), ("tokens", spread.tokens_ratio)):
        if ratio < NARROW:
            told.append(_say(f"narrow-{name}", ratio=figures(float(ratio))))
    spread_of_equals = _unlike(found.table.runs)
    if spread_of_equals > UNLIKE:
        told.append(_say("untuned", spread=figures(100 * spread_of_equals)))
    return [*told, *_counting(found)]


def _unlike(runs: Runs) -> float:
    """Return by how much of the loss runs of equal parameters and tokens differ at most."""
    pairs = np.stack([runs.params, runs.tokens], axis=-1)
    _, group = np.unique(pairs, axis=0, return_inverse=True)
    low, high = np.full(len(runs), np.inf), np.zeros(len(runs))
    np.minimum.at(low, group.ravel(), runs.losses)
    np.maximum.at(high, group.ravel(), runs.losses)
    return float(np.max(high[group.ravel()] / low[group.ravel()] - 1.0))


def _counting(found: ScalingFit | IsoflopFit) -> list[Finding]:
    table = found.table
    if table.imputed:
        return [_say("imputed", column=table.columns.get("flop", table.columns.get("budget")))]
    if abs(table.flop_ratio - 1) > OTHER_COUNT:
        return [_say("other-flop", ratio=figures(table.flop_ratio))]
    return []


def _floor(found: ScalingFit) -> list[Finding]:
    fit, told = found.fit, []
    if "E" not in fit.constants:
        return []
    floor, above = fit.constants["E"], float(spread_of(fit).above_floor)
    if above > FAR_FLOOR:
        far = f"{figures(100 * above)} %" if above < 10 else f"{figures(above)} times"
        told.append(_say("far-floor", far=far, floor=floor))
    if found.bands is not None and floorless(found.bands, fit) > FLOORLESS:
        told.append(_say("no-floor", share=figures(100 * floorless(found.bands, fit))))
    own = next((p for p in found.profiles if p.constant == "ln E"), None)
    if own is not None and own.low < FLOORLESS * floor:
        told.append(_say("open-floor", high=own.high))
    return told


def _bands(found: ScalingFit) -> list[Finding]:
    told, condition = [], float(condition_number(found.fit))
    if not condition < LONG_BOWL:
        long = f"{condition:.0e} times longer than wide"
        told.append(_say("flat", length=long if np.isfinite(condition) else "flat in one direction"))
    if found.bands is None:
        return told
    for name, draws in found.bands.constants.items():
        low, p10, middle, p90, high = (float(p) for p in np.percentile(draws, [2.5, 10, 50, 90, 97.5]))
        if name in FACTORS and high > WIDE * low:
            factor = figures(high / low) if low > high / HUGE else f"of more than {HUGE:.0e}"
            told.append(_say("wide", name=name, factor=factor, low=low, high=high))
        if name in EXPONENTS and p90 - p10 > LOOSE * abs(middle):
            told.append(_say("loose", name=name, low=p10, high=p90))
    matrix, names = correlations(found.bands.theta), found.fit.form.parameters
    size, i, j = max((abs(matrix[i, j]), i, j) for i in range(len(names)) for j in range(i))
    if size > PAIRED:
        told.append(_say("paired", one=_spoken(names[j]), other=_spoken(names[i]), r=float(matrix[i, j])))
    return told


def _spoken(parameter: str) -> str:
    """Return a parameter as the constant that a reader knows."""
    return parameter.removeprefix("ln ").removesuffix("'")


def _beyond(found: ScalingFit) -> list[Finding]:
    fit, told = found.fit, []
    if found.asked.get("flop") and not fit.form.surface:
        told.append(_say("no-split", name=fit.form.name))
    most = float(found.table.flop.max())
    for at in found.optima:
        if not np.isfinite(at.params):
            return [*told, _say("no-optimum")]
        if at.compute_flop > BEYOND * most:
            times = fmt(at.compute_flop / most, "1")
            told.append(_say("beyond", flop=at.compute_flop, times=times, most=most))
    return told
