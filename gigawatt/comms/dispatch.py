"""Sending each token to the ranks of its experts, once to each unit that holds some of them."""

from __future__ import annotations

import numpy as np

from gigawatt.catalog.records import Machine
from gigawatt.comms.collectives import exchange_latency_s
from gigawatt.comms.group import Group, reaches
from gigawatt.units import Bytes, Count, Real, Seconds


def distinct_units(units: Count, draws: Count) -> Real:
    """Return the expected number of different units that a token's experts lie on.

    .. math:: u \\left(1 - (1 - 1/u)^K\\right)

    Valid for: K independent uniform draws; top-k without replacement lies at most K / E above.
    Source: occupancy of u cells by K balls, Feller 1968, An Introduction to Probability Theory I.II.5.

    >>> float(distinct_units(2.0, 2.0))
    1.5
    """
    return units * (1.0 - (1.0 - 1.0 / units) ** draws)


def dispatch_s(
    token_bytes: Bytes, topk: Count, *, group: Group, machine: Machine, most_units: Count = np.inf
) -> Seconds:
    """Return the time to send the tokens of one rank to their experts, or to bring the results back.

    .. math:: T = a + \\max_i \\frac{S D_i (u_i - 1) / u_i}{B_i \\eta_i},
              \\quad D_i = distinct(n / g_{i-1}, K)

    A token crosses a level once for each of the D_i units there that hold some of its experts, and is copied
    on inside (S: all tokens of a rank once; u_i: units of level i). Levels work side by side. `most_units`
    limits the units of the outermost level that a token may use (node-limited routing).
    Valid for: balanced routing; a dispatcher that copies inside units.
    Source: DeepSeek-V3, arXiv:2412.19437 sec. 3.2.2.

    >>> from gigawatt.catalog import machine
    >>> round(1e3 * float(dispatch_s(2**26, 8.0, group=Group(ranks=32), machine=machine("eagle"))), 1)
    4.0
    """
    levels, n = reaches(group, machine), np.maximum(group.ranks, 1.0)
    slowest: Real = 0.0
    for reach in levels:
        units = np.maximum(reach.outer / reach.inner, 1.0)
        copies = distinct_units(n / reach.inner, topk)
        outermost = np.asarray(reach.outer >= n)
        copies = np.where(outermost, np.minimum(copies, most_units), copies)
        crossing = token_bytes * copies * (units - 1.0) / units
        slowest = np.maximum(slowest, crossing / (reach.driven_bytes_per_s * reach.fitted.exchange_fraction))
    seconds = levels[0].fitted.launch_s + exchange_latency_s(levels) + slowest
    return np.where(np.asarray(group.ranks) > 1, seconds, 0.0)[()]
