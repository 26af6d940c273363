"""How long does one message or collective take on this machine's network?

Takes bytes, a group of ranks and a machine; returns seconds. One rank talks to nobody and takes 0 s.
"""

from gigawatt.comms.collectives import (
    COLLECTIVES,
    all_gather_s,
    all_reduce_s,
    all_to_all_s,
    reduce_scatter_s,
    ring_s,
    send_recv_s,
)
from gigawatt.comms.group import Group, busbw_bytes_per_s, reaches
from gigawatt.comms.limits import lower_bound_s

__all__ = [
    "COLLECTIVES",
    "Group",
    "all_gather_s",
    "all_reduce_s",
    "all_to_all_s",
    "busbw_bytes_per_s",
    "lower_bound_s",
    "reaches",
    "reduce_scatter_s",
    "ring_s",
    "send_recv_s",
]
