"""How a job is cut over chips: the numbers (Layout, one or a column) and the kinds (Strategy)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from gigawatt.units import Count

Recompute = Literal["none", "selective", "full"]
Schedule = Literal["gpipe", "1f1b", "interleaved", "zero_bubble", "dualpipe"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """One layout, or columns of layouts: each field is a number or an array, and all broadcast together.

    Ranks are numbered tp fastest, then cp, then dp, then pp: tp neighbours sit in one scale-up domain.
    `ep` overlays dp x cp x tp ranks, it does not multiply the chips; `etp` cuts each expert.
    """

    tp: Count = 1
    cp: Count = 1
    pp: Count = 1
    chunks: Count = 1  # virtual stages per pipeline stage (v)
    dp_replicate: Count = 1
    dp_shard: Count = 1  # ranks over which ZeRO / FSDP shards; dp = dp_replicate x dp_shard
    ep: Count = 1
    etp: Count = 1
    microbatch_sequences: Count = 1

    @property
    def dp(self) -> Count:
        return self.dp_replicate * self.dp_shard

    @property
    def chips(self) -> Count:
        return self.tp * self.cp * self.pp * self.dp

    @classmethod
    def grid(cls, **axes: Sequence[int]) -> Self:
        """Return every combination of the given axes as one flat column."""
        columns = np.meshgrid(*(np.asarray(a) for a in axes.values()), indexing="ij")
        return cls(**{name: column.ravel() for name, column in zip(axes, columns, strict=True)})

    def take(self, rows: NDArray[Any] | int) -> Self:
        """Return some rows of a column (what is the same for all rows stays)."""
        return take(self, rows)


Record = TypeVar("Record")


def take(record: Record, rows: NDArray[Any] | int) -> Record:
    """Return a record with only some rows of its arrays' first axis; what is the same for all rows stays.

    Records inside the record are cut likewise.
    """

    def cut(value: Any) -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return take(value, rows)
        same = np.ndim(value) == 0 or np.shape(value)[0] == 1
        return value if same else value[rows]

    named = {f.name: cut(getattr(record, f.name)) for f in dataclasses.fields(record)}  # type: ignore[arg-type]
    return dataclasses.replace(record, **named)  # type: ignore[type-var]


@dataclass(frozen=True, kw_only=True, slots=True)
class Strategy:
    """The choices that have no size: which schedule, what is recomputed, what is sharded and overlapped."""

    recompute: Recompute = "none"
    recompute_share: float = 1.0  # of the layers that recompute; the others keep everything
    keeps_attention: bool = False  # full recompute, but for queries, keys, values and attention's output
    recomputed: str = ""  # parts that "selective" names, "norms+up"; none: what is cheap
    schedule: Schedule = "1f1b"
    drains: int = 1  # how often a step empties the pipeline: local batches that are accumulated one by one
    zero_stage: int = 1  # 0: replicated; 1: optimizer; 2: + gradients; 3: + weights (FSDP)
    sequence_parallel: bool = True  # Megatron sequence parallelism; acts where tp > 1
    offload_optimizer: bool = False
    offload_activations: float = 0.0  # fraction of what layers keep that waits in host memory
