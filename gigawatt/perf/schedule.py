"""Pipeline schedules: how layers fall on stages, what idles, what waits in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gigawatt.perf.layout import Schedule
from gigawatt.units import Count, Fraction, Real, Seconds


def bubble_over_ideal(stages: Count, microbatches: Count, *, chunks: Count = 1) -> Fraction:
    """Return the idle time of an even pipeline over its busy time.

    .. math:: \\frac{p - 1}{v m}

    Valid for: 1F1B and GPipe (v = 1) and interleaved 1F1B, equal stages.
    Source: Narayanan 2021, arXiv:2104.04473 sec. 2.2.

    >>> bubble_over_ideal(8, 32, chunks=2)
    0.109375
    """
    return (stages - 1) / (chunks * microbatches)


@dataclass(frozen=True, kw_only=True, slots=True)
class StageLayers:
    """How many layers the fullest, the first and the last stage hold."""

    fullest: Count
    first: Count
    last: Count


def stage_layers(layers: int, stages: Count, *, chunks: Count = 1) -> StageLayers:
    """Return how layers fall on stages.

    Even where stages x chunks divides the layers. Else the embedding, the head or both count as a layer
    where that makes it even (405B: 126 + 2 over 16 stages); else the last stage takes what is left.
    Source: Llama 3, arXiv:2407.21783 sec. 3.3.2; Megatron-Core's account-for-embedding and -loss options.

    >>> stage_layers(126, 16, chunks=8)
    StageLayers(fullest=8.0, first=7.0, last=7.0)
    """
    slots = np.asarray(stages * chunks, dtype=float)
    even = layers % slots == 0
    both = ~even & ((layers + 2) % slots == 0) & (slots > 1)
    one = ~even & ~both & ((layers + 1) % slots == 0) & (slots > 1)
    padded = layers + 2.0 * both + 1.0 * one
    fullest = np.ceil(padded / slots) * chunks
    rest = np.maximum(padded - fullest * (stages - 1), 0.0)
    last = np.where(even, fullest, np.where(both | one, fullest - 1.0, np.minimum(rest, fullest)))
    first = fullest - both
    if last.ndim == 0:
        return StageLayers(fullest=float(fullest), first=float(first), last=float(last))
    return StageLayers(fullest=fullest, first=first, last=last)


@dataclass(frozen=True, kw_only=True, slots=True)
class MicrobatchTime:
    """One microbatch on an average stage: forward, backward with recompute, and its weight-gradient part."""

    forward_s: Seconds
    backward_s: Seconds
    weight_grad_s: Seconds


def full_bubble(_: MicrobatchTime, stages: Count) -> Real:
    """Return 1: fill and drain idle for forward and backward of every other stage.

    Source: Huang 2018, arXiv:1811.06965; Narayanan 2021, arXiv:2104.04473.

    >>> full_bubble(MicrobatchTime(forward_s=1, backward_s=2, weight_grad_s=1), 4)
    1.0
    """
    return 1.0


def zero_bubble_share(t: MicrobatchTime, stages: Count) -> Real:
    """Return the share of the 1F1B bubble that ZB-H1 leaves.

    .. math:: \\frac{T_F + T_B - T_W}{T_F + T_B + T_W}, \\quad T_B \\text{ without } T_W

    Valid for: ZB-H1, the form with 1F1B's memory.
    Source: Qi 2023, arXiv:2401.10241 table 1.

    >>> round(zero_bubble_share(MicrobatchTime(forward_s=1.0, backward_s=2.0, weight_grad_s=1.0), 4), 4)
    0.3333
    """
    return (t.forward_s + t.backward_s - 2.0 * t.weight_grad_s) / (t.forward_s + t.backward_s)


def dualpipe_share(t: MicrobatchTime, stages: Count) -> Real:
    """Return the share of the 1F1B bubble that DualPipe leaves.

    .. math:: \\frac{(p/2 - 1)(F + B - 3W + B)}{(p - 1)(F + B)}, \\quad F\\&B = F + B

    Valid for: even p; B is the whole backward; overlap of F and B gains nothing beyond hidden messages.
    Source: DeepSeek-V3, arXiv:2412.19437 table 2.

    >>> round(float(dualpipe_share(MicrobatchTime(forward_s=1.0, backward_s=2.0, weight_grad_s=1.0), 8)), 4)
    0.2857
    """
    f, b, w, p = t.forward_s, t.backward_s, t.weight_grad_s, stages
    idle = np.maximum(p / 2 - 1, 0.0) * np.maximum(f + 2 * b - 3 * w, 0.0)
    return idle / (np.maximum(p - 1, 1.0) * (f + b))


BUBBLE_SHARE: dict[Schedule, Callable[[MicrobatchTime, Count], Real]] = {
    "gpipe": full_bubble,
    "1f1b": full_bubble,
    "interleaved": full_bubble,
    "zero_bubble": zero_bubble_share,
    "dualpipe": dualpipe_share,
}


def microbatches_in_flight(
    schedule: Schedule, stages: Count, *, microbatches: Count, chunks: Count = 1
) -> Real:
    """Return how many microbatches' activations the first stage holds at its peak.

    .. math:: m \\text{ (GPipe)}, \\quad \\min(m, p), \\quad \\min(m, p + (p-1)/v),
              \\quad p + 1 \\text{ (DualPipe)}

    Valid for: the first stage; a later stage s of 1F1B holds s fewer.
    Source: Korthikanti 2022, arXiv:2205.05198 sec. 4.2.3; DeepSeek-V3, arXiv:2412.19437 table 2.

    >>> float(microbatches_in_flight("interleaved", 8, microbatches=64, chunks=2))
    11.5
    """
    p, m, v = stages, microbatches, chunks
    if schedule == "gpipe":
        return m + 0.0 * p
    if schedule == "dualpipe":
        return np.minimum(m, np.where(np.asarray(p) > 1, p + 1.0, 1.0))
    return np.minimum(m, p + np.where(np.asarray(v) > 1, (p - 1) / v, 0.0))
