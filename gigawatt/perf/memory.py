"""How much memory the fullest chip needs, in parts that add up."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from gigawatt.catalog.records import Block, Model, Stack
from gigawatt.perf.job import Job
from gigawatt.perf.layout import Layout, Strategy
from gigawatt.perf.schedule import microbatches_in_flight, stage_layers
from gigawatt.perf.setting import BF16_BYTES
from gigawatt.perf.sharded import data_groups
from gigawatt.perf.step import OPERAND_BYTES, distinct_blocks, microbatches_of, shard_of
from gigawatt.units import Bytes, Count, Real, total
from gigawatt.workload.params import params
from gigawatt.workload.shard import Keeping, Shard, attention_bytes, kept_bytes, passed_width, score_bytes


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
        return total(self)


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


def layer_kept_bytes(block: Block, job: Job, *, shard: Shard, strategy: Strategy, stack: Stack) -> Bytes:
    """Return the activation bytes that one layer keeps per microbatch under a recompute mode.

    Full: the layer's input, cut over the tensor-parallel ranks where the stack does that, and with
    `keeps_attention` queries, keys, values and attention's output. Selective: without flash attention all but
    the scores, with it all but the outputs of norms, activation functions and latent up-projections, or what
    goes into the parts that the strategy names. None: everything, with the scores and dropout masks where
    attention is not fused.
    Source: Korthikanti 2022, arXiv:2205.05198 table 2; Rajbhandari 2019, arXiv:1910.02054 sec. 6.1 (cut).
    """
    if strategy.recompute != "none" and strategy.recompute_share < 1.0:
        share, whole = strategy.recompute_share, dataclasses.replace(strategy, recompute_share=1.0)
        cut_short = layer_kept_bytes(block, job, shard=shard, strategy=whole, stack=stack)
        none = dataclasses.replace(strategy, recompute="none")
        everything = layer_kept_bytes(block, job, shard=shard, strategy=none, stack=stack)
        return share * cut_short + (1.0 - share) * everything
    if strategy.recompute == "full":
        cut = shard.tokens / shard.tp if stack["partition_activations"] else shard.local_tokens
        kept = attention_bytes(block, shard) if strategy.keeps_attention else 0.0
        return BF16_BYTES * cut * passed_width(job.model) + kept
    fused = bool(stack["flash_attention"])
    named = tuple(strategy.recomputed.split("+")) if strategy.recompute == "selective" and fused else ()
    keep_cheap = strategy.recompute == "none" or not fused or any(named)
    held = dataclasses.replace(keeping(job, stack, cheap=keep_cheap), again=named)
    kept = kept_bytes(block, shard, hidden=job.model.hidden, keeping=held)
    if not fused and strategy.recompute == "none":
        kept = kept + 2.5 * score_bytes(block, shard)  # softmax output, its mask, dropout output: 5 a s s b
    return kept


def keeping(job: Job, stack: Stack, *, cheap: bool) -> Keeping:
    """Return what a job keeps: operands in its own format, none for frozen weights; what its stack fuses.

    Beside frozen weights the inputs of activation functions are kept in the job's format too, 8 bits or more.
    Source: Micikevicius 2022, arXiv:2209.05433 sec. 3 (8-bit inputs kept for the weight gradient);
    Megatron-Core activation_func_fp8_input_store, which adapter runs of MLPerf Training switch on.
    """
    operand = min(OPERAND_BYTES[job.dtype], BF16_BYTES)
    fused = stack["fused_kept"] > 0
    return Keeping(
        cheap=cheap,
        operands=not job.frozen,
        operand_bytes=operand,
        activation_bytes=max(operand, 1.0) if job.frozen else BF16_BYTES,
        fused=fused,
    )


def activations_bytes(job: Job, layout: Layout, *, strategy: Strategy, stack: Stack, last: bool) -> Bytes:
    """Return the activation bytes of a chip of the first or last stage at its peak.

    What layers keep, times the layers of the stage and the microbatches in flight, and the working set of the
    layer being computed (with full recompute, all that this layer keeps). Where the embedding counts as a
    layer the second stage holds more layers for fewer microbatches; the larger product counts.
    Source: Korthikanti 2022, arXiv:2205.05198 sec. 4.2.3.
    """
    model, shard = job.model, shard_of(job, layout, strategy)
    on = stage_layers(model.layers, layout.pp, chunks=layout.chunks)
    held: Bytes = 0.0
    working: Bytes = 0.0
    for block, count in distinct_blocks(model).items():
        own = layer_kept_bytes(block, job, shard=shard, strategy=strategy, stack=stack)
        held = held + own * count / model.layers
        whole = kept_bytes(block, shard, hidden=model.hidden, keeping=keeping(job, stack, cheap=True))
        if not stack["flash_attention"]:
            whole = whole + 2.5 * score_bytes(block, shard)
        working = np.maximum(working, whole)
    m = microbatches_of(job, layout) / strategy.drains
    flight = microbatches_in_flight(strategy.schedule, layout.pp, microbatches=m, chunks=layout.chunks)
    layers = on.last if last else on.first
    held_layers = layers * flight
    if strategy.schedule in ("1f1b", "interleaved"):  # in the others every stage holds as many
        later = np.maximum(flight - np.where(np.asarray(layout.chunks) > 1, 2.0 / layout.chunks, 1.0), 1.0)
        inner = np.where(np.asarray(layout.pp) > 2, on.fullest * later, 0.0)
        held_layers = layers * last_stage_flight(flight, layout) if last else np.maximum(held_layers, inner)
    on_chip = (1.0 - strategy.offload_activations) * held * held_layers
    if not last:
        on_chip = on_chip + stage_output_bytes(job, layout, shard=shard, stack=stack) * flight
    return on_chip + (working if strategy.recompute == "full" or strategy.offload_activations else 0.0)


def last_stage_flight(first_stage: Count, layout: Layout) -> Count:
    """Return how many microbatches' activations the last stage holds, by what the first stage holds.

    .. math:: 1 \\text{ (1F1B)}, \\quad n_1 - 2 (p - 1) / v \\text{ (interleaved)}

    The last stage starts its backward pass at once; interleaving keeps its other chunks waiting.
    Source: warm-up counts of Narayanan 2021, arXiv:2104.04473 sec. 2.2.
    """
    interleaved = np.maximum(first_stage - 2.0 * (layout.pp - 1) / layout.chunks, 1.0)
    return np.where(np.asarray(layout.chunks) > 1, interleaved, 1.0)


def stage_output_bytes(job: Job, layout: Layout, *, shard: Shard, stack: Stack) -> Bytes:
    """Return what a stage keeps of a microbatch's output until its backward pass, where the software does.

    The output is sent, and only its place in the graph is needed: freeing it saves 2 s b h a microbatch.
    Source: Korthikanti 2022, arXiv:2205.05198 appendix B.
    """
    output = BF16_BYTES * shard.local_tokens * passed_width(job.model)
    return stack["keeps_stage_outputs"] * np.where(np.asarray(layout.pp) > 1, output, 0.0)


def state_bytes(state: str, stack: Stack, *, dtype: str) -> Bytes:
    """Return the bytes a parameter of a state, of a number format where the software tells them apart.

    Definition: `fp16_grad_bytes` of a stack that has it, for a job in fp16; else `grad_bytes`.
    """
    return stack.values.get(f"{dtype}_{state}", stack[state])


def _owned(held: StageParams, layout: Layout, *, sharded: bool) -> Real:
    """Return the parameters of which a chip keeps a state that may be sharded."""
    if not sharded:
        return held.dense + held.routed
    dense, expert = (data_groups(layout, expert=e)[0].ranks for e in (False, True))
    return held.dense / dense + held.routed / expert


def stage_memory(
    job: Job,
    layout: Layout,
    *,
    strategy: Strategy,
    stack: Stack,
    last: bool,
    held_bytes: Bytes | None = None,
) -> MemoryUse:
    """Return the memory of a chip of the first or the last stage; `held_bytes`: its activations, if known.

    Weights, gradients and optimizer states by the stack's bytes a parameter, each sharded from its ZeRO stage
    on; frozen weights are kept in the job's own format where the stack does that; DualPipe keeps two copies.
    Source: Rajbhandari 2019, arXiv:1910.02054 sec. 5; DeepSeek-V3, arXiv:2412.19437 table 2.
    """
    zero = strategy.zero_stage
    held = stage_params(job.model, layout, last=last)
    copies = 2.0 if strategy.schedule == "dualpipe" else 1.0
    if held_bytes is None:
        held_bytes = activations_bytes(job, layout, strategy=strategy, stack=stack, last=last)
    narrow = job.frozen and stack["narrow_frozen"]
    width = min(stack["weight_bytes"], OPERAND_BYTES[job.dtype]) if narrow else stack["weight_bytes"]
    weights = copies * width * _owned(held, layout, sharded=zero >= 3)
    kept = {name: state_bytes(name, stack, dtype=job.dtype) for name in ("grad_bytes", "optimizer_bytes")}
    gradients = copies * kept["grad_bytes"] * _owned(held, layout, sharded=zero >= 2)
    optimizer = kept["optimizer_bytes"] * _owned(held, layout, sharded=zero >= 1)
    if strategy.offload_optimizer or job.frozen:
        optimizer = 0.0 * optimizer
    if job.frozen:
        gradients = 0.0 * gradients
    logits = logits_bytes(job, layout, strategy=strategy, stack=stack) if last else 0.0
    buffers = gathered_bytes(job.model, layout, stack=stack) if zero >= 3 else 0.0
    moving = held_bytes + logits + buffers + gradients
    return MemoryUse(
        weights_bytes=weights,
        gradients_bytes=gradients,
        optimizer_bytes=optimizer,
        activations_bytes=held_bytes,
        logits_bytes=logits,
        buffers_bytes=buffers,
        reserve_bytes=stack["reserve_bytes"] + stack["fragmentation"] * moving,
    )


def logits_bytes(job: Job, layout: Layout, *, strategy: Strategy, stack: Stack) -> Bytes:
    """Return what the loss keeps on the last stage.

    .. math:: n_{byte} T V / t

    Source: Shoeybi 2019, arXiv:1909.08053 sec. 3; bytes a logit by stack (16 bits and a 32-bit copy: 6).
    """
    shard = shard_of(job, layout, strategy)
    return stack["logit_bytes"] * shard.tokens * job.model.vocab / shard.tp


def gathered_bytes(model: Model, layout: Layout, *, stack: Stack) -> Bytes:
    """Return the buffers of ZeRO 3: gathered weights and unscattered gradients of a layer, by the stack.

    Source: Zhao 2023, arXiv:2304.11277 sec. 4.3 (rate limiter of two in-flight gathers).
    """
    count = params(model)
    dense = (count.total - count.routed - count.embedding - count.head) / model.layers / layout.tp
    routed = count.routed / model.layers / (layout.ep * layout.etp)
    return stack["gathered_bytes"] * (dense + routed)


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
