"""Open a headline number: its formula, the values put in, its parts, its source."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gigawatt.study.run import peak_flop_per_s
from gigawatt.units import format as fmt
from gigawatt.workload.flop import model_flop_per_token

if TYPE_CHECKING:
    from gigawatt.cost import Bill
    from gigawatt.perf import MemoryUse, StepTime
    from gigawatt.reliability import LostTime
    from gigawatt.study.plan import Plan

DAY_S = 86400.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """How one quantity is told."""

    label: str
    unit: str
    formula: str
    source: str
    value: Callable[[Plan], float]
    substituted: Callable[[Plan], str]
    facts: tuple[str, ...] = ()


def _peak(p: Plan) -> float:
    return peak_flop_per_s(p.scenario.machine, p.scenario.job.dtype)


def _flop(p: Plan) -> float:
    job = p.scenario.job
    return float(model_flop_per_token(job.model, job.seq_tokens)) * job.batch_tokens


EXPLANATIONS: dict[str, Explanation] = {
    "step_s": Explanation(
        label="step time",
        unit="s",
        formula="sum of the parts below; each is one formula of the perf and comms rooms",
        source="Narayanan 2021, arXiv:2104.04473 sec. 2.2; parts: see docs/physics",
        value=lambda p: float(p.step.total_s),
        substituted=lambda p: (
            f"m = {p.scenario.job.batch_sequences // int(p.layout.dp * p.layout.microbatch_sequences)} "
            f"microbatches on {p.layout.pp} stages"
        ),
    ),
    "mfu": Explanation(
        label="model flop utilisation",
        unit="1",
        formula="model flop of a step / (chips x dense peak x step time); causal attention, no recompute",
        source="Chowdhery 2022, arXiv:2204.02311 App. B",
        value=lambda p: p.use.mfu,
        substituted=lambda p: (
            f"{_flop(p):.4g} flop / ({p.scenario.machine.chips} x "
            f"{_peak(p):.4g} flop/s x {float(p.step.total_s):.4g} s)"
        ),
        facts=("peak_flop_per_s",),
    ),
    "tokens_per_s": Explanation(
        label="throughput",
        unit="token/s",
        formula="batch tokens / step time",
        source="definition",
        value=lambda p: p.use.tokens_per_s,
        substituted=lambda p: f"{p.scenario.job.batch_tokens:.4g} / {float(p.step.total_s):.4g} s",
    ),
    "days": Explanation(
        label="days, interruptions included",
        unit="d",
        formula="tokens / batch tokens x step time / goodput",
        source="definition",
        value=lambda p: p.run.wall_s / DAY_S,
        substituted=lambda p: (
            f"{p.scenario.tokens:.4g} / {p.scenario.job.batch_tokens:.4g} x "
            f"{float(p.step.total_s):.4g} s / {float(p.run.lost.useful):.4f}"
        ),
    ),
    "goodput": Explanation(
        label="goodput",
        unit="1",
        formula="useful / wall time of exponential failures at the best checkpoint interval",
        source="Daly 2006, doi:10.1016/j.future.2004.11.016",
        value=lambda p: float(p.run.lost.useful),
        substituted=lambda p: f"MTTI {p.run.mtti_s / 3600:.3g} h, checkpoint {p.run.checkpoint_s:.3g} s",
        facts=("failures_per_chip_s", "storage_bytes_per_s", "restart_s"),
    ),
    "cost_usd": Explanation(
        label="cost, rented",
        unit="USD",
        formula="chip-hours x rent per chip-hour",
        source="definition",
        value=lambda p: p.run.rent_usd,
        substituted=lambda p: (
            f"{p.run.chip_s / 3600:.4g} chip-hours x {p.run.rent_usd / p.run.chip_s * 3600:.3g} USD"
        ),
        facts=("rent_usd_per_s",),
    ),
    "cost_own_usd": Explanation(
        label="cost, owned",
        unit="USD",
        formula="chip and server, building, operations, interest, energy; straight-line write-off",
        source="Barroso 2018, doi:10.2200/S00874ED3V01Y201809CAC046 ch. 6",
        value=lambda p: float(p.run.own.total_usd),
        substituted=lambda p: (
            f"{p.run.chip_s / 3600:.4g} chip-hours, {p.run.facility_energy_j / 3.6e9:.4g} MWh"
        ),
        facts=("capex_usd_per_chip", "depreciation_s", "facility_usd_per_w", "usd_per_kwh"),
    ),
    "facility_energy_j": Explanation(
        label="energy at the meter",
        unit="J",
        formula="chips x power per chip in training x wall time x PUE",
        source="see the power room",
        value=lambda p: p.run.facility_energy_j,
        substituted=lambda p: f"{p.run.it_energy_j / 3.6e9:.4g} MWh x {p.scenario.machine.site.pue:.3g}",
        facts=("it_power_per_chip_w", "pue"),
    ),
    "co2e_kg": Explanation(
        label="carbon, location-based",
        unit="kg",
        formula="energy at the meter x grid carbon intensity",
        source="Lacoste 2019, arXiv:1910.09700",
        value=lambda p: p.run.co2e_kg,
        substituted=lambda p: (
            f"{p.run.facility_energy_j / 3.6e9:.4g} MWh x "
            f"{p.scenario.machine.site.kg_co2e_per_kwh:.3g} kg/kWh"
        ),
        facts=("kg_co2e_per_kwh",),
    ),
    "loss_nats": Explanation(
        label="final loss",
        unit="nat/token",
        formula="a named scaling law of parameters and tokens",
        source="see loss_law",
        value=lambda p: float(p.run.loss.loss_nats),
        substituted=lambda p: f"{p.run.loss.law}: N = {p.run.loss.params:.4g}, D = {p.scenario.tokens:.4g}",
    ),
    "memory_bytes": Explanation(
        label="memory of the fullest chip",
        unit="byte",
        formula="sum of the parts below, the larger of first and last stage",
        source="Rajbhandari 2019, arXiv:1910.02054 sec. 5; Korthikanti 2022, arXiv:2205.05198",
        value=lambda p: float(p.memory.total_bytes),
        substituted=lambda p: f"of {fmt(p.scenario.machine.chip.hbm_bytes, 'byte')}",
        facts=("hbm_bytes",),
    ),
}


def explain(plan: Plan) -> dict[str, Any]:
    """Return, per headline number, its formula, the values put in, its parts and its source."""
    told = {}
    for name, e in EXPLANATIONS.items():
        told[name] = {
            "label": e.label,
            "value": e.value(plan),
            "unit": e.unit,
            "formula": e.formula,
            "substituted": e.substituted(plan),
            "source": e.source,
            "facts": list(e.facts),
            "parts": _parts(plan, name),
        }
    return told


def _parts(plan: Plan, name: str) -> list[dict[str, Any]]:
    parts: dict[str, tuple[StepTime | MemoryUse | Bill | LostTime, str]] = {
        "step_s": (plan.step, "s"),
        "memory_bytes": (plan.memory, "byte"),
        "cost_own_usd": (plan.run.own, "USD"),
        "goodput": (plan.run.lost, "1"),
    }
    if name not in parts:
        return []
    record, unit = parts[name]
    names = [field.name for field in dataclasses.fields(record)]
    return [{"label": name, "value": float(getattr(record, name)), "unit": unit} for name in names]
