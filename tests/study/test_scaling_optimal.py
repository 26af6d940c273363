"""The best split: given or of a machine, under constraints, by every law; and its document."""

from __future__ import annotations

import json
import math

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawatt.catalog.models import find_model
from gigawatt.errors import InputError, UnknownFactError
from gigawatt.scaling import frontier_nats, law, laws_of, loss_nats, optimal_split
from gigawatt.study import laws_document, optimal, optimal_document, plan, schema
from gigawatt.study.run import DAY_S
from gigawatt.study.scaling_compute import (
    Wish,
    _round_below,
    batches,
    best_part,
    cheapest_machine,
    dense_models,
    machine_compute,
    nearest_models,
    planned_rate,
)
from gigawatt.workload.params import params

BY = law("besiroglu-2024")
FLOP = st.floats(20.0, 28.0).map(lambda x: 10.0**x)


def test_the_chosen_law_comes_first_and_every_law_of_a_dense_split_answers():
    found = optimal(compute_flop=1e26, by="hoffmann-2022-tex")
    assert found.rows[0].law.id == "hoffmann-2022-tex"
    asked = {one.id for one in laws_of("loss", "frontier").values() if one.flop in ("6ND", "MD")}
    assert {row.law.id for row in found.rows} == asked
    assert "krajewski-2024" not in asked  # it counts the parameters of all experts, and C does not


@settings(max_examples=20)
@given(flop=FLOP)
def test_each_row_spends_the_compute_as_its_law_counts_it(flop):
    for row in optimal(compute_flop=flop).rows:
        if row.law.id != "kaplan-2020-frontier":  # its own table does not multiply to C
            spent = float(row.split.compute_flop)
            assert spent == pytest.approx(flop, rel=0.06), row.law.id  # printed anchors and exponents


def test_the_bands_hold_the_point_and_only_the_law_with_draws_has_them():
    rows = optimal(compute_flop=1e26).rows
    banded = [row for row in rows if row.params_band is not None]
    assert [row.law.id for row in banded] == ["besiroglu-2024"]
    row = banded[0]
    for (low, high), value in (
        (row.params_band, row.split.params),
        (row.tokens_band, row.split.tokens),
        (row.ratio_band, row.split.tokens_per_param),
        (row.loss_band, row.loss_nats),
    ):
        assert low < value < high


def test_the_percentiles_of_the_best_size_are_those_of_a_larger_bootstrap():
    # 4,000 resamples of the same runs: 57.5, 74.7 and 98.6 billion; 9.9 to 29.0 tokens a parameter
    row = optimal(compute_flop=5.76e23).rows[0]
    assert row.params_band == pytest.approx((57.5e9, 98.6e9), rel=0.03)
    assert row.ratio_band == pytest.approx((9.9, 29.0), rel=0.03)


def test_a_point_beyond_the_runs_says_by_how_many_orders():
    row = optimal(compute_flop=1.296e25).rows[0]
    assert row.orders == pytest.approx(3.0, abs=1e-9)
    assert "extrapolated by 3.0 orders of magnitude in flop" in row.note
    assert math.isnan(next(r for r in optimal(compute_flop=1e26).rows if r.law.id == "deepseek-2024").orders)


@settings(max_examples=20)
@given(flop=FLOP, times=st.floats(0.1, 10.0))
def test_a_given_size_never_beats_the_best_one(flop, times):
    size = times * float(optimal_split(flop, by=BY).params)
    found = optimal(compute_flop=flop, params=size).fixed
    assert found.over_nats >= -1e-12
    assert found.best_flop <= flop * (1 + 1e-9)
    assert frontier_nats(found.best_flop, by=BY) == pytest.approx(found.loss_nats, rel=1e-9)


def test_new_tokens_for_all_change_nothing_and_few_cost_more_and_more():
    free = optimal(compute_flop=1e26).best
    losses = []
    for share in (2.0, 0.5, 0.1, 0.02):
        found = optimal(compute_flop=1e26, unique_tokens=share * float(free.split.tokens)).repeated
        losses.append(found.over_nats)
        assert found.worth_tokens <= float(found.split.tokens) * (1 + 1e-12)
    assert losses[0] == pytest.approx(0.0, abs=1e-9)
    assert losses == sorted(losses)


@settings(max_examples=20)
@given(served=st.floats(10.0, 15.0).map(lambda x: 10.0**x))
def test_counting_inference_keeps_the_loss_and_saves_flop(served):
    found = optimal(compute_flop=1e25, inference_tokens=served)
    assert found.served.loss_nats == pytest.approx(found.best.loss_nats, rel=1e-9)
    assert 0 <= found.served.saved < 1
    assert found.served.split.params <= found.best.split.params * (1 + 1e-9)


