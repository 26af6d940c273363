"""Cutting never loses the best: sizes searched together against every layout priced in flat columns."""

from __future__ import annotations

import dataclasses
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawatt.catalog.machines import find_machine
from gigawatt.catalog.models import find_model
from gigawatt.catalog.records import Machine
from gigawatt.perf import (
    Job,
    Layout,
    Strategy,
    Verdict,
    memory_use,
    microbatch_passes,
    setting_of,
    stack,
    step_time,
    verdict,
)
from gigawatt.search import Space, full_space, run, search_sizes
from gigawatt.search.timing import lower_bound
from gigawatt.study.designs import energy_over_nameplate_s
from tests.search.test_brute_force import every_layout, front_of, round_to

MODERN = stack("modern")
SIZES = (16, 32, 48, 64, 96, 128)


@dataclasses.dataclass(frozen=True, repr=False)
class Asked:
    """A job, and small spaces of a few sizes of one machine."""

    job: Job
    machine: Machine
    spaces: tuple[Space, ...]

    def __repr__(self) -> str:
        return f"{self.job.model.id} x {self.job.batch_sequences} on {self.machine.id}: {self.spaces}"


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    """Return a job and spaces of two or three sizes, a few hundred layouts each."""
    model = draw(st.sampled_from(("llama3.1-8b", "llama2-13b", "mixtral-8x7b", "llama2-7b")))
    machine = find_machine(draw(st.sampled_from(("eos", "selene", "superpod-gb200", "tpu-v5p-pod"))))
    job = Job(
        model=find_model(model),
        seq_tokens=draw(st.sampled_from((2048, 4096))),
        batch_sequences=draw(st.sampled_from((64, 96, 256))),
    )

    def some(values: tuple[object, ...], most: int, least: int = 1) -> list[object]:
        return draw(st.lists(st.sampled_from(values), min_size=least, max_size=most, unique=True))

    held = {
        "tp": some((1, 2, 4, 8), 4, 2),
        "cp": some((1, 2), 1),
        "pp": some((1, 2, 3, 4, 8), 4, 2),
        "chunks": some((1, 2, 4), 2),
        "dp_replicate": some((1, 2, 4), 2),
        "ep": some((1, 2, 4), 2) if model.startswith("mixtral") else [1],
        "etp": [1],
        "microbatch_sequences": some((1, 2, 4), 3),
        "recompute": some(("none", "selective", "full"), 3, 2),
        "schedule": some(("1f1b", "interleaved", "zero_bubble"), 2),
        "zero_stage": some((0, 1, 2, 3), 2),
        "sequence_parallel": [True],
    }
    sizes = draw(st.lists(st.sampled_from(SIZES), min_size=2, max_size=3, unique=True))
    spaces = tuple(full_space(job, machine.take(n), stack=MODERN, fixed=held) for n in sorted(sizes))
    return Asked(job=job, machine=machine, spaces=spaces)


def columns(space: Space) -> dict[Strategy, Layout]:
    """Return every layout of a space as one flat column for each strategy."""
    rows = defaultdict(list)
    for layout, strategy in every_layout(space):
        rows[strategy].append(dataclasses.astuple(layout))
    names = [f.name for f in dataclasses.fields(Layout)]
    return {
        s: Layout(**dict(zip(names, np.array(found, dtype=np.int64).T, strict=True)))
        for s, found in rows.items()
    }


def only(layout: Layout, rows: np.ndarray) -> Layout:
    """Return some rows of flat columns, be they none (`take` leaves columns of one row whole)."""
    return Layout(**{f.name: np.asarray(getattr(layout, f.name))[rows] for f in dataclasses.fields(Layout)})


def fitting(one: Asked, space: Space) -> list[tuple[float, float]]:
    """Return time and energy of every layout that fits: nothing is cut, nothing shared, nothing broadcast."""
    machine, found = one.machine.take(space.chips), []
    for strategy, layout in columns(space).items():
        rule = verdict(one.job, layout, machine=machine, strategy=strategy, needed_bytes=0.0)
        layout = only(layout, rule == Verdict.OK)
        if not np.size(layout.tp):
            continue
        needed = memory_use(one.job, layout, strategy=strategy, stack=MODERN).total_bytes
        layout = only(layout, needed <= machine.chip.hbm_bytes)
        if np.size(layout.tp):
            step = step_time(one.job, layout, machine=machine, strategy=strategy, stack=MODERN)
            energy = energy_over_nameplate_s(step, step.total_s)
            shape = np.shape(layout.tp)
            found += zip(
                np.broadcast_to(step.total_s, shape).tolist(),
                np.broadcast_to(energy, shape).tolist(),
                strict=True,
            )
    return found


