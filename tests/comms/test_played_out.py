"""Collectives played out message by message on links of known speed, against the closed forms."""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict

import pytest

from gigawatt.catalog.records import Machine
from gigawatt.comms import COLLECTIVES, Group, lower_bound_s
from tests.comms.toys import level, lose_nothing, toy_machine

BYTES = 1.2e9
INNER, OUTER = 4e11, 5e10  # bytes a second of a chip's links inside and outside its node


def ring_finish_s(ranks: int, *, shard_bytes: float, rounds: int, bytes_per_s: float) -> float:
    """Return when the last rank of a ring has its last shard; a rank sends a shard on once it has it."""
    free = [0.0] * ranks  # when each rank's outgoing link is idle
    arrived = [[0.0] + [float("inf")] * rounds for _ in range(ranks)]
    waiting = [(0.0, rank, 0) for rank in range(ranks)]  # (ready, rank, round): shards to send on
    while waiting:
        ready, rank, turn = heapq.heappop(waiting)
        start = max(ready, free[rank])
        free[rank] = done = start + shard_bytes / bytes_per_s
        arrived[(rank + 1) % ranks][turn + 1] = done
        if turn + 1 < rounds:
            heapq.heappush(waiting, (done, (rank + 1) % ranks, turn + 1))
    return max(row[-1] for row in arrived)


@pytest.mark.parametrize("ranks", [2, 3, 8, 16])
@pytest.mark.parametrize(("name", "laps"), [("all_gather", 1), ("reduce_scatter", 1), ("all_reduce", 2)])
def test_a_ring_takes_what_its_messages_take(
    monkeypatch: pytest.MonkeyPatch, ranks: int, name: str, laps: int
) -> None:
    lose_nothing(monkeypatch)
    machine = toy_machine(level(ranks, INNER))
    played = ring_finish_s(ranks, shard_bytes=BYTES / ranks, rounds=laps * (ranks - 1), bytes_per_s=INNER)
    assert float(COLLECTIVES[name](BYTES, Group(ranks=ranks), machine=machine)) == pytest.approx(played)


def exchange_loads(ranks: int, node: int) -> dict[str, float]:
    """Return the busiest link's bytes on each kind of link when every rank sends a part to every other."""
    loads: dict[tuple[str, int], float] = defaultdict(float)
    for sender, receiver in itertools.permutations(range(ranks), 2):
        kind = "inside" if sender // node == receiver // node else "outside"
        loads[kind, sender] += BYTES / ranks
    return {kind: max(v for (k, _), v in loads.items() if k == kind) for kind in ("inside", "outside")}


@pytest.mark.parametrize(("ranks", "node"), [(16, 8), (24, 8), (32, 4)])
def test_an_all_to_all_takes_what_its_busiest_link_carries(
    monkeypatch: pytest.MonkeyPatch, ranks: int, node: int
) -> None:
    lose_nothing(monkeypatch)
    machine = toy_machine(level(node, INNER), level(ranks, OUTER))
    loads = exchange_loads(ranks, node)
    expected = max(loads["inside"] / INNER, loads["outside"] / OUTER)
    found = float(COLLECTIVES["all_to_all"](BYTES, Group(ranks=ranks), machine=machine))
    assert found == pytest.approx(expected)
    assert float(lower_bound_s("all_to_all", BYTES, Group(ranks=ranks), machine=machine)) == pytest.approx(
        expected
    )


def rail_all_reduce_s(ranks: int, node: int) -> tuple[float, float]:
    """Return the time of a hierarchical all-reduce, its phases one by one, and when they fully overlap.

    Reduce-scatter in the node, all-reduce of each part over its rail, all-gather in the node.
    """
    nodes = ranks // node
    inside = ring_finish_s(node, shard_bytes=BYTES / node, rounds=node - 1, bytes_per_s=INNER)
    rail = ring_finish_s(nodes, shard_bytes=BYTES / ranks, rounds=2 * (nodes - 1), bytes_per_s=OUTER)
    return 2 * inside + rail, max(2 * inside, rail)


