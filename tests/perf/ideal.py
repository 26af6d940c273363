"""A machine that loses nothing: all of peak in every product, no latency, endless bandwidth, no host."""

from __future__ import annotations

import dataclasses
import math

import pytest

from gigawatt.catalog.records import Machine, Stack
from gigawatt.perf import Job, Layout, StepTime, Strategy, microbatch_passes, setting_of, stack, step_parts
from gigawatt.perf.kernel_constants import EXAMPLE_LAW
from gigawatt.perf.setting import Laws
from tests.comms.toys import level, lose_nothing, toy_machine

PEAK = 1e15
BACKWARD_PRODUCTS = 5 / 4  # fused attention's over the model's: the scores are computed again
LAW = dataclasses.replace(
    EXAMPLE_LAW,
    peak_flop_per_s=PEAK,
    hbm_bytes_per_s=math.inf,
    compute_units=1.0,
    tiles=((1.0, 1.0),),
    attention_forward=1.0,
    attention_backward_ratio=1.0,
)
FREE = {  # nothing beside the mathematics
    "sustained": 1.0,
    "flash_attention": 3.0,
    "attention_rate": 1.0,
    "host_s_per_kernel": 0.0,
    "host_s_per_peer": 0.0,
    "host_s_per_sharded_layer": 0.0,
    "host_s_per_step": 0.0,
    "jitter": 0.0,
    "ep_imbalance": 1.0,
}


def ideal_machine(chips: int) -> Machine:
    """Return a machine whose links take no time."""
    return toy_machine(level(8, math.inf), level(max(chips, 8), math.inf), chips=chips)


def ideal_stack(**values: float) -> Stack:
    """Return a software that adds nothing of its own, but for some values."""
    modern = stack("modern")
    return dataclasses.replace(modern, values={**modern.values, **FREE, **values})


def ideal_step(
    monkeypatch: pytest.MonkeyPatch, job: Job, layout: Layout, strategy: Strategy, **values: float
) -> StepTime:
    """Return the step of a job on the ideal machine; `values` of its software."""
    lose_nothing(monkeypatch)
    monkeypatch.setattr(
        "gigawatt.perf.step.laws", lambda machine, dtype: Laws(linear=LAW, wide=LAW, linear_bytes=2.0)
    )
    machine = ideal_machine(int(layout.chips))
    setting = setting_of(job, machine=machine, strategy=strategy, stack=ideal_stack(**values))
    return step_parts(job, layout, setting, passes=microbatch_passes(job, layout, setting))
