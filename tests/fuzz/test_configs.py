"""Whatever a config.json holds, the answer is a model with parameters or one sentence."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gigawatt.catalog.hf import model_of, read_hf_config
from gigawatt.errors import GigawattError
from gigawatt.workload.params import params
from tests.fuzz.sentences import is_one_sentence

DENSE = {
    "model_type": "llama", "hidden_size": 512, "num_hidden_layers": 4, "num_attention_heads": 8,
    "num_key_value_heads": 2, "vocab_size": 1000, "intermediate_size": 1024, "max_position_embeddings": 2048,
    "tie_word_embeddings": False,
}  # fmt: skip
MIXED = DENSE | {
    "model_type": "deepseek_v3", "n_routed_experts": 8, "num_experts_per_tok": 2,
    "moe_intermediate_size": 128, "n_shared_experts": 1, "first_k_dense_replace": 1,
    "kv_lora_rank": 64, "q_lora_rank": 96,
    "qk_nope_head_dim": 32, "qk_rope_head_dim": 16, "v_head_dim": 32,
}  # fmt: skip
KEYS = sorted({*DENSE, *MIXED, "layer_types", "head_dim", "sliding_window", "text_config", "moe_layer_freq",
               "hybrid_override_pattern", "layers_block_type", "full_attention_interval", "attention_bias",
               "index_topk", "compress_ratios", "mlp_only_layers", "decoder_sparse_step"})  # fmt: skip
SMALL = (
    st.none()
    | st.booleans()
    | st.integers(-4, 64)
    | st.floats()
    | st.sampled_from(("llama", "gpt2", "M-*E", "x"))
)
VALUES = (
    SMALL
    | st.integers(-(10**20), 10**20)
    | st.lists(SMALL, max_size=6)
    | st.dictionaries(st.sampled_from(KEYS), SMALL, max_size=3)
)


def model_or_sentence(read):
    """Return the parameters that are read, or None after one clear sentence."""
    try:
        found = params(read())
    except GigawattError as error:
        return is_one_sentence(error)
    assert 0 < found.active <= found.total
    return found.total


@pytest.mark.parametrize("config", [DENSE, MIXED], ids=["dense", "mixed"])
def test_the_configs_to_be_changed_are_good(config):
    assert model_or_sentence(lambda: model_of(config, id="x", name="x", where="x"))


@settings(max_examples=200)
@given(data=st.data(), config=st.sampled_from((DENSE, MIXED)))
def test_a_good_config_with_some_keys_changed(data, config):
    changed = dict(config)
    for name in data.draw(st.lists(st.sampled_from(KEYS), max_size=3)):
        changed[name] = data.draw(VALUES)
    model_or_sentence(lambda: model_of(changed, id="x", name="x", where="x"))


@settings(max_examples=200)
@given(data=st.data())
def test_a_good_config_with_some_keys_gone(data):
    kept = data.draw(st.lists(st.sampled_from(sorted(MIXED)), unique=True))
    model_or_sentence(lambda: model_of({k: MIXED[k] for k in kept}, id="x", name="x", where="x"))


@settings(max_examples=150)
@given(data=st.data())
@example(data=None)
def test_a_good_file_with_some_letters_changed(data, tmp_path_factory):
    file = tmp_path_factory.getbasetemp() / "config-x.json"
    text = json.dumps(MIXED)
    if data is not None:
        start = data.draw(st.integers(0, len(text) - 1))
        put = data.draw(st.text(max_size=4) | st.sampled_from(("NaN", "1e999", "{", "[", "-", '"', ",")))
        text = text[:start] + put + text[start + data.draw(st.integers(0, 8)) :]
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    model_or_sentence(lambda: read_hf_config(file))


@given(content=st.binary(max_size=100))
def test_any_bytes(content, tmp_path_factory):
    file = tmp_path_factory.getbasetemp() / "any.json"
    file.write_bytes(content)
    model_or_sentence(lambda: read_hf_config(file))


@pytest.mark.parametrize(
    "odd, said",
    [
        ({"num_attention_heads": 7, "num_key_value_heads": 7}, "does not divide hidden_size = 512"),
        ({"tie_word_embeddings": "no"}, "neither true nor false"),
    ],
)
def test_what_contradicts_itself_is_refused(odd, said):
    """A wrong dimension would price a model that nobody trains."""
    with pytest.raises(GigawattError, match=said):
        model_of(DENSE | odd, id="x", name="x", where="x.json")
