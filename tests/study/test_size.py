"""A sizing: the front holds what nothing beats, limits are priced by solving anew, unknowns are named."""

from __future__ import annotations

import dataclasses
import itertools
import json

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gigawatt
from gigawatt.catalog.machines import find_machine
from gigawatt.errors import InputError, NothingFeasibleError, UnknownFactError
from gigawatt.scaling import critical_batch_tokens, loss_nats, tokens_for_loss
from gigawatt.scaling import law as law_of
from gigawatt.study import schema, size, size_document
from gigawatt.study.designs import Question, machines_of, network_key
from gigawatt.study.limits import FRONT, HOLDS, ONE_MORE, QUANTITIES, Columns, shadows
from gigawatt.study.scenario import scenario

SMALL = {"among": ["eos", "selene", "superpod-b200"], "chips": (32, 512), "tokens": 1e12}
DAY_S = 86400.0


@pytest.fixture(scope="module")
def found():
    return size("llama3.1-8b", **SMALL)


@st.composite
def some_columns(draw: st.DrawFn) -> Columns:
    """Return a few designs' quantities: small whole numbers, so that many are equal."""
    rows = draw(st.integers(1, 25))
    numbers = st.lists(st.integers(1, 6).map(float), min_size=rows, max_size=rows)
    return Columns(values={name: np.array(draw(numbers)) for name in QUANTITIES})


SOME_LIMITS = st.dictionaries(st.sampled_from(sorted(HOLDS)), st.integers(1, 6).map(float))


@given(columns=some_columns(), limits=SOME_LIMITS)
def test_the_front_is_what_trying_every_pair_leaves(columns, limits):
    met = [i for i, ok in enumerate(columns.meets(limits)) if ok]
    points = {i: tuple(float(columns.values[q][i]) for q in FRONT) for i in met}
    better = {
        i for i, j in itertools.permutations(met, 2)
        if points[j] != points[i] and all(a <= b for a, b in zip(points[j], points[i], strict=True))
    }  # fmt: skip
    kept = [points[i] for i in columns.front(limits)]
    assert sorted(kept) == sorted({p for i, p in points.items() if i not in better})
    assert [p[0] for p in kept] == sorted(p[0] for p in kept)


@given(columns=some_columns(), limits=SOME_LIMITS)
def test_a_shadow_price_is_what_solving_anew_gives(columns, limits):
    def least(most):
        rows = [
            i for i in range(len(columns.values["wall_s"]))
            if all(columns.values[HOLDS[name]][i] <= value for name, value in most.items())
        ]  # fmt: skip
        return min((columns.values["cost_usd"][i] for i in rows), default=float("inf"))

    for one in shadows(columns, limits, objective="cost_usd"):
        others = {name: most for name, most in limits.items() if name != one.limit}
        assert one.best == least(limits)
        assert one.one_more == least({**others, one.limit: one.most + ONE_MORE[one.limit]})
        assert one.without == least(others)
        assert one.binds == (least(others) < least(limits))
        if one.binds:
            assert one.next_most > one.most
            assert one.next_best == least({**others, one.limit: one.next_most}) < one.best
            assert least({**others, one.limit: one.next_most - 0.5}) == one.best


