"""Fat trees, dragonflies and tori: nothing is left unplugged, and no switch has too few ports."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from gigawatt.fabric import (
    down_ports,
    dragonfly,
    fat_tree,
    most_endpoints,
    optical_links,
    optical_switches,
    smallest_divisor,
    torus_links,
    up_ports,
)

RADIX = st.sampled_from([8, 16, 32, 36, 40, 64, 72, 128, 144])
SPARE = st.sampled_from([1.0, 1.5, 2.0, 3.0, 7.0])


@given(radix=RADIX, n=st.integers(1, 200_000), o=SPARE)
def test_every_endpoint_has_a_port_and_no_switch_has_too_few(radix, n, o):
    tree = fat_tree(n, radix, oversubscription=o)
    assume(np.isfinite(tree.tiers))
    assert tree.endpoint_links == n
    leaf_ports = tree.leaf * (radix if tree.tiers == 1 else down_ports(radix, o))
    assert leaf_ports >= n
    assert tree.spine_links <= tree.spine * radix
    assert tree.core_links <= tree.core * radix
    assert tree.endpoint_links + tree.spine_links <= tree.leaf * radix
    assert tree.spine_links + tree.core_links <= tree.spine * radix


@given(radix=RADIX, n=st.integers(1, 200_000))
def test_a_tree_that_is_not_oversubscribed_has_full_bisection(radix, n):
    tree = fat_tree(n, radix)
    assume(np.isfinite(tree.tiers))
    if tree.tiers > 1:
        assert tree.spine_links >= n
    if tree.tiers > 2:
        assert tree.core_links >= n


@given(radix=RADIX, n=st.integers(65, 200_000), o=st.sampled_from([2.0, 3.0, 7.0]))
def test_oversubscription_leaves_that_share_of_the_links(radix, n, o):
    tree = fat_tree(n, radix, oversubscription=o)
    assume(np.isfinite(tree.tiers) and tree.tiers > 1)
    assert tree.spine_links * o >= n
    assert tree.spine_links == tree.leaf * up_ports(radix, o)


@given(radix=RADIX, n=st.integers(1, 100_000), more=st.integers(0, 50_000))
def test_more_endpoints_never_need_fewer_switches_or_links(radix, n, more):
    few, many = fat_tree(n, radix), fat_tree(n + more, radix)
    assert many.leaf >= few.leaf
    assert many.links >= few.links
    assert many.tiers >= few.tiers


@given(radix=RADIX, tiers=st.sampled_from([1, 2, 3]))
def test_the_largest_tree_of_some_tiers_is_full_and_one_endpoint_more_needs_another(radix, tiers):
    most = most_endpoints(radix, tiers)
    full, over = fat_tree(most, radix), fat_tree(most + 1, radix)
    assert full.tiers == tiers
    assert over.tiers == (tiers + 1 if tiers < 3 else np.inf)
    ports = full.switches * radix
    assert ports == full.endpoint_links + 2 * (full.spine_links + full.core_links)


def wired(n, radix):
    """Return a tree and its links, wired by hand: endpoints, leaves, spines, cores."""
    tree = fat_tree(n, radix)
    half = radix // 2
    leaves, spines, cores = int(tree.leaf), int(tree.spine), int(tree.core)
    links = [(("e", i), ("l", i // (radix if tree.tiers == 1 else half))) for i in range(n)]
    if tree.tiers == 2:
        parallel = half // spines
        links += [(("l", i), ("s", j)) for i in range(leaves) for j in range(spines) for _ in range(parallel)]
    if tree.tiers == 3:
        first, ups = 0, []
        for pod in range(0, leaves, half):
            mine = range(pod, min(pod + half, leaves))
            own = int(smallest_divisor(half, len(mine)))
            links += [
                (("l", i), ("s", first + j)) for i in mine for j in range(own) for _ in range(half // own)
            ]
            ups += [(first + j) for j in range(own) for _ in range(len(mine) * half // own)]
            first += own
        assert first == spines
        links += [(("s", s), ("c", i % cores)) for i, s in enumerate(ups)]
    return tree, links


@pytest.mark.parametrize("radix", [4, 8, 12])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.34, 0.5, 0.77, 1.0])
def test_a_tree_wired_by_hand_has_as_many_links_and_joins_all_endpoints(radix, share):
    n = max(int(share * most_endpoints(radix, 3)), 1)
    tree, links = wired(n, radix)
    assert len(links) == tree.links
    names = sorted({end for link in links for end in link})
    place = {name: i for i, name in enumerate(names)}
    switches = [name for name in names if name[0] != "e"]
    assert len(switches) == tree.switches
    used = {name: 0 for name in names}
    for a, b in links:
        used[a] += 1
        used[b] += 1
    assert max(used[name] for name in switches) <= radix
    a, b = ([place[link[side]] for link in links] for side in (0, 1))
    graph = coo_matrix((np.ones(len(links)), (a, b)), shape=(len(names), len(names)))
    assert connected_components(graph, directed=False)[0] == 1


def test_three_hundred_thousand_endpoints_on_switches_of_128_ports():
    """Worked by hand: 4,688 leaves of 64, as many spines, half as many cores."""
    tree = fat_tree(300_000, 128)
    assert (tree.leaf, tree.spine, tree.core) == (4688, 4688, 2344)
    assert tree.links == 900_064


def test_pods_of_3072_with_one_link_in_seven_above_them():
    tree = fat_tree(24_576, 128, pod_endpoints=3072, pod_oversubscription=7.0)
    assert tree.leaf == 8 * 48
    assert tree.spine_links == 24_576
    assert tree.core_links * 7 >= 24_576
    assert tree.core_links < 24_576 / 6


def test_a_column_of_sizes_is_its_rows():
    sizes = np.array([10, 64, 65, 2048, 2049, 65_536, 65_537])
    many = fat_tree(sizes, 64)
    for i, n in enumerate(sizes):
        one = fat_tree(int(n), 64)
        for name in ("tiers", "leaf", "spine", "core", "spine_links", "core_links"):
            assert getattr(one, name) == getattr(many, name)[i]


@given(
    radix=st.sampled_from([15, 31, 63, 64, 128]), n=st.integers(2, 500_000), o=st.sampled_from([1.0, 1.75])
)
def test_a_dragonfly_has_ports_for_its_links_and_each_group_reaches_all_others(radix, n, o):
    found = dragonfly(n, radix, oversubscription=o)
    assume(np.isfinite(found.groups) and found.groups > 1)
    p = (radix + 1) // 4
    assert found.routers * p >= n
    assert found.endpoint_links + 2 * (found.local_links + found.global_links) <= found.routers * radix + 1
    assert found.global_links >= found.groups * (found.groups - 1) / 2


def test_the_largest_dragonfly_has_one_global_link_between_any_two_groups():
    p = 16
    groups = 2 * p * p + 1
    found = dragonfly(groups * 2 * p * p, 63)
    assert found.groups == groups
    assert found.global_links == groups * (groups - 1) / 2
    assert np.isinf(dragonfly(groups * 2 * p * p + 1, 63).groups)


@given(dims=st.lists(st.integers(1, 12), min_size=1, max_size=3))
def test_links_of_a_torus_are_those_counted_neighbour_by_neighbour(dims):
    pairs = set()
    for place in np.ndindex(*dims):
        for axis, size in enumerate(dims):
            other = tuple((c + 1) % size if i == axis else c for i, c in enumerate(place))
            if other != place:
                pairs.add(frozenset((place, other)))
    assert torus_links(dims) == len(pairs)


def test_a_pod_of_64_cubes_has_48_optical_switches_of_128_used_ports():
    assert optical_switches((16, 16, 16), (4, 4, 4), ports=136) == 48
    assert optical_links((16, 16, 16), (4, 4, 4)) == 48 * 128
    assert np.isinf(optical_switches((16, 20, 28), (4, 4, 4), ports=136))
