"""Jobs, machines and layouts drawn at random, all of them sound."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from gigawatt.catalog.machines import find_machine
from gigawatt.catalog.models import find_model
from gigawatt.catalog.records import Machine, Stack
from gigawatt.perf import Job, Layout, Strategy, stack
from gigawatt.perf.verdict import rules

MODELS = ("llama3.1-8b", "llama3.1-405b", "gpt3-175b", "deepseek-v3", "mixtral-8x7b", "gemma3-27b", "opt-66b")
MACHINES = (
    "selene",
    "eos",
    "deepseek-2048",
    "tpu-v5p-pod",
    "gb200-nvl72",
    "cloudmatrix384",
    "rainier",
    "frontier",
)
STACKS = ("modern", "megatron-2021")
SMALL = st.sampled_from((1, 1, 2, 4, 8))


@dataclass(frozen=True, repr=False)
class Asked:
    """One sound question to the performance model."""

    job: Job
    layout: Layout
    machine: Machine
    strategy: Strategy
    stack: Stack

    def __repr__(self) -> str:
        job = f"{self.job.model.id} {self.job.seq_tokens} x {self.job.batch_sequences}"
        where = f"{self.machine.chips} of {self.machine.id}, {self.stack.id}"
        return f"{job} on {where}: {self.layout} {self.strategy}"


@lru_cache(maxsize=len(MACHINES))
def whole(name: str) -> Machine:
    """Return a machine of the catalogue, read once."""
    return find_machine(name)


@st.composite
def asked(draw: st.DrawFn, *, models: tuple[str, ...] = MODELS) -> Asked:
    """Return a layout that breaks no rule, on a machine cut to its size."""
    model, machine = find_model(draw(st.sampled_from(models))), whole(draw(st.sampled_from(MACHINES)))
    schedule = draw(st.sampled_from(("gpipe", "1f1b", "1f1b", "interleaved", "zero_bubble", "dualpipe")))
    strategy = Strategy(
        recompute=draw(st.sampled_from(("none", "selective", "full"))),
        schedule=schedule,
        zero_stage=draw(st.integers(0, 3)),
        sequence_parallel=draw(st.booleans()),
    )
    layout = draw(layouts(schedule, moe=any(b.moe for b in model.blocks)))
    assume(layout.chips <= machine.chips)
    microbatches = int(2 * layout.pp * draw(st.sampled_from((1, 2, 5))))
    batch = int(layout.dp * layout.microbatch_sequences * microbatches)
    job = Job(model=model, seq_tokens=draw(st.sampled_from((2048, 8192))), batch_sequences=batch)
    part = machine.take(int(layout.chips))
    assume(
        not any(
            bool(np.any(broken)) for broken in rules(job, layout, machine=part, strategy=strategy).values()
        )
    )
    return Asked(
        job=job, layout=layout, machine=part, strategy=strategy, stack=stack(draw(st.sampled_from(STACKS)))
    )


@st.composite
def layouts(draw: st.DrawFn, schedule: str, *, moe: bool) -> Layout:
    """Return a small layout of a schedule."""
    tp, cp, dp = draw(SMALL), draw(st.sampled_from((1, 1, 2))), draw(SMALL)
    pp = draw(st.sampled_from((2, 4))) if schedule != "1f1b" else draw(st.sampled_from((1, 2, 4)))
    ep = draw(SMALL) if moe else 1
    assume((tp * cp * dp) % ep == 0)
    return Layout(
        tp=tp,
        cp=cp,
        pp=pp,
        chunks=draw(st.sampled_from((2, 4))) if schedule == "interleaved" else 1,
        dp_shard=dp,
        dp_replicate=draw(st.sampled_from((1, 2))),
        ep=ep,
        microbatch_sequences=draw(st.sampled_from((1, 2))),
    )
