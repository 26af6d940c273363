"""What the next dollar, megawatt-year and day buy: the slope of the loss along a ladder of machines."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gigawatt.catalog.load import sources
from gigawatt.errors import InputError, NothingFeasibleError, UnknownFactError
from gigawatt.scaling import DEFAULT_LAW, Law, frontier_nats, law, nats_per_decade
from gigawatt.study.document import known
from gigawatt.study.envelope import digest_of, envelope
from gigawatt.study.run import DAY_S, peak_flop_per_s
from gigawatt.study.scaling_compute import Compute, Wish, machine_compute, usual_dtype
from gigawatt.study.scaling_optimal import ByLaw, by_law, refuse_mixture
from gigawatt.study.scaling_optimal_document import NEAR, compute_of
from gigawatt.study.scenario import loss_law, named_machine

SCHEMA = "gigawatt/scaling-marginal/1"
LADDER = (  # each some times the one before, to a gigawatt and to Stargate's 100 B$
    "selene",
    "meta-llama3-16k",
    "colossus",
    "stargate-abilene-1",
    "fairwater-atlanta",
    "colossus-300k-b200",
    "stargate-abilene",
    "stargate",
)
DAYS = 90.0
YEAR_S = 365.25 * DAY_S
MOST_RUNGS = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class Rung:
    """One machine on the ladder: its compute, the best split of it, and what a little more would buy."""

    compute: Compute
    best: ByLaw
    nats_per_decade: float  # below 0, as all four
    nats_per_usd: float  # nan where the rent is not known
    nats_per_mw_year: float
    nats_per_day: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Marginal:
    """The ladder, from here up."""

    law: Law
    days: float
    rungs: tuple[Rung, ...]
    refused: tuple[tuple[str, str], ...]  # machine, why


def marginal(
    *,
    on: str | None = None,
    among: Sequence[str] | None = None,
    days: float | None = None,
    by: str = DEFAULT_LAW,
    progress: Callable[[float], None] | None = None,
) -> Marginal:
    """Return what more of each machine buys: `on` first, then those of the ladder that have a higher peak.

    Raises: InputError; UnknownFactError or NothingFeasibleError when no machine of the ladder can be priced.
    """
    chosen = law(loss_law(by))
    refuse_mixture(chosen)
    span = DAYS if days is None else days
    if not (span > 0 and math.isfinite(span)):
        raise InputError(f"days = {span!r} is not a number above 0")
    names = _names(on, among)
    rungs, refused = [], []
    for done, name in enumerate(names, 1):
        try:
            rungs.append(rung(machine_compute(name, Wish(days=span), by=chosen), by=chosen))
        except (NothingFeasibleError, UnknownFactError) as error:
            if name == on:
                raise
            refused.append((name, str(error)))
        if progress:
            progress(done / len(names))
    if not rungs:
        raise UnknownFactError(f"no machine of the ladder can be priced: {refused[0][1]}")
    rungs.sort(key=lambda one: one.compute.flop)
    return Marginal(law=chosen, days=span, rungs=tuple(rungs), refused=tuple(refused))


def _names(on: str | None, among: Sequence[str] | None) -> list[str]:
    """Return the machines of the ladder: those given, or the usual ones above the one given."""
    names = list(LADDER) if among is None else [name.strip() for name in among if name.strip()]
    if among is None and on is not None:
        here = _peak(on)
        names = [name for name in names if _peak(name) > here]
    found = list(dict.fromkeys(([on] if on is not None else []) + names))
    if not 1 <= len(found) <= MOST_RUNGS:
        raise InputError(f"among names {len(found)} machines; a ladder takes 1 to {MOST_RUNGS}")
    for name in found:
        named_machine(name, chips=None)
    return found


def _peak(name: str) -> float:
    machine = named_machine(name, chips=None)
    return machine.chips * peak_flop_per_s(machine, usual_dtype(machine))


def rung(compute: Compute, *, by: Law) -> Rung:
    r"""Return the slope of the best loss of a compute, over what the compute takes.

    .. math:: \frac{dL}{d\$} = \frac{dL}{d \ln C} \frac{1}{\$}, \quad
        \frac{dL}{d \ln C} = \frac{1}{\ln 10} \frac{dL}{d \log_{10} C}

    Money, energy and time are taken to grow with compute, as they do for more days of the same machine.
    Source: `gigawatt.scaling.nats_per_decade`.
    """
    slope = float(nats_per_decade(compute.flop, by=by))
    per_log, rate = slope / math.log(10.0), compute.rate
    mw_years = math.nan if rate is None else rate.facility_w / 1e6 * compute.days * DAY_S / YEAR_S
    return Rung(
        compute=compute,
        best=by_law(by, compute.flop),
        nats_per_decade=slope,
        nats_per_usd=per_log / compute.cost_usd,
        nats_per_mw_year=per_log / mw_years,
        nats_per_day=per_log / compute.days,
    )


def marginal_document(found: Marginal) -> dict[str, Any]:
    """Return the versioned envelope of a ladder; null is what is not known."""
    runs_end = found.law.box.get("flop", (math.nan, math.nan))[1]
    inputs = {
        "law": found.law.id,
        "days": found.days,
        "machines": [one.compute.rate.machine.id for one in found.rungs if one.compute.rate],
    }
    told = envelope(
        SCHEMA,
        inputs=inputs,
        provenance={"digest": digest_of(inputs), "sources": _sources(found.law)},
        status="partial" if found.refused else "ok",
        warnings=_warnings(found, runs_end),
        result={
            "law_runs_to_flop": runs_end,
            "loss_nats_at_runs_end": float(frontier_nats(runs_end, by=found.law)),
            "rungs": [_row(one) for one in found.rungs],
            "refused": [{"machine": name, "why": why} for name, why in found.refused],
        },
    )
    plain: dict[str, Any] = known(told)
    return plain


def _sources(by: Law) -> list[str]:
    return [f"{sources()[id].producer}: {sources()[id].title}" for id in by.source.split(";")]


def _row(one: Rung) -> dict[str, Any]:
    best = one.best
    band = best.loss_band
    return {
        "compute": compute_of(one.compute),
        "params": float(best.split.params),
        "tokens": float(best.split.tokens),
        "loss_nats": best.loss_nats,
        "loss_band": None if band is None else {"p10": band[0], "p90": band[1]},
        "orders_outside": best.orders,
        "shipping": bool(one.compute.rate and one.compute.rate.machine.shipping),
        "nats_per_decade": one.nats_per_decade,
        "nats_per_usd": one.nats_per_usd,
        "nats_per_mw_year": one.nats_per_mw_year,
        "nats_per_day": one.nats_per_day,
    }


def _warnings(found: Marginal, runs_end: float) -> list[dict[str, str]]:
    told = []
    beyond = [one.compute.rate.machine.id for one in found.rungs
              if one.compute.rate and one.compute.flop > runs_end]  # fmt: skip
    if beyond:
        which = "all rungs" if len(beyond) == len(found.rungs) else ", ".join(beyond)
        message = (
            f"the runs of {found.law.name} end at {runs_end:.1e} flop: {which} extrapolate, up to "
            f"{math.log10(found.rungs[-1].compute.flop / runs_end):.1f} orders of magnitude"
        ).replace("e+", "e")
        told.append({"code": "outside_runs", "message": message})
    elif math.isnan(runs_end):
        message = f"where the runs of {found.law.name} end in compute is not known here"
        told.append({"code": "outside_runs", "message": message})
    rates = [one.compute.rate for one in found.rungs if one.compute.rate]
    parts = [
        f"{rate.machine.chips:,} of {rate.of_chips:,} of {rate.machine.id}"
        for rate in rates
        if rate.machine.chips < rate.of_chips
    ]
    if parts:
        used = ", ".join(parts)
        why = "with such batches and failures more would do no more, or no layout divides them"
        message = f"chips used: {used}; {why}"
        told.append({"code": "part_of_machine", "message": message})
    told += _other_sizes(found.rungs)
    told += [{"code": "refused", "message": f"{name} is left out: {why}"} for name, why in found.refused]
    return told


def _other_sizes(rungs: Sequence[Rung]) -> list[dict[str, str]]:
    """Return the warning that names the rungs whose planned model is not of about the best size."""
    planned = [(one.compute.rate, float(one.best.split.params)) for one in rungs if one.compute.rate]
    far = [
        f"{rate.machine.id} ({rate.model}, the best size is {size / rate.params:.2g} times that)"
        for rate, size in planned
        if abs(math.log(size / rate.params)) > math.log(NEAR)
    ]
    if not far:
        return []
    message = (
        "planned with a model of another size, as the catalogue has no nearer one that fits: "
        f"{', '.join(far)}; a larger one could keep more chips busy"
    )
    return [{"code": "other_size", "message": message}]
