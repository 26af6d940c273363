"""Collectives on nested levels: every algorithm and protocol by its own formula, and the best of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gigawatt.catalog.records import Machine
from gigawatt.comms.group import Group, Reach, reaches
from gigawatt.units import Bytes, BytesPerSecond, Count, Real, Seconds


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


def ring_hops(reach: Reach) -> Count:
    """Return how many hops of a ring through all ranks lie on one level.

    Definition: units of the level below, less one, in every unit of this level; half the axes of a torus.
    """
    if reach.level.topology == "torus":
        axes = len(reach.level.dims)
        return 0.5 * axes * np.maximum(reach.outer, 1.0) ** (1.0 / axes) * reach.used
    return reach.ranks / reach.inner - reach.ranks / reach.outer


def narrowest_bytes_per_s(levels: list[Reach], share: str) -> BytesPerSecond:
    """Return the rate of a ring or hierarchy through some levels: that of the narrowest that is used.

    .. math:: B = \\min_i g_{i-1} B_i \\eta_i

    The g ranks inside a unit send through their own links side by side (rails).
    Source: bytes per NIC of a hierarchical all-reduce, nccl-tests PERFORMANCE.md.
    """
    rate: Real = np.inf
    for reach in levels:
        own = reach.inner * reach.driven_bytes_per_s * getattr(reach.fitted, share)
        rate = np.where(reach.used, np.minimum(rate, own), rate)
    return rate


def _outermost(levels: list[Reach], name: str) -> Real:
    """Return a constant of the outermost level that a group uses."""
    first, *rest = levels
    value: Real = getattr(first.fitted, name)
    if rest and all(r.fitted is rest[0].fitted for r in rest):  # one network: in the domain or out of it
        return np.where(np.asarray(first.outer < first.ranks), getattr(rest[0].fitted, name), value)
    for reach in rest:
        value = np.where(reach.used, getattr(reach.fitted, name), value)
    return value


def ring_s(message_bytes: Bytes, levels: list[Reach], *, crossings: float) -> Seconds:
    """Return the time of a ring through all ranks: once for a gather or scatter, twice for an all-reduce.

    .. math:: T = \\min_p\\ a_p + c \\sum_i h_i \\alpha_{i,p} + \\frac{c (n-1) + o}{n} \\frac{S}{B_p} + fill

    p is the protocol; o the weight of the own part, which is copied.
    Valid for: an otherwise idle network; ranks in machine order.
    Source: Patarasuk & Yuan 2009, doi:10.1016/j.jpdc.2008.09.002; NCCL protocols, Hu 2025, arXiv:2507.04786.

    Two clusters of four H100 servers measured 5.8 and 6.5 ms for 1 GiB.

    >>> from gigawatt.catalog import machine
    >>> levels = reaches(Group(ranks=32), machine("eagle"))
    >>> round(1e3 * float(ring_s(2**30, levels, crossings=2.0)), 1)
    6.1
    """
    first, n = levels[0].fitted, levels[0].ranks
    hops = [crossings * ring_hops(r) for r in levels]
    load = (crossings * (n - 1.0) + first.own) / n * message_bytes
    low = sum(h * (r.fitted.low_hop_s + r.excess_s) for h, r in zip(hops, levels, strict=True))
    whole = sum(h * (r.fitted.hop_s + r.excess_s) for h, r in zip(hops, levels, strict=True))
    low = low + load / narrowest_bytes_per_s(levels, "low_fraction")
    stream = load / narrowest_bytes_per_s(levels, "ring_fraction")
    whole = whole + filled_s(_outermost(levels, "start_s"), stream, fill=_outermost(levels, "fill"))
    return first.launch_s + np.minimum(low, whole)


def tree_s(message_bytes: Bytes, levels: list[Reach]) -> Seconds:
    """Return the time of an all-reduce over a tree of domains, added up inside each by switch or chain.

    .. math:: T = a + 2 \\sum_i \\alpha_i \\log_2 k_i + \\max(t_{in}, t_{out})
              + \\theta \\min(t_{in}, t_{out})

    A domain sends and receives S / 2 for each of its edges in two trees: S in all where there are two
    domains, 3 S / 2 of three, 2 S of more; S where the network adds up.
    Valid for: an otherwise idle network; ranks in machine order.
    Source: Sanders 2009, doi:10.1016/j.parco.2009.09.001 (two trees); Klenk 2020,
    doi:10.1109/ISCA45697.2020.00085 (switches that add); theta fitted.

    >>> from gigawatt.catalog import machine
    >>> round(1e3 * float(tree_s(2**30, reaches(Group(ranks=32), machine("eagle")))), 1)
    7.0
    """
    first, *rest = levels
    chain, load = 2.0 * (first.outer - 1.0), tree_load(levels) * message_bytes
    low_bytes_per_s = first.driven_bytes_per_s * first.fitted.low_fraction
    low = chain * (first.fitted.low_hop_s + message_bytes / first.outer / low_bytes_per_s)
    depth = [2.0 * np.log2(np.maximum(r.outer / r.inner, 1.0)) for r in rest]
    low = low + sum((d * (r.fitted.low_hop_s + r.excess_s) for d, r in zip(depth, rest, strict=True)), 0.0)
    whole = sum((d * (r.fitted.tree_hop_s + r.excess_s) for d, r in zip(depth, rest, strict=True)), 0.0)
    inner = switch_stream_s(message_bytes, first)
    outer: Real = 0.0
    if rest:
        low = low + load / narrowest_bytes_per_s(rest, "low_fraction")
        outer = load / narrowest_bytes_per_s(rest, "tree_fraction")
    stream = np.maximum(inner, outer) + _outermost(levels, "serial_fraction") * np.minimum(inner, outer)
    start, fill = _outermost(levels, "start_s"), _outermost(levels, "fill")
    whole = whole + first.fitted.switch_rank_s * first.outer + filled_s(start, stream, fill=fill) - start
    return first.fitted.launch_s + np.minimum(low, whole)


def tree_load(levels: list[Reach]) -> Real:
    """Return what a domain sends in two trees over the domains, in messages.

    Definition: an edge carries S / 2 each way; a domain has at most 2, 3 or 4 in both trees together.
    """
    domains = levels[0].ranks / levels[0].outer
    load = np.where(domains > 1.0, np.clip(domains, 2.0, 4.0) / 2.0, 0.0)
    adds = len(levels) > 1 and levels[1].level.reduces_in_network
    return np.minimum(load, 1.0) if adds else load


def switch_stream_s(message_bytes: Bytes, reach: Reach) -> Seconds:
    """Return how long the links of one domain stream the all-reduce of a message.

    Where the switch adds up each rank sends the message up once and receives the sum once; else a chain
    carries it twice.
    .. math:: T = \\min\\left(\\left(1 + \\frac{o}{g}\\right) \\frac{S}{B \\eta_{sw}},
              \\ 2 \\frac{g-1}{g} \\frac{S}{B \\eta_{ring}}\\right)

    Valid for: g ranks in one domain; 0 for one rank.
    Source: Klenk 2020, doi:10.1109/ISCA45697.2020.00085; NVLS in NCCL 2.17.

    >>> from gigawatt.catalog import machine
    >>> round(1e3 * float(switch_stream_s(2**30, reaches(Group(ranks=8), machine("eagle"))[0])), 1)
    3.9
    """
    g, fitted = np.maximum(reach.outer, 1.0), reach.fitted
    per_byte_s = message_bytes / reach.driven_bytes_per_s
    chain = 2.0 * (g - 1.0) / g * per_byte_s / fitted.ring_fraction
    if not reach.level.reduces_in_network:
        return chain
    return np.minimum(chain, (1.0 + fitted.switch_own / g) * per_byte_s / fitted.switch_fraction)


def _alone(seconds: Seconds, ranks: Count) -> Seconds:
    """Return 0 where a group has one rank."""
    return np.where(np.asarray(ranks) > 1, seconds, 0.0)[()]


def all_reduce_s(message_bytes: Bytes, group: Group, *, machine: Machine) -> Seconds:
    """Return the time of one all-reduce of `message_bytes` on every rank.

    .. math:: T = \\min(T_{ring}, T_{tree})

    Valid for: an otherwise idle network; ranks in machine order.
    Source: NCCL takes the algorithm that its own cost table says is fastest; here the fitted one.

    A DGX H100 measured 4.03 ms for 1 GiB.

    >>> from gigawatt.catalog import machine
    >>> round(1e3 * float(all_reduce_s(2**30, Group(ranks=8), machine=machine("eagle"))), 2)
    4.13
    """
    levels = reaches(group, machine)
    seconds = ring_s(message_bytes, levels, crossings=2.0)
    if len(levels) > 1 or levels[0].level.reduces_in_network:
        seconds = np.minimum(seconds, tree_s(message_bytes, levels))
    return _alone(seconds, group.ranks)


def all_gather_s(message_bytes: Bytes, group: Group, *, machine: Machine) -> Seconds:
    """Return the time of one all-gather; `message_bytes` is the full gathered tensor.

    Definition: one crossing of the ring.
    """
    return _alone(ring_s(message_bytes, reaches(group, machine), crossings=1.0), group.ranks)


def reduce_scatter_s(message_bytes: Bytes, group: Group, *, machine: Machine) -> Seconds:
    """Return the time of one reduce-scatter; `message_bytes` is the full tensor before scattering.

    Definition: one crossing of the ring; the additions hide behind the transfer.
    """
    return all_gather_s(message_bytes, group, machine=machine)


def all_to_all_s(message_bytes: Bytes, group: Group, *, machine: Machine) -> Seconds:
    """Return the time of one all-to-all; `message_bytes` is what one rank holds for all ranks.

    .. math:: T = a + \\sum_i (g_i - g_{i-1}) t_i + \\max_i \\frac{(g_i - g_{i-1}) S / n}{B_i \\eta_i} + fill

    The part that stays is copied at the innermost level. On a torus a byte travels a quarter of each spanned
    axis. Levels work side by side: the slowest counts.
    Valid for: equal parts; routing that limits nodes is in the message size.
    Source: bisection of each level; Austin 2025, How to Scale Your Model ch. 3 (torus).

    >>> from gigawatt.catalog import machine
    >>> round(1e3 * float(all_to_all_s(2**30, Group(ranks=32), machine=machine("eagle"))), 1)
    18.0
    """
    levels, n = reaches(group, machine), np.maximum(group.ranks, 1.0)
    first = levels[0].fitted
    stream: Real = 0.0
    for reach, own in zip(levels, (first.exchange_own, *[0.0] * (len(levels) - 1)), strict=True):
        stream = np.maximum(stream, exchange_s((reach.outer - reach.inner + own) / n * message_bytes, reach))
    peers = sum((r.fitted.peer_s * (r.outer - r.inner) for r in levels), 0.0)
    latency = first.launch_s + peers
    fill = _outermost(levels, "fill")
    return _alone(latency + filled_s(exchange_latency_s(levels), stream, fill=fill), group.ranks)


def exchange_latency_s(levels: list[Reach]) -> Seconds:
    """Return what an exchange costs before its first byte beside the launch: the way to the farthest peer.

    Definition: start of the outermost level that is used + the excess of long links.
    """
    start: Real = levels[0].fitted.exchange_start_s
    for reach in levels[1:]:
        start = np.where(reach.used, reach.fitted.exchange_start_s + reach.excess_s, start)
    return start


def exchange_s(crossing_bytes: Bytes, reach: Reach) -> Seconds:
    """Return how long a rank streams its part of an all-to-all through one level.

    Definition: bytes / rate, times the distance on a torus: a quarter of each spanned axis.
    """
    travel: Real = 1.0
    if reach.level.topology == "torus":
        axes = len(reach.level.dims)
        travel = np.maximum(axes * np.maximum(reach.outer, 1.0) ** (1.0 / axes) / 4.0, 1.0)
    return crossing_bytes * travel / (reach.driven_bytes_per_s * reach.fitted.exchange_fraction)


def send_recv_s(message_bytes: Bytes, group: Group, *, machine: Machine) -> Seconds:
    """Return the time of one message to the next rank of the group, `group.stride` chips away.

    .. math:: T = a + \\alpha + \\frac{S}{B \\eta}

    The slowest pair counts: the innermost level whose unit holds both, and the next where a group spans it.
    Valid for: one message at a time on each link.
    Source: Hockney 1994, doi:10.1016/S0167-8191(06)80021-9.

    >>> from gigawatt.catalog import machine
    >>> round(1e3 * float(send_recv_s(2**30, Group(ranks=4, stride=8), machine=machine("eagle"))), 1)
    22.9
    """
    slowest: Real = 0.0
    levels = reaches(group, machine)
    for reach in levels:
        rate = reach.driven_bytes_per_s * reach.fitted.pair_fraction
        one = reach.fitted.low_hop_s + reach.excess_s + message_bytes / rate
        slowest = np.where(reach.used, np.maximum(slowest, one), slowest)
    return _alone(levels[0].fitted.launch_s + slowest, group.ranks)


COLLECTIVES: dict[str, Callable[..., Seconds]] = {
    "all_gather": all_gather_s,
    "all_reduce": all_reduce_s,
    "all_to_all": all_to_all_s,
    "reduce_scatter": reduce_scatter_s,
    "send_recv": send_recv_s,
}