def test_recipes_spread_and_say_their_runs():
    found = optimal(compute_flop=1e26)
    assert {one.law.kind for one in found.batches} == {"batch", "critical_batch"}
    values = [one.value for one in found.rates]
    assert 2 < max(values) / min(values) < 4  # the laws disagree by two to three times
    assert all(one.note for one in (*found.rates, *found.batches))


def test_a_machine_gives_what_its_plan_gives():
    found = optimal(on="eos", days=90.0)
    rate = found.compute.rate
    seq = int(find_model(rate.model).recipe["seq_tokens"].value)
    alone = plan(
        rate.model,
        on="eos",
        chips=rate.machine.chips,
        tokens=1e12,
        seq_tokens=seq,
        batch_sequences=round(rate.batch_tokens / seq),
        dtype="bf16",
    )
    size = float(params(alone.scenario.model).total)
    useful = 6 * size * alone.use.tokens_per_s * float(alone.run.lost.useful)
    assert found.compute.flop == pytest.approx(useful * 90 * DAY_S, rel=1e-9)
    assert found.compute.cost_usd == pytest.approx(
        90 * DAY_S * rate.machine.chips * rate.machine.facts["rent_usd_per_s"].value
    )


def test_the_planned_model_is_the_nearest_in_size_and_the_part_does_no_less_than_the_whole():
    found = machine_compute("selene", Wish(days=90.0), by=BY)
    best = float(optimal_split(found.flop, by=BY).params)
    assert found.rate.model in nearest_models(best)[:2]  # the last round may cross the middle of two
    whole = planned_rate("selene", 4480, params=best, batch_tokens=found.rate.batch_tokens, dtype="bf16")
    assert found.rate.flop_per_s >= whole.flop_per_s


def test_twice_the_days_are_about_twice_the_compute():
    one, two = (machine_compute("superpod-h100", Wish(days=d), by=BY).flop for d in (45.0, 90.0))
    assert 1.6 < two / one < 2.4  # another model is planned, so not exactly


def test_a_given_mfu_is_used_and_its_goodput_counted():
    found = machine_compute("eos", Wish(days=30.0, mfu=0.4), by=BY)
    peak = found.rate.machine.chips * 989e12
    assert found.rate.mfu == 0.4
    assert 0.9 < found.rate.goodput < 1
    assert found.flop == pytest.approx(0.4 * peak * found.rate.goodput * 30 * DAY_S)


def test_money_buys_days_and_with_days_it_buys_chips():
    found = machine_compute("eos", Wish(budget_usd=2e7, mfu=0.4), by=BY)
    assert found.cost_usd == pytest.approx(2e7)
    part = machine_compute("eos", Wish(budget_usd=5e6, days=30.0, mfu=0.4), by=BY)
    assert part.rate.machine.chips < 4608
    assert 0.98 * 5e6 < part.cost_usd <= 5e6


def test_a_machine_without_a_known_rent_cannot_be_paid():
    with pytest.raises(UnknownFactError, match="no rent of a chip is known for 'alps'"):
        optimal(on="alps", budget_usd=1e8)


def test_the_cheapest_machine_uses_the_money_within_a_year():
    for budget in (1e6, 1e8, 1e9):
        found = optimal(budget_usd=budget, mfu=0.4)
        assert found.compute.rate.machine.id == cheapest_machine(budget)
        assert found.compute.days <= 366


def test_round_numbers_of_chips_are_powers_of_two_and_three_times_such():
    for n in _round_below(1_036_800):
        while n % 2 == 0:
            n //= 2
        assert n in (1, 3)
    assert _round_below(1024) == []


def test_too_many_chips_are_left_alone():
    few = best_part("colossus", 100_000, params=1e12, batch_tokens=1e6, dtype="bf16")
    many = best_part("colossus", 100_000, params=1e12, batch_tokens=64e6, dtype="bf16")
    assert few.machine.chips < many.machine.chips  # a small batch does not fill a large machine


def test_dense_models_leave_mixtures_out():
    assert "llama3.1-405b" in dense_models()
    assert "deepseek-v3" not in dense_models()


