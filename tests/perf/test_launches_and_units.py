"""What a host launches, and in how many messages sharded weights come."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gigawatt.catalog import machine
from gigawatt.catalog.models import model
from gigawatt.comms import Group
from gigawatt.perf import Job, Layout, Strategy, setting_of, stack
from gigawatt.perf.launches import launch_wait_s, launched_kernels, sharded_host_s
from gigawatt.perf.sharded import data_messages_s, regathered_fraction, sync_s
from gigawatt.perf.stacks import _stack
from gigawatt.perf.step import optimizer_s
from gigawatt.workload.shard import Shard

BLOCK = model("qwen3-235b-a22b").blocks[-1]


def software(**values: float) -> object:
    known = stack("modern")
    return dataclasses.replace(known, values={**known.values, **values})


def shard(ep: int) -> Shard:
    return Shard(sequences=1, seq_tokens=4096, ep=ep)


def test_a_chip_with_half_of_the_experts_launches_half_of_their_products():
    plain = software(graphed=0, kernels_per_layer=20, router_kernels=2, kernels_per_expert=2)
    assert launched_kernels(BLOCK, shard(8), stack=plain) == 40 + 2 * 128 / 8
    assert launched_kernels(BLOCK, shard(16), stack=plain) == 40 + 2 * 128 / 16


def test_graphs_of_parts_launch_none_of_the_experts_and_graphs_of_a_pass_all():
    counts = {"kernels_per_layer": 20, "router_kernels": 2, "kernels_per_expert": 2}
    parts = software(graphed_attention=1, graphed_routing=1, **counts)
    assert (
        launched_kernels(BLOCK, shard(8), stack=parts) == 10 + 32
    )  # the experts' own half, and their products
    assert launched_kernels(BLOCK, shard(8), stack=software(graphed_attention=1, **counts)) == 30 + 32
    assert launched_kernels(BLOCK, shard(8), stack=software(graphed=1)) == 0


def test_a_layer_that_only_mixes_tokens_launches_half_of_a_whole_one():
    blocks = model("nemotron-h-56b").blocks  # a recurrence, then a dense network
    plain = software(kernels_per_layer=20)
    assert [launched_kernels(b, shard(1), stack=plain) for b in blocks[:2]] == [10, 10]
    recurrences = software(kernels_per_layer=20, graphed_recurrence=1)
    assert [launched_kernels(b, shard(1), stack=recurrences) for b in blocks[:2]] == [0, 10]


@pytest.mark.parametrize("casts", [1, 2])  # values, and the scales of blocks
def test_eight_bits_launch_scaling_kernels_for_each_product(casts):
    plain = software(kernels_per_layer=20, router_kernels=2, kernels_per_expert=2, kernels_per_cast=1)
    wide = launched_kernels(BLOCK, shard(8), stack=plain)
    narrow = launched_kernels(BLOCK, shard(8), stack=plain, casts=casts)
    assert narrow - wide == casts * (2 + 2 * 16)  # two linear layers of attention, two of each local expert


@pytest.mark.parametrize("launched", [1.0, 40.0, 4000.0])
def test_a_wait_is_between_what_is_missing_and_all_of_the_hosts_time(launched):
    plain, device_s = software(host_s_per_kernel=3e-5), 2e-3
    waited = float(launch_wait_s(launched, device_s, syncs=0.0, stack=plain))
    assert max(launched * 3e-5 - device_s, 0.0) <= waited <= launched * 3e-5


def test_tensors_that_know_their_sharding_take_the_host_time_where_there_are_several_ranks():
    eager = software(host_s_per_sharded_layer=2e-3)
    alone, two = (Shard(sequences=1, seq_tokens=4096, tp=t) for t in (1, 2))
    assert float(sharded_host_s(alone, frozen=False, stack=eager)) == 0.0
    assert float(sharded_host_s(two, frozen=False, stack=eager)) == 2e-3
    assert float(sharded_host_s(two, frozen=True, stack=eager)) == 6e-3  # and two products of an adapter
    idle = launch_wait_s(0.0, 1e-3, syncs=0.0, stack=eager, dispatched_s=6e-3)
    assert float(idle) == pytest.approx(5e-3, rel=1e-3)  # the chip's 1 ms of 6


@pytest.mark.parametrize("units", [4.0, 100.0])
def test_weights_in_many_messages_pay_for_each_and_move_the_same_bytes(units):
    eagle = machine("eagle")
    group, alone = Group(ranks=512.0, stride=1.0), Group(ranks=1.0, stride=512.0)
    asked = {"machine": eagle, "replicas": alone, "zero_stage": 3, "grad_bytes": 2.0}
    once = sync_s(1e11, group, **asked)
    many = sync_s(1e11, group, **asked, units=units)
    for one, cut in zip(once, many, strict=True):
        assert one < cut
    small = sync_s(1e11 / units, group, **asked)
    assert np.allclose(np.multiply(units, small), many)


GPT3 = Job(model=model("gpt3-175b"), seq_tokens=2048, batch_sequences=1024, dtype="bf16")
SHARDED = Layout(dp_shard=1024)


def sharded(recompute: str, zero_stage: int = 3, **values: float) -> object:
    strategy = Strategy(zero_stage=zero_stage, recompute=recompute)
    return setting_of(GPT3, machine=machine("eagle"), strategy=strategy, stack=software(**values))


def test_a_host_that_joins_shards_one_by_one_pays_for_every_other_rank_of_every_message():
    values = {"units_per_layer": 4.0, "s_per_shard": 1e-5}
    plain = data_messages_s(GPT3, SHARDED, setting=sharded("full", **values | {"s_per_shard": 0.0}))
    joined = data_messages_s(GPT3, SHARDED, setting=sharded("full", **values))
    for before, after in zip(plain, joined, strict=True):
        assert after - before == pytest.approx(96 * 4 * 1023 * 1e-5)


def test_a_layer_larger_than_what_is_kept_is_gathered_again_to_recompute():
    layer = 174.6e9 / 96  # 1.82e9 parameters, of which those with less than 0.5e9 behind them are kept
    again = float(regathered_fraction(GPT3, SHARDED, setting=sharded("full", kept_params=1e9)))
    assert again == pytest.approx(1 - 0.5e9 / layer, rel=1e-3)
    assert float(regathered_fraction(GPT3, SHARDED, setting=sharded("full", kept_params=4e9))) == 0
    assert float(regathered_fraction(GPT3, SHARDED, setting=sharded("full"))) == 0
    assert float(regathered_fraction(GPT3, SHARDED, setting=sharded("none", kept_params=1e9))) == 0


def test_owners_of_whole_tensors_send_each_and_reduce_all_gradients_on_all_ranks():
    """7 tensors of 96 layers have 672 owners among 1024 ranks, and 8 among 8."""
    values = {"whole_tensors": 7.0, "s_per_shard": 1e-5}
    for ranks, owners in ((1024, 672), (8, 8)):
        layout = Layout(dp_shard=ranks, dp_replicate=1024 // ranks)
        own, quick, plain = (
            data_messages_s(GPT3, layout, setting=sharded("none", zero_stage=stage, **told))
            for stage, told in ((1, values), (1, values | {"s_per_shard": 0.0}), (0, values))
        )
        assert own[1] - quick[1] == pytest.approx(owners * (ranks - 1) * 1e-5)
        assert own[0] == pytest.approx(plain[0])


def test_an_optimizer_on_the_host_takes_its_link_and_its_memory():
    """175e9 parameters over 1024 ranks: 0.171e9 of (6 + 42) bytes at 25 GB/s."""
    strategy = Strategy(zero_stage=3, offload_optimizer=True)
    asked = {"machine": machine("eagle"), "strategy": strategy, "stack": software()}
    found = float(optimizer_s(GPT3, SHARDED, setting_of(GPT3, **asked)))
    assert found == pytest.approx(174.6e9 / 1024 * 48 / 25e9, rel=1e-3)


def test_what_a_stack_writes_as_absent_stays_absent_however_its_base_was_fitted():
    assert stack("metaseq")["s_per_shard"] == stack("deepspeed-zero3-2021")["dp_overlap"] == 0
    assert stack("modern")["ep_overlap"] == stack("megatron-2021")["dp_overlap"] == 0


def test_what_a_stack_writes_stands_where_only_its_base_was_fitted(monkeypatch):
    base = {"deepspeed-zero3": {"s_per_shard": 3e-6, "sustained": 0.8}}
    monkeypatch.setitem(_stack.__globals__, "fitted", lambda: {"stack": base})
    old, new = (_stack(name) for name in ("deepspeed-zero3-2021", "deepspeed-zero3"))
    assert (old["s_per_shard"], old["sustained"]) == (2e-5, 0.8)
    assert new["s_per_shard"] == 3e-6
