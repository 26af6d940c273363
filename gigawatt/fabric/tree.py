"""Fat trees: how many switches and links join so many endpoints, in one, two or three tiers."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gigawatt.units import Count

ENDLESS = np.inf  # of what no three tiers hold


@dataclass(frozen=True, kw_only=True, slots=True)
class Tree:
    """Switches and links of a folded Clos network: each field is a number, or a column of them.

    A link joins two ports. Where three tiers do not suffice, tiers, switches and links are infinite.
    """

    tiers: Count
    leaf: Count
    spine: Count
    core: Count
    endpoint_links: Count  # endpoint to leaf
    spine_links: Count  # leaf to spine
    core_links: Count  # spine to core

    @property
    def switches(self) -> Count:
        return self.leaf + self.spine + self.core

    @property
    def links(self) -> Count:
        return self.endpoint_links + self.spine_links + self.core_links

    def times(self, planes: Count) -> Self:
        """Return as many independent trees, counted together."""
        counts = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return type(self)(**{n: v if n == "tiers" else v * planes for n, v in counts.items()})


def smallest_divisor(of: int, at_least: Count) -> Count:
    """Return the smallest divisor of a whole number that is not below another; the number itself if none is.

    So many spines share a leaf's uplinks evenly. Of nothing it is 0.
    Valid for: whole numbers above 0.
    Definition: min of d that divides n with d >= k.

    >>> [int(smallest_divisor(72, k)) for k in (4, 16, 32, 0)]
    [4, 18, 36, 0]
    """
    divisors = np.array([d for d in range(1, of + 1) if of % d == 0])
    place = np.minimum(np.searchsorted(divisors, at_least), len(divisors) - 1)
    return np.where(np.asarray(at_least) > 0, divisors[place], 0)


def down_ports(radix: int, oversubscription: float) -> int:
    """Return how many of a switch's ports go down, so that each port up serves so many of them.

    .. math:: d = \\lfloor r \\, o / (1 + o) \\rfloor, \\quad u = \\lceil d / o \\rceil, \\quad d + u \\le r

    Valid for: an oversubscription of 1 and more.
    Definition: the most ports down that the others can serve.

    >>> down_ports(64, 1.0), down_ports(64, 7.0), down_ports(64, 2.0)
    (32, 56, 42)
    """
    return int(np.floor(radix * oversubscription / (1.0 + oversubscription) + 1e-9))


def up_ports(radix: int, oversubscription: float) -> int:
    """Return how many of a switch's ports go up.

    Valid for: an oversubscription of 1 and more.
    Definition: ports down over oversubscription, rounded up.

    >>> up_ports(64, 1.0), up_ports(64, 7.0), up_ports(64, 2.0)
    (32, 8, 21)
    """
    return int(np.ceil(down_ports(radix, oversubscription) / oversubscription - 1e-9))


def fat_tree(
    endpoints: Count,
    radix: int,
    *,
    oversubscription: float = 1.0,
    pod_endpoints: int | None = None,
    pod_oversubscription: float = 1.0,
) -> Tree:
    r"""Return the switches and links of the smallest fat tree that joins so many endpoints.

    .. math:: L = \lceil n / d \rceil, \quad S = \min \{ s : s \mid u,\ s \ge L u / r \},
              \quad C = \lceil \textstyle\sum_{pods} S_p u_S / r \rceil

    One switch up to n = r; two tiers while a spine reaches all leaves, L <= r; else three tiers of pods that
    are two-tier trees whose spines keep ports for the cores. Leaves share their uplinks evenly among spines,
    so their number divides the uplinks u. `oversubscription` is a leaf's, `pod_oversubscription` a pod's;
    pods are as large as the radix allows when `pod_endpoints` is not given.
    Valid for: switches of one radix; at most three tiers, n <= r^3 / 4 where nothing is oversubscribed.
    Source: Al-Fares 2008, fat trees of pods; DGX SuperPOD reference architectures (divisor).

    >>> tree = fat_tree(1024, 64)  # a SuperPOD of four units
    >>> int(tree.leaf), int(tree.spine), int(tree.core), int(tree.spine_links)
    (32, 16, 0, 1024)
    >>> tree = fat_tree(65_536, 64)
    >>> int(tree.leaf), int(tree.spine), int(tree.core), int(tree.links)
    (2048, 2048, 1024, 196608)
    """
    n = np.asarray(endpoints, dtype=float)
    d, u = down_ports(radix, oversubscription), up_ports(radix, oversubscription)
    L = np.ceil(n / d)
    three = _pods(n, radix, d=d, u=u, of=pod_endpoints, oversubscription=pod_oversubscription)
    forced = pod_endpoints is not None
    single = (n <= radix) & (not forced)
    double = (radix >= L) & (not forced)
    triple = three["pods"] <= radix
    spine = smallest_divisor(u, np.ceil(L * u / radix))
    zero = np.zeros_like(n)

    def pick(one: Any, two: Any, many: Any) -> NDArray[Any]:
        choices = [one + zero, two + zero, many + zero]
        return np.asarray(np.select([single, double, triple], choices, default=ENDLESS))

    return Tree(
        tiers=pick(1.0, 2.0, 3.0),
        leaf=pick(1.0, L, three["leaf"]),
        spine=pick(0.0, spine, three["spine"]),
        core=pick(0.0, 0.0, np.ceil(three["core_links"] / radix)),
        endpoint_links=n + zero,
        spine_links=pick(0.0, L * u, three["leaf"] * u),
        core_links=pick(0.0, 0.0, three["core_links"]),
    )


def _pods(
    n: NDArray[Any], radix: int, *, d: int, u: int, of: int | None, oversubscription: float
) -> dict[str, Any]:
    """Return pods, leaves, spines and links to the cores of a three-tier tree: full pods and the last one."""
    down = down_ports(radix, oversubscription)
    size = float(of if of is not None else d * down)
    full, rest = np.floor(n / size), np.ceil((n % size) / d)
    leaves = np.ceil(size / d)
    spines, last = (smallest_divisor(u, np.ceil(count * u / down)) for count in (leaves, rest))
    too_big = leaves > down  # a pod is a two-tier tree
    return {
        "pods": np.where(too_big, ENDLESS, full + (rest > 0)),
        "leaf": full * leaves + rest,
        "spine": full * spines + last,
        "core_links": full * _up_links(leaves, spines, u=u, oversubscription=oversubscription)
        + _up_links(rest, last, u=u, oversubscription=oversubscription),
    }


def _up_links(leaves: Any, spines: Any, *, u: int, oversubscription: float) -> Any:
    """Return a pod's links to the cores, as many on each of its spines."""
    each = np.ceil(leaves * u / np.maximum(spines, 1) / oversubscription - 1e-9)
    return spines * each


def most_endpoints(radix: int, tiers: int) -> int:
    """Return how many endpoints a fat tree that is not oversubscribed holds.

    .. math:: n = r, \\quad r^2 / 2, \\quad r^3 / 4

    Valid for: one, two or three tiers of switches of an even radix.
    Source: Al-Fares 2008, fat trees of pods.

    >>> [most_endpoints(64, tiers) for tiers in (1, 2, 3)], most_endpoints(144, 2)
    ([64, 2048, 65536], 10368)
    """
    return radix * int((radix // 2) ** (tiers - 1))
