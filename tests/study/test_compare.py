"""Comparisons: each side is its plan, equal parts are equal, and the sentence says what the figures say."""

from __future__ import annotations

import json
import math
from typing import Any

import jsonschema
import pytest

from gigawatt.errors import InputError, NothingFeasibleError
from gigawatt.study import Comparison, compare, compare_document, plan, schema
from gigawatt.study.compare import meter_w, score
from gigawatt.study.why import causes, why

FIXED = {"schedule": "1f1b", "chunks": 1, "zero_stage": 1, "dp_replicate": 1, "sequence_parallel": True}
JOB: dict[str, Any] = {
    "tokens": 1e12,
    "seq_tokens": 4096,
    "batch_sequences": 512,
    "dtype": "bf16",
    "fixed": FIXED,
}
TWO = ("superpod-h100", "superpod-a100")


def compared(*machines: str, **more: Any) -> Comparison:
    return compare("llama2-13b", on=machines or TWO, **{**JOB, **more})


def test_each_side_is_the_plan_of_that_machine_and_the_best_comes_first():
    found = compared()
    for p in found.plans:
        alone = plan("llama2-13b", on=p.scenario.machine.id, **JOB)
        assert (p.layout, p.run.wall_s) == (alone.layout, alone.run.wall_s)
    assert [score(p, "time") for p in found.plans] == sorted(score(p, "time") for p in found.plans)


@pytest.mark.parametrize("equal", ["chips", "power", "cost"])
def test_equal_parts_take_no_more_than_the_amount_and_nearly_as_much(equal):
    found = compared(equal=equal)
    each = {"chips": lambda m: 1.0, "power": meter_w, "cost": lambda m: m.facts["rent_usd_per_s"].value}[
        equal
    ]
    for p in found.plans:
        machine = p.scenario.machine
        used = machine.chips * each(machine)
        assert 0.8 * found.amount < used <= found.amount * (1 + 1e-9)  # type: ignore[operator]
        assert machine.chips % machine.chips_per_node == 0


def test_an_amount_may_be_given_with_its_unit():
    found = compared(equal="power", amount="300 kW")
    assert all(p.run.it_power_w * p.scenario.machine.site.pue <= 3e5 for p in found.plans)


@pytest.mark.parametrize("by", ["time", "cost", "energy"])
def test_the_causes_multiply_to_the_ratio(by):
    best, other = compared(by=by).plans
    product = math.prod(cause.ratio for cause in causes(best, other, by=by))
    assert product == pytest.approx(score(other, by) / score(best, by), rel=1e-6)


def test_the_sentence_names_the_largest_cause_and_no_other_machine():
    (sentence,) = why(compared(equal="chips"))
    best, other = compared(equal="chips").plans
    largest = max(causes(best, other, by="time"), key=lambda cause: abs(math.log(cause.ratio)))
    assert largest.text in sentence
    assert sentence.startswith("superpod-h100 is")
    assert "superpod-a100" in sentence


def test_a_machine_and_its_copy_are_equal(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("chip: h100-sxm\nchips: 64\nnetwork: 400 Gbit/s\n")
    (sentence,) = why(compared(str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")))
    assert "are equal within what a prediction can tell" in sentence


def test_a_machine_that_is_too_small_is_left_out_with_its_reason():
    found = compared("superpod-h100", "google-l4")
    assert [p.scenario.machine.id for p in found.plans] == ["superpod-h100"]
    assert found.refusals[0].machine == "google-l4"
    assert "fit" in found.refusals[0].why or "divide" in found.refusals[0].why


def test_where_it_fits_on_none_that_is_the_answer():
    with pytest.raises(NothingFeasibleError, match="fits on none"):
        compare("llama3.1-405b", on=["google-l4", "inferentia2"], tokens=1e12)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"on": ["eos"]}, "takes 2 to 8"),
        ({"on": ["eos", "eos"]}, "twice"),
        ({"on": TWO, "equal": "size"}, "equal = 'size'"),
        ({"on": TWO, "amount": "20 MW"}, "--equal"),
        ({"on": TWO, "equal": "power", "amount": "20 MB"}, "amount = '20 MB'"),
        ({"on": TWO, "equal": "chips", "amount": "-4"}, "not above 0"),
        ({"on": TWO, "by": "speed"}, "by = 'speed'"),
    ],
)
def test_bad_words_are_refused_in_one_sentence(call, words):
    with pytest.raises(InputError, match=words):
        compare("llama2-13b", **{**JOB, **call})


def test_the_document_keeps_its_schema_and_its_ledgers_are_whole():
    document = json.loads(json.dumps(compare_document(compared()), allow_nan=False))
    jsonschema.validate(document, json.loads(schema("compare")), jsonschema.Draft202012Validator)
    for row in document["result"]["machines"]:
        assert sum(e["fraction"] for e in row["ledger"]) == pytest.approx(1.0)
    del document["result"]["why"]
    with pytest.raises(jsonschema.ValidationError, match="why"):
        jsonschema.validate(document, json.loads(schema("compare")), jsonschema.Draft202012Validator)