@pytest.mark.parametrize(("ranks", "node"), [(16, 8), (64, 8), (128, 4)])
def test_a_hierarchical_all_reduce_lies_between_perfect_overlap_and_none(
    monkeypatch: pytest.MonkeyPatch, ranks: int, node: int
) -> None:
    lose_nothing(monkeypatch)
    machine = toy_machine(level(node, INNER), level(ranks, OUTER))
    in_turn, overlapped = rail_all_reduce_s(ranks, node)
    found = float(COLLECTIVES["all_reduce"](BYTES, Group(ranks=ranks), machine=machine))
    assert overlapped * (1 - 1e-12) <= found <= in_turn * (1 + 1e-12)


@pytest.mark.parametrize("stride", [1, 2, 4, 8, 16])
def test_a_group_that_strides_over_nodes_uses_only_the_links_between_them(
    monkeypatch: pytest.MonkeyPatch, stride: int
) -> None:
    lose_nothing(monkeypatch)
    machine = toy_machine(level(8, INNER), level(256, OUTER))
    found = float(COLLECTIVES["all_gather"](BYTES, Group(ranks=16, stride=stride), machine=machine))
    inside = max(8 // stride, 1)  # ranks that share a node, and so its rails
    assert found == pytest.approx(BYTES * 15 / 16 / min(INNER if inside > 1 else 1e99, inside * OUTER))


def torus_loads(dims: tuple[int, ...]) -> float:
    """Return the busiest directed link's bytes of an all-to-all on a torus, routed axis by axis."""
    loads: dict[tuple[tuple[int, ...], int, int], float] = defaultdict(float)
    nodes = list(itertools.product(*(range(d) for d in dims)))
    part = BYTES / len(nodes)
    for start, end in itertools.permutations(nodes, 2):
        at = list(start)
        for axis, size in enumerate(dims):
            ahead = (end[axis] - at[axis]) % size
            ways = [(1, ahead)] if 2 * ahead < size else [(-1, size - ahead)]
            ways = [(1, ahead), (-1, ahead)] if 2 * ahead == size else ways
            for sign, hops in ways:
                here = at.copy()
                for _ in range(hops):
                    loads[tuple(here), axis, sign] += part / len(ways)
                    here[axis] = (here[axis] + sign) % size
            at[axis] = end[axis]
    return max(loads.values())


@pytest.mark.parametrize("dims", [(4, 4), (8, 8), (4, 4, 4)])
def test_an_all_to_all_on_a_cube_torus_is_bound_by_the_hops_of_its_bytes(
    monkeypatch: pytest.MonkeyPatch, dims: tuple[int, ...]
) -> None:
    lose_nothing(monkeypatch)
    ranks = dims[0] ** len(dims)
    machine = torus(dims, ranks)
    link = INNER / (2 * len(dims))  # a chip's rate is shared by two directions of each axis
    found = float(COLLECTIVES["all_to_all"](BYTES, Group(ranks=ranks), machine=machine))
    # the closed form moves a byte a quarter of each axis at the rate of all links, less the part kept at home
    assert found == pytest.approx(torus_loads(dims) / link, rel=0.15)


def torus(dims: tuple[int, ...], chips: int) -> Machine:
    """Return a torus without latency."""
    return toy_machine(level(chips, INNER, topology="torus", dims=dims))


def test_a_ring_on_one_axis_of_a_torus_uses_that_axis_links_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    lose_nothing(monkeypatch)
    machine = torus((4, 4, 4), 64)
    one_axis = float(COLLECTIVES["all_gather"](BYTES, Group(ranks=4), machine=machine))
    assert one_axis == pytest.approx(BYTES * 3 / 4 / (INNER / 3))
    whole = float(COLLECTIVES["all_gather"](BYTES, Group(ranks=64), machine=machine))
    assert whole == pytest.approx(BYTES * 63 / 64 / INNER)
