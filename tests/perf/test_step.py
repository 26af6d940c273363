"""A step: parts that add up, never below physics, moved the right way by all that it depends on."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawatt.catalog.records import Machine
from gigawatt.comms import constants
from gigawatt.comms.constants import class_name
from gigawatt.perf import (
    Layout,
    Setting,
    StepTime,
    Strategy,
    memory_use,
    microbatch_passes,
    setting_of,
    step_parts,
    step_time,
)
from gigawatt.perf.setting import Laws
from gigawatt.workload.flop import model_flop_per_token
from tests.perf.jobs import Asked, asked
from tests.units.rescale import seconds_of_named

DENSE = ("llama3.1-8b", "llama3.1-405b", "gpt3-175b")
ROUNDING_S = 1e-9


def step(a: Asked, **other: object) -> StepTime:
    """Return the step of a question, some of it replaced."""
    b = dataclasses.replace(a, **other)
    return step_time(b.job, b.layout, machine=b.machine, strategy=b.strategy, stack=b.stack)


@given(a=asked())
@settings(max_examples=80)
def test_a_step_is_the_sum_of_parts_that_are_no_less_than_nothing(a: Asked) -> None:
    found = step(a)
    parts = {f.name: float(getattr(found, f.name)) for f in dataclasses.fields(StepTime)}
    assert all(np.isfinite(value) for value in parts.values())
    assert min(parts.values()) >= -ROUNDING_S, parts
    assert sum(parts.values()) == pytest.approx(float(found.total_s), rel=1e-12)


@given(a=asked())
@settings(max_examples=80)
def test_no_step_is_faster_than_model_flop_at_datasheet_peak(a: Asked) -> None:
    flop = float(model_flop_per_token(a.job.model, a.job.seq_tokens)) * a.job.batch_tokens
    peak = a.machine.chips * a.machine.chip.peak_flop_per_s(a.job.dtype)
    found = step(a)
    assert float(found.total_s) >= flop / peak
    assert float(found.matmul_s + found.attention_s) >= 0.99 * flop / peak  # elementwise work hides nothing


@given(a=asked())
@settings(max_examples=60)
def test_who_has_no_peer_sends_no_message(a: Asked) -> None:
    found, cut = step(a), a.layout
    quiet = {
        "tp_comm_s": cut.tp == 1 and cut.etp == 1,
        "cp_comm_s": cut.cp == 1,
        "ep_comm_s": cut.ep == 1,
        "pp_comm_s": cut.pp == 1,
        "bubble_s": cut.pp == 1,
        "imbalance_s": cut.pp == 1,
        "recompute_s": a.strategy.recompute == "none",
        "straggler_s": a.machine.chips <= a.machine.chips_per_node,
    }
    for part, silent in quiet.items():
        if silent:
            assert float(getattr(found, part)) == pytest.approx(0.0, abs=ROUNDING_S), part


@given(a=asked())
@settings(max_examples=30)
def test_a_job_on_one_chip_talks_to_nobody(a: Asked) -> None:
    job = dataclasses.replace(a.job, batch_sequences=4)
    found = step(a, job=job, layout=Layout(), strategy=Strategy(), machine=a.machine.take(1))
    comm = [f.name for f in dataclasses.fields(StepTime) if f.name.endswith("_comm_s")]
    assert len(comm) == 5
    assert sum(float(getattr(found, part)) for part in comm) == 0.0


@given(a=asked(), data=st.data())
@settings(max_examples=40)
def test_a_column_of_layouts_is_each_layout_alone(a: Asked, data: st.DataObject) -> None:
    a = dataclasses.replace(a, job=dataclasses.replace(a.job, batch_sequences=4096))
    names = [f.name for f in dataclasses.fields(Layout)]
    free = {"tp": (1, 2, 8), "dp_shard": (1, 2, 16), "microbatch_sequences": (1, 2), "pp": (1, 2, 4)}
    rows = [
        dataclasses.replace(a.layout, **{k: data.draw(st.sampled_from(v)) for k, v in free.items()})
        for _ in range(5)
    ]
    column = Layout(**{n: np.array([getattr(r, n) for r in rows]) for n in names})
    times, memory = step(a, layout=column), memory_use(a.job, column, strategy=a.strategy, stack=a.stack)
    for i, row in enumerate(rows):
        one, held = step(a, layout=row), memory_use(a.job, row, strategy=a.strategy, stack=a.stack)
        for many, single in ((times, one), (memory, held)):
            for f in dataclasses.fields(many):
                at = float(np.broadcast_to(getattr(many, f.name), 5)[i])
                assert at == pytest.approx(float(getattr(single, f.name)), rel=1e-12, abs=1e-15), f.name


def slower(machine: Machine, factor: float, *, part: str) -> Machine:
    """Return a machine with slower links or chips."""
    if part == "links":
        levels = [dataclasses.replace(v, bytes_per_s=v.bytes_per_s / factor) for v in machine.levels]
        return dataclasses.replace(machine, levels=tuple(levels))
    rates = {
        name: dataclasses.replace(fact, value=fact.value / factor)
        for name, fact in machine.chip.facts.items()
        if (name.startswith("peak_") if part == "peak" else name == "hbm_bytes_per_s")
    }
    chip = dataclasses.replace(machine.chip, facts={**machine.chip.facts, **rates})
    return dataclasses.replace(machine, chip=chip)


@pytest.mark.parametrize("part", ["links", "peak", "hbm"])
@given(a=asked(), factor=st.floats(1.0, 4.0))
@settings(max_examples=40)
def test_a_slower_machine_is_never_faster(part: str, a: Asked, factor: float) -> None:
    assert float(step(a).total_s) <= float(step(a, machine=slower(a.machine, factor, part=part)).total_s) * (
        1 + 1e-9
    )


@given(a=asked(models=DENSE), more=st.sampled_from((2, 3)))
@settings(max_examples=40)
def test_a_deeper_model_is_never_faster(a: Asked, more: int) -> None:
    (block,) = a.job.model.blocks
    deep = dataclasses.replace(a.job.model, blocks=(dataclasses.replace(block, count=more * block.count),))
    deeper = step(a, job=dataclasses.replace(a.job, model=deep))
    assert float(deeper.total_s) > float(step(a).total_s)


@given(a=asked(models=DENSE), more=st.sampled_from((2, 4)))
@settings(max_examples=40)
def test_more_microbatches_make_the_bubble_a_smaller_share(a: Asked, more: int) -> None:
    bigger = dataclasses.replace(a.job, batch_sequences=more * a.job.batch_sequences)
    less, many = step(a), step(a, job=bigger)
    assert float(many.bubble_s / many.total_s) <= float(less.bubble_s / less.total_s) + 1e-12
    assert float(many.total_s) <= more * float(less.total_s) * (1 + 1e-9)


@given(a=asked())
@settings(max_examples=40)
def test_recompute_trades_time_for_memory(a: Asked) -> None:
    kinds = [dataclasses.replace(a.strategy, recompute=kind) for kind in ("none", "selective", "full")]
    times = [float(step(a, strategy=kind).total_s) for kind in kinds]
    kept = [
        float(memory_use(a.job, a.layout, strategy=kind, stack=a.stack).activations_bytes) for kind in kinds
    ]
    assert times[0] <= times[1] * (1 + 1e-9) <= times[2] * (1 + 2e-9)
    assert kept[0] >= kept[1] * (1 - 1e-9)


def in_new_seconds(a: Asked, factor: float) -> Setting:
    """Return a question's setting with every time and every rate told in new seconds."""
    levels = [
        dataclasses.replace(v, bytes_per_s=v.bytes_per_s / factor, latency_s=v.latency_s * factor)
        for v in a.machine.levels
    ]
    stack = dataclasses.replace(a.stack, values=seconds_of_named(a.stack.values, factor))
    machine = dataclasses.replace(a.machine, levels=tuple(levels))
    old = setting_of(a.job, machine=machine, strategy=a.strategy, stack=stack)
    laws = {name: _law_in(getattr(old.laws, name), factor) for name in ("linear", "wide")}
    return dataclasses.replace(old, laws=Laws(**laws, linear_bytes=old.laws.linear_bytes))


def _law_in(law: object, factor: float) -> object:
    named = {f.name: getattr(law, f.name) for f in dataclasses.fields(law)}  # type: ignore[arg-type]
    return dataclasses.replace(law, **seconds_of_named(named, factor))  # type: ignore[type-var]


@given(a=asked(), factor=st.sampled_from((1e-3, 60.0)))
@settings(max_examples=40)
def test_a_whole_step_keeps_its_units(a: Asked, factor: float) -> None:
    """Told in minutes instead of seconds, machine, software and constants give the same step in minutes."""
    with pytest.MonkeyPatch.context() as patch:
        classes = {k: _law_in(v, factor) for k, v in constants.classes().items()}
        old = step(a)
        setting = in_new_seconds(a, factor)
        patch.setattr(constants, "classes", lambda: classes)
        patch.setattr(constants, "class_name", lambda _, level: class_name(a.machine, level))
        passes = microbatch_passes(a.job, a.layout, setting)
        new = step_parts(a.job, a.layout, setting, passes=passes)
    for f in dataclasses.fields(StepTime):
        expected = float(getattr(old, f.name)) * factor
        assert float(getattr(new, f.name)) == pytest.approx(expected, rel=1e-9, abs=1e-9 * factor), f.name
