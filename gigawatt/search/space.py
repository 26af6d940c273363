"""The space of layouts: which degrees and kinds are tried."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from gigawatt.catalog.records import Machine, Stack
from gigawatt.errors import InputError, unknown_name
from gigawatt.perf.job import Job
from gigawatt.perf.layout import Layout, Recompute, Schedule, Strategy

MAX_TP = 64
MAX_CP = 64
MAX_CHUNKS = 16
MAX_MICROBATCH = 16
MAX_REPLICATE = 64
BLOCK_LAYOUTS = 2**17  # arrays of a block stay within a core's cache


@dataclass(frozen=True, kw_only=True, slots=True)
class Space:
    """Every value that is tried of each degree and kind. dp is what the chips leave."""

    chips: int
    tp: tuple[int, ...]
    cp: tuple[int, ...]
    pp: tuple[int, ...]
    chunks: tuple[int, ...]
    dp_replicate: tuple[int, ...]
    ep: tuple[int, ...]
    etp: tuple[int, ...]
    microbatch_sequences: tuple[int, ...]
    recompute: tuple[Recompute, ...]
    schedule: tuple[Schedule, ...]
    zero_stage: tuple[int, ...]
    sequence_parallel: tuple[bool, ...]

    def families(self) -> tuple[tuple[Strategy, ...], ...]:
        """Return every combination of the kinds, those that share layer times in one family."""
        return tuple(
            tuple(
                Strategy(sequence_parallel=sp, recompute=recompute, zero_stage=zero, schedule=schedule)
                for zero, schedule in itertools.product(self.zero_stage, self.schedule)
            )
            for sp, recompute in itertools.product(self.sequence_parallel, self.recompute)
        )

    def stems(self) -> NDArray[Any]:
        """Return every (tp, cp, pp, chunks) whose first three divide the chips, one a row."""
        every = itertools.product(self.tp, self.cp, self.pp, self.chunks)
        rows = [t for t in every if self.chips % (t[0] * t[1] * t[2]) == 0]
        return np.asarray(rows, dtype=np.int64).reshape(-1, 4)

    def replicas_of(self, zero_stage: int) -> list[int]:
        """Return the replica counts worth trying: without sharding they all mean the same."""
        return [r for r in self.dp_replicate if r == 1 or zero_stage > 0]

    def others(self, strategy: Strategy) -> int:
        """Return how many layouts share one stem."""
        sizes = (self.replicas_of(strategy.zero_stage), self.microbatch_sequences, self.ep, self.etp)
        return math.prod(len(size) for size in sizes)

    def blocks(self, rows: NDArray[Any]) -> list[NDArray[Any]]:
        """Return rows of stems in blocks of at most about `BLOCK_LAYOUTS` layouts a strategy."""
        each = len(self.dp_replicate) * len(self.microbatch_sequences) * len(self.ep) * len(self.etp)
        step = max(BLOCK_LAYOUTS // each, 1)
        return [rows[i : i + step] for i in range(0, len(rows), step)]

    def mesh(self, strategy: Strategy, stems: NDArray[Any]) -> Layout:
        """Return every layout of some stems and one combination of kinds, as axes that broadcast.

        Axis 0 runs over the stems, the others over replicas, microbatch, ep and etp. Each formula is then
        computed at the size of the axes that it depends on.
        """
        tp, cp, pp, chunks = (_axis(stems[:, column], 0) for column in range(4))
        dp = self.chips // (tp * cp * pp)
        replicas = _axis(self.replicas_of(strategy.zero_stage), 1)
        return Layout(
            tp=tp,
            cp=cp,
            pp=pp,
            chunks=chunks,
            dp_replicate=replicas,
            dp_shard=np.maximum(dp // replicas, 1),
            microbatch_sequences=_axis(self.microbatch_sequences, 2),
            ep=_axis(self.ep, 3),
            etp=_axis(self.etp, 4),
        )

    def outline(self, stems: NDArray[Any]) -> Layout:
        """Return stems with all other degrees 1: what breaks a rule here breaks it in every layout."""
        tp, cp, pp, chunks = stems.T
        return Layout(tp=tp, cp=cp, pp=pp, dp_shard=self.chips // (tp * cp * pp), chunks=chunks)


AXES = 5


def _axis(values: Sequence[int] | NDArray[Any], position: int) -> Any:
    """Return values along one of the axes of a mesh."""
    shape = [1] * AXES
    shape[position] = len(values)
    return np.asarray(values, dtype=np.int64).reshape(shape)


def divisors(n: int, limit: int) -> tuple[int, ...]:
    """Return the divisors of n up to a limit.

    >>> divisors(12, 6)
    (1, 2, 3, 4, 6)
    """
    return tuple(d for d in range(1, min(n, limit) + 1) if n % d == 0)


def powers_of_two(limit: int) -> tuple[int, ...]:
    """Return 1, 2, 4, ... up to a limit.

    >>> powers_of_two(9)
    (1, 2, 4, 8)
    """
    return tuple(2**i for i in range(max(limit, 1).bit_length()) if 2**i <= limit)


def _moe_axes(job: Job, chips: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    experts = [b.moe.experts for b in job.model.blocks if b.moe]
    if not experts:
        return (1,), (1,)
    common = int(np.gcd.reduce(experts))
    return divisors(common, min(chips, common)), (1, 2, 4, 8)


def full_space(job: Job, machine: Machine, *, stack: Stack, fixed: Mapping[str, Any] | None = None) -> Space:
    """Return everything that is worth trying for a job on a machine, `fixed` values held.

    Tensor degrees divide the heads, stages leave at least a layer each, context parallelism keeps at least
    1,024 tokens a rank, schedules are those that the stack has. Values in `fixed` are taken as given, one or
    a list.
    Raises: InputError for a name or value that is not one.
    """
    model, chips = job.model, machine.chips
    heads = int(np.gcd.reduce([b.mixer.core.heads for b in model.blocks]))
    ep, etp = _moe_axes(job, chips)
    pp = tuple(d for d in range(1, min(model.layers, chips) + 1) if chips % d == 0)
    space = Space(
        chips=chips,
        tp=tuple(d for d in divisors(heads, min(MAX_TP, chips)) if chips % d == 0),
        cp=tuple(c for c in powers_of_two(min(MAX_CP, chips)) if c == 1 or job.seq_tokens // c >= 1024),
        pp=pp,
        chunks=tuple(range(1, min(MAX_CHUNKS, model.layers) + 1)),
        dp_replicate=powers_of_two(min(MAX_REPLICATE, chips)),
        ep=ep,
        etp=etp,
        microbatch_sequences=powers_of_two(min(MAX_MICROBATCH, job.batch_sequences)),
        recompute=get_args(Recompute),
        schedule=tuple(s for s in get_args(Schedule) if s in stack.schedules),
        zero_stage=(0, 1, 2, 3),
        sequence_parallel=(True, False),
    )
    return _hold(space, fixed or {})


def smaller_counts(job: Job, chips: int, *, node: int, most: int = 3) -> tuple[int, ...]:
    """Return the largest chip counts below `chips` on which a batch and a stack of layers fall evenly.

    Counts are dp x r: dp divides the batch, r is a power of two times a number of stages that divides the
    layers (embedding and head may count as layers). Whole servers where there are such.
    """
    layers = job.model.layers
    stages = {p for padded in (layers, layers + 1, layers + 2) for p in divisors(padded, layers)}
    ranks = sorted({p * t for p in stages for t in powers_of_two(MAX_TP) if p * t <= chips})
    found = set()
    for dp in divisors(job.batch_sequences, job.batch_sequences):
        for r in ranks:
            if dp * r < chips and dp * r % min(node, chips) == 0:
                found.add(dp * r)
    if not found and node > 1:  # a server's size shares nothing with such counts
        return smaller_counts(job, chips, node=1, most=most)
    return tuple(sorted(found, reverse=True)[:most])


def _hold(space: Space, fixed: Mapping[str, Any]) -> Space:
    names = {f.name for f in dataclasses.fields(Space)} - {"chips"}
    held: dict[str, Any] = {}
    for name, value in fixed.items():
        if name not in names:
            raise unknown_name("layout field", name, names)
        values = tuple(value) if isinstance(value, list | tuple) else (value,)
        held[name] = tuple(_checked(name, v) for v in values)
    return dataclasses.replace(space, **held)


KINDS: dict[str, tuple[Any, ...]] = {
    "recompute": get_args(Recompute),
    "schedule": get_args(Schedule),
    "zero_stage": (0, 1, 2, 3),
    "sequence_parallel": (True, False),
}


def _checked(name: str, value: Any) -> Any:
    if name in KINDS:
        if value not in KINDS[name] or (isinstance(value, bool) != (name == "sequence_parallel")):
            allowed = ", ".join(str(v).lower() for v in KINDS[name])
            raise InputError(f"layout.{name} = {value!r} is not one of: {allowed}")
        return value
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 10**9:
        raise InputError(f"layout.{name} = {value!r} is not a whole number of 1 or more")
    return value
