"""The same job on several machines; whole ones, or parts that are equal in chips, power or cost."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gigawatt.catalog.records import Machine
from gigawatt.cost import Prices, own_usd
from gigawatt.errors import GigawattError, InputError, NothingFeasibleError, UnknownFactError
from gigawatt.search import smaller_counts
from gigawatt.study.plan import OBJECTIVES, Plan, plan
from gigawatt.study.run import HOUR_S
from gigawatt.study.scenario import Scenario, named_machine, number_text, scenario
from gigawatt.units import format as fmt
from gigawatt.units import parse

EQUAL = ("chips", "power", "cost")
UNITS = {"chips": "1", "power": "W", "cost": "USD/s"}
MOST_MACHINES = 8
NEAR, LEAST_USED = 64, 0.85  # counts of chips looked at for a part, and the least of it that is used


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A machine that the job cannot run on, and why."""

    machine: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """The plans of one job, the best first; and what was held equal."""

    by: str
    plans: tuple[Plan, ...]
    refusals: tuple[Refusal, ...]
    equal: str | None
    amount: float | None  # chips, W at the meter, or USD/s, of each
    priced_by: str  # what a chip-hour's price is: rent, or what an owner pays


def compare(
    model: str,
    *,
    on: Sequence[str],
    equal: str | None = None,
    amount: str | float | None = None,
    by: str = "time",
    progress: Callable[[float], None] | None = None,
    **job: Any,
) -> Comparison:
    """Return the plans of one job on several machines, the best first.

    With `equal` each gives only the part that has the same chips, megawatts at the meter, or dollars an hour,
    rounded down to a count on which batch and layers fall evenly, in whole servers. `amount` says how much;
    the most that all of them have, when it is not given. `job` are the words of `plan`.
    Raises: InputError; NothingFeasibleError when the job fits on none.
    """
    names = _names(on)
    _refuse_words(equal, amount=amount, by=by)
    machines = [named_machine(name, chips=None) for name in names]
    limit, priced_by = _limit(machines, equal, amount)
    plans, refusals = [], []
    for i, (name, machine) in enumerate(zip(names, machines, strict=True)):
        share = _share(progress, i, len(names))
        try:
            chips = [machine.chips]
            if limit is not None and equal is not None:
                most = _most(machine, equal, limit=limit, priced_by=priced_by)
                chips = _chips(model, machine, name=name, most=most, job=job)
            plans.append(_best_part(model, name=name, chips=chips, by=by, progress=share, job=job))
        except (NothingFeasibleError, UnknownFactError, _TooSmall) as error:
            refusals.append(Refusal(machine=name, why=str(error)))
    if not plans:
        told = "; ".join(refusal.why for refusal in refusals)
        raise NothingFeasibleError(f"the job fits on none of the machines: {told}", {})
    plans.sort(key=lambda p: score(p, by))
    return Comparison(
        by=by, plans=tuple(plans), refusals=tuple(refusals), equal=equal, amount=limit, priced_by=priced_by
    )


def score(found: Plan, by: str) -> float:
    """Return what makes a plan better when it is less: days, dollars or joules; unknown is worst."""
    value = {"time": found.run.wall_s, "cost": found.run.rent_usd, "energy": found.run.facility_energy_j}[by]
    return math.inf if math.isnan(value) else float(value)


class _TooSmall(GigawattError):
    """The part of a machine is less than one server."""


def _names(on: Sequence[str]) -> list[str]:
    names = [name.strip() for name in on if name.strip()]
    if not 2 <= len(names) <= MOST_MACHINES:
        raise InputError(
            f"on = {','.join(names)!r} names {len(names)} machines; a comparison takes 2 to {MOST_MACHINES}, "
            "e.g. eos,eagle"
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"on = {','.join(names)!r} names {twice[0]!r} twice")
    return names


def _refuse_words(equal: str | None, *, amount: Any, by: str) -> None:
    if by not in OBJECTIVES:
        raise InputError(f"by = {by!r} is not one of: {', '.join(OBJECTIVES)}")
    if equal is not None and equal not in EQUAL:
        raise InputError(f"equal = {equal!r} is not one of: {', '.join(EQUAL)}")
    if amount is not None and equal is None:
        raise InputError(
            f"amount = {amount!r} is of what is equal; give --equal chips, power or cost with it"
        )


def _limit(machines: Sequence[Machine], equal: str | None, amount: Any) -> tuple[float | None, str]:
    """Return how much each machine may use, and how a chip-hour is priced.

    Raises: InputError for an amount that is none; UnknownFactError where a machine's power or price is.
    """
    rented = all(_known(m, "rent_usd_per_s") for m in machines)
    priced_by = "rent" if rented else "own"
    if equal is None:
        return None, priced_by
    whole = [m.chips * per_chip(m, equal, priced_by=priced_by) for m in machines]
    if amount is None:
        return min(whole), priced_by
    found = parse(amount, UNITS[equal], field="amount")
    if not 0 < found < 1e15:
        raise InputError(f"amount = {amount!r} is not above 0")
    return found, priced_by


