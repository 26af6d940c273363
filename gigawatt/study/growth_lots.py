"""The lines of a build-out with their machines: what one costs, draws and gets done."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigawatt.catalog.machine_file import machine_file_of
from gigawatt.catalog.machines import compose
from gigawatt.catalog.records import Chip, Machine
from gigawatt.errors import NothingFeasibleError, UnknownFactError
from gigawatt.fleet import Deliveries
from gigawatt.power import training_power_w
from gigawatt.study.growth_file import Delivery, GrowthFile
from gigawatt.study.hpl import hpl
from gigawatt.study.plan import Plan, plan
from gigawatt.study.run import peak_flop_per_s
from gigawatt.study.scenario import named_machine

EPOCH = datetime.date(1970, 1, 1)
DAY_S, YEAR_S = 86400.0, 365.25 * 86400.0
Column = NDArray[Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Lot:
    """One line of deliveries with its machine: what one of it is, draws and costs."""

    delivery: Delivery
    machine: Machine
    facility_w: float  # nameplate at the meter; nan where no power is known
    hardware_usd: float  # nan where no price is known
    building_usd: float
    hpl_flop_per_s: float  # of one machine alone; nan where no FP64 rate is known

    @property
    def chips(self) -> int:
        return self.machine.chips * self.delivery.count


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """What one machine gets done of a job, and why nothing where it cannot be planned."""

    flop_per_s: float  # failures included
    mfu: float
    goodput: float
    chips: int  # that are used
    why: str = ""


class Rates:
    """Plans of models on machines, each made once."""

    def __init__(self, file: GrowthFile, progress: Callable[[float], None] | None) -> None:
        self.file, self.progress = file, progress
        self.expected = len(file.deliveries) * (1 + sum(job.model is not None for job in file.jobs))
        self.known: dict[tuple[Any, ...], Rate] = {}

    def of(self, lot: Lot, model: str, *, words: Mapping[str, Any]) -> Rate:
        """Return what one machine of a lot gets done; the stated use, where the file states one."""
        if self.file.work.mfu is not None:
            return self._stated(lot.machine)
        said = {name: value for name, value in words.items() if value is not None}
        key = (lot.delivery.machine, lot.machine, model, *sorted(said.items()))
        if key not in self.known:
            self.known[key] = planned(model, on=lot.machine, words=said)
            if self.progress is not None:
                self.progress(min(len(self.known) / self.expected, 1.0))
        return self.known[key]

    def _stated(self, machine: Machine) -> Rate:
        mfu, goodput = float(self.file.work.mfu or 0.0), float(self.file.work.goodput or 0.0)
        rate = machine.chips * known_peak(machine.chip, "bf16") * mfu * goodput
        return Rate(flop_per_s=rate, mfu=mfu, goodput=goodput, chips=machine.chips)


def planned(model: str, *, on: Machine, words: Mapping[str, Any]) -> Rate:
    """Return what the best plan of a model gets done on a machine."""
    try:
        return rate_of(plan(model, on=on, **words))
    except (NothingFeasibleError, UnknownFactError) as error:
        return Rate(flop_per_s=0.0, mfu=0.0, goodput=0.0, chips=0, why=str(error))


def rate_of(found: Plan) -> Rate:
    """Return what a plan gets done.

    Definition: chips x peak x MFU x goodput: model flop of the run (causal attention) over its wall time.
    """
    machine, mfu, goodput = found.scenario.machine, float(found.use.mfu), float(found.run.lost.useful)
    rate = machine.chips * peak_flop_per_s(machine, found.scenario.job.dtype) * mfu * goodput
    return Rate(flop_per_s=rate, mfu=mfu, goodput=goodput, chips=machine.chips)


def lot_of(delivery: Delivery) -> Lot:
    """Return a line of deliveries with its machine.

    Raises: InputError for a machine, chip or site that is not known.
    """
    machine = machine_of(delivery)
    facility = delivery.facility_w
    if facility is None:
        facility = fact(machine, "it_power_per_chip_w") * machine.chips * machine.site.pue
    hardware, building = delivery.hardware_usd, delivery.building_usd
    if hardware is None:
        hardware = fact(machine, "capex_usd_per_chip") * machine.chips
    if building is None:
        building = fact(machine, "facility_usd_per_w") * facility
    return Lot(
        delivery=delivery,
        machine=machine,
        facility_w=facility,
        hardware_usd=hardware,
        building_usd=building,
        hpl_flop_per_s=_hpl_flop_per_s(machine),
    )


def machine_of(delivery: Delivery) -> Machine:
    """Return the machine of a delivery: of the catalogue or a file, or plain chips at a site.

    Raises: InputError for a name that is not known.
    """
    if delivery.machine is not None:
        return named_machine(delivery.machine, chips=delivery.chips)
    rows: dict[str, Any] = {"chip": delivery.chip, "chips": delivery.chips, "name": delivery.what}
    said = {"network": delivery.network, "site": delivery.site}
    rows |= {name: value for name, value in said.items() if value is not None}
    where = f"{delivery.chips}-{delivery.chip}"
    return compose(machine_file_of(rows, where=where), where=where)


def fact(machine: Machine, name: str) -> float:
    """Return a number of a machine, nan where it is not known."""
    found = machine.facts.get(name)
    return math.nan if found is None or isinstance(found.value, str) else float(found.value)


def _hpl_flop_per_s(machine: Machine) -> float:
    try:
        return hpl(machine).rate_flop_per_s
    except UnknownFactError:
        return math.nan


def known_peak(chip: Chip, dtype: str) -> float:
    """Return a chip's dense peak, 0 where it does not have the format; fp16 stands in for bf16."""
    for name in (dtype, "fp16") if dtype == "bf16" else (dtype,):
        if name in chip.dtypes:
            return chip.peak_flop_per_s(name)
    return 0.0


