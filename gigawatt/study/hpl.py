"""One run of Linpack on a machine: order, time by parts, rate, energy, and how wrong it may be."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from gigawatt.catalog.records import Machine
from gigawatt.errors import InputError
from gigawatt.perf.hpl import HplRun, fill_fraction, fp64_peak_flop_per_s, hpl_run, hpl_table
from gigawatt.power import energy_j, training_power_w
from gigawatt.study.bom_network import FAR_S
from gigawatt.study.document import known
from gigawatt.study.envelope import digest_of, envelope
from gigawatt.study.scenario import named_machine

SCHEMA = "gigawatt/hpl/1"
WORD_BYTES = 8.0
MOST_ORDER = 1e9
EVERY = "system left out"
LARGE_FLOP_PER_S = 1e16


@dataclass(frozen=True, kw_only=True, slots=True)
class HplBand:
    """How wrong such predictions have been, systems left out of the fit."""

    p50: float
    p90: float
    rows: int
    of: str  # which runs these are


@dataclass(frozen=True, kw_only=True, slots=True)
class Hpl:
    """One run, and what is known of the machine's own."""

    machine: Machine
    run: HplRun  # of one site
    sites: int  # that each run for themselves: no run spans the wide area
    peak_flop_per_s: float  # FP64, all chips
    fill_fraction: float  # of the chips' memory
    power_w: float | None  # IT, at full work; None: not known
    band: HplBand
    measured_flop_per_s: float | None  # what the list prints; never an input
    list_peak_flop_per_s: float | None  # as the list counts it, at the clock that it assumes
    measured_power_w: float | None  # as the list prints it; never an input

    @property
    def rate_flop_per_s(self) -> float:
        """Return the rate of all sites together."""
        return float(self.run.rate_flop_per_s) * self.sites

    @property
    def efficiency(self) -> float:
        return self.rate_flop_per_s / self.peak_flop_per_s

    @property
    def energy_j(self) -> float | None:
        return None if self.power_w is None else float(energy_j(self.power_w, self.run.total_s))

    @property
    def error(self) -> float | None:
        """Return predicted over measured, less one."""
        measured = self.measured_flop_per_s
        return None if measured is None else self.rate_flop_per_s / measured - 1.0


def hpl(machine: str | Machine, *, chips: int | None = None, order: float | None = None) -> Hpl:
    """Return one run of Linpack on a machine, or on `chips` of it.

    The matrix has the order that is given, or fills the share of memory that runs fill.
    Raises: InputError for an order that does not fit; UnknownFactError when no FP64 peak is known.
    """
    found = named_machine(machine, chips=chips) if isinstance(machine, str) else machine
    if isinstance(machine, Machine) and chips is not None:
        found = machine.take(chips)
    if order is not None and not 1.0 <= order <= MOST_ORDER:
        raise InputError(f"order = {order:g} is not in 1..{MOST_ORDER:g}")
    sites = _sites(found)
    run = hpl_run(found if sites == 1 else found.take(found.chips // sites), order)
    return Hpl(
        machine=found,
        run=run,
        sites=sites,
        peak_flop_per_s=float(fp64_peak_flop_per_s(found.chip)) * found.chips,
        fill_fraction=WORD_BYTES * float(run.order) ** 2 * sites / (found.chips * found.chip.hbm_bytes),
        power_w=_power(found),
        band=_band(found, float(run.rate_flop_per_s)),
        measured_flop_per_s=None if chips else _listed(found, "hpl_rmax_flop_per_s"),
        list_peak_flop_per_s=None if chips else _listed(found, "hpl_rpeak_flop_per_s"),
        measured_power_w=None if chips else _listed(found, "hpl_power_w"),
    )


def _listed(machine: Machine, name: str) -> float | None:
    fact = machine.facts.get(name)
    return None if fact is None else float(fact.value)


def _sites(machine: Machine) -> int:
    """Return the equal parts of a machine that only a wide area joins."""
    inner = [level for level in machine.levels if level.latency_s < FAR_S]
    if len(inner) == len(machine.levels):
        return 1
    return max(round(machine.chips / inner[-1].chips), 1)


def _power(machine: Machine) -> float | None:
    fact = machine.facts.get("it_power_per_chip_w")
    if fact is None:
        return None
    return float(training_power_w(float(fact.value) * machine.chips, busy_fraction=1.0))


def _band(machine: Machine, rate_flop_per_s: float) -> HplBand:
    """Return the errors of large runs for a large one, else of its family, else of all."""
    rows = hpl_table()["residuals"]
    large = f"{EVERY}, over 10 PF" if rate_flop_per_s > LARGE_FLOP_PER_S else ""
    name = next(n for n in (large, f"{EVERY}, {machine.chip.family}", EVERY) if n in rows)
    return HplBand(p50=rows[name]["median"], p90=rows[name]["p90"], rows=rows[name]["rows"], of=name)


def hpl_document(found: Hpl) -> dict[str, Any]:
    """Return the versioned envelope of a run; null is a number that is not known."""
    machine, run = found.machine, found.run
    inputs = {"machine": machine.id, "machine_name": machine.name, "chip": machine.chip.id,
              "chips": machine.chips, "order": float(run.order)}  # fmt: skip
    warnings = []
    if found.fill_fraction > max(1.0, fill_fraction(machine.chip)) * (1.0 + 1e-9):
        warnings.append({"code": "does_not_fit", "message": "the matrix is larger than the chips' memory"})
    elif found.fill_fraction > 1.0:
        told = "part of the matrix lies in the hosts' memory, as in the runs of this chip"
        warnings.append({"code": "host_memory", "message": told})
    if found.power_w is None:
        warnings.append({"code": "not_known", "message": "no power is known, so no energy is either"})
    rate = found.rate_flop_per_s
    if found.sites > 1:
        told = f"{found.sites} sites run for themselves: no run spans the wide area; rates are added"
        warnings.append({"code": "sites", "message": told})
    document: dict[str, Any] = known(
        envelope(
            SCHEMA,
            inputs=inputs,
            provenance={"digest": digest_of(inputs), "calibration": run.origin},
            warnings=warnings,
            result={
                "order": float(run.order),
                "sites": found.sites,
                "fill_fraction": found.fill_fraction,
                "time": {
                    name: float(getattr(run.time, name)) for name in ("update_s", "exchange_s", "pivot_s")
                },
                "total_s": float(run.total_s),
                "rate_flop_per_s": rate,
                "rate_per_chip_flop_per_s": rate / machine.chips,
                "peak_flop_per_s": found.peak_flop_per_s,
                "efficiency": found.efficiency,
                "list_peak_flop_per_s": found.list_peak_flop_per_s,
                "power_w": found.power_w,
                "energy_j": found.energy_j,
                "measured_power_w": found.measured_power_w,
                "flop_per_j": None if found.power_w is None else rate / found.power_w,
                "band": dataclasses.asdict(found.band),
                "measured_flop_per_s": found.measured_flop_per_s,
                "error": found.error,
            },
        )
    )
    return document
