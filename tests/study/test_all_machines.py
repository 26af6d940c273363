"""Every machine of the catalogue with five models: a sound plan, or one sentence that says why not.

The searches are narrow, so that the whole table takes less than a minute: 1F1B without interleaving, ZeRO 1
and 3, one replica group, up to 8 context ranks, two microbatch sizes, no or full recompute.
`GIGAWATT_WHOLE_SPACE=1` searches all.
"""

from __future__ import annotations

import math
import os
from typing import Any

import pytest

from gigawatt.catalog.machines import machine_ids
from gigawatt.errors import GigawattError, NothingFeasibleError
from gigawatt.study import Plan, plan
from gigawatt.workload.params import params

MODELS = ("llama3.1-8b", "llama3.1-405b", "deepseek-v3", "gpt3-175b", "megatron-1008b")
NARROW: dict[str, Any] = {
    "schedule": "1f1b",
    "chunks": 1,
    "zero_stage": [1, 3],
    "dp_replicate": 1,
    "etp": 1,
    "cp": [1, 2, 4, 8],
    "sequence_parallel": True,
    "recompute": ["none", "full"],
    "microbatch_sequences": [1, 2],
}
SPACE = None if os.environ.get("GIGAWATT_WHOLE_SPACE") else NARROW
WEIGHT_BYTES = 2.0  # a parameter at the very least, on all chips together


@pytest.mark.parametrize("machine", machine_ids())
def test_a_machine_plans_five_models_or_says_why_not(machine: str) -> None:
    for model in MODELS:
        try:
            found = plan(model, on=machine, fixed=SPACE, top=1)
        except GigawattError as error:
            check_refusal(model, machine, error)
        else:
            check_plan(found)


def check_refusal(model: str, machine: str, error: GigawattError) -> None:
    """Check that a refusal is one sentence about what was asked."""
    text = str(error)
    assert "\n" not in text
    assert 20 < len(text) < 600, text
    if isinstance(error, NothingFeasibleError):
        assert model in text
        assert sum(error.counts.values()) > 0
        assert error.counts.get("fits", 0) == 0


def check_plan(found: Plan) -> None:
    """Check what must hold for every plan."""
    step, use, run, chip = float(found.step.total_s), found.use, found.run, found.scenario.machine.chip
    headline = (step, use.mfu, use.hfu, use.tokens_per_s, run.wall_s, run.chip_s, run.interruptions)
    assert all(math.isfinite(value) and value > 0 for value in headline)
    assert use.bound_s <= step
    assert 0 < use.mfu <= use.hfu < 1
    assert abs(sum(entry.fraction for entry in found.ledger) - 1.0) < 1e-12
    assert min(entry.fraction for entry in found.ledger) > -1e-9
    assert float(found.memory.total_bytes) <= chip.hbm_bytes
    everywhere = float(found.memory.total_bytes) * found.scenario.machine.chips
    assert everywhere >= WEIGHT_BYTES * params(found.scenario.model).total
    assert found.layout.chips == found.scenario.machine.chips
    money = {"rent_usd_per_s": run.rent_usd, "capex_usd_per_chip": float(run.own.total_usd)}
    for fact, value in money.items():
        assert (math.isnan(value) and fact in run.unknowns) or value > 0, (fact, value)