def spread(lots: Sequence[Lot], value: Callable[[Lot], float]) -> Column:
    """Return a value of each lot, once for each day on which it delivers."""
    return np.array([value(lot) for lot in lots for _ in lot.delivery.days])


def seconds_of(day: datetime.date) -> float:
    """Return the beginning of a day, in seconds since 1970.

    >>> seconds_of(datetime.date(1970, 1, 2))
    86400.0
    """
    return (day - EPOCH).days * DAY_S


def columns(lots: Sequence[Lot], file: GrowthFile, *, rate: Callable[[Lot], Rate]) -> Deliveries:
    """Return lots as columns, one row for each day on which something is delivered.

    Definition: count x one machine; the drawn power is that of training, at the share of time that is busy.
    """
    live = np.array([seconds_of(day) for lot in lots for day in lot.delivery.days])
    life = spread(lots, lambda lot: lot.delivery.retire_after_s or math.inf)
    facility = spread(lots, lambda lot: lot.facility_w * lot.delivery.count)
    hardware = spread(lots, lambda lot: lot.hardware_usd * lot.delivery.count)
    operations = spread(lots, lambda lot: fact(lot.machine, "operations_per_year") / YEAR_S)
    return Deliveries(
        ordered_s=live - spread(lots, lambda lot: lot.delivery.lead_s),
        live_s=live,
        retired_s=live + life,
        chips=spread(lots, lambda lot: lot.chips),
        it_w=facility / spread(lots, lambda lot: lot.machine.site.pue),
        facility_w=facility,
        drawn_w=training_power_w(facility, busy_fraction=file.busy),
        hardware_usd=hardware,
        building_usd=spread(lots, lambda lot: lot.building_usd * lot.delivery.count),
        hardware_life_s=np.full(len(live), file.hardware_life_s),
        building_life_s=np.full(len(live), file.building_life_s),
        operations_usd_per_s=hardware * operations,
        energy_usd_per_j=spread(lots, lambda lot: lot.machine.site.usd_per_kwh / 3.6e6),
        useful_flop_per_s=spread(lots, lambda lot: file.busy * rate(lot).flop_per_s * lot.delivery.count),
    )
