"""What holds for every plan: time, money and energy follow from one another, and move the right way."""

from __future__ import annotations

import dataclasses
import math
from functools import lru_cache

import pytest

from gigawatt.errors import InputError, NothingFeasibleError
from gigawatt.study import Plan
from tests.study.questions import one, quick

LAYOUT = {"tp": 8, "pp": 4, "recompute": "selective"}


@lru_cache(maxsize=1)
def base() -> Plan:
    """Return the plan that others are compared with."""
    return one(LAYOUT)


def test_throughput_time_and_use_are_one_number_told_three_ways() -> None:
    p = base()
    job, machine = p.scenario.job, p.scenario.machine
    step = float(p.step.total_s)
    assert p.use.tokens_per_s == pytest.approx(job.batch_tokens / step)
    assert p.use.tokens_per_s_per_chip * machine.chips == pytest.approx(p.use.tokens_per_s)
    assert p.use.mfu == pytest.approx(p.use.bound_s / step)
    assert p.run.useful_s == pytest.approx(p.scenario.tokens / p.use.tokens_per_s)
    assert p.run.wall_s == pytest.approx(p.run.useful_s / float(p.run.lost.useful))
    assert p.run.chip_s == pytest.approx(p.run.wall_s * machine.chips)
    assert p.run.interruptions == pytest.approx(p.run.wall_s / p.run.mtti_s)


def test_energy_lies_between_idle_and_nameplate() -> None:
    run, site = base().run, base().scenario.machine.site
    nameplate_j = run.it_power_w * run.wall_s
    assert 0.3 * nameplate_j < run.it_energy_j < nameplate_j
    assert run.facility_energy_j == pytest.approx(site.pue * run.it_energy_j)
    assert run.co2e_kg == pytest.approx(run.facility_energy_j / 3.6e6 * site.kg_co2e_per_kwh)
    assert float(run.own.energy_usd) == pytest.approx(run.facility_energy_j / 3.6e6 * site.usd_per_kwh)


def test_twice_the_tokens_take_twice_the_time_money_and_energy_and_reach_a_lower_loss() -> None:
    twice = one(LAYOUT, tokens=2e12)
    for name in ("wall_s", "chip_s", "interruptions", "facility_energy_j", "rent_usd", "co2e_kg"):
        assert getattr(twice.run, name) == pytest.approx(2 * getattr(base().run, name)), name
    assert float(twice.run.own.total_usd) == pytest.approx(2 * float(base().run.own.total_usd))
    assert twice.run.loss.loss_nats < base().run.loss.loss_nats


def test_the_best_layout_of_a_search_costs_what_it_costs_alone() -> None:
    found = quick()
    layout = {f.name: int(getattr(found.layout, f.name)) for f in dataclasses.fields(found.layout)}
    kinds = {"recompute": found.strategy.recompute, "zero_stage": found.strategy.zero_stage}
    alone = one({**layout, **kinds})
    assert float(alone.step.total_s) == pytest.approx(float(found.step.total_s), rel=1e-12)
    assert float(alone.memory.total_bytes) == pytest.approx(float(found.memory.total_bytes), rel=1e-12)
    assert found.search.best[0].step_s == pytest.approx(float(found.step.total_s), rel=1e-12)


def test_no_given_layout_beats_the_search_that_includes_it() -> None:
    best = float(quick(fixed={}).step.total_s)
    for layout in (LAYOUT, {"tp": 8, "pp": 2}, {"tp": 4, "pp": 8, "chunks": 5}, {"tp": 8, "zero_stage": 3}):
        try:
            assert best <= float(one(layout).step.total_s) * (1 + 1e-12)
        except NothingFeasibleError:
            continue


def test_a_wider_search_is_never_worse() -> None:
    narrow = quick(fixed={"tp": 8, "schedule": "1f1b", "chunks": 1})
    wider = quick(fixed={"schedule": "1f1b", "chunks": 1})
    assert wider.search.best[0].score <= narrow.search.best[0].score
    assert wider.search.candidates > narrow.search.candidates


@pytest.mark.parametrize("by", ["time", "cost", "energy"])
def test_the_best_by_each_measure_is_best_by_it(by: str) -> None:
    found = quick(by=by)
    scores = [c.score for c in found.search.best]
    assert scores == sorted(scores)
    other = quick(by="time")
    measure = {"time": "wall_s", "cost": "rent_usd", "energy": "facility_energy_j"}[by]
    assert getattr(found.run, measure) <= getattr(other.run, measure) * (1 + 1e-12)


def test_the_front_trades_time_for_memory() -> None:
    front = quick(fixed={"schedule": "1f1b", "chunks": 1}).search.front
    scores, needed = [c.score for c in front], [c.memory_bytes for c in front]
    assert len(front) > 1
    assert scores == sorted(scores)
    assert needed == sorted(needed, reverse=True)


def test_more_chips_never_take_longer_by_the_step() -> None:
    steps = [float(quick(chips=n, fixed={}).step.total_s) for n in (256, 512, 1024)]
    assert steps == sorted(steps, reverse=True)


def test_the_same_question_has_the_same_answer_to_the_byte() -> None:
    first, second = (one(LAYOUT).document()["result"] for _ in range(2))
    for document in (first, second):
        document["search"].pop("seconds")
    assert first == second


def test_what_does_not_fit_says_by_how_much() -> None:
    with pytest.raises(NothingFeasibleError, match=r"needs [0-9.,]+ GiB a chip of [0-9.]+ GiB") as refusal:
        quick("llama3.1-405b", chips=8)
    assert refusal.value.counts["out of memory"] > 0


@pytest.mark.parametrize(
    ("layout", "field"),
    [
        ({"tp": 3}, "tp"),
        ({"tp": 8, "pp": 3}, "chips"),
        ({"tp": 8, "dp_shard": 5}, "dp"),
        ({"tp": 8, "ep": 2}, "experts"),
    ],
)
def test_a_layout_that_cannot_be_names_the_number_at_fault(layout: dict[str, int], field: str) -> None:
    with pytest.raises(InputError, match=field):
        one(layout)


def test_an_unknown_price_is_named_and_not_made_up() -> None:
    found = quick(on="tpu-v5p-pod", chips=256)
    assert "capex_usd_per_chip" in found.run.unknowns
    assert math.isnan(float(found.run.own.total_usd))
    assert "NaN" not in found.to_json()
