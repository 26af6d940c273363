"""Parameters counted a second way: from the textbook formula of each family, for shapes drawn at random."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawatt.catalog.architecture import transformer
from gigawatt.catalog.models import find_model
from gigawatt.workload.params import params

HEADS = st.sampled_from((4, 8, 12, 64, 96))
MEGATRON = (  # Narayanan 2021, arXiv:2104.04473 table 1: billions of parameters, layers, hidden size
    ("megatron-1.7b", 24, 2304, 1.7),
    ("megatron-18.4b", 40, 6144, 18.4),
    ("megatron-145.6b", 80, 12288, 145.6),
    ("megatron-310.1b", 96, 16384, 310.1),
    ("megatron-1008b", 128, 25600, 1008.0),
)


@given(
    layers=st.integers(1, 130), heads=HEADS, size=st.sampled_from((64, 128)), vocab=st.integers(100, 300_000)
)
def test_a_gpt_has_twelve_h_squared_and_thirteen_h_a_layer(
    layers: int, heads: int, size: int, vocab: int
) -> None:
    h = heads * size
    gpt = transformer(
        id="gpt",
        name="gpt",
        layers=layers,
        hidden=h,
        heads=heads,
        kv_heads=heads,
        ffn_hidden=4 * h,
        vocab=vocab,
        gated=False,
        tied=True,
        bias=True,
        learned_positions=2048,
    )
    # weights qkv 3 h^2, out h^2, mlp 8 h^2; biases 3h + h + 4h + h; two norms of 2h; last norm; two tables
    assert params(gpt).total == layers * (12 * h * h + 13 * h) + 2 * h + (vocab + 2048) * h


@given(
    layers=st.integers(1, 130),
    kv=st.sampled_from((1, 2, 4, 8)),
    groups=st.integers(1, 16),
    ffn=st.integers(64, 60_000),
    vocab=st.integers(100, 300_000),
    tied=st.booleans(),
)
def test_a_llama_is_its_seven_matrices_and_two_norms_a_layer(
    layers: int, kv: int, groups: int, ffn: int, vocab: int, tied: bool
) -> None:
    heads, size = kv * groups, 128
    h = heads * size
    llama = transformer(
        id="llama",
        name="llama",
        layers=layers,
        hidden=h,
        heads=heads,
        kv_heads=kv,
        ffn_hidden=ffn,
        vocab=vocab,
        gated=True,
        tied=tied,
        bias=False,
    )
    matrices = h * h + 2 * h * kv * size + h * h + 3 * h * ffn
    assert params(llama).total == layers * (matrices + 2 * h) + h + (1 if tied else 2) * vocab * h


@pytest.mark.parametrize(("model", "layers", "hidden", "billions"), MEGATRON)
def test_megatron_models_have_the_size_of_their_paper(
    model: str, layers: int, hidden: int, billions: float
) -> None:
    found = find_model(model)
    assert (found.layers, found.hidden) == (layers, hidden)
    # eq. 2 of the paper, which leaves the last norm out
    paper = 12 * layers * hidden**2 * (1 + 13 / (12 * hidden) + (51_200 + 2048) / (12 * layers * hidden))
    assert params(found).total == pytest.approx(paper, rel=1e-5)
    assert params(found).total / 1e9 == pytest.approx(billions, abs=0.05 if billions < 1000 else 0.5)


def test_deepseek_v3_adds_up_by_hand() -> None:
    h, heads, q_rank, kv_rank, nope, rope, v = 7168, 128, 1536, 512, 128, 64, 128
    queries = h * q_rank + q_rank + q_rank * heads * (nope + rope)
    keys = h * (kv_rank + rope) + kv_rank + kv_rank * heads * (nope + v)
    mixer = queries + keys + heads * v * h + 2 * h
    expert = 3 * h * 2048
    dense, moe = (
        3 * h * 18432,
        257 * expert + 256 * h,
    )  # the router's balancing bias is a buffer, not a weight
    total = 2 * 129_280 * h + h + 61 * mixer + 3 * dense + 58 * moe
    count = params(find_model("deepseek-v3"))
    assert count.total == total == 671_026_404_352
    assert count.active == total - 58 * 248 * expert


@pytest.mark.parametrize("model", ["mixtral-8x7b", "deepseek-v3", "gpt3-175b", "gemma3-27b"])
def test_active_parameters_are_all_but_the_experts_that_a_token_does_not_pass(model: str) -> None:
    found = find_model(model)
    idle = sum(b.count * (b.moe.experts - b.moe.topk) * b.moe.expert.params for b in found.blocks if b.moe)
    assert params(found).active == params(found).total - idle
