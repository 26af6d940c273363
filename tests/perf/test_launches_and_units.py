"""What a host launches, and in how many messages sharded weights come."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gigawatt.catalog import machine
from gigawatt.catalog.models import model
from gigawatt.comms import Group
from gigawatt.perf import stack
from gigawatt.perf.layer import launch_wait_s, launched_kernels
from gigawatt.perf.step import sync_s
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
    parts = software(graphed=0.7, kernels_per_layer=20, router_kernels=2, kernels_per_expert=2)
    assert launched_kernels(BLOCK, shard(8), stack=parts) == pytest.approx(0.3 * 40 + 32)
    assert launched_kernels(BLOCK, shard(8), stack=software(graphed=1)) == 0


@pytest.mark.parametrize("launched", [1.0, 40.0, 4000.0])
def test_a_wait_is_between_what_is_missing_and_all_of_the_hosts_time(launched):
    plain, device_s = software(host_s_per_kernel=3e-5), 2e-3
    waited = float(launch_wait_s(launched, device_s, syncs=0.0, stack=plain))
    assert max(launched * 3e-5 - device_s, 0.0) <= waited <= launched * 3e-5


def test_a_host_that_waits_for_each_kernel_adds_all_of_its_time():
    serial = software(host_s_per_kernel=3e-5, serial_launches=1)
    assert float(launch_wait_s(40.0, 2.0, syncs=0.0, stack=serial)) == pytest.approx(1.2e-3)


@pytest.mark.parametrize("units", [4.0, 100.0])
def test_weights_in_many_messages_pay_for_each_and_move_the_same_bytes(units):
    eagle = machine("eagle")
    group, alone = Group(ranks=512.0, stride=1.0), Group(ranks=1.0, stride=512.0)
    asked = {"machine": eagle, "zero_stage": 3, "grad_bytes": 2.0}
    once = sync_s(1e11, group, alone, **asked)
    many = sync_s(1e11, group, alone, **asked, units=units)
    for one, cut in zip(once, many, strict=True):
        assert one < cut
    small = sync_s(1e11 / units, group, alone, **asked)
    assert np.allclose(np.multiply(units, small), many)
