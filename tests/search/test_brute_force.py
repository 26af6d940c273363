"""The search against plain loops that build, judge and price one layout at a time."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawatt.catalog.machines import find_machine
from gigawatt.catalog.models import find_model
from gigawatt.catalog.records import Machine, Stack
from gigawatt.perf import Job, Layout, Strategy, Verdict, memory_use, stack, step_time, verdict
from gigawatt.search import Candidate, Space, full_space, search

Priced = tuple[Verdict, float, float, Layout, Strategy]  # verdict, seconds, bytes
PRICED = (Verdict.OK, Verdict.MEMORY)
SOME = {
    "llama3.1-8b": (16, 64),
    "mixtral-8x7b": (32, 64),
    "llama2-70b": (64, 128),
    "llama3.1-405b": (128, 256),
}


def every_layout(space: Space) -> Iterator[tuple[Layout, Strategy]]:
    """Yield each layout of a space once."""
    kinds = itertools.product(space.sequence_parallel, space.recompute, space.zero_stage, space.schedule)
    for parallel, recompute, zero, schedule in kinds:
        strategy = Strategy(
            sequence_parallel=parallel, recompute=recompute, zero_stage=zero, schedule=schedule
        )
        replicas = [r for r in space.dp_replicate if zero > 0 or r == 1]
        sizes = (
            space.tp,
            space.cp,
            space.pp,
            space.chunks,
            replicas,
            space.microbatch_sequences,
            space.ep,
            space.etp,
        )
        for tp, cp, pp, chunks, replicate, sequences, ep, etp in itertools.product(*sizes):
            if space.chips % (tp * cp * pp) or (chunks > 1) != (schedule == "interleaved"):
                continue
            if tp == 1 and not strategy.sequence_parallel and True in space.sequence_parallel:
                continue  # the same layout as with it
            yield (
                Layout(
                    tp=tp,
                    cp=cp,
                    pp=pp,
                    chunks=chunks,
                    dp_replicate=replicate,
                    dp_shard=max(space.chips // (tp * cp * pp) // replicate, 1),
                    microbatch_sequences=sequences,
                    ep=ep,
                    etp=etp,
                ),
                strategy,
            )


def brute_force(job: Job, space: Space, *, machine: Machine, stack: Stack) -> list[Priced]:
    """Return every layout with its verdict, time and memory."""
    found = []
    for layout, strategy in every_layout(space):
        judge = {"machine": machine, "strategy": strategy}
        rule = Verdict(int(verdict(job, layout, **judge, needed_bytes=0.0)))
        seconds = needed = float("inf")
        if rule == Verdict.OK:
            needed = float(memory_use(job, layout, strategy=strategy, stack=stack).total_bytes)
            seconds = float(step_time(job, layout, **judge, stack=stack).total_s)
            rule = Verdict(int(verdict(job, layout, **judge, needed_bytes=needed)))
        found.append((rule, seconds, needed, layout, strategy))
    return found


def front_of(points: list[tuple[float, float]]) -> set[tuple[float, float]]:
    """Return the points that no other is at least as good as in both ways."""
    return {p for p in points if not any(q[0] <= p[0] and q[1] <= p[1] and q != p for q in points)}


@dataclass(frozen=True, repr=False)
class Small:
    """A job, a few dozen layouts of it, and a machine of their size."""

    job: Job
    space: Space
    machine: Machine

    def __repr__(self) -> str:
        job = f"{self.job.model.id} {self.job.seq_tokens} x {self.job.batch_sequences}"
        return f"{job} on {self.machine.chips} of {self.machine.id}: {self.space}"


@st.composite
def small_spaces(draw: st.DrawFn) -> Small:
    """Return a job, a few dozen layouts of it, and a machine of their size."""
    name = draw(st.sampled_from(sorted(SOME)))
    chips = draw(st.sampled_from(SOME[name]))
    machine = find_machine(draw(st.sampled_from(("eos", "selene", "tpu-v5p-pod"))), chips=chips)
    batch = draw(st.sampled_from((64, 96, 256)))
    job = Job(model=find_model(name), seq_tokens=draw(st.sampled_from((2048, 4096))), batch_sequences=batch)

    def some(values: tuple[object, ...], most: int = 2) -> list[object]:
        return draw(st.lists(st.sampled_from(values), min_size=1, max_size=most, unique=True))

    held = {
        "tp": some((1, 2, 4, 8), 3),
        "cp": some((1, 2)),
        "pp": some((1, 2, 4, 8), 3),
        "chunks": some((1, 2, 4)),
        "dp_replicate": some((1, 2)),
        "ep": some((1, 2, 4)) if name.startswith("mixtral") else [1],
        "etp": [1],
        "microbatch_sequences": some((1, 2)),
        "recompute": some(("none", "selective", "full")),
        "schedule": some(("gpipe", "1f1b", "interleaved", "zero_bubble", "dualpipe")),
        "zero_stage": some((0, 1, 2, 3)),
        "sequence_parallel": some((True, False)),
    }
    return Small(job=job, space=full_space(job, machine, stack=stack("modern"), fixed=held), machine=machine)


@given(asked=small_spaces(), software=st.sampled_from(("modern", "megatron-2021")))
@settings(max_examples=60)
def test_the_search_finds_what_trying_everything_finds(asked: Small, software: str) -> None:
    job, space, machine = asked.job, asked.space, asked.machine
    tried = brute_force(job, space, machine=machine, stack=stack(software))
    found = search(job, space, machine=machine, stack=stack(software), top=3)
    counts = Counter(rule for rule, *_ in tried)
    assert found.candidates == len(tried)
    # a whole family that breaks a rule is counted under the family's rule, be it not the first of each layout
    assert [found.counts[rule] for rule in PRICED] == [counts[rule] for rule in PRICED]
    assert found.priced >= counts[Verdict.OK] + counts[Verdict.MEMORY]
    fits = sorted((seconds, needed) for rule, seconds, needed, *_ in tried if rule == Verdict.OK)
    assert [c.step_s for c in found.best] == pytest.approx([seconds for seconds, _ in fits[:3]], rel=1e-12)
    front = sorted(front_of([(round_to(s), round_to(n)) for s, n in fits]))
    assert sorted((round_to(c.step_s), round_to(c.memory_bytes)) for c in found.front) == front


def round_to(value: float) -> float:
    """Return a number to nine figures: one order of additions or another is no other layout."""
    return float(f"{value:.9g}")


def test_a_miss_names_the_leanest_layout() -> None:
    machine = find_machine("eos", chips=8)
    job = Job(model=find_model("llama3.1-405b"), seq_tokens=4096, batch_sequences=64)
    held = {"tp": [4, 8], "pp": [1, 2], "recompute": ["none", "full"], "chunks": 1, "cp": 1}
    space = full_space(job, machine, stack=stack("modern"), fixed=held)
    tried = brute_force(job, space, machine=machine, stack=stack("modern"))
    needed = [needed for rule, _, needed, *_ in tried if rule == Verdict.MEMORY]
    miss = search(job, space, machine=machine, stack=stack("modern")).nearest_miss
    assert isinstance(miss, Candidate)
    assert miss.memory_bytes == pytest.approx(min(needed), rel=1e-12)


def test_what_the_search_prices_it_prices_as_one_layout_alone() -> None:
    machine = find_machine("eos", chips=256)
    job = Job(model=find_model("deepseek-v2"), seq_tokens=4096, batch_sequences=512)
    held = {"schedule": "1f1b", "chunks": 1, "dp_replicate": [1, 2], "cp": 1}
    space = full_space(job, machine, stack=stack("modern"), fixed=held)
    for c in search(job, space, machine=machine, stack=stack("modern"), top=20).best:
        alone = step_time(job, c.layout, machine=machine, strategy=c.strategy, stack=stack("modern"))
        held = memory_use(job, c.layout, strategy=c.strategy, stack=stack("modern"))
        assert c.step_s == pytest.approx(float(alone.total_s), rel=1e-12)
        assert c.memory_bytes == pytest.approx(float(held.total_bytes), rel=1e-12)