def test_batches_are_those_of_their_papers():
    found = batches(7e9, 1.4e12, loss=float(loss_nats(7e9, 1.4e12, by=BY)))
    assert found["step-law-batch"] == pytest.approx(4.999e6, rel=1e-3)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({}, "--compute 1e26, --on MACHINE --days 90, or --budget"),
        ({"days": 90.0}, "give --on MACHINE"),
        ({"compute_flop": 1e26, "on": "eos"}, "leave out --on"),
        ({"compute_flop": 1e26, "mfu": 0.4}, "leave out --mfu"),
        ({"compute_flop": 5.0}, "1e26"),
        ({"compute_flop": math.nan}, "compute = nan"),
        ({"on": "eos", "days": -1.0}, "days = -1"),
        ({"on": "eos", "days": 9.0, "mfu": 40.0}, "write e.g. 0.4"),
        ({"on": "eos", "days": 9.0, "budget_usd": 1.0}, "one server has 8"),
        ({"on": "eoss", "days": 9.0}, "'eos'"),
        ({"budget_usd": 1e8, "days": 9.0}, "give --on MACHINE"),
        ({"compute_flop": 1e26, "by": "llama-3"}, "not a loss of N and D"),
        ({"compute_flop": 1e26, "by": "krajewski-2024"}, "choose a dense law"),
        ({"compute_flop": 1e26, "by": "kaplan"}, "kaplan-2020"),
        ({"compute_flop": 1e26, "unique_tokens": 0.5}, "unique_tokens = 0.5"),
        ({"compute_flop": 1e26, "unique_tokens": 1e300}, "not a count of 1 to 1e"),
        ({"compute_flop": 1e26, "inference_tokens": 1e300}, "not a count of 1 to 1e"),
        ({"compute_flop": 1e26, "params": 1e300}, "not a count of 1 to 1e"),
        ({"compute_flop": 1e26, "params": 1e26}, "less than one token"),
        ({"on": "eos", "days": 1e9}, "a century"),
        ({"on": "eos", "budget_usd": 1e30}, "rents 'eos' for .* a century"),
        ({"on": "eos", "days": 9.0, "mfu": 1e-300}, "would do .* flop, which is not in"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_sentence(words, told):
    with pytest.raises(InputError, match=told.replace("(", r"\(")):
        optimal(**words)


def plain(document):
    return json.loads(json.dumps(document, allow_nan=False))


@pytest.mark.parametrize(
    "words",
    [
        {"compute_flop": 3e23, "unique_tokens": 1e10, "inference_tokens": 1e12, "params": 7e9},
        {"compute_flop": 1e21, "by": "kaplan-2020"},
        {"on": "alps", "days": 10.0, "mfu": 0.3},
        {"on": "superpod-h100", "days": 10.0},
    ],
)
def test_the_document_is_as_its_schema_says(words):
    document, rules = plain(optimal_document(optimal(**words))), json.loads(schema("scaling-optimal"))
    jsonschema.validate(document, rules, jsonschema.Draft202012Validator)
    del document["result"]["laws"]
    with pytest.raises(jsonschema.ValidationError, match="laws"):
        jsonschema.validate(document, rules, jsonschema.Draft202012Validator)


def test_warnings_say_epochs_parts_and_other_sizes():
    found = optimal_document(optimal(on="stargate", days=90.0, unique_tokens=1e12))
    codes = {w["code"] for w in found["warnings"]}
    assert {"outside_runs", "machine_not_shipping", "part_of_machine", "other_size", "epochs"} <= codes
    assert any("cannot" in w["message"] for w in found["warnings"] if w["code"] == "epochs")
    assert "taken_alone" not in codes
    two = optimal_document(optimal(compute_flop=1e24, unique_tokens=1e12, params=7e10))
    assert "params, unique tokens: each" in next(
        w["message"] for w in two["warnings"] if w["code"] == "taken_alone"
    )
    assert "no_band" in {
        w["code"] for w in optimal_document(optimal(compute_flop=1e20, by="kumar-2024"))["warnings"]
    }


@pytest.mark.parametrize(("budget", "warned"), [(2e7, False), (1e9, True)])
def test_money_that_lasts_for_years_is_warned_of(budget, warned):
    found = optimal_document(optimal(on="eos", budget_usd=budget, mfu=0.4))
    assert ("long_run" in {w["code"] for w in found["warnings"]}) == warned


def test_the_list_of_laws_is_as_its_schema_says():
    rules = json.loads(schema("scaling-laws"))
    for document in (laws_document(), laws_document("clark-2022"), laws_document(kind="batch")):
        jsonschema.validate(plain(document), rules, jsonschema.Draft202012Validator)
    one = laws_document("besiroglu-2024")["result"]["laws"][0]
    assert one["draws"] == 1000
    assert one["frontier_exponents"]["params"] == pytest.approx(0.5126, abs=5e-5)
