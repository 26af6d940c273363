"""Rows that start off multiples of 16 bytes, padded vocabularies, and the least time of small kernels."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gigawatt.catalog import machine
from gigawatt.catalog.models import model
from gigawatt.perf import Job, Layout, Setting, Strategy, setting_of, stack
from gigawatt.perf.kernels import aligned_share
from gigawatt.perf.launches import launched_kernels, small_kernels
from gigawatt.perf.layer import (
    attention_pass_s,
    forward_time,
    gradient_products,
    product_s,
)
from gigawatt.perf.sharded import reduced_bytes
from gigawatt.perf.softmax import unfused_softmax
from gigawatt.perf.step import head_time, padded_vocab, shard_of
from gigawatt.workload.shard import Product, Shard

GPT = model("gpt3-175b")


def setting(**values: float) -> Setting:
    job = Job(model=GPT, seq_tokens=2048, batch_sequences=1)
    known = stack("megatron-2021")
    software = dataclasses.replace(known, values={**known.values, **values})
    return setting_of(job, machine=machine("selene"), strategy=Strategy(), stack=software)


def test_a_row_of_an_odd_length_loads_two_bytes_of_sixteen_at_a_time():
    assert float(aligned_share(50257, element_bytes=2.0)) == pytest.approx((2 / 16) ** 0.5)
    assert float(aligned_share(50257, element_bytes=1.0)) == pytest.approx((1 / 16) ** 0.5)
    assert float(aligned_share(64, 1800, element_bytes=2.0)) == 1.0


def test_columns_of_widths_are_as_their_numbers():
    widths = np.array([50304, 12564, 6282, 50257])
    found = aligned_share(widths, 4096, element_bytes=2.0)
    assert np.allclose(found, [aligned_share(int(w), 4096, element_bytes=2.0) for w in widths])


def test_heads_of_keys_that_do_not_divide_over_the_ranks_are_held_whole():
    assert float(aligned_share(256 / 12, 6144, element_bytes=2.0)) == 1.0
    found = aligned_share(np.array([256 / 12, 63.0]), 6144, element_bytes=2.0)
    assert np.allclose(found, [1.0, (2 / 16) ** 0.5])


def test_a_weight_gradient_is_as_aligned_as_its_weight_whatever_the_tokens():
    one = Product(name="x", m=1001.0, n=4096.0, k=1024.0)
    free = dataclasses.replace(one, widths=(8, 8))
    assert product_s(gradient_products(one)[1], setting()) == product_s(gradient_products(free)[1], setting())


def test_megatron_pads_50257_tokens_to_a_multiple_of_128_a_rank():
    assert float(padded_vocab(50257, 1, stack=stack("megatron-2021"))) == 50304
    assert float(padded_vocab(50257, 8, stack=stack("megatron-2021"))) == 51200
    assert float(padded_vocab(50257, 8, stack=stack("torchtitan"))) == 50264  # the ranks' equal shares


def test_a_vocabulary_that_is_not_padded_makes_the_head_slower():
    job = Job(model=dataclasses.replace(GPT, vocab=50257), seq_tokens=2048, batch_sequences=1)
    shard = shard_of(job, Layout(), Strategy())
    padded, bare = (head_time(job, shard, setting(vocab_multiple=m)).forward.matmul_s for m in (128, 1))
    assert 2.0 * float(padded) < float(bare) < 3.0 * float(padded)


def test_a_forward_pass_takes_the_least_time_of_each_small_kernel():
    job = Job(model=GPT, seq_tokens=2048, batch_sequences=1)
    shard, block = shard_of(job, Layout(), Strategy()), GPT.blocks[0]
    few, many = setting(kernels_per_layer=30), setting(kernels_per_layer=40)
    gained = forward_time(block, shard, many).memory_bound_s - forward_time(block, shard, few).memory_bound_s
    assert float(gained) == pytest.approx(10 * few.laws.wide.kernel_floor_s)


def test_small_kernels_are_those_that_are_neither_products_nor_attention():
    products = tuple(Product(name=str(i), m=1, n=1, k=1) for i in range(4))
    old, new = (stack(name) for name in ("megatron-2021", "modern"))
    block, cut = GPT.blocks[0], Shard(sequences=1, seq_tokens=2048)
    assert small_kernels(block, cut, products=products, stack=old) == 30 - 4 - 2
    assert small_kernels(block, cut, products=products, stack=new) == 20 - 4 - 1


def test_fp16_gradients_travel_in_16_bits_and_bf16_ones_as_the_stack_keeps_them():
    jobs = [Job(model=GPT, seq_tokens=2048, batch_sequences=1, dtype=d) for d in ("fp16", "bf16")]
    assert [reduced_bytes(job, stack("megatron-2021")) for job in jobs] == [2.0, 4.0]


def test_heads_of_an_odd_size_are_as_slow_as_their_rows_are_unaligned():
    shard, one = shard_of(Job(model=GPT, seq_tokens=2048, batch_sequences=1), Layout(), Strategy()), setting()
    core = dataclasses.replace(GPT.blocks[0].mixer.core, qk_head_dim=126, v_head_dim=126)
    odd = dataclasses.replace(GPT.blocks[0], mixer=dataclasses.replace(GPT.blocks[0].mixer, core=core))
    ratio = float(attention_pass_s(odd, shard, one, backward=False)[0]) / float(
        attention_pass_s(GPT.blocks[0], shard, one, backward=False)[0]
    )
    assert 1.8 < ratio < 2.05  # rows of 252 bytes start at multiples of 4: the root of 4 / 16


def test_a_softmax_in_parts_runs_five_more_kernels_and_moves_the_scores_sixteen_more_times():
    job, one = Job(model=GPT, seq_tokens=2048, batch_sequences=1), setting(softmax_passes=7)
    fused, apart = (shard_of(job, Layout(tp=tp), Strategy()) for tp in (8, 32))  # 12 and 3 heads
    block = GPT.blocks[0]
    more, few = (launched_kernels(block, cut, stack=one.stack) for cut in (apart, fused))
    assert more - few == 5
    moved = [float(attention_pass_s(block, cut, one, backward=False)[1]) for cut in (fused, apart)]
    assert moved[1] / moved[0] == pytest.approx(3 * (7 + 16) / (12 * 7))


def test_an_expert_alone_on_its_chip_is_as_aligned_as_one_of_many_and_columns_are_as_numbers():
    one = Product(name="expert", m=512.0, n=180.0, k=2880.0)
    even = dataclasses.replace(one, n=184.0)
    column = dataclasses.replace(one, groups=np.array([1.0, 4.0]))
    alone, many = (float(product_s(dataclasses.replace(one, groups=g), setting())) for g in (1.0, 4.0))
    assert np.allclose(product_s(column, setting()), [alone, many], rtol=1e-12)
    assert alone > 1.3 * float(product_s(even, setting()))


def test_a_compiler_pads_what_a_library_takes_as_it_lies():
    odd, even = (Product(name="head", m=2048.0, n=n, k=4096.0) for n in (50257.0, 50264.0))
    compiled = setting(kernels_per_layer=0.0)
    assert float(product_s(odd, compiled)) == pytest.approx(float(product_s(even, compiled)), rel=1e-3)
    assert float(product_s(odd, setting())) > 2.0 * float(product_s(even, setting()))


def test_what_has_no_scores_has_no_softmax_in_parts():
    recurrence, network = model("nemotron-h-56b").blocks[:2]  # 256 heads; no mixer
    cut = Shard(sequences=1, seq_tokens=32768, tp=2)
    old = stack("megatron-2021")
    assert [float(unfused_softmax(b, cut, stack=old)) for b in (recurrence, network)] == [0.0, 0.0]
    assert float(unfused_softmax(GPT.blocks[0], cut, stack=old)) == 1.0


def test_packed_documents_do_not_change_how_many_heads_a_softmax_takes_at_once():
    shard, block = (
        shard_of(Job(model=GPT, seq_tokens=2048, batch_sequences=1), Layout(), Strategy()),
        GPT.blocks[0],
    )
    packed = dataclasses.replace(setting(), document_tokens=300)
    whole = attention_pass_s(block, shard, setting(), backward=False)[1]
    assert float(attention_pass_s(block, shard, packed, backward=False)[1]) == pytest.approx(
        float(whole) * 300 / 2048
    )
