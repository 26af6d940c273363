"""Flop counted a second way: by the mask, by the chips' shares, and against published totals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawatt.catalog.models import find_model
from gigawatt.catalog.records import Block, Core, Model, Span
from gigawatt.workload.flop import (
    attended_tokens,
    core_flop_per_token,
    full_attention_flop_per_token,
    layer_flop_per_token,
    model_flop_per_token,
)
from gigawatt.workload.params import params
from gigawatt.workload.shard import Shard, attention_keys, layer_products

MODELS = ("llama3.1-405b", "gpt3-175b", "deepseek-v3", "mixtral-8x7b", "qwen3-235b-a22b", "gemma3-27b")


def mask(span: Span, seq: int, width: int) -> np.ndarray:
    """Return which key each query may see."""
    query, key = np.indices((seq, seq))
    seen = key <= query
    if span == "window":
        seen &= query - key < width
    if span == "chunk":
        seen &= query // width == key // width
    return seen


@pytest.mark.parametrize("span", ["full", "window", "chunk"])
@given(blocks=st.integers(1, 12), width=st.sampled_from((32, 64, 128)))
@settings(max_examples=15)
def test_attended_tokens_are_the_ones_of_the_mask(span: Span, blocks: int, width: int) -> None:
    seq = blocks * width
    core = Core(
        heads=1,
        kv_heads=1,
        qk_head_dim=8,
        v_head_dim=8,
        span=span,
        span_tokens=0 if span == "full" else width,
    )
    # the continuous count leaves out half a key a query: the diagonal
    assert attended_tokens(core, float(seq)) == pytest.approx(
        mask(span, seq, width).mean(axis=1).sum(), abs=0.5
    )


@pytest.mark.parametrize("name", MODELS)
def test_keys_times_the_masks_fraction_are_the_attended_tokens(name: str) -> None:
    for block in find_model(name).blocks:
        keys, fraction = attention_keys(block, Shard(sequences=1, seq_tokens=8192))
        assert keys * fraction == pytest.approx(attended_tokens(block.mixer.core, 8192.0))
        assert 0 < fraction <= 1


def products_flop(block: Block, shard: Shard) -> float:
    """Return the flop of one chip's forward products."""
    return float(sum(2.0 * p.m * p.n * p.k * p.groups for p in layer_products(block, shard)))


@pytest.mark.parametrize("name", MODELS)
@given(
    tp=st.sampled_from((1, 2, 4, 8)),
    cp=st.sampled_from((1, 2, 4)),
    ep=st.sampled_from((1, 2, 8)),
    etp=st.sampled_from((1, 2)),
)
@settings(max_examples=15)
def test_chips_share_the_matrix_products_and_lose_none(
    name: str, tp: int, cp: int, ep: int, etp: int
) -> None:
    model, tokens = find_model(name), 4 * 8192
    for block in model.blocks:
        shard = Shard(sequences=4, seq_tokens=8192, tp=tp, cp=cp, ep=ep, etp=etp)
        whole = tokens * layer_flop_per_token(block, 8192) - tokens * core_flop_per_token(
            block.mixer.core, 8192
        )
        assert tp * cp * products_flop(block, shard) == pytest.approx(float(whole), rel=1e-12)


@given(tp=st.sampled_from((2, 4, 8)), name=st.sampled_from(MODELS))
def test_without_sequence_parallelism_only_unsplit_weights_are_computed_more_than_once(
    tp: int, name: str
) -> None:
    for block in find_model(name).blocks:
        once = products_flop(block, Shard(sequences=1, seq_tokens=4096, tp=tp))
        again = products_flop(block, Shard(sequences=1, seq_tokens=4096, tp=tp, sequence_parallel=False))
        unsplit = [x for x in block.mixer.linears if x.split == "none"]
        unsplit += [block.moe.router] if block.moe else []
        extra = sum(2.0 * 4096 * x.inputs * x.outputs * (1 - 1 / tp) for x in unsplit)
        assert again - once == pytest.approx(extra, rel=1e-9, abs=1e-3)


@given(name=st.sampled_from(MODELS), seq=st.integers(64, 200_000), more=st.floats(1.01, 4.0))
def test_longer_sequences_never_cost_less_a_token(name: str, seq: int, more: float) -> None:
    model = find_model(name)
    assert model_flop_per_token(model, seq * more) >= model_flop_per_token(model, float(seq))
    assert full_attention_flop_per_token(model, float(seq)) >= model_flop_per_token(model, float(seq))


def attention_flop(model: Model, seq: int) -> float:
    """Return 12 L h s, the attention term of PaLM's appendix B."""
    return 12.0 * model.layers * model.hidden * seq


def test_gpt3_takes_the_flop_of_its_paper() -> None:
    # Brown 2020, arXiv:2005.14165 table D.1: 3.14e23 flop for 300 B tokens, without attention
    model = find_model("gpt3-175b")
    no_attention = model_flop_per_token(model, 2048) - 0.5 * attention_flop(model, 2048)
    assert no_attention * 300e9 == pytest.approx(3.14e23, rel=0.01)


def test_palm_counts_six_flop_a_parameter_and_the_whole_square() -> None:
    # Chowdhery 2022, arXiv:2204.02311 appendix B: 6 N + 12 L H Q T, the shared embedding counted once in N
    model = find_model("palm-540b")
    core = model.blocks[0].mixer.core
    square = 12.0 * model.layers * core.heads * core.qk_head_dim * 2048
    assert float(full_attention_flop_per_token(model, 2048)) == pytest.approx(
        6.0 * params(model).total + square, rel=1e-3
    )


def test_megatron_counts_what_its_formula_says() -> None:
    # Narayanan 2021, arXiv:2104.04473 eq. 3: 96 B s l h^2 (1 + s/6h + V/16lh) with recompute; 3/4 without
    model = find_model("megatron-145.6b")
    l, h, s, v = model.layers, model.hidden, 2048, model.vocab
    per_token = 72.0 * l * h * h * (1 + s / (6 * h) + v / (12 * l * h))
    assert float(full_attention_flop_per_token(model, s)) == pytest.approx(per_token, rel=1e-12)


def test_llama3_405b_takes_the_flop_of_its_paper() -> None:
    # arXiv:2407.21783 sec. 1: 3.8e25 flop on 15.6 T tokens
    model = find_model("llama3.1-405b")
    assert float(model_flop_per_token(model, 8192)) * 15.6e12 == pytest.approx(3.8e25, rel=0.05)


def test_deepseek_v3_takes_six_flop_an_active_parameter() -> None:
    # arXiv:2412.19437: 37 B active of which the embedding table is looked up, not multiplied
    model = find_model("deepseek-v3")
    count = params(model)
    assert count.active == pytest.approx(37.5e9, rel=0.01)
    one_pass = float(model_flop_per_token(model, 1.0))
    mtp = 3.0 * float(
        layer_flop_per_token(model.blocks[-1], 1.0) + 4 * model.hidden**2
    ) + 6.0 * model.hidden * (model.vocab)
    assert one_pass - mtp * model.mtp_layers == pytest.approx(
        6.0 * (count.active - count.embedding), rel=1e-3
    )
