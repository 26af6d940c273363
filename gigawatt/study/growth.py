"""A build-out month by month: cards, power, exaflop, money, and when a job would be done."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gigawatt.errors import InputError
from gigawatt.fleet import BuildOut, build_out, done_s, last_s, total_at
from gigawatt.study.growth_file import GrowthFile, Job, find_growth, month_after
from gigawatt.study.growth_lots import (
    DAY_S,
    EPOCH,
    Column,
    Lot,
    Rate,
    Rates,
    columns,
    known_peak,
    lot_of,
    seconds_of,
    spread,
)
from gigawatt.study.scenario import scenario
from gigawatt.workload.flop import model_flop_per_token

AFTER_MONTHS = 12  # shown after the last delivery, where the file does not say until when
MAX_MONTHS = 1200
DTYPES = ("bf16", "fp8", "fp4")


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """By when a job is done, begun with the first machine: on all together, and at the best single place."""

    job: Job
    flop: float
    together: datetime.date | None  # None: never, with what is delivered
    alone: datetime.date | None
    place: str
    alone_from: datetime.date | None
    mfu: float  # at that place, a mean over its chips
    goodput: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Growth:
    """A build-out; columns have one value a month, of its end or over it."""

    file: GrowthFile
    months: tuple[datetime.date, ...]  # first days
    lots: tuple[Lot, ...]
    rates: tuple[Rate, ...]  # of one machine of each lot
    totals: BuildOut
    chips: Mapping[str, Column]
    peak_flop_per_s: Mapping[str, Column]
    hpl_flop_per_s: Column  # sum of machines run one by one
    jobs: tuple[Done, ...]
    warnings: tuple[str, ...]


def growth(name: str, *, until: str | None = None, progress: Callable[[float], None] | None = None) -> Growth:
    """Return a build-out month by month: one that comes with the package, or a file of the user's.

    `until` is the last month, in place of the file's.
    Raises: InputError for a name or a file that is wrong.
    """
    file = find_growth(name)
    return growth_of_file(file, until=None if until is None else _month(until), progress=progress)


def growth_of_file(
    file: GrowthFile,
    *,
    until: datetime.date | None = None,
    progress: Callable[[float], None] | None = None,
) -> Growth:
    """Return the build-out of a checked file, to `until`, else the file's, else 12 months after it ends.

    Raises: InputError for names that are not known, or an end before the first delivery.
    """
    months = _months(file, until or file.until)
    lots = tuple(lot_of(delivery) for delivery in file.deliveries)
    rates = Rates(file, progress)

    def rate(lot: Lot) -> Rate:
        return rates.of(lot, file.work.model, words=file.work.words)

    fleet = columns(lots, file, rate=rate)
    edges = np.array([seconds_of(m) for m in (*months, month_after(months[-1], 1))])

    def over(value: Callable[[Lot], float]) -> Column:
        return total_at(fleet, np.nan_to_num(spread(lots, value)), at_s=last_s(edges))

    return Growth(
        file=file,
        months=months,
        lots=lots,
        rates=tuple(rate(lot) for lot in lots),
        totals=build_out(fleet, edges),
        chips={chip: over(_chips_of(chip)) for chip in dict.fromkeys(lot.machine.chip.id for lot in lots)},
        peak_flop_per_s={dtype: over(_peak_of(dtype)) for dtype in DTYPES},
        hpl_flop_per_s=over(lambda lot: lot.hpl_flop_per_s * lot.delivery.count),
        jobs=tuple(_done(job, lots, file, rates) for job in file.jobs),
        warnings=tuple(_warnings(lots, rate)),
    )


def _chips_of(chip: str) -> Callable[[Lot], float]:
    return lambda lot: lot.chips if lot.machine.chip.id == chip else 0


def _peak_of(dtype: str) -> Callable[[Lot], float]:
    return lambda lot: known_peak(lot.machine.chip, dtype) * lot.chips


def _month(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(f"{text.strip()}-01")
    except ValueError:
        raise InputError(f"until = {text!r} is not a month such as 2027-12") from None


def _months(file: GrowthFile, until: datetime.date | None) -> tuple[datetime.date, ...]:
    """Return the first days of the months, from the first order to the end that is asked for.

    Raises: InputError for an end before the first delivery, or more than a hundred years.
    """
    begins = min(delivery.days[0] for delivery in file.deliveries)
    first = min(d.days[0] - datetime.timedelta(seconds=d.lead_s) for d in file.deliveries)
    last = until or month_after(max(d.days[-1] for d in file.deliveries).replace(day=1), AFTER_MONTHS)
    if last < begins.replace(day=1):
        raise InputError(f"until = {last:%Y-%m} is before the first delivery, {begins}")
    count = 12 * (last.year - first.year) + last.month - first.month + 1
    if count > MAX_MONTHS:
        raise InputError(f"until = {last:%Y-%m} makes {count:,} months; the most is {MAX_MONTHS:,}")
    return tuple(month_after(first.replace(day=1), n) for n in range(count))


def _day(at_s: float) -> datetime.date | None:
    """Return the day on which something is done; None for never, or after the end of the calendar."""
    days = at_s / DAY_S
    most = (datetime.date.max - EPOCH).days
    return EPOCH + datetime.timedelta(days=math.floor(days)) if days < most else None


def _done(job: Job, lots: Sequence[Lot], file: GrowthFile, rates: Rates) -> Done:
    """Return by when a job is done; where no place does it, the place is the one that works most."""
    flop, rate = _flop(job, lots), _rate_of(job, file, rates)
    best = (math.inf, "", [])  # type: tuple[float, str, list[Lot]]
    for place, used in _places(lots).items():
        at = float(done_s(columns(used, file, rate=rate), flop)[0])
        best = min(best, (at, place, used), key=lambda one: one[0])
    at, place, used = best
    chips = [lot.chips for lot in used]
    return Done(
        job=job,
        flop=flop,
        together=_day(float(done_s(columns(lots, file, rate=rate), flop)[0])),
        alone=_day(at),
        place=place,
        alone_from=min((lot.delivery.days[0] for lot in used), default=None),
        mfu=float(np.average([rate(lot).mfu for lot in used], weights=chips)) if used else math.nan,
        goodput=float(np.average([rate(lot).goodput for lot in used], weights=chips)) if used else math.nan,
    )


def _rate_of(job: Job, file: GrowthFile, rates: Rates) -> Callable[[Lot], Rate]:
    """Return how fast machines do a job: its own model where it names one, else what the file plans for."""
    if job.model is None:
        return lambda lot: rates.of(lot, file.work.model, words=file.work.words)
    same = {"batch_tokens": file.work.words["batch_tokens"]} if job.model == file.work.model else {}
    words = {"tokens": job.tokens, "batch_tokens": job.batch_tokens or same.get("batch_tokens")}
    return lambda lot: rates.of(lot, str(job.model), words=words)


def _flop(job: Job, lots: Sequence[Lot]) -> float:
    """Return the model flop of a job.

    Definition: as written, or flop of a token (causal attention) x tokens.
    """
    if job.flop is not None:
        return job.flop
    words: dict[str, Any] = {"tokens": job.tokens, "batch_tokens": job.batch_tokens}
    asked = scenario(str(job.model), on=lots[0].machine, **words)
    return float(model_flop_per_token(asked.model, asked.job.seq_tokens)) * asked.tokens


def _places(lots: Sequence[Lot]) -> dict[str, list[Lot]]:
    """Return the lots that work together: those of a place; without one, the first machine of a lot."""
    found: dict[str, list[Lot]] = {}
    for lot in lots:
        if lot.delivery.place:
            found.setdefault(lot.delivery.place, []).append(lot)
        else:
            first = replace(lot.delivery, count=1, days=lot.delivery.days[:1])
            found.setdefault(f"one {lot.machine.id}", []).append(replace(lot, delivery=first))
    return {name: used if used[0].delivery.place else used[:1] for name, used in found.items()}


def _warnings(lots: Sequence[Lot], rate: Callable[[Lot], Rate]) -> Iterator[str]:
    """Yield what a reader must know of each machine, once."""
    told: dict[str, None] = {}
    for lot in lots:
        told.update(dict.fromkeys(_about(lot, rate(lot))))
    yield from told


def _about(lot: Lot, rate: Rate) -> Iterator[str]:
    machine, delivery, name = lot.machine, lot.delivery, lot.delivery.machine or lot.delivery.what
    if math.isnan(lot.hardware_usd):
        yield (
            f"no price of a chip is known for {name!r} ({machine.chip.id}): all money but energy is unknown; "
            "write hardware_cost"
        )
    if math.isnan(lot.facility_w):
        yield f"no power is known for {name!r}: megawatts and energy are unknown; write facility_power"
    if math.isnan(lot.hpl_flop_per_s):
        yield f"no FP64 peak is known for {machine.chip.id!r}: it is left out of the HPL sum"
    for dtype in DTYPES:
        if known_peak(machine.chip, dtype) == 0.0:
            yield f"{machine.chip.id!r} has no {dtype}: it counts nothing there"
    if rate.why:
        yield f"{name!r} gets nothing done: {rate.why}"
    elif rate.chips < machine.chips:
        yield f"plans use {rate.chips:,} of the {machine.chips:,} chips of {name!r}: no layout divides all"
    if delivery.status == "announced" or not machine.shipping:
        yield f"announced, not delivered: {delivery.what} ({delivery.days[0]})"