def front(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return sorted(front_of([(round_to(a), round_to(b)) for a, b in points]))


def test_no_cut_ever_loses_a_layout_of_the_front(monkeypatch: pytest.MonkeyPatch) -> None:
    """250 random small spaces, in blocks so small that what comes first cuts what comes later."""
    monkeypatch.setattr(run, "BLOCK_LAYOUTS", 32)
    searches = []

    @given(one=asked())
    @settings(max_examples=250, database=None)
    def compare(one: Asked) -> None:
        found = search_sizes(
            one.job, one.spaces, machine=one.machine, stack=MODERN, beside=energy_over_nameplate_s, cut=True
        )
        for space, result in zip(one.spaces, found, strict=True):
            points = fitting(one, space)
            assert front([(c.score, c.beside) for c in result.front]) == front(points)
            assert [c.step_s for c in result.best] == pytest.approx(
                sorted(a for a, _ in points)[:1], rel=1e-12
            )
            assert result.candidates == len(list(every_layout(space)))
            searches.append(result.cut > 0)

    compare()
    assert len(searches) >= 500
    assert sum(searches) >= 50  # a bound that never cuts would prove nothing


def test_a_search_that_cuts_finds_what_a_search_that_cuts_nothing_finds() -> None:
    machine = find_machine("eos")
    job = Job(model=find_model("llama3.1-405b"), seq_tokens=8192, batch_sequences=1024)
    spaces = [full_space(job, machine.take(n), stack=MODERN) for n in (512, 1024)]
    more = {"machine": machine, "stack": MODERN, "beside": energy_over_nameplate_s}
    whole = search_sizes(job, spaces, **more)
    cut = search_sizes(job, spaces, **more, cut=True)
    assert all(one.cut > 0 and one.priced < all_.priced for one, all_ in zip(cut, whole, strict=True))
    assert [one.front for one in cut] == [one.front for one in whole]
    assert [one.best for one in cut] == [one.best for one in whole]
    assert [one.cut for one in whole] == [0, 0]


@given(one=asked())
@settings(max_examples=60)
def test_no_layout_is_below_its_bound(one: Asked) -> None:
    space = one.spaces[0]
    machine = one.machine.take(space.chips)
    for strategy, layout in columns(space).items():
        rule = verdict(one.job, layout, machine=machine, strategy=strategy, needed_bytes=0.0)
        layout = only(layout, rule == Verdict.OK)
        if not np.size(layout.tp):
            continue
        step = step_time(one.job, layout, machine=machine, strategy=strategy, stack=MODERN)
        family = Strategy(recompute=strategy.recompute, sequence_parallel=strategy.sequence_parallel)
        setting = setting_of(one.job, machine=machine, strategy=family, stack=MODERN)
        bare = dataclasses.replace(layout, chunks=1, dp_replicate=1, dp_shard=layout.dp)
        passes = microbatch_passes(one.job, bare, setting)
        least, least_s = lower_bound(one.job, bare, setting=setting, passes=passes)
        slack = 1.0 + 1e-12
        assert np.all(least_s <= step.total_s * slack)
        energy, least_energy = (
            energy_over_nameplate_s(s, t) for s, t in ((step, step.total_s), (least, least_s))
        )
        assert np.all(least_energy <= energy * slack)


def test_what_does_not_fit_with_states_cut_over_all_ranks_does_not_fit_with_replicas() -> None:
    machine = find_machine("selene", chips=64)
    job = Job(model=find_model("llama2-70b"), seq_tokens=4096, batch_sequences=256)
    space = full_space(job, machine, stack=MODERN, fixed={"cp": 1, "recompute": ["none", "full"]})
    for strategy, layout in columns(space).items():
        alone = dataclasses.replace(layout, dp_replicate=1, dp_shard=layout.dp)
        needs, least = (
            memory_use(job, x, strategy=strategy, stack=MODERN).total_bytes for x in (layout, alone)
        )
        assert np.all(least <= needs)
