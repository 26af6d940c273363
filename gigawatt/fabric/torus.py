"""Tori of chips: links between neighbours, and the optical switches that join cubes to larger tori."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gigawatt.units import Count


def torus_links(dims: Sequence[int]) -> int:
    r"""Return the links of a torus whose axes all wrap.

    .. math:: \sum_i n \, [d_i > 2] + \tfrac{n}{2} [d_i = 2]

    Valid for: one link to each neighbour; an axis of two has one link, not two.
    Definition: one link a chip and axis.

    >>> torus_links((16, 16, 16)), torus_links((16, 16)), torus_links((2, 4))
    (12288, 512, 12)
    """
    chips = math.prod(dims)
    return sum(chips if d > 2 else chips * (d - 1) // 2 for d in dims)


def optical_links(dims: Sequence[int], cube: Sequence[int]) -> int:
    r"""Return how many fibres' ends leave the cubes of a torus: one for each chip of each face.

    .. math:: \prod_i \frac{d_i}{c_i} \cdot \sum_i 2 \prod_{j \ne i} c_j

    Valid for: axes that are multiples of the cube's; all faces of all cubes go to optical switches.
    Definition: faces of a cube, times the cubes.

    >>> optical_links((16, 16, 16), (4, 4, 4))
    6144
    """
    cubes = math.prod(d // c for d, c in zip(dims, cube, strict=True))
    return cubes * sum(2 * math.prod(cube) // c for c in cube)


def optical_switches(dims: Sequence[int], cube: Sequence[int], *, ports: int) -> Count:
    r"""Return the optical switches of a torus of cubes; infinite when one has too few ports for all cubes.

    .. math:: \sum_i \prod_{j \ne i} c_j, \quad 2 \prod_i d_i / c_i \le ports

    Both ends of an axis at one place of the face meet in one switch, so that any cubes can be neighbours.
    Valid for: all faces of all cubes switched.
    Definition: one switch a place of a face.

    >>> optical_switches((16, 16, 16), (4, 4, 4), ports=136)
    48
    """
    cubes = math.prod(d // c for d, c in zip(dims, cube, strict=True))
    return sum(math.prod(cube) // c for c in cube) if 2 * cubes <= ports else math.inf
