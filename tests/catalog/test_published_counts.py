"""Every model of the catalogue has the size that was published for it."""

from __future__ import annotations

import pytest

from gigawatt.catalog.models import model, model_ids
from gigawatt.workload.params import params

CLOSE = 1e-3  # of the published count
NOT_PUBLISHED = {  # no count to compare with: what the model's note must say
    "glm-130b": "Printed 130 B",
    "glm-4.5-355b-a32b": "Printed 355 B",
    "glm-4.5-air-106b-a12b": "Printed 106 B",
    "gpt-4": "Rumoured",
    "gpt3-13b": "prints a hidden size of 5,140",
    "grok-1": "Released as 314 B",
    "pangu-ultra-moe-718b": "Printed 718 B",
}
COUNTED = [id for id in model_ids() if "published_params" in model(id).facts]


@pytest.mark.parametrize("id", COUNTED)
def test_a_model_has_its_published_size(id: str) -> None:
    found = model(id)
    said, count = found.facts["published_params"], params(found).total
    if said.low is not None and said.high is not None:  # a rounded figure: its last digit is the tolerance
        assert said.low <= count <= said.high
        assert said.high - said.low <= 0.08 * float(said.value)
    else:
        assert count == pytest.approx(said.value, rel=CLOSE)


def test_a_model_without_a_published_size_says_why() -> None:
    silent = {id: model(id).note for id in model_ids() if id not in COUNTED}
    trials = {id for id, note in silent.items() if "Sizes by a table of the launch script" in note}
    assert set(silent) - trials == set(NOT_PUBLISHED)
    assert all(text in silent[id] for id, text in NOT_PUBLISHED.items())


def test_the_rumoured_model_adds_up_to_its_rumour() -> None:
    gpt4 = model("gpt-4")
    assert gpt4.rumoured
    assert [id for id in model_ids() if model(id).rumoured] == ["gpt-4"]
    count = params(gpt4)
    assert count.total == pytest.approx(1.8e12, rel=0.05)
    assert count.active == pytest.approx(280e9, rel=0.05)
    assert count.routed / (120 * 16) == pytest.approx(111e9 / 120, rel=0.03)  # 16 experts of 111 B


@pytest.mark.parametrize(
    "name",
    [
        *("llama2-7b", "llama2-70b", "llama3-8b", "llama3-70b", "llama3.1-405b", "llama4-scout"),
        *("llama4-maverick", "qwen2.5-72b", "qwen3-32b", "qwen3-235b-a22b", "mixtral-8x7b", "mixtral-8x22b"),
        *("deepseek-v2", "deepseek-v3", "gpt-oss-120b", "gpt3-175b", "megatron-1.7b", "megatron-1008b"),
        *("nemotron-4-340b", "gemma2-27b", "gemma3-27b", "olmo2-32b", "falcon-180b", "palm-540b"),
        *("bloom-176b", "opt-175b", "glm-130b", "glm-4.5-355b-a32b", "kimi-k2", "grok-1", "gpt-4"),
        *("qwen3-next-80b-a3b", "mt-nlg-530b", "nemotron-h-56b"),
    ],
)
def test_the_models_that_must_be_there_are(name: str) -> None:
    assert model(name).id == name


FULL_RECIPE = ("bloom-176b", "deepseek-v3", "gpt3-175b", "llama2-70b", "llama3.1-405b", "megatron-1008b",
               "nemotron-4-340b", "olmo2-32b", "opt-175b", "palm-540b")  # fmt: skip


@pytest.mark.parametrize("name", FULL_RECIPE)
def test_a_published_recipe_holds_tokens_batch_sequence_and_dtype(name: str) -> None:
    recipe = model(name).recipe
    assert set(recipe) == {"seq_tokens", "batch_tokens", "tokens", "dtype"}
    sequences = float(recipe["batch_tokens"].value) / float(recipe["seq_tokens"].value)
    assert 100 <= sequences <= 20_000
    assert float(recipe["tokens"].value) > float(recipe["batch_tokens"].value)
