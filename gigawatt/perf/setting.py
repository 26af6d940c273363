"""What is the same for all layers of a step, and the parts that the time of a layer has."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Self

from gigawatt.catalog.records import Machine, Stack
from gigawatt.perf.kernel_constants import KernelLaw
from gigawatt.perf.layout import Strategy
from gigawatt.units import Real, Seconds, total

BF16_BYTES = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class PassTime:
    """One pass over one layer: parts that never overlap and add up to the total."""

    matmul_s: Seconds = 0.0
    attention_s: Seconds = 0.0
    memory_bound_s: Seconds = 0.0
    launch_s: Seconds = 0.0  # the chip waits for its host
    tp_comm_s: Seconds = 0.0  # communication: only what compute does not hide
    cp_comm_s: Seconds = 0.0
    ep_comm_s: Seconds = 0.0

    @property
    def total_s(self) -> Seconds:
        return total(self)

    def __add__(self, other: Self) -> Self:
        return type(self)(
            **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in dataclasses.fields(self)}
        )

    def scaled(self, factor: Real) -> Self:
        return type(self)(**{f.name: getattr(self, f.name) * factor for f in dataclasses.fields(self)})


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerTime:
    """One layer and one microbatch."""

    forward: PassTime
    backward: PassTime  # without what is recomputed
    recompute: PassTime
    weight_grad_s: Seconds  # the part of backward that zero-bubble schedules can move

    @property
    def total_s(self) -> Seconds:
        return self.forward.total_s + self.backward.total_s + self.recompute.total_s


@dataclass(frozen=True, kw_only=True, slots=True)
class Laws:
    """The kernel laws of one job: the job's dtype for linear layers, 16 bits for the rest."""

    linear: KernelLaw
    wide: KernelLaw
    linear_bytes: float  # of one operand element
    casts: int = 0  # kernels that make an operand of 8 bits or fewer


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What is the same for all layers of a step."""

    machine: Machine
    laws: Laws
    stack: Stack
    strategy: Strategy
    hidden: int
    clock: Real = 1.0  # the chip's rate in a training loop over its kernels' rate alone
    frozen: bool = False  # no weight gradients
    document_tokens: int = 0  # of each document packed into a sequence; 0: one a sequence

    @property
    def sustained(self) -> Real:
        return self.clock * self.stack["sustained"]
