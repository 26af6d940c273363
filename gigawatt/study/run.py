"""From one step to the whole run: use, days, failures, energy, money, carbon, loss."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from gigawatt.catalog.records import Machine
from gigawatt.cost import Bill, Prices, carbon_kg, own_usd, rent_usd
from gigawatt.perf import Job, StepTime
from gigawatt.power import energy_j, training_power_w
from gigawatt.reliability import LostTime, lost_time, mtti_s, replica_lost_time
from gigawatt.scaling import LossEstimate
from gigawatt.study.loss import model_loss
from gigawatt.study.scenario import Scenario
from gigawatt.units import Real, Seconds
from gigawatt.workload.flop import FLOP_CONVENTIONS, model_flop_per_token
from gigawatt.workload.params import params

CHECKPOINT_BYTES_PER_PARAM = 14.0  # 16-bit weights, 32-bit master weights and two moments
DAY_S = 86400.0
HOUR_S = 3600.0

Number: TypeAlias = Any  # a float of one scenario, or a column of many


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """How well the chips are used: of one scenario, or columns of many."""

    mfu: Number  # causal attention: the work that must be done
    mfu_full_attention: Number  # the PaLM convention, for comparison with published figures
    hfu: Number  # with recomputed work
    tokens_per_s: Number
    tokens_per_s_per_chip: Number
    bound_s: Number  # the step at datasheet peak


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """The whole training run: of one scenario, or columns of many."""

    steps: Number
    useful_s: Number  # without failures and checkpoints
    wall_s: Number
    chip_s: Number
    mtti_s: Number
    checkpoint_s: Number
    interruptions: Number
    lost: LostTime
    it_power_w: Number  # nameplate
    it_energy_j: Number
    facility_energy_j: Number
    rent_usd: Number
    own: Bill
    co2e_kg: Number
    loss: LossEstimate
    unknowns: tuple[str, ...]  # facts that are not known; what needs them is nan


def use_of(scenario: Scenario, step: StepTime) -> Use:
    r"""Return MFU, HFU and throughput of a step.

    .. math:: MFU = \frac{F_{model}}{n\, P\, T}, \quad
        HFU = MFU \left(1 + \frac{T_{recompute}}{3 T_{forward}}\right)

    HFU counts recomputed time at the rate of the rest of the layer.
    Source: Chowdhery 2022, arXiv:2204.02311 App. B.
    """
    job, machine = scenario.job, scenario.machine
    peak = machine.chips * peak_flop_per_s(machine, job.dtype)
    rate = job.batch_tokens / plain(step.total_s)
    shares = {
        name: float(convention(job.model, job.seq_tokens)) * rate / peak
        for name, convention in FLOP_CONVENTIONS.items()
    }
    worked = step.matmul_s + step.attention_s + step.memory_bound_s + step.tp_comm_s
    again = plain(step.recompute_s / np.maximum(worked, 1e-30))
    return Use(
        mfu=shares["causal"],
        mfu_full_attention=shares["full_attention"],
        hfu=plain(shares["causal"] * (1.0 + np.minimum(again, 1.0 / 3.0))),
        tokens_per_s=rate,
        tokens_per_s_per_chip=rate / machine.chips,
        bound_s=plain(step_bound_s(job, machine)),
    )


def plain(value: Real) -> Number:
    """Return one number as a float, and a column as it is.

    >>> plain(np.float64(2.0)), plain(np.array([1.0, 2.0])).tolist()
    (2.0, [1.0, 2.0])
    """
    return float(value) if np.ndim(value) == 0 else value


def peak_flop_per_s(machine: Machine, dtype: str) -> float:
    """Return the dense datasheet peak of a chip at a job's dtype; scaled formats use their plain one.

    Definition: mxfp8 runs at the fp8 rate, nvfp4 at the fp4 rate.
    """
    return machine.chip.peak_flop_per_s({"mxfp8": "fp8", "nvfp4": "fp4"}.get(dtype, dtype))


def step_bound_s(job: Job, machine: Machine) -> Seconds:
    """Return the least time of a step: model flop at the chips' dense datasheet peak.

    Definition: flop per token x tokens per step / (chips x peak), causal attention within each document, no
    recompute; frozen weights need no weight gradient (two thirds).
    """
    attended = min(job.document_tokens or job.seq_tokens, job.seq_tokens)
    flop = model_flop_per_token(job.model, attended) * job.batch_tokens
    frozen = 2.0 / 3.0 if job.frozen else 1.0
    return frozen * flop / (machine.chips * peak_flop_per_s(machine, job.dtype))


def busy_s(step: StepTime) -> Seconds:
    """Return the part of a step in which the chips compute (and draw compute power).

    Definition: all parts but exposed communication, bubbles and waits.
    """
    return step.matmul_s + step.attention_s + step.memory_bound_s + step.recompute_s + step.optimizer_s


def run_of(scenario: Scenario, step: StepTime, *, replicas: Number = 1) -> Run:
    """Return what the whole run takes and costs.

    Failures stretch the useful time by the closed form of exponential failures at the best checkpoint
    interval; on a machine that recovers by replica, by that of failures that stop one of `replicas`. Chips
    draw training power while they compute and less while they wait. What needs a figure that nobody published
    is nan, and `unknowns` names it.
    Source: Daly 2006, doi:10.1016/j.future.2004.11.016; each part by its own room.
    """
    machine = scenario.machine
    known = _Known(machine)
    useful = scenario.steps * plain(step.total_s)
    mtti = plain(mtti_s(machine.chips, known("failures_per_chip_s")))
    saved = CHECKPOINT_BYTES_PER_PARAM * params(scenario.model).total
    checkpoint = saved / known("storage_bytes_per_s")
    lost = lost_of(known, mtti=mtti, checkpoint=checkpoint, replicas=replicas, step=plain(step.total_s))
    wall = useful / plain(lost.useful)
    chip_s = wall * machine.chips
    power = known("it_power_per_chip_w")
    drawn = training_power_w(power, busy_fraction=plain(busy_s(step) / step.total_s)) * machine.chips
    it_energy = energy_j(drawn, wall)
    facility = it_energy * machine.site.pue
    bill = own_usd(
        chip_s,
        Prices(**{f.name: known(f.name) for f in dataclasses.fields(Prices)}),
        facility_w_per_chip=power * machine.site.pue,
        energy_j=facility,
        usd_per_j=machine.site.usd_per_kwh / 3.6e6,
    )
    return Run(
        steps=scenario.steps,
        useful_s=useful,
        wall_s=wall,
        chip_s=chip_s,
        mtti_s=mtti,
        checkpoint_s=checkpoint,
        interruptions=wall / mtti,
        lost=lost,
        it_power_w=power * machine.chips,
        it_energy_j=it_energy,
        facility_energy_j=facility,
        rent_usd=rent_usd(chip_s, known("rent_usd_per_s")),
        own=bill,
        co2e_kg=carbon_kg(facility, machine.site.kg_co2e_per_kwh / 3.6e6),
        loss=model_loss(scenario.model, scenario.tokens, by=scenario.law),
        unknowns=tuple(known.missing),
    )


def lost_of(known: _Known, *, mtti: Number, checkpoint: Number, replicas: Number, step: Number) -> LostTime:
    """Return what failures cost: each stops the job, or one replica where a machine recovers so."""
    restart = known("restart_s")
    whole = lost_time(mtti_s=mtti, checkpoint_s=checkpoint, restart_s=restart)
    if recovery_of(known.machine) == "restart":
        return whole
    part = replica_lost_time(
        mtti_s=mtti, restart_s=restart, regroup_s=known("regroup_s"), replicas=replicas, step_s=step
    )
    alone = np.asarray(replicas) < 2  # nobody has a copy of its state
    names = [f.name for f in dataclasses.fields(LostTime)]
    return LostTime(**{n: plain(np.where(alone, getattr(whole, n), getattr(part, n))) for n in names})


def recovery_of(machine: Machine) -> str:
    """Return what a failure stops: "restart", the whole job, or "replica", one replica group of it."""
    fact = machine.facts.get("recovery")
    return "restart" if fact is None else str(fact.value)


def goodput_of(machine: Machine, params: float) -> float:
    """Return the useful part of the wall time for a model of a size; nan where failures are unknown.

    Definition: as in `run_of`, where a failure stops the whole job: without a layout no replicas are known.
    """
    known = _Known(machine)
    checkpoint = CHECKPOINT_BYTES_PER_PARAM * params / known("storage_bytes_per_s")
    mtti = plain(mtti_s(machine.chips, known("failures_per_chip_s")))
    return float(lost_time(mtti_s=mtti, checkpoint_s=checkpoint, restart_s=known("restart_s")).useful)


class _Known:
    """The numbers of a machine, or columns; nan for one that is not known, and its name kept."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.missing: list[str] = []

    def __call__(self, name: str) -> Number:
        fact = self.machine.facts.get(name)
        if fact is None or isinstance(fact.value, str):
            self.missing.append(name)
            return math.nan
        return fact.value
