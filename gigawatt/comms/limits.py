"""The physical limit of a collective: no latency, full line rate, the best algorithm."""

from __future__ import annotations

import numpy as np

from gigawatt.catalog.records import Machine
from gigawatt.comms.group import Group, reaches
from gigawatt.units import Bytes, Seconds


def lower_bound_s(collective: str, message_bytes: Bytes, group: Group, *, machine: Machine) -> Seconds:
    """Return the least time that any algorithm needs.

    At each level a rank's links carry what must cross: for an all-reduce the shard once up and once down with
    in-network reduction, twice less the own part without; for a gather or scatter the parts of other units.
    Valid for: line rate, no latency.
    Source: Chan 2007, doi:10.1002/cpe.1206 sec. 3 (lower bounds of collectives).

    >>> from gigawatt.catalog import machine
    >>> float(lower_bound_s("all_gather", 8e9, Group(ranks=8), machine=machine("eagle")))
    0.015555555555555555
    """
    bound: Seconds = 0.0
    n = np.maximum(group.ranks, 1.0)
    for reach in reaches(group, machine):
        units = np.maximum(reach.outer / reach.inner, 1.0)
        if collective == "send_recv":
            crossing = message_bytes * reach.used
        elif collective == "all_to_all":
            crossing = message_bytes * (reach.outer - reach.inner) / n
        else:
            crossing = message_bytes * (units - 1.0) / units / reach.inner
            if collective == "all_reduce" and not reach.level.reduces_in_network:
                crossing = 2.0 * crossing
        bound = np.maximum(bound, crossing / reach.line_bytes_per_s)
    return bound
