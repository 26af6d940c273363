"""What a study can keep of each scenario: columns by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from gigawatt.perf import MemoryUse, StepTime
from gigawatt.study.run import DAY_S, HOUR_S, Run, Use


@dataclass(frozen=True, kw_only=True, slots=True)
class Priced:
    """Scenarios of one group, priced: records of columns."""

    step: StepTime
    memory: MemoryUse
    use: Use
    run: Run
    chips: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Output:
    """One column of results."""

    unit: str  # as people read it
    of: Callable[[Priced], Any]


OUTPUTS: dict[str, Output] = {
    "days": Output(unit="d", of=lambda p: p.run.wall_s / DAY_S),
    "days_without_failures": Output(unit="d", of=lambda p: p.run.useful_s / DAY_S),
    "step_s": Output(unit="s", of=lambda p: p.step.total_s),
    "mfu": Output(unit="%", of=lambda p: p.use.mfu),
    "hfu": Output(unit="%", of=lambda p: p.use.hfu),
    "goodput": Output(unit="%", of=lambda p: p.run.lost.useful),
    "useful_fraction": Output(unit="%", of=lambda p: p.run.lost.useful * p.use.mfu),
    "tokens_per_s": Output(unit="token/s", of=lambda p: p.use.tokens_per_s),
    "chips": Output(unit="1", of=lambda p: float(p.chips)),
    "chip_hours": Output(unit="1", of=lambda p: p.run.chip_s / HOUR_S),
    "interruptions": Output(unit="1", of=lambda p: p.run.interruptions),
    "mtti_s": Output(unit="s", of=lambda p: p.run.mtti_s),
    "cost_usd": Output(unit="USD", of=lambda p: p.run.rent_usd),
    "cost_own_usd": Output(unit="USD", of=lambda p: p.run.own.total_usd),
    "it_power_w": Output(unit="W", of=lambda p: p.run.it_power_w),
    "it_energy_j": Output(unit="J", of=lambda p: p.run.it_energy_j),
    "facility_energy_j": Output(unit="J", of=lambda p: p.run.facility_energy_j),
    "co2e_kg": Output(unit="kg", of=lambda p: p.run.co2e_kg),
    "loss_nats": Output(unit="1", of=lambda p: p.run.loss.loss_nats),
    "memory_bytes": Output(unit="byte", of=lambda p: p.memory.total_bytes),
    **{f.name: Output(unit="s", of=attrgetter(f"step.{f.name}")) for f in fields(StepTime)},
    **{f.name: Output(unit="byte", of=attrgetter(f"memory.{f.name}")) for f in fields(MemoryUse)},
}
DEFAULT_OUTPUTS = (
    "days", "cost_usd", "mfu", "goodput", "cost_own_usd", "facility_energy_j", "co2e_kg", "interruptions",
    "step_s", "memory_bytes",
)  # fmt: skip
