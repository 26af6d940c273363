"""The space of layouts: which degrees and kinds are tried."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from gigawatt.catalog.records import Machine, Stack
from gigawatt.errors import InputError, unknown_name
from gigawatt.perf.job import Job
from gigawatt.perf.layout import Layout, Recompute, Schedule, Strategy
from gigawatt.units import Count

MAX_TP = 64
MAX_CP = 64
MAX_CHUNKS = 16
MAX_MICROBATCH = 16
MAX_REPLICATE = 64
BLOCK_LAYOUTS = 2**18  # large enough that a call costs little beside its rows, 2 MB a column


@dataclass(frozen=True, kw_only=True, slots=True)
class Mesh(Layout):
    """Layouts along axes that broadcast: stems, replicas, microbatch, ep, etp.

    The data-parallel ranks are what the chips leave, however they are split into replicas and shards: a
    formula that needs only them is computed once for all splits.
    """

    ranks: Count

    @property
    def dp(self) -> Count:
        return self.ranks


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

    def families(self) -> tuple[Strategy, ...]:
        """Return every combination of the kinds that change layer times, one strategy for each."""
        kinds = itertools.product(self.sequence_parallel, self.recompute)
        return tuple(Strategy(sequence_parallel=sp, recompute=recompute) for sp, recompute in kinds)

    def stems(self, *, interleaved: bool) -> NDArray[Any]:
        """Return every (chips, tp, cp, pp, chunks) with tp x cp x pp a divisor of the chips, sorted."""
        chunks = [c for c in self.chunks if (c > 1) == interleaved]
        sorted_axes = (sorted(set(axis)) for axis in ((self.chips,), self.tp, self.cp, self.pp, chunks))
        axes = np.meshgrid(*sorted_axes, indexing="ij")
        rows = np.stack([a.ravel() for a in axes], axis=1).astype(np.int64)
        divide: NDArray[Any] = rows[rows[:, 0] % (rows[:, 1] * rows[:, 2] * rows[:, 3]) == 0]
        return divide

    def replicas_of(self, zero_stage: int) -> list[int]:
        """Return the replica counts worth trying: without sharding they all mean the same."""
        return [r for r in self.dp_replicate if r == 1 or zero_stage > 0]

    def others(self, zero_stage: int) -> int:
        """Return how many layouts share one stem and one combination of kinds."""
        return len(self.replicas_of(zero_stage)) * self.cells

    @property
    def cells(self) -> int:
        """How many microbatches and expert degrees are tried of one stem."""
        return len(self.microbatch_sequences) * len(self.ep) * len(self.etp)

    def mesh(self, stems: NDArray[Any], *, replicas: Sequence[int] = (1,)) -> Mesh:
        """Return every layout of some stems, as axes that broadcast.

        Axis 0 runs over the stems, the others over replicas, microbatch, ep and etp. Each formula is then
        computed at the size of the axes that it depends on.
        """
        chips, tp, cp, pp, chunks = (_axis(column, 0) for column in stems.T)
        ranks, split = chips // (tp * cp * pp), _axis(replicas, 1)
        return Mesh(
            tp=tp,
            cp=cp,
            pp=pp,
            chunks=chunks,
            dp_replicate=split,
            dp_shard=np.maximum(ranks // split, 1),
            microbatch_sequences=_axis(self.microbatch_sequences, 2),
            ep=_axis(self.ep, 3),
            etp=_axis(self.etp, 4),
            ranks=ranks,
        )

    def joined(self, other: Space) -> Space:
        """Return the space of both spaces' values, for meshes of stems of several chip counts."""
        names = [f.name for f in dataclasses.fields(self) if f.name != "chips"]
        both: dict[str, Any] = {
            n: tuple(dict.fromkeys((*getattr(self, n), *getattr(other, n)))) for n in names
        }
        return dataclasses.replace(self, **both)


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

    Tensor degrees divide the heads and lie even in the innermost units (of 8 chips, 3 would leave every third
    group on two servers), stages leave at least a layer each, context parallelism keeps at least
    1,024 tokens a rank, schedules are those that the stack has. Values in `fixed` are taken as given, one or
    a list.
    Raises: InputError for a name or value that is not one.
    """
    model, chips = job.model, machine.chips
    heads = int(np.gcd.reduce([b.mixer.core.heads for b in model.blocks]))
    ep, etp = _moe_axes(job, chips)
    pp = tuple(d for d in range(1, min(model.layers, chips) + 1) if chips % d == 0)
    unit = int(machine.levels[0].chips)
    space = Space(
        chips=chips,
        tp=tuple(d for d in divisors(heads, min(MAX_TP, chips)) if chips % d == 0 and _even(d, unit)),
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


def _even(degree: int, unit: int) -> bool:
    return unit % degree == 0 or degree % unit == 0


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
