"""Collectives on nested levels: latency, bandwidth and pipeline-fill terms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gigawatt.catalog.records import Machine
from gigawatt.comms.constants import table
from gigawatt.comms.group import Group, Reach, reaches
from gigawatt.units import Bytes, Count, Real, Seconds


def filled_s(latency_s: Seconds, stream_s: Seconds, *, fill: Real) -> Seconds:
    """Return the time of a message that is cut into chunks and pipelined over its hops.

    .. math:: T = a + b S + 2 \\varphi \\sqrt{a b S}

    With phi = 1 this is the best chunk size of a chain of hops; phi below 1 where hops overlap better.
    Valid for: chunk size chosen freely.
    Source: optimum of (p - 1 + S/c)(alpha + beta c) over c; Thakur 2005, doi:10.1177/1094342005051521.

    >>> float(filled_s(1.0, 4.0, fill=1.0))
    9.0
    """
    return latency_s + stream_s + 2.0 * fill * np.sqrt(latency_s * stream_s)


def hops_s(reach: Reach) -> Seconds:
    """Return the latency of crossing one level once: a tree over its units, half the axes of a torus.

    .. math:: a = \\alpha \\log_2 k, \\quad a_{torus} = \\alpha \\sum_i X_i / 2

    Valid for: k units of the level below that take part.
    Source: Thakur 2005, doi:10.1177/1094342005051521; Austin 2025, How to Scale Your Model ch. 3.
    """
    alpha = reach.level.latency_s * reach.fitted.hop
    if reach.level.topology == "torus":
        return (
            alpha
            * 0.5
            * len(reach.level.dims)
            * np.maximum(reach.outer, 1.0) ** (1.0 / len(reach.level.dims))
            * reach.used
        )
    return alpha * np.log2(np.maximum(reach.outer / reach.inner, 1.0))


def ring_bytes_per_s(levels: list[Reach]) -> Real:
    """Return the rate of a ring or hierarchy through all levels: that of the narrowest.

    .. math:: B = \\min_i g_{i-1} B_i \\eta_i

    The g ranks inside a unit send through their own links side by side (rails).
    Source: NCCL channels over all NICs; bytes per NIC of a hierarchical all-reduce, nccl-tests PERFORMANCE.md.
    """
    rates = [np.where(r.used, r.inner * r.line_bytes_per_s * r.fitted.ring, np.inf) for r in levels]
    return np.minimum.reduce(np.broadcast_arrays(*rates))


def _fill(levels: list[Reach]) -> Real:
    """Return the fill weight of the outermost level that a group uses."""
    weight: Real = levels[0].fitted.fill
    for reach in levels[1:]:
        weight = np.where(reach.used, reach.fitted.fill, weight)
    return weight


def _ring_s(
    share_of_message: Real, message_bytes: Bytes, levels: list[Reach], *, crossings: float
) -> Seconds:
    latency = table()["base_s"] + crossings * sum(hops_s(r) for r in levels)
    stream = share_of_message * message_bytes / ring_bytes_per_s(levels)
    return filled_s(latency, stream, fill=_fill(levels))


def _alone(seconds: Seconds, ranks: Count) -> Seconds:
    """Return 0 where a group has one rank."""
    return np.where(np.asarray(ranks) > 1, seconds, 0.0)[()]


def in_switch_s(message_bytes: Bytes, levels: list[Reach]) -> Seconds:
    """Return the time of an all-reduce that the scale-up switches add up, and inf where it cannot be.

    .. math:: T = a + \\frac{S}{B \\eta_{nvls}}

    Each rank sends the message up once and receives the sum once. Valid for: groups inside one domain whose
    switches reduce.
    Source: Klenk 2020, doi:10.1109/ISCA45697.2020.00085; NVLS in NCCL 2.17.
    """
    first = levels[0]
    if not first.level.reduces_in_network:
        return np.inf
    inside = np.asarray(first.outer >= levels[-1].outer)
    latency = table()["base_s"] + 2.0 * hops_s(first)
    stream = message_bytes / (first.line_bytes_per_s * first.fitted.nvls)
    return np.where(inside, filled_s(latency, stream, fill=first.fitted.fill), np.inf)


def all_reduce_s(message_bytes: Bytes, group: Group, *, machine: Machine) -> Seconds:
    """Return the time of one all-reduce of `message_bytes` on every rank.

    .. math:: T = \\min(T_{switch},\\ a + 2 \\frac{n-1}{n} \\frac{S}{B} + 2 \\varphi \\sqrt{\\cdot})

    Valid for: an otherwise idle network; ranks in machine order.
    Source: Patarasuk & Yuan 2009, doi:10.1016/j.jpdc.2008.09.002, on nested levels.
    """
    levels, n = reaches(group, machine), np.maximum(group.ranks, 1.0)
    ring = _ring_s(2.0 * (n - 1.0) / n, message_bytes, levels, crossings=2.0)
    return _alone(np.minimum(ring, in_switch_s(message_bytes, levels)), group.ranks)


def all_gather_s(message_bytes: Bytes, group: Group, *, machine: Machine) -> Seconds:
    """Return the time of one all-gather; `message_bytes` is the full gathered tensor.

    .. math:: T = a + \\frac{n-1}{n} \\frac{S}{B} + 2 \\varphi \\sqrt{\\cdot}

    Valid for: an otherwise idle network.
    Source: Thakur 2005, doi:10.1177/1094342005051521, on nested levels.
    """
    n = np.maximum(group.ranks, 1.0)
    seconds = _ring_s((n - 1.0) / n, message_bytes, reaches(group, machine), crossings=1.0)
    return _alone(seconds, group.ranks)


def reduce_scatter_s(message_bytes: Bytes, group: Group, *, machine: Machine) -> Seconds:
    """Return the time of one reduce-scatter; `message_bytes` is the full tensor before scattering.

    .. math:: T = a + \\frac{n-1}{n} \\frac{S}{B} + 2 \\varphi \\sqrt{\\cdot}

    Valid for: an otherwise idle network; the additions hide behind the transfer.
    Source: Thakur 2005, doi:10.1177/1094342005051521, on nested levels.
    """
    return all_gather_s(message_bytes, group, machine=machine)


def all_to_all_s(message_bytes: Bytes, group: Group, *, machine: Machine) -> Seconds:
    """Return the time of one all-to-all; `message_bytes` is what one rank holds for all ranks.

    .. math:: T = a + n t_{peer} + \\max_i \\frac{(g_i - g_{i-1}) S / n}{B_i \\eta_i}

    On a torus a byte travels a quarter of each spanned axis. Levels work side by side: the slowest counts.
    Valid for: equal parts; routing that limits nodes is in the message size.
    Source: bisection of each level; Austin 2025, How to Scale Your Model ch. 3 (torus).
    """
    levels, n = reaches(group, machine), np.maximum(group.ranks, 1.0)
    streams = [_exchange_s(message_bytes, r, n) for r in levels]
    stream = np.maximum.reduce(np.broadcast_arrays(*streams))
    latency = table()["base_s"] + table()["peer_s"] * n + sum(hops_s(r) for r in levels)
    return _alone(latency + stream, group.ranks)


def _exchange_s(message_bytes: Bytes, reach: Reach, n: Count) -> Seconds:
    part = message_bytes * (reach.outer - reach.inner) / n
    travel: Real = 1.0
    if reach.level.topology == "torus":
        axes = len(reach.level.dims)
        travel = np.maximum(axes * np.maximum(reach.outer, 1.0) ** (1.0 / axes) / 4.0, 1.0)
    return part * travel / (reach.line_bytes_per_s * reach.fitted.a2a)


def send_recv_s(message_bytes: Bytes, group: Group, *, machine: Machine) -> Seconds:
    """Return the time of one message to the next rank of the group, `group.stride` chips away.

    .. math:: T = a + \\frac{S}{B \\eta}

    The slowest pair counts: the innermost level whose unit holds both, and the next where a group spans it.
    Valid for: one message at a time on each link.
    Source: Hockney 1994, doi:10.1016/S0167-8191(06)80021-9.
    """
    slowest: Real = 0.0
    for reach in reaches(group, machine):
        rate = reach.line_bytes_per_s * reach.fitted.p2p
        alpha = reach.level.latency_s * reach.fitted.hop
        slowest = np.where(reach.used, np.maximum(slowest, alpha + message_bytes / rate), slowest)
    return _alone(table()["base_s"] + slowest, group.ranks)


COLLECTIVES: dict[str, Callable[..., Seconds]] = {
    "all_gather": all_gather_s,
    "all_reduce": all_reduce_s,
    "all_to_all": all_to_all_s,
    "reduce_scatter": reduce_scatter_s,
    "send_recv": send_recv_s,
}
