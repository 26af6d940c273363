"""What more compute buys: the slope is that of the frontier, and the ladder goes up from here."""

from __future__ import annotations

import json
import math

import jsonschema
import pytest

from gigawatt.errors import InputError, UnknownFactError
from gigawatt.scaling import frontier_nats, law
from gigawatt.study import marginal, marginal_document, schema
from gigawatt.study.run import DAY_S
from gigawatt.study.scaling_marginal import LADDER, YEAR_S

BY = law("besiroglu-2024")


@pytest.fixture(scope="module")
def ladder():
    return marginal(among=["selene", "eos", "alps"], days=60.0)


def test_a_little_more_of_each_lowers_the_loss_as_the_slope_says(ladder):
    """A difference quotient along the frontier, with money, energy and time in proportion to compute."""
    for one in ladder.rungs:
        flop, step = one.compute.flop, 1e-4
        gained = float(frontier_nats(flop * (1 + step), by=BY) - frontier_nats(flop * (1 - step), by=BY)) / 2
        assert one.nats_per_day * step * one.compute.days == pytest.approx(gained, rel=1e-5)
        years = one.compute.rate.facility_w / 1e6 * one.compute.days * DAY_S / YEAR_S
        assert one.nats_per_mw_year * step * years == pytest.approx(gained, rel=1e-5)
        if not math.isnan(one.compute.cost_usd):
            assert one.nats_per_usd * step * one.compute.cost_usd == pytest.approx(gained, rel=1e-5)


def test_the_ladder_goes_up_and_each_rung_buys_less_a_day(ladder):
    flops = [one.compute.flop for one in ladder.rungs]
    assert flops == sorted(flops)
    days = [one.nats_per_day for one in ladder.rungs]
    assert days == sorted(days)
    assert all(day < 0 for day in days)
    losses = [one.best.loss_nats for one in ladder.rungs]
    assert losses == sorted(losses, reverse=True)


def test_money_is_unknown_where_the_rent_is(ladder):
    by_name = {one.compute.rate.machine.id: one for one in ladder.rungs}
    assert math.isnan(by_name["alps"].nats_per_usd)
    assert by_name["eos"].nats_per_usd < 0


def test_the_usual_ladder_ends_at_a_gigawatt_and_at_stargate():
    assert "stargate" in LADDER
    assert "colossus-300k-b200" in LADDER


def test_the_ladder_starts_where_one_is():
    found = marginal(on="colossus", among=["colossus", "selene"], days=30.0)
    assert len(found.rungs) == 2  # named twice, climbed once
    with pytest.raises(UnknownFactError, match="tpu-8t"):
        marginal(on="tpu-8t-pod", among=["selene"])


def test_what_cannot_be_planned_is_left_out_and_named():
    found = marginal(among=["selene", "tpu-8t-pod"])
    document = marginal_document(found)
    assert [one[0] for one in found.refused] == ["tpu-8t-pod"]
    assert document["status"] == "partial"
    assert any(w["code"] == "refused" for w in document["warnings"])


def test_a_rung_that_was_planned_with_a_model_of_another_size_says_so():
    told = {
        w["code"]: w["message"] for w in marginal_document(marginal(among=["selene", "stargate"]))["warnings"]
    }
    assert "stargate (megatron-1008b, the best size is " in told["other_size"]
    assert "selene" not in told["other_size"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"among": ["eoss"]}, "'eos'"),
        ({"among": []}, "names 0 machines"),
        ({"among": ["eos"], "days": -3.0}, "days = -3.0"),
        ({"among": ["eos"], "by": "llama-3"}, "not a loss"),
        ({"among": ["eos"], "by": "krajewski-2024"}, "choose a dense law"),
        ({"among": ["eos"], "days": 1e300}, "a century"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_sentence(words, told):
    with pytest.raises(InputError, match=told):
        marginal(**words)


def test_the_document_is_as_its_schema_says_and_marks_where_the_runs_end(ladder):
    document = json.loads(json.dumps(marginal_document(ladder), allow_nan=False))
    rules = json.loads(schema("scaling-marginal"))
    jsonschema.validate(document, rules, jsonschema.Draft202012Validator)
    assert document["result"]["law_runs_to_flop"] == 1.296e22
    assert "extrapolate" in document["warnings"][0]["message"]
    unknown = json.loads(json.dumps(marginal_document(marginal(among=["eos"], by="muennighoff-2023"))))
    jsonschema.validate(unknown, rules, jsonschema.Draft202012Validator)
    assert unknown["result"]["law_runs_to_flop"] is None
