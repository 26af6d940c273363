"""One communicator, and how it lies on the levels of a machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gigawatt.catalog.records import Level, Machine
from gigawatt.comms import constants
from gigawatt.comms.constants import NetworkClass
from gigawatt.units import Bytes, BytesPerSecond, Count, Real, Seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """One communicator, or a column of them: `ranks` chips that lie `stride` chips apart."""

    ranks: Count
    stride: Count = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """One level as a group uses it."""

    level: Level
    fitted: NetworkClass
    inner: Count  # ranks of the group in one unit of the level below
    outer: Count  # ranks in one unit of this level
    ranks: Count  # in all
    used: Real  # whether the group spans several units of the level below
    share: Real  # of the level's links that the group can use: axes of a torus, peers of a mesh

    @property
    def line_bytes_per_s(self) -> BytesPerSecond:
        return self.level.bytes_per_s * self.share

    @property
    def driven_bytes_per_s(self) -> BytesPerSecond:
        """Return what a chip drives of its line rate."""
        return np.minimum(self.line_bytes_per_s, self.fitted.most_bytes_per_s)

    @property
    def excess_s(self) -> Seconds:
        """Return what a hop takes here over a hop of the links that were measured."""
        return np.maximum(self.level.latency_s - self.fitted.latency_s, 0.0)


def reaches(group: Group, machine: Machine) -> list[Reach]:
    """Return, from the innermost level out, how a group lies on a machine's levels.

    Definition: ranks in a unit = units' chips / stride, at least 1, at most all.
    """
    found, inner = [], np.minimum(1.0, group.ranks)
    for i, level in enumerate(machine.levels):
        last = i == len(machine.levels) - 1
        outer = group.ranks if last else np.minimum(np.floor(level.chips / group.stride), group.ranks)
        outer = np.maximum(outer, inner)
        found.append(
            Reach(
                level=level,
                fitted=constants.classes()[constants.class_name(machine, i)],
                inner=inner,
                outer=outer,
                ranks=group.ranks,
                used=np.asarray(outer > inner),
                share=link_share(level, group, outer),
            )
        )
        inner = outer
    return found


def link_share(level: Level, group: Group, outer: Count) -> Real:
    """Return the share of a chip's links of one level that a group can use.

    A switch gives all. On a torus a group uses the axes that it spans; in a full mesh the links to its peers.
    Source: Austin 2025, How to Scale Your Model ch. 3 (torus); direct links of a mesh by count.

    >>> cube = Level(name="ici", chips=64, bytes_per_s=6.0, latency_s=0.0, topology="torus", dims=(4, 4, 4))
    >>> float(link_share(cube, Group(ranks=16), 16))
    0.6666666666666666
    """
    if level.topology == "mesh":
        return np.clip((outer - 1.0) / max(level.chips - 1, 1), 1.0 / max(level.chips - 1, 1), 1.0)
    if level.topology != "torus" or not level.dims:
        return 1.0
    return np.maximum(sum(spans(level, group)), 1.0) / len([d for d in level.dims if d > 1])


def spans(level: Level, group: Group) -> list[Real]:
    """Return, per axis of a torus, 1 where a group spans it and 0 where not.

    Definition: ranks are laid innermost axis first; an axis is spanned when some ranks differ along it.
    """
    found, below = [], 1
    for size in level.dims:
        above = below * size
        reached = (group.stride < above) & (group.stride * group.ranks > below) & (size > 1)
        found.append(1.0 * reached)
        below = above
    return found


BUS_FACTOR: dict[str, Callable[[Count], Real]] = {
    "all_reduce": lambda n: 2.0 * (n - 1.0) / n,
    "all_gather": lambda n: (n - 1.0) / n,
    "reduce_scatter": lambda n: (n - 1.0) / n,
    "all_to_all": lambda n: (n - 1.0) / n,
    "send_recv": lambda n: 1.0,
}


def busbw_bytes_per_s(
    collective: str, message_bytes: Bytes, *, seconds: Seconds, ranks: Count
) -> BytesPerSecond:
    """Return the bus bandwidth of a collective: what each link would carry in a flat ring.

    .. math:: B_{bus} = \\frac{S}{T} f(n)

    Source: nccl-tests, doc/PERFORMANCE.md.

    >>> busbw_bytes_per_s("all_reduce", 1e9, seconds=0.01, ranks=8)
    175000000000.0
    """
    factor: Real = BUS_FACTOR[collective](ranks)
    return message_bytes / seconds * factor