def test_the_front_costs_what_a_plan_of_each_design_costs(found):
    for one in found.front[:: max(len(found.front) // 6, 1)]:
        machine = one.scenario.machine
        layout = {
            f.name: int(getattr(one.candidate.layout, f.name))
            for f in dataclasses.fields(one.candidate.layout)
        }
        kinds = {k: v for k, v in dataclasses.asdict(one.candidate.strategy).items()
                 if k in ("recompute", "schedule", "zero_stage", "sequence_parallel")}  # fmt: skip
        plan = gigawatt.plan(
            "llama3.1-8b", on=machine.id, chips=machine.chips, tokens=1e12, layout={**layout, **kinds}
        )
        assert one.wall_s == pytest.approx(plan.run.wall_s, rel=1e-12)
        assert one.cost_usd == pytest.approx(plan.run.rent_usd, rel=1e-12)
        assert one.co2e_kg == pytest.approx(plan.run.co2e_kg, rel=1e-12)
        assert one.candidate.memory_bytes <= machine.chip.hbm_bytes


@pytest.mark.parametrize(("name", "chips"), [("eos", 128), ("selene", 256)])
def test_no_plan_of_a_machine_is_faster_or_cheaper_than_the_front(found, name, chips):
    plan = gigawatt.plan("llama3.1-8b", on=name, chips=chips, tokens=1e12)
    assert any(
        one.wall_s <= plan.run.wall_s * (1 + 1e-9) and one.cost_usd <= plan.run.rent_usd * (1 + 1e-9)
        for one in found.front
    )


def test_limits_are_met_and_the_choice_is_the_least(found):
    limits = {"deadline_s": 20 * DAY_S, "power_w": 4e5, "budget_usd": 2e6}
    for by, name in (("cost", "cost_usd"), ("time", "wall_s"), ("energy", "energy_j"), ("carbon", "co2e_kg")):
        one = size("llama3.1-8b", **SMALL, **limits, by=by)
        every = [one.chosen, *one.front]
        assert all(d.wall_s <= limits["deadline_s"] and d.facility_power_w <= 4e5 for d in every)
        assert all(d.cost_usd <= limits["budget_usd"] for d in every)
        assert min(getattr(d, name) for d in every) == getattr(one.chosen, name)
    assert found.counts.considered == sum(
        getattr(found.counts, part) for part in ("shared", "ruled_out", "cut", "priced")
    )


def test_no_design_is_an_answer_that_says_what_it_would_take():
    with pytest.raises(
        NothingFeasibleError, match=r"it would take --deadline [\d.]+d in place of 1d"
    ) as told:
        size("llama3.1-8b", **SMALL, deadline_s=DAY_S, budget_usd=5e6)
    enough = float(str(told.value).split("--deadline ")[1].split("d")[0])
    assert (
        size("llama3.1-8b", **SMALL, deadline_s=enough * DAY_S, budget_usd=5e6).chosen.wall_s
        <= enough * DAY_S
    )


def test_machines_of_one_network_share_a_search_and_others_do_not():
    def key(name, chips=512):
        asked = scenario("llama3.1-8b", on=name)
        return network_key(Question(job=asked.job, machine=asked.machine, stack=asked.stack, sizes=(chips,)))

    assert key("blue-whale") == key("colossus-200k") or key("eos") == key("eos-top500")
    assert len({key(name) for name in ("eos", "selene", "superpod-b200", "tpu-v4-pod")}) == 4


def test_what_machines_share_costs_the_same_as_searched_alone():
    both = size("llama3.1-8b", among=["eos-top500", "eos"], chips=(64, 256), tokens=1e12)
    alone = size("llama3.1-8b", among=["eos"], chips=(64, 256), tokens=1e12)
    times = {d.scenario.machine.chips: d.wall_s for d in both.front if d.scenario.machine.id == "eos"}
    mine = {d.scenario.machine.chips: d.wall_s for d in alone.front}
    assert times.items() <= mine.items()


def test_machines_without_a_price_or_power_are_named_with_the_missing_fact():
    one = size("llama3.1-8b", among=["eos", "alps", "inferentia2"], chips=(8, 64), tokens=1e12)
    assert {(left.machine, left.fact) for left in one.left_out} == {
        ("alps", "rent_usd_per_s"), ("inferentia2", "it_power_per_chip_w"),
    }  # fmt: skip
    with pytest.raises(UnknownFactError, match="rent_usd_per_s"):
        size("llama3.1-8b", among=["alps"], tokens=1e12)
    shipping, left = machines_of(None)
    assert all(find_machine(name).shipping for name in shipping)
    assert "stargate" in {one.machine for one in left}


def test_a_loss_gives_the_tokens_and_refuses_what_cannot_reach_it():
    one = size("llama3.1-8b", among=["eos"], chips=(64, 64), loss=2.2)
    assert one.loss_nats == pytest.approx(2.2, abs=1e-3)
    needed = tokens_for_loss(2.2, 8.03e9)
    assert loss_nats(8.03e9, needed, by=law_of("besiroglu-2024")) == pytest.approx(2.2, rel=1e-12)
    with pytest.raises(InputError, match="out of reach"):
        size("llama3.1-8b", among=["eos"], loss=1.5)
    with pytest.raises(InputError, match="not reached with tokens = 100B"):
        size("llama3.1-8b", among=["eos"], loss=2.0, tokens=1e11)


def test_a_batch_that_floats_stays_within_the_critical_one():
    one = size("llama3.1-8b", among=["eos"], chips=(64, 256), tokens=1e12, batch_tokens="float", by="time")
    batches = {d.scenario.job.batch_sequences for d in one.front}
    critical = critical_batch_tokens(one.loss_nats)
    assert all(n * d.scenario.job.seq_tokens <= critical for d in one.front for n in batches)
    assert any(a.what == "batch_sequences" and "critical" in a.why for a in one.assumptions)


def test_several_workers_give_the_same_bytes_as_one(found):
    again = size("llama3.1-8b", **SMALL, workers=2)
    told = [size_document(one) for one in (found, again)]
    for one in told:
        del one["provenance"]["run"]
    assert json.dumps(told[0]) == json.dumps(told[1])


def test_a_sizing_keeps_its_schema(found):
    rules = json.loads(schema("size"))
    limited = size("llama3.1-8b", **SMALL, deadline_s=20 * DAY_S, budget_usd=3e6)
    for one in (found, limited):
        document = json.loads(json.dumps(size_document(one), allow_nan=False))
        jsonschema.validate(document, rules, jsonschema.Draft202012Validator)
    del document["result"]["chosen"]
    with pytest.raises(jsonschema.ValidationError, match="chosen"):
        jsonschema.validate(document, rules, jsonschema.Draft202012Validator)