def _known(machine: Machine, name: str) -> bool:
    return name in machine.facts and not isinstance(machine.facts[name].value, str)


def per_chip(machine: Machine, equal: str, *, priced_by: str) -> float:
    """Return what one chip with its share of the machine takes of what is held equal.

    Chips: 1. Power: nameplate watts at the meter. Cost: dollars a second, rented, or as an owner pays them.
    Raises: UnknownFactError when the machine's figure is not known.
    """
    if equal == "chips":
        return 1.0
    if equal == "power":
        return meter_w(machine)
    if priced_by == "rent":
        return _number(machine, "rent_usd_per_s")
    prices = Prices(**{f.name: _number(machine, f.name) for f in dataclasses.fields(Prices)})
    watts = meter_w(machine)
    bill = own_usd(
        1.0, prices, facility_w_per_chip=watts, energy_j=watts, usd_per_j=machine.site.usd_per_kwh / 3.6e6
    )
    return float(bill.total_usd)


def meter_w(machine: Machine) -> float:
    """Return the nameplate power of one chip with its share of the machine, at the meter.

    Definition: IT power per chip x PUE.
    """
    return _number(machine, "it_power_per_chip_w") * machine.site.pue


def _number(machine: Machine, name: str) -> float:
    if not _known(machine, name):
        raise UnknownFactError(
            f"no {name} is known for {machine.id!r}: it cannot be held equal; try --equal chips"
        )
    return float(machine.facts[name].value)


def _best_part(
    model: str,
    *,
    name: str,
    chips: Sequence[int],
    by: str,
    progress: Callable[[float], None] | None,
    job: Mapping[str, Any],
) -> Plan:
    """Return the best plan over a few counts of chips.

    Raises: NothingFeasibleError when the job fits on none of them.
    """
    found: list[Plan] = []
    for i, count in enumerate(chips):
        share = _share(progress, i, len(chips))
        try:
            found.append(plan(model, on=name, chips=count, by=by, progress=share, **job))
        except NothingFeasibleError:
            if not found and count == chips[-1]:
                raise
    return min(found, key=lambda p: score(p, by))


def _chips(model: str, machine: Machine, *, name: str, most: int, job: Mapping[str, Any]) -> list[int]:
    """Return the counts of chips worth trying for a part of a machine of at most `most`.

    The whole, or the largest count on which batch and layers fall evenly in whole servers, and the one near
    it that halves most often: more chips do not help where the stages are uneven.
    """
    asked = _asked(model, name, most, job)
    found = smaller_counts(asked.job, most + 1, node=machine.chips_per_node, most=NEAR)
    near = [n for n in found if n >= LEAST_USED * most]
    return (
        sorted({found[0], max(near, key=halvings)}, reverse=True) if near else [found[0] if found else most]
    )


def halvings(count: int) -> int:
    """Return how often a count can be halved.

    >>> halvings(2560), halvings(2624), halvings(7)
    (9, 6, 0)
    """
    return (count & -count).bit_length() - 1


def _most(machine: Machine, equal: str, *, limit: float, priced_by: str) -> int:
    """Return how many chips of a machine stay within a limit.

    Raises: _TooSmall when that is none.
    """
    each = per_chip(machine, equal, priced_by=priced_by)
    most = min(int(limit / each * (1 + 1e-12)), machine.chips)
    if most < 1:
        raise _TooSmall(f"{machine.id!r}: {amount_text(limit, equal)} is less than one chip of it takes")
    return most


def _asked(model: str, name: str, chips: int, job: Mapping[str, Any]) -> Scenario:
    words = {k: v for k, v in job.items() if k not in ("fixed", "layout", "top", "stack", "law")}
    return scenario(model, on=name, chips=chips, **words)


def amount_text(amount: float, equal: str) -> str:
    """Return how much of what is equal, as people write it.

    >>> amount_text(2e7, "power"), amount_text(4096, "chips"), amount_text(10.0, "cost")
    ('20.0 MW at the meter', '4,096 chips', '$36.0 k an hour')
    """
    if equal == "chips":
        return f"{number_text(amount)} chips"
    return (
        f"{fmt(amount, 'W')} at the meter" if equal == "power" else f"{fmt(amount * HOUR_S, 'USD')} an hour"
    )


def _share(progress: Callable[[float], None] | None, done: int, of: int) -> Callable[[float], None] | None:
    return None if progress is None else lambda part: progress((done + part) / of)
