"""No collective beats physics on any machine; more bytes or slower links are never faster."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawatt.catalog.records import Machine
from gigawatt.comms import COLLECTIVES, Group, busbw_bytes_per_s, lower_bound_s
from tests.comms.toys import every_machine

MACHINES = every_machine()
NAMES = sorted(COLLECTIVES)
BYTES = st.floats(1.0, 1e12)
POWERS = st.integers(0, 10).map(lambda exponent: 2**exponent)


@st.composite
def groups(draw: st.DrawFn, machine: Machine) -> Group:
    """Return a group that fits a machine."""
    stride = draw(POWERS.filter(lambda s: s <= machine.chips))
    ranks = draw(st.integers(1, max(machine.chips // stride, 1)))
    return Group(ranks=ranks, stride=stride)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data(), machine=st.sampled_from(MACHINES), message=BYTES)
@settings(max_examples=60)
def test_no_collective_beats_its_physical_limit(
    name: str, data: st.DataObject, machine: Machine, message: float
) -> None:
    group = data.draw(groups(machine))
    bound = float(lower_bound_s(name, message, group, machine=machine))
    assert float(COLLECTIVES[name](message, group, machine=machine)) >= bound * (1 - 1e-12) >= 0.0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.id)
def test_one_rank_talks_to_nobody(name: str, machine: Machine) -> None:
    assert float(COLLECTIVES[name](1e9, Group(ranks=1), machine=machine)) == 0.0
    assert float(lower_bound_s(name, 1e9, Group(ranks=1), machine=machine)) == 0.0


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data(), machine=st.sampled_from(MACHINES), message=BYTES, more=st.floats(1.0, 100.0))
@settings(max_examples=40)
def test_more_bytes_are_never_faster(
    name: str, data: st.DataObject, machine: Machine, message: float, more: float
) -> None:
    group = data.draw(groups(machine))
    less, most = (float(COLLECTIVES[name](b, group, machine=machine)) for b in (message, more * message))
    assert less <= most * (1 + 1e-12)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data(), machine=st.sampled_from(MACHINES), message=BYTES, slower=st.floats(1.0, 10.0))
@settings(max_examples=40)
def test_slower_links_or_longer_ways_are_never_faster(
    name: str, data: st.DataObject, machine: Machine, message: float, slower: float
) -> None:
    group = data.draw(groups(machine))
    fast = float(COLLECTIVES[name](message, group, machine=machine))
    at = data.draw(st.integers(0, len(machine.levels) - 1))
    for field, factor in (("bytes_per_s", 1 / slower), ("latency_s", slower)):
        level = machine.levels[at]
        worse = dataclasses.replace(level, **{field: getattr(level, field) * factor})
        levels = (*machine.levels[:at], worse, *machine.levels[at + 1 :])
        slow = COLLECTIVES[name](message, group, machine=dataclasses.replace(machine, levels=levels))
        assert fast <= float(slow) * (1 + 1e-12)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data(), machine=st.sampled_from(MACHINES))
@settings(max_examples=20)
def test_a_column_of_groups_is_each_group_alone(name: str, data: st.DataObject, machine: Machine) -> None:
    rows = [(data.draw(groups(machine)), data.draw(BYTES)) for _ in range(4)]
    ranks, strides = (np.array([getattr(g, f) for g, _ in rows]) for f in ("ranks", "stride"))
    column = Group(ranks=ranks, stride=strides)
    messages = np.array([message for _, message in rows])
    many = COLLECTIVES[name](messages, column, machine=machine)
    for i, (group, message) in enumerate(rows):
        one = float(COLLECTIVES[name](message, group, machine=machine))
        assert float(np.broadcast_to(many, 4)[i]) == pytest.approx(one, rel=1e-12)


@given(data=st.data(), machine=st.sampled_from(MACHINES), message=BYTES)
@settings(max_examples=60)
def test_an_all_reduce_takes_no_longer_than_its_two_halves(
    data: st.DataObject, machine: Machine, message: float
) -> None:
    group = data.draw(groups(machine))
    one, scatter, gather = (
        float(COLLECTIVES[name](message, group, machine=machine))
        for name in ("all_reduce", "reduce_scatter", "all_gather")
    )
    assert one <= (scatter + gather) * (1 + 1e-12)


@given(data=st.data(), machine=st.sampled_from([m for m in MACHINES if len(m.levels) == 1]), message=BYTES)
@settings(max_examples=40)
def test_bus_bandwidth_stays_below_the_line_rate_of_a_flat_ring(
    data: st.DataObject, machine: Machine, message: float
) -> None:
    ranks = data.draw(st.integers(2, machine.chips))
    seconds = COLLECTIVES["all_gather"](message, Group(ranks=ranks), machine=machine)
    rate = busbw_bytes_per_s("all_gather", message, seconds=seconds, ranks=ranks)
    assert float(rate) <= machine.scale_up.bytes_per_s * (1 + 1e-12)
