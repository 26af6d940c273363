"""How much memory the fullest chip needs, in parts that add up."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from gigawatt.catalog.records import Block, Model, Stack
from gigawatt.perf.job import Job
from gigawatt.perf.layout import Layout, Strategy
from gigawatt.perf.schedule import microbatches_in_flight, stage_layers
from gigawatt.perf.step import data_groups, distinct_blocks, microbatches_of, shard_of
from gigawatt.units import Bytes, Count, Real
from gigawatt.workload.params import params
from gigawatt.workload.shard import Shard, kept_bytes, score_bytes

BF16_BYTES = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryUse:
    """Where the memory of the fullest chip goes. The parts add up to the total."""

    weights_bytes: Bytes
    gradients_bytes: Bytes
    optimizer_bytes: Bytes
    activations_bytes: Bytes
    logits_bytes: Bytes  # of the loss, on the last stage
    buffers_bytes: Bytes  # gathered weights, communication
    reserve_bytes: Bytes  # what the framework, driver and allocator keep

    @property
    def total_bytes(self) -> Bytes:
        return sum(getattr(self, f.name) for f in dataclasses.fields(self))


@dataclass(frozen=True, kw_only=True, slots=True)
class StageParams:
    """Parameters that one chip of a stage holds before ZeRO."""

    dense: Count
    routed: Count


def stage_params(model: Model, layout: Layout, *, last: bool) -> StageParams:
    """Return the parameters on a chip of the first or the last stage.

    Layers by their share of the stage, the embedding on the first stage, head (or the tied copy) and
    multi-token layers on the last; with one stage both.
    Source: parameter count by part; Narayanan 2021, arXiv:2104.04473 sec. 2.2 for the placement.
    """
    count = params(model)
    on = stage_layers(model.layers, layout.pp, chunks=layout.chunks)
    layers = (
        on.last if last else np.maximum(on.first, np.where(np.asarray(layout.pp) > 2, on.fullest, on.first))
    )
    share = layers / model.layers
    ends = count.embedding + count.head + count.position
    body = count.total - count.routed - ends
    one_stage = np.asarray(layout.pp) == 1
    embedding = count.embedding + count.position
    head = count.head if count.head else count.embedding
    here = np.where(one_stage, ends, float(head if last else embedding))
    return StageParams(
        dense=(body * share + here) / layout.tp,
        routed=count.routed * share / (layout.ep * layout.etp),
    )


def layer_kept_bytes(block: Block, shard: Shard, *, strategy: Strategy, stack: Stack, hidden: int) -> Bytes:
    """Return the activation bytes that one layer keeps per microbatch under a recompute mode.

    Full: the layer's input. Selective: without flash attention all but the scores, with it all but norm and
    activation outputs. None: everything, with the scores and dropout masks where attention is not fused.
    Source: Korthikanti 2022, arXiv:2205.05198 table 2.
    """
    if strategy.recompute == "full":
        return BF16_BYTES * shard.local_tokens * hidden
    fused = bool(stack["flash_attention"])
    keep_cheap = strategy.recompute == "none" or not fused
    kept = kept_bytes(block, shard, hidden=hidden, keep_cheap=keep_cheap)
    if not fused and strategy.recompute == "none":
        kept = kept + 2.5 * score_bytes(block, shard)  # softmax output, its mask, dropout output: 5 a s s b
    return kept


def activations_bytes(job: Job, layout: Layout, *, strategy: Strategy, stack: Stack, last: bool) -> Bytes:
    """Return the activation bytes of a chip of the first or last stage at its peak.

    What layers keep, times the layers of the stage and the microbatches in flight, and the working set of the
    layer being computed (with full recompute, all that this layer keeps).
    Source: Korthikanti 2022, arXiv:2205.05198 sec. 4.2.3.
    """
    model, shard = job.model, shard_of(job, layout, strategy)
    on = stage_layers(model.layers, layout.pp, chunks=layout.chunks)
    held = working = 0.0
    for block, count in distinct_blocks(model).items():
        own = layer_kept_bytes(block, shard, strategy=strategy, stack=stack, hidden=model.hidden)
        held = held + own * count / model.layers
        whole = kept_bytes(block, shard, hidden=model.hidden, keep_cheap=True)
        if not stack["flash_attention"]:
            whole = whole + 2.5 * score_bytes(block, shard)
        working = np.maximum(working, whole)
    m = microbatches_of(job, layout)
    flight = microbatches_in_flight(strategy.schedule, layout.pp, microbatches=m, chunks=layout.chunks)
    if last:  # the last stage starts its backward pass at once; interleaving keeps its other chunks waiting
        flight = np.where(
            np.asarray(layout.chunks) > 1,
            np.maximum(flight - 2.0 * (layout.pp - 1) / layout.chunks, 1.0),
            1.0,
        )
        flight = flight if strategy.schedule not in ("gpipe", "dualpipe") else m
    layers = on.last if last else on.first
    return held * layers * flight + (working if strategy.recompute == "full" else 0.0)


def _owned(held: StageParams, layout: Layout, *, sharded: bool) -> Real:
    """Return the parameters of which a chip keeps a state that may be sharded."""
    if not sharded:
        return held.dense + held.routed
    dense, expert = (data_groups(layout, expert=e)[0].ranks for e in (False, True))
    return held.dense / dense + held.routed / expert


def stage_memory(job: Job, layout: Layout, *, strategy: Strategy, stack: Stack, last: bool) -> MemoryUse:
    """Return the memory of a chip of the first or the last stage.

    Weights, gradients and optimizer states by the stack's bytes a parameter, each sharded from its ZeRO stage
    on; DualPipe keeps two copies of the weights.
    Source: Rajbhandari 2019, arXiv:1910.02054 sec. 5; DeepSeek-V3, arXiv:2412.19437 table 2.
    """
    zero = strategy.zero_stage
    held = stage_params(job.model, layout, last=last)
    copies = 2.0 if strategy.schedule == "dualpipe" else 1.0
    activations = activations_bytes(job, layout, strategy=strategy, stack=stack, last=last)
    weights = copies * stack["weight_bytes"] * _owned(held, layout, sharded=zero >= 3)
    gradients = copies * stack["grad_bytes"] * _owned(held, layout, sharded=zero >= 2)
    optimizer = stack["optimizer_bytes"] * _owned(held, layout, sharded=zero >= 1)
    if strategy.offload_optimizer or job.frozen:
        optimizer = 0.0 * optimizer
    if job.frozen:
        gradients = 0.0 * gradients
    logits = logits_bytes(job, layout, strategy=strategy, stack=stack) if last else 0.0
    buffers = gathered_bytes(job.model, layout) if zero >= 3 else 0.0
    moving = activations + logits + buffers + gradients
    return MemoryUse(
        weights_bytes=weights,
        gradients_bytes=gradients,
        optimizer_bytes=optimizer,
        activations_bytes=activations,
        logits_bytes=logits,
        buffers_bytes=buffers,
        reserve_bytes=stack["reserve_bytes"] + stack["fragmentation"] * moving,
    )


def logits_bytes(job: Job, layout: Layout, *, strategy: Strategy, stack: Stack) -> Bytes:
    """Return what the loss keeps on the last stage.

    .. math:: n_{byte} T V / t

    Source: Shoeybi 2019, arXiv:1909.08053 sec. 3; bytes a logit by stack (16-bit logits and a 32-bit copy: 6).
    """
    shard = shard_of(job, layout, strategy)
    return stack["logit_bytes"] * shard.tokens * job.model.vocab / shard.tp


def gathered_bytes(model: Model, layout: Layout) -> Bytes:
    """Return the buffers of ZeRO 3: two layers of gathered 16-bit weights and one of 32-bit gradients.

    Source: Zhao 2023, arXiv:2304.11277 sec. 4.3 (rate limiter of two in-flight gathers).
    """
    count = params(model)
    dense = (count.total - count.routed - count.embedding - count.head) / model.layers / layout.tp
    routed = count.routed / model.layers / (layout.ep * layout.etp)
    return (2 * BF16_BYTES + 4.0) * (dense + routed)


def memory_use(job: Job, layout: Layout, *, strategy: Strategy, stack: Stack) -> MemoryUse:
    """Return the memory of the fullest chip: the first stage or the last, whichever needs more.

    Source: the maximum over stages; inner stages hold no more than these two.
    """
    first = stage_memory(job, layout, strategy=strategy, stack=stack, last=False)
    last = stage_memory(job, layout, strategy=strategy, stack=stack, last=True)
    if np.ndim(layout.pp) == 0 and layout.pp == 1:
        both = dataclasses.replace(first, logits_bytes=last.logits_bytes)
        return dataclasses.replace(both, reserve_bytes=last.reserve_bytes)
    use_last = (last.total_bytes > first.total_bytes) | (np.asarray(layout.pp) == 1)
    picked = {
        f.name: np.where(use_last, getattr(last, f.name), getattr(first, f.name))
        for f in dataclasses.fields(MemoryUse)
    }
    return MemoryUse(**picked)
