"""What dispatchers, biased experts, hybrids and named recompute cost."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gigawatt.catalog import machine
from gigawatt.catalog.models import model
from gigawatt.perf import Job, Strategy, setting_of, stack
from gigawatt.perf.layer import layer_time, tensor_comm_s
from gigawatt.perf.layout import Layout
from gigawatt.perf.setting import Setting
from gigawatt.perf.step import head_time, microbatch_passes
from gigawatt.workload.shard import Keeping, Shard, between_bytes, kept_bytes, routed_bytes

BIASED = model("gpt-oss-120b").blocks[0]  # 4 of 128 experts of 2880 x 2880, with biases
LATENT = model("deepseek-v3").blocks[-1]
HYBRID = model("nemotron-h-56b").blocks  # a recurrence, then a dense network
PARTS = ("norms", "activations", "up", "core", "routed")


def setting(name: str, *, tp: int = 1, **strategy: object) -> Setting:
    job = Job(model=model(name), seq_tokens=4096, batch_sequences=1)
    return setting_of(job, machine=machine("eos"), strategy=Strategy(**strategy), stack=stack("modern"))


def shard(**changes: int) -> Shard:
    return dataclasses.replace(Shard(sequences=1, seq_tokens=4096), **changes)


def test_tokens_that_are_sorted_twice_and_biases_cost_their_passes():
    ten = Shard(sequences=1, seq_tokens=10, ep=8)
    sent, width = 10 * 4, 2880
    once = 2 * sent * (4 * width + 6 * width + 3 * width)
    assert float(routed_bytes(BIASED, ten)) == once
    assert float(routed_bytes(BIASED, ten, copies=1.5)) == once + 2 * sent * 2 * width
    assert float(routed_bytes(BIASED, ten, bias_passes=14.0)) == once + 2 * sent * 8 * width


def test_experts_that_are_all_on_one_chip_are_sorted_once():
    alone = shard(ep=1)
    assert routed_bytes(LATENT, alone, copies=1.5) == routed_bytes(LATENT, alone)


@pytest.mark.parametrize("block", HYBRID[:2], ids=("recurrence", "network"))
def test_a_layer_of_a_hybrid_sends_one_pair_of_messages_and_passes_one_norm(block):
    whole = model("llama3.1-8b").blocks[0]
    asked = setting("llama3.1-8b")
    cut = shard(tp=8)
    assert np.isclose(2 * tensor_comm_s(block, cut, asked), tensor_comm_s(whole, cut, asked))
    bare = dataclasses.replace(block, mlp=None)
    empty = between_bytes(bare, cut, hidden=8192)
    assert empty == (2 * 4096 / 8 * 8192 * 5 if block.mixer.linears else 0)


def test_a_recurrence_keeps_what_it_mixes_and_no_query_a_head():
    block = HYBRID[0]  # 256 heads of 64, 8 groups of a state of 256
    kept = kept_bytes(block, Shard(sequences=1, seq_tokens=1), hidden=8192, keeping=Keeping())
    mixed, gate_and_output = 256 * 64 + 2 * 8 * 256, 2 * 256 * 64
    assert kept == 4 * 8192 + 2 * (mixed + gate_and_output)


@pytest.mark.parametrize("part", PARTS)
def test_each_part_that_is_named_is_computed_again(part):
    cut, bare = shard(ep=8), setting("deepseek-v3", recompute="selective", recomputed="dense")
    named = setting("deepseek-v3", recompute="selective", recomputed=part)
    assert layer_time(LATENT, cut, bare).recompute.total_s == 0  # this layer has no dense network
    assert (
        0 < layer_time(LATENT, cut, named).recompute.total_s < layer_time(LATENT, cut, named).forward.total_s
    )


def test_all_parts_that_are_named_are_no_more_than_the_whole_pass():
    cut = shard(ep=8)
    named = setting("deepseek-v3", recompute="selective", recomputed="+".join(PARTS))
    time = layer_time(LATENT, cut, named)
    assert time.recompute.total_s < time.forward.total_s


@pytest.mark.parametrize(("parallel", "shares"), [(True, (0.75, 0.5)), (False, (0.5, 0.0))])
def test_a_last_message_that_is_not_sent_again_is_a_larger_share_of_a_layer_of_one_sublayer(parallel, shares):
    asked = setting("llama3.1-8b", recompute="full", sequence_parallel=parallel)
    software = dataclasses.replace(asked.stack, values={**asked.stack.values, "recomputes_output": 0.0})
    asked = dataclasses.replace(asked, stack=software)
    cut = shard(tp=8, sequence_parallel=parallel)
    for block, share in zip((model("llama3.1-8b").blocks[0], HYBRID[1]), shares, strict=True):
        time = layer_time(block, cut, asked)
        assert time.recompute.tp_comm_s == pytest.approx(share * time.forward.tp_comm_s)


def test_named_parts_send_their_messages_again_and_norms_move_once():
    block, cut = model("llama3.1-8b").blocks[0], shard(tp=4, cp=2)
    names = ("dense", "core", "norms")
    dense, core, norms = (
        layer_time(block, cut, setting("llama3.1-8b", recompute="selective", recomputed=part))
        for part in names
    )
    assert dense.recompute.tp_comm_s == pytest.approx(0.5 * dense.forward.tp_comm_s)
    assert core.recompute.cp_comm_s == core.forward.cp_comm_s > 0
    law = setting("llama3.1-8b").laws.wide
    moved = 2 * 2 * 2 * 4096 * 4096 / 2 / 4  # two norms read and write the rank's tokens in 16 bits
    assert norms.recompute.memory_bound_s == pytest.approx(moved / (law.hbm_bytes_per_s * law.hbm_fraction))


def test_a_hybrid_predicts_more_tokens_with_an_attention_layer_and_a_mixture():
    job = Job(model=model("nemotron-3-super-120b-a12b"), seq_tokens=4096, batch_sequences=1)
    asked = setting(job.model.id)
    layout = Layout(ep=8, dp_shard=8)
    passes = microbatch_passes(job, layout, asked)
    plain = microbatch_passes(
        dataclasses.replace(job, model=dataclasses.replace(job.model, mtp_layers=0)), layout, asked
    )
    more = passes.forward.attention_s - plain.forward.attention_s
    attention = next(b for b in job.model.blocks if b.mixer.linears and b.mixer.core.span == "full")
    one = layer_time(dataclasses.replace(attention, count=1), shard(ep=8), asked).forward.attention_s
    assert np.isclose(more, 2 * one)
    cut = shard(ep=8)
    without = dataclasses.replace(job, model=dataclasses.replace(job.model, mtp_layers=0))
    assert head_time(job, cut, asked).total_s > 2 * head_time(without, cut, asked).total_s


def test_four_residual_streams_move_four_times_one():
    block = model("deepseek-v4-flash").blocks[0]
    single = dataclasses.replace(block, streams=1)
    more = between_bytes(block, shard(), hidden=4096) - between_bytes(single, shard(), hidden=4096)
    assert block.streams == 4
    assert more == 2 * (20 - 5) * 2 * 4096 * 4096  # of two sublayers
