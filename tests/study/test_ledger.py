"""The ledger: every chip-hour on one line, 100 % in all, each line equal to the loss that it names."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from gigawatt.perf import StepTime
from gigawatt.study import Plan
from tests.study.questions import one

CASES: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("llama2-70b", {"tp": 8, "pp": 4}, {}),
    ("llama2-70b", {"tp": 8, "pp": 4, "chunks": 4, "recompute": "full"}, {"stack": "megatron-2021"}),
    ("llama2-70b", {"tp": 8, "zero_stage": 3, "recompute": "full"}, {}),
    ("mixtral-8x7b", {"tp": 2, "pp": 2, "ep": 8, "recompute": "selective"}, {}),
    ("llama3.1-8b", {"tp": 2, "cp": 4}, {"seq_tokens": 32768}),
    ("llama3.1-8b", {"tp": 4}, {"dtype": "fp8"}),
    ("gpt3-175b", {"tp": 8, "pp": 8, "recompute": "full"}, {"on": "selene"}),
)


def plan_of(case: tuple[str, dict[str, Any], dict[str, Any]]) -> Plan:
    """Return the plan of one case."""
    model, layout, other = case
    return one(layout, model, **other)


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[0]} {c[1]}")
def test_the_lines_sum_to_one_and_none_is_negative(case: tuple[str, dict[str, Any], dict[str, Any]]) -> None:
    lines = {entry.name: entry.fraction for entry in plan_of(case).ledger}
    assert abs(sum(lines.values()) - 1.0) < 1e-12
    assert min(lines.values()) >= -1e-12, lines
    assert len(lines) == len(plan_of(case).ledger)


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[0]} {c[1]}")
def test_useful_is_goodput_times_model_flop_use(case: tuple[str, dict[str, Any], dict[str, Any]]) -> None:
    p = plan_of(case)
    useful = next(entry.fraction for entry in p.ledger if entry.name == "useful")
    assert useful == pytest.approx(float(p.run.lost.useful) * p.use.mfu)


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[0]} {c[1]}")
def test_every_part_of_a_step_is_on_the_ledger_once(case: tuple[str, dict[str, Any], dict[str, Any]]) -> None:
    p = plan_of(case)
    lines = {entry.name: entry.fraction for entry in p.ledger}
    share = float(p.run.lost.useful) / float(p.step.total_s)
    computing = {"matmul_s", "attention_s"}
    for part in {f.name for f in dataclasses.fields(StepTime)} - computing:
        assert lines[part.removesuffix("_s")] == pytest.approx(share * float(getattr(p.step, part))), part
    kernels = share * float(sum(getattr(p.step, part) for part in computing))
    assert lines["useful"] + lines["kernels"] + lines["power"] == pytest.approx(kernels)
    lost = sum(lines[name] for name in ("rework", "restart", "checkpoint"))
    assert lost == pytest.approx(1.0 - float(p.run.lost.useful))


def test_a_loss_that_is_not_there_has_an_empty_line() -> None:
    lines = {entry.name: entry.fraction for entry in one({"tp": 8, "zero_stage": 3}).ledger}
    for name in ("bubble", "imbalance", "pp_comm", "ep_comm", "cp_comm", "recompute"):
        assert lines[name] == 0.0, name
    assert lines["tp_comm"] > 0
