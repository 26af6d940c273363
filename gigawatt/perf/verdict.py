"""Whether a layout is one: the first rule that it breaks."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigawatt.catalog.records import Machine, Model
from gigawatt.perf.job import Job
from gigawatt.perf.layout import Layout, Strategy
from gigawatt.units import Bytes


class Verdict(IntEnum):
    """What is wrong with a layout, in the order in which it is asked."""

    OK = 0
    CHIPS = 1  # the degrees do not multiply to the chips
    HEADS = 2  # tp does not divide the attention heads
    WIDTH = 3  # tp does not divide a feed-forward width
    LAYERS = 4  # fewer layers than stages x chunks, or an uneven interleaving
    EXPERTS = 5  # ep does not divide the experts, or ep x etp not the ranks of a stage
    SEQUENCE = 6  # cp or tp does not divide the sequence
    BATCH = 7  # dp x microbatch does not divide the batch
    SCHEDULE = 8  # the schedule does not allow these stages, chunks or microbatches
    MEMORY = 9  # does not fit


VERDICT_TEXT = {
    Verdict.OK: "fits",
    Verdict.CHIPS: "degrees do not multiply to the chips",
    Verdict.HEADS: "tp does not divide the attention heads",
    Verdict.WIDTH: "tp does not divide the feed-forward width",
    Verdict.LAYERS: "layers do not fall on the stages",
    Verdict.EXPERTS: "experts do not fall on the ranks",
    Verdict.SEQUENCE: "the sequence does not divide",
    Verdict.BATCH: "the batch does not divide",
    Verdict.SCHEDULE: "the schedule does not allow it",
    Verdict.MEMORY: "out of memory",
}


def uneven(layers: int, layout: Layout) -> NDArray[Any]:
    """Return whether layers fall unevenly, embedding and head allowed to count as a layer each.

    Definition: neither L, L + 1 nor L + 2 is a multiple of stages x chunks.
    """
    slots = np.asarray(layout.pp * layout.chunks)
    even = (layers % slots == 0) | ((layers + 1) % slots == 0) | ((layers + 2) % slots == 0)
    broken: NDArray[Any] = ~even | (slots > layers + 2)
    return broken


def rules(job: Job, layout: Layout, *, machine: Machine, strategy: Strategy) -> dict[Verdict, Any]:
    """Return, per rule but memory, which layouts break it.

    Uneven stages are allowed without interleaving (the last stage takes fewer layers).
    Source: the divisibility that Megatron-Core and torchtitan demand.
    """
    model = job.model
    per_replica = layout.dp * layout.microbatch_sequences
    microbatches = job.batch_sequences // np.maximum(per_replica, 1)
    sequence_cut = (
        layout.cp
        * np.where(np.asarray(layout.cp) > 1, 2, 1)
        * (layout.tp if strategy.sequence_parallel else 1)
    )
    return {
        Verdict.CHIPS: np.asarray(layout.chips) != machine.chips,
        Verdict.HEADS: _indivisible([b.mixer.core.heads for b in model.blocks], layout.tp),
        Verdict.WIDTH: _indivisible(_widths(model), layout.tp)
        | _indivisible(_expert_widths(model), layout.etp),
        Verdict.LAYERS: (np.asarray(layout.pp) > model.layers)
        | ((np.asarray(layout.chunks) > 1) & uneven(model.layers, layout)),
        Verdict.EXPERTS: _experts(model, layout),
        Verdict.SEQUENCE: np.asarray(job.seq_tokens % sequence_cut != 0),
        Verdict.BATCH: (job.batch_sequences % np.maximum(per_replica, 1) != 0) | (microbatches < 1),
        Verdict.SCHEDULE: _schedule(layout, strategy, microbatches),
    }


def _indivisible(sizes: list[int], degree: Any) -> NDArray[Any]:
    broken = np.zeros(np.shape(degree), dtype=bool)
    for size in sorted(set(sizes)):
        broken = broken | (size % np.asarray(degree) != 0)
    return broken


def _widths(model: Model) -> list[int]:
    dense = [b.mlp.width for b in model.blocks if b.mlp]
    return dense + [b.moe.shared.width for b in model.blocks if b.moe and b.moe.shared]


def _expert_widths(model: Model) -> list[int]:
    return [b.moe.expert.width for b in model.blocks if b.moe]


def _experts(model: Model, layout: Layout) -> Any:
    ranks = np.asarray(layout.tp * layout.cp * layout.dp)
    experts = [b.moe.experts for b in model.blocks if b.moe]
    if not experts:
        return np.asarray(layout.ep * layout.etp) != 1
    return _indivisible(experts, layout.ep) | (ranks % (layout.ep * layout.etp) != 0)


def _schedule(layout: Layout, strategy: Strategy, microbatches: Any) -> Any:
    pp, chunks = np.asarray(layout.pp), np.asarray(layout.chunks)
    if strategy.schedule == "interleaved":
        return (chunks < 2) | (pp < 2) | (microbatches % pp != 0)
    broken = chunks > 1
    if strategy.schedule == "dualpipe":
        return broken | (pp % 2 != 0) | (microbatches < 2 * pp) | (microbatches % 2 != 0)
    if strategy.schedule == "zero_bubble":  # its bubble is that of at least as many microbatches as stages
        return broken | (pp < 2) | (microbatches < pp)
    if strategy.schedule == "gpipe":
        return broken | (pp < 2)
    return broken


def verdict(
    job: Job, layout: Layout, *, machine: Machine, strategy: Strategy, needed_bytes: Bytes
) -> NDArray[Any]:
    """Return the first rule that each layout breaks, in the order of `Verdict`; OK where none.

    Definition: structural rules first, memory last.
    """
    first = first_broken(rules(job, layout, machine=machine, strategy=strategy))
    fits = np.where(np.asarray(needed_bytes) > machine.chip.hbm_bytes, np.int8(Verdict.MEMORY), np.int8(0))
    return np.where(first == Verdict.OK, fits, first)


def first_broken(broken: Mapping[Verdict, Any]) -> NDArray[Any]:
    """Return the first rule that each layout breaks; OK where none.

    >>> batch, heads = np.array([True, True, False]), np.array([False, True, False])
    >>> first_broken({Verdict.BATCH: batch, Verdict.HEADS: heads}).tolist()
    [7, 2, 0]
    """
    first: NDArray[Any] = np.asarray(np.int8(Verdict.OK))
    for rule in sorted(broken, reverse=True):  # the earliest rule is written last, over the others
        first = np.where(broken[rule], np.int8(rule), first)
    return first
