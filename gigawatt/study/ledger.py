"""The ledger: from chip-hours paid for down to useful model flop, every loss named, 100 % in all."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gigawatt.perf import StepTime
from gigawatt.perf.kernel_constants import kernel_law
from gigawatt.perf.kernels import power_rate
from gigawatt.perf.stacks import clock_of
from gigawatt.reliability import LostTime
from gigawatt.study.run import Run, Use
from gigawatt.study.scenario import Scenario


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One line: what share of the chip-hours went there."""

    name: str
    label: str
    fraction: float


STEP_LINES = (  # parts of a step that are a loss by their own name
    ("bubble", "pipeline bubble", "bubble_s"),
    ("imbalance", "uneven stages", "imbalance_s"),
    ("straggler", "stragglers", "straggler_s"),
    ("tp_comm", "exposed tensor-parallel messages", "tp_comm_s"),
    ("cp_comm", "exposed context-parallel messages", "cp_comm_s"),
    ("ep_comm", "exposed expert-parallel messages", "ep_comm_s"),
    ("pp_comm", "exposed pipeline messages", "pp_comm_s"),
    ("dp_comm", "exposed data-parallel messages", "dp_comm_s"),
    ("recompute", "recomputed work", "recompute_s"),
    ("memory_bound", "memory-bound operators", "memory_bound_s"),
    ("launch", "waiting for the host", "launch_s"),
    ("optimizer", "optimizer step", "optimizer_s"),
)


def held_rate(scenario: Scenario, step: StepTime) -> float:
    """Return the rate of tensor operations, the clock held down, over that of short runs.

    The tensor share is taken of the time in layers, without what a step waits for.
    Source: see `power_rate`; the clock is the chip's fitted one.
    """
    tensor = step.matmul_s + step.attention_s
    waiting = step.bubble_s + step.imbalance_s + step.straggler_s + step.optimizer_s + step.dp_comm_s
    share = tensor / (step.total_s - waiting - step.recompute_s)
    law = kernel_law(scenario.machine.chip, scenario.job.dtype)
    rate = power_rate(law.long_run, share, warmth=scenario.stack["warmth"])
    return float(rate * clock_of(scenario.machine.chip))


def ledger(scenario: Scenario, step: StepTime, use: Use, *, run: Run) -> tuple[Entry, ...]:
    """Return where the chip-hours went. The lines sum to 1.

    Wall clock splits into lost and useful time by the reliability closed form; a step by its parts; matrix
    and attention time into useful flop at datasheet peak, what the sustained clock takes, and the rest.
    Definition: chip-time in each part over chip-time paid for.
    """
    lost: LostTime = run.lost
    goodput = float(lost.useful)
    total = float(step.total_s)
    lines = [
        Entry(name="rework", label="failures: work done again", fraction=float(lost.rework)),
        Entry(name="restart", label="failures: restarts", fraction=float(lost.restart)),
        Entry(name="checkpoint", label="writing checkpoints", fraction=float(lost.checkpoint)),
    ]
    lines += [
        Entry(name=name, label=label, fraction=goodput * float(getattr(step, part)) / total)
        for name, label, part in STEP_LINES
    ]
    useful = goodput * use.mfu
    kernels = goodput * float(step.matmul_s + step.attention_s) / total
    held = held_rate(scenario, step)
    power = min(useful * max(1.0 / held - 1.0, 0.0), kernels - useful)
    lines.append(Entry(name="power", label="clocks under power", fraction=power))
    above = math.fsum([entry.fraction for entry in lines]) + useful
    lines.append(Entry(name="kernels", label="kernel inefficiency", fraction=1.0 - above))
    lines.append(Entry(name="useful", label="useful model flop", fraction=useful))
    return tuple(lines)
