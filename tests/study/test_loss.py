"""The loss of models of the catalogue: what is counted as N, what a mixture counts as, and the plan's law."""

from __future__ import annotations

import pytest

from gigawatt.catalog.models import find_model
from gigawatt.errors import InputError
from gigawatt.scaling import law, loss_nats, routed_params
from gigawatt.study import compare, plan
from gigawatt.study.loss import band_of_loss, counted_params, model_loss, model_tokens
from gigawatt.workload.params import params

DENSE = "llama2-7b"
JOB = {
    "on": "superpod-h100",
    "chips": 64,
    "tokens": 1e11,
    "layout": {"tp": 1, "zero": 3, "recompute": "full"},
}


def test_a_dense_model_counts_all_its_parameters_or_those_outside_the_tables():
    parts = params(find_model(DENSE))
    counts = {"besiroglu-2024": parts.total, "kaplan-2020": parts.total - parts.embedding - parts.head}
    for by, count in counts.items():
        assert counted_params(find_model(DENSE), law(by)) == counted_params(find_model(DENSE), law(by))
        assert counted_params(find_model(DENSE), law(by)).params == count
        assert counted_params(find_model(DENSE), law(by)).note == ""


def test_a_small_mixture_counts_as_clarks_dense_size_and_says_so():
    parts = params(find_model("olmoe-1b-7b"))
    found = counted_params(find_model("olmoe-1b-7b"), law("besiroglu-2024"))
    experts = parts.routed_experts / (parts.routed_experts - parts.inactive)
    assert found.params == pytest.approx(float(routed_params(float(parts.active), experts)))
    assert parts.active < found.params < parts.total
    assert "Clark 2022" in found.note
    assert "assumption" in found.note


def test_a_large_mixture_counts_its_active_parameters_and_says_that_this_is_pessimistic():
    parts = params(find_model("deepseek-v3"))
    found = counted_params(find_model("deepseek-v3"), law("besiroglu-2024"))
    assert found.params == parts.active
    assert "too pessimistic" in found.note
    assert "there it would count as" in found.note


def test_the_law_of_mixtures_counts_all_parameters():
    parts = params(find_model("deepseek-v3"))
    found = counted_params(find_model("deepseek-v3"), law("krajewski-2024"))
    assert found.params == parts.total - parts.embedding - parts.head - parts.position
    assert "64 experts" in found.note
    assert "dense" in counted_params(find_model(DENSE), law("krajewski-2024")).note


def test_tokens_for_a_loss_of_a_model_give_that_loss():
    for name in (DENSE, "olmoe-1b-7b"):
        needed = model_tokens(find_model(name), 2.2, by="besiroglu-2024")
        assert model_loss(find_model(name), needed, by="besiroglu-2024").loss_nats == pytest.approx(2.2)


def test_a_plan_takes_the_law_that_was_asked_for():
    found = plan(DENSE, law="hoffmann-2022-tex", **JOB)
    assert found.run.loss.law == "hoffmann-2022-tex"
    expected = loss_nats(float(params(find_model(DENSE)).total), 1e11, by=law("hoffmann-2022-tex"))
    assert found.run.loss.loss_nats == pytest.approx(expected)
    assert found.document()["result"]["loss_band"] == {"p10": None, "p90": None}


def test_a_plan_has_a_band_where_one_is_published_and_warns_of_mixtures():
    found = plan(DENSE, **JOB)
    low, high = band_of_loss(found.run.loss, 1e11)
    assert found.document()["result"]["loss_band"] == {"p10": low, "p90": high}
    assert low < found.run.loss.loss_nats < high
    mixture = plan("olmoe-1b-7b", on="superpod-h100", chips=64, tokens=1e12, layout={"zero": 3})
    codes = [w["code"] for w in mixture.document()["warnings"]]
    assert "loss_params" in codes
    assert mixture.document()["result"]["loss_params"] == mixture.run.loss.params


def test_a_plan_refuses_a_law_that_is_not_of_the_loss():
    with pytest.raises(InputError, match="not a loss of N and D"):
        plan(DENSE, law="step-law-rate", **JOB)
    with pytest.raises(InputError, match="besiroglu-2024"):
        plan(DENSE, law="besiroglu", **JOB)


def test_a_comparison_takes_a_law_too():
    fixed = {"schedule": "1f1b", "tp": 1, "pp": 1}
    words = {"equal": "chips", "amount": 64, "tokens": 1e11, "law": "hoffmann-2022-tex", "fixed": fixed}
    found = compare(DENSE, on=["eos", "selene"], **words)
    assert {p.run.loss.law for p in found.plans} == {"hoffmann-2022-tex"}
