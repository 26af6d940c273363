"""How long one optimizer step takes, in parts that add up."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from gigawatt.catalog.records import Block, Machine, Model, Stack
from gigawatt.comms import Group, all_gather_s, send_recv_s
from gigawatt.perf.job import Job
from gigawatt.perf.kernel_constants import kernel_law
from gigawatt.perf.kernels import memory_bound_s
from gigawatt.perf.launches import launch_wait_s
from gigawatt.perf.layer import layer_time, product_s, throttled
from gigawatt.perf.layout import Layout, Strategy
from gigawatt.perf.schedule import BUBBLE_SHARE, MicrobatchTime, stage_layers
from gigawatt.perf.setting import BF16_BYTES, Laws, LayerTime, PassTime, Setting
from gigawatt.perf.sharded import data_groups, data_messages_s, rank_params, regathered_fraction
from gigawatt.perf.stacks import clock_of
from gigawatt.units import Count, Real, Seconds, total
from gigawatt.workload.flop import prediction_blocks
from gigawatt.workload.shard import Product, Shard, passed_width

OFFLOAD_LINK_BYTES = 6.0  # a parameter whose optimizer is on the host, both ways: `optimizer_s`
OFFLOAD_HOST_BYTES = 42.0  # read and written by the host
OPERAND_BYTES = {
    "fp32": 4.0,
    "tf32": 4.0,
    "bf16": 2.0,
    "fp16": 2.0,
    "fp8": 1.0,
    "mxfp8": 1.03,
    "int8": 1.0,
    "nvfp4": 0.56,
    "fp4": 0.5,
}

CASTS = {"fp8": 1, "int8": 1, "mxfp8": 2, "nvfp4": 2, "fp4": 1}  # that make an operand: values, scales


@dataclass(frozen=True, kw_only=True, slots=True)
class StepTime:
    """Where one step's time goes, on the critical path. The parts never overlap: they add up to the total."""

    matmul_s: Seconds
    attention_s: Seconds
    memory_bound_s: Seconds
    launch_s: Seconds
    recompute_s: Seconds
    tp_comm_s: Seconds
    cp_comm_s: Seconds
    ep_comm_s: Seconds
    pp_comm_s: Seconds
    dp_comm_s: Seconds
    optimizer_s: Seconds
    imbalance_s: Seconds  # waiting for the fullest stage
    bubble_s: Seconds
    straggler_s: Seconds  # waiting for the slowest rank

    @property
    def total_s(self) -> Seconds:
        return total(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class StagePasses:
    """One microbatch: all layers and the head together, summed over the stages of the pipeline."""

    forward: PassTime
    backward: PassTime
    recompute: PassTime
    weight_grad_s: Seconds
    layer_s: Seconds  # one layer of the body
    head_s: Seconds  # what the last stage does beside its layers

    @property
    def total_s(self) -> Seconds:
        return self.forward.total_s + self.backward.total_s + self.recompute.total_s


def distinct_blocks(model: Model) -> dict[Block, int]:
    """Return the different layers of a model and how many there are of each.

    Definition: blocks that differ only in their count are one.
    """
    found: dict[Block, int] = {}
    for block in model.blocks:
        one = dataclasses.replace(block, count=1)
        found[one] = found.get(one, 0) + block.count
    return found


def laws(machine: Machine, dtype: str) -> Laws:
    """Return the kernel laws of a job: its dtype for linear layers, bf16 (else fp16) for the rest.

    Source: mixed-precision training keeps attention, router and head in 16 bits (Transformer Engine recipes).
    """
    wide_dtype = dtype if dtype in ("fp16", "fp32", "tf32") else "bf16"
    wide = kernel_law(machine.chip, wide_dtype)
    linear = wide if dtype == wide_dtype else kernel_law(machine.chip, dtype)
    return Laws(linear=linear, wide=wide, linear_bytes=OPERAND_BYTES[dtype], casts=CASTS.get(dtype, 0))


def shard_of(job: Job, layout: Layout, strategy: Strategy) -> Shard:
    """Return how one layer and microbatch of a job are cut.

    Definition: the layout's degrees, read by the workload room.
    """
    return Shard(
        sequences=layout.microbatch_sequences,
        seq_tokens=job.seq_tokens,
        tp=layout.tp,
        cp=layout.cp,
        ep=layout.ep,
        etp=layout.etp,
        sequence_parallel=strategy.sequence_parallel,
    )


def head_time(job: Job, shard: Shard, setting: Setting) -> LayerTime:
    """Return the embedding, vocabulary projection, loss and multi-token heads of one microbatch.

    The projection is m = T, n = V / t, k = h, and twice that backward; the loss moves `loss_bytes` per logit;
    a multi-token head first joins two hidden states, a product of 2 h by h.
    Source: Shoeybi 2019, arXiv:1909.08053 sec. 3 (vocabulary-parallel loss).
    """
    model, stack = job.model, setting.stack
    heads = 1 + model.mtp_layers
    rows = padded_vocab(model.vocab, shard.tp, stack=stack) / shard.tp
    p = Product(name="head", m=shard.tokens, n=rows, k=model.hidden, low_precision=False)
    once = product_s(p, setting)
    joined = Product(name="mtp", m=shard.local_tokens, n=model.hidden, k=2 * model.hidden)
    joining = model.mtp_layers * product_s(joined, setting) if model.mtp_layers else 0.0
    logits = shard.tokens * rows
    embed = 2.0 * BF16_BYTES * shard.local_tokens * model.hidden
    moved = memory_bound_s(stack["loss_bytes"] / 2 * logits * heads + embed, law=setting.laws.wide)
    products = heads * once + joining
    forward = throttled(PassTime(matmul_s=products, memory_bound_s=moved), setting)
    ratio = 1.0 if setting.frozen else 2.0  # without weight gradients half the products
    backward = throttled(PassTime(matmul_s=ratio * products, memory_bound_s=moved), setting)
    weight_grad = backward.matmul_s * (1.0 - 1.0 / ratio)
    forward, backward = (with_host_wait(t, n, stack=stack) for t, n in ((forward, 1.0), (backward, 2.0)))
    return LayerTime(forward=forward, backward=backward, recompute=PassTime(), weight_grad_s=weight_grad)


def with_host_wait(parts: PassTime, passes: float, *, stack: Stack) -> PassTime:
    """Return a pass over the ends of a model with its wait for the host.

    Definition: embedding, last norm, projection and loss launch as many kernels as a dense layer (assumed).
    """
    kernels = passes * (1.0 - stack["graphed"]) * stack["kernels_per_layer"]
    waited = launch_wait_s(kernels, parts.total_s, syncs=0.0, stack=stack)
    return dataclasses.replace(parts, launch_s=waited)


def padded_vocab(tokens: int, tp: Count, *, stack: Stack) -> Count:
    """Return the rows of the vocabulary's matrices, of which each tensor-parallel rank has as many.

    .. math:: V = t v \\lceil V_0 / (t v) \\rceil

    v is the stack's `vocab_multiple`.
    Source: Megatron-LM, --make-vocab-size-divisible-by (128).

    >>> from gigawatt.perf.stacks import stack
    >>> float(padded_vocab(50257, 8, stack=stack("modern")))
    51200.0
    """
    unit = stack["vocab_multiple"] * tp
    return np.ceil(tokens / unit) * unit


def microbatch_passes(job: Job, layout: Layout, setting: Setting) -> StagePasses:
    """Return one microbatch through all layers and the head, on the chips of one model replica's pipeline.

    Multi-token-prediction layers cost as the blocks that they are made of and sit on the last stage.
    Source: sum of the layers.
    """
    shard = shard_of(job, layout, setting.strategy)
    head = head_time(job, shard, setting)
    times = {b: (layer_time(b, shard, setting), n) for b, n in distinct_blocks(job.model).items()}
    mtp = job.model.mtp_layers
    predicting = [(times[block][0], mtp) for block in prediction_blocks(job.model) if mtp]
    weighted = [*times.values(), *predicting, (head, 1)]
    body = [(t, n) for b, (t, n) in times.items() if n > 0.25 * job.model.layers or len(times) == 1]
    return StagePasses(
        forward=_added([t.forward.scaled(n) for t, n in weighted]),
        backward=_added([t.backward.scaled(n) for t, n in weighted]),
        recompute=_added([t.recompute.scaled(n) for t, n in weighted]),
        weight_grad_s=sum(t.weight_grad_s * n for t, n in weighted),
        layer_s=sum(t.total_s * n for t, n in body) / sum(n for _, n in body),
        head_s=head.total_s + sum(n * t.total_s for t, n in predicting),
    )


def _added(passes: list[PassTime]) -> PassTime:
    added = passes[0]
    for one in passes[1:]:
        added = added + one
    return added


def data_comm_s(
    job: Job,
    layout: Layout,
    setting: Setting,
    *,
    passes: StagePasses,
    microbatches: Count,
    messages: tuple[Seconds, Seconds] | None = None,
) -> Seconds:
    """Return the exposed data-parallel communication of a step; `messages` where they are known already.

    Below ZeRO 2 gradients are reduced behind the last microbatch's backward pass, with ZeRO 2 behind every
    one's; weights are gathered behind the first forward pass; the last bucket, one layer's, has nothing to
    hide behind. With ZeRO 3 every microbatch gathers weights twice, what a stack does not keep between
    recomputation and gradients three times, and reduces gradients once, by layer.
    Frozen weights have no gradients to reduce.
    Source: Rajbhandari 2019, arXiv:1910.02054; Zhao 2023, arXiv:2304.11277 sec. 3; overlap fitted per stack.
    """
    stack, zero = setting.stack, setting.strategy.zero_stage
    reduce, gather = data_messages_s(job, layout, setting=setting) if messages is None else messages
    forward = passes.forward.total_s / layout.pp
    backward = (passes.backward.total_s + passes.recompute.total_s) / layout.pp
    first = layout.pp * 1.0 / job.model.layers  # the share of one layer
    if job.frozen:  # nothing changes: nothing is reduced, and only sharded weights are gathered
        reduce = 0.0 * reduce
        gather = gather if zero >= 3 else 0.0 * gather
    if zero >= 3:
        returned = reduce + gather * (1.0 + regathered_fraction(job, layout, setting=setting))
        exposed = _behind(gather, forward, first, stack) + _behind(returned, backward, first, stack)
        return exposed * microbatches
    if zero == 2:  # sharded gradients cannot wait for the last microbatch
        return _behind(reduce, backward, first, stack) * microbatches + _behind(gather, forward, first, stack)
    return _behind(reduce, backward, first, stack) + _behind(gather, forward, first, stack)


def _behind(comm: Seconds, compute: Seconds, tail: Real, stack: Stack) -> Seconds:
    """Return what is left of a message hidden behind compute, but for its tail."""
    hidden = np.minimum(comm * (1.0 - np.minimum(tail, 1.0)), stack["dp_overlap"] * compute)
    hidden = hidden * (stack["dp_overlap"] > 0)
    return comm - hidden * (1.0 - stack["overlap_slowdown"])


def pipeline_comm_s(job: Job, layout: Layout, setting: Setting, *, microbatches: Count) -> Seconds:
    """Return the exposed stage-to-stage messages of a step.

    .. math:: T = 2 (m v + d (p - 1)) (T_{send}(M / t) + T_{gather}(M)) (1 - o), \\quad M = 2 b s h n / c

    The pipeline drains d times; n residual streams are sent. Each tensor-parallel rank sends its share;
    without sequence parallelism the receivers then gather it.
    Valid for: p > 1.
    Source: Narayanan 2021, arXiv:2104.04473 sec. 3.2 and 4.1 (scatter / gather).
    """
    message = BF16_BYTES * shard_of(job, layout, setting.strategy).tokens * passed_width(job.model)
    group = Group(ranks=layout.pp, stride=layout.tp * layout.cp * layout.dp)
    one = send_recv_s(message / layout.tp, group, machine=setting.machine)
    if not setting.strategy.sequence_parallel:
        one = one + all_gather_s(message, Group(ranks=layout.tp, stride=1), machine=setting.machine)
    times = 2.0 * (microbatches * layout.chunks + setting.strategy.drains * (layout.pp - 1))
    return np.where(np.asarray(layout.pp) > 1, times * one * (1.0 - setting.stack["pp_overlap"]), 0.0)


def optimizer_s(job: Job, layout: Layout, setting: Setting) -> Seconds:
    """Return the time of the optimizer step and of what a stack does once a step on its host.

    .. math:: T = T_{mem}(n_{pass} P_{rank} / d_{shard}) + t_{host}

    Offloaded, 32-bit gradients go down and 16-bit weights come up the host link, and the host's memory does
    the rest: gradients arrive (4 bytes), are unscaled and clipped (8), Adam (28), the 16-bit copy (2).
    Source: Kingma 2014, arXiv:1412.6980 (operands of Adam); ZeRO-Offload, arXiv:2101.06840 sec. 4; DeepSpeed,
    runtime/zero/stage3.py (partition_grads, unscale_and_clip_grads).
    """
    stack, strategy = setting.stack, setting.strategy
    if job.frozen:
        return 0.0 * np.asarray(layout.dp) + stack["host_s_per_step"]
    held = rank_params(job.model, layout)
    owned = held.dense + held.routed
    if strategy.zero_stage >= 1:
        dense, expert = (data_groups(layout, expert=e)[0].ranks for e in (False, True))
        owned = held.dense / dense + held.routed / expert
    if strategy.offload_optimizer:
        link_s = OFFLOAD_LINK_BYTES / stack["host_link_bytes_per_s"]
        return owned * (link_s + OFFLOAD_HOST_BYTES / stack["host_memory_bytes_per_s"])
    update = memory_bound_s(stack["optimizer_pass_bytes"] * owned, law=setting.laws.wide)
    return update + stack["host_s_per_step"]


def straggler_s(busy_s: Seconds, chips: Count, *, stack: Stack, chips_per_node: int) -> Seconds:
    """Return how long a step waits for its slowest node.

    .. math:: T = \\sigma T_{busy} \\sqrt{2 \\ln n}

    Valid for: n nodes with independent normal speeds of relative spread sigma.
    Source: expected maximum of n normals (Galambos 1978, The Asymptotic Theory of Extreme Order Statistics).
    """
    nodes = np.maximum(chips / chips_per_node, 1.0)
    return stack["jitter"] * busy_s * np.sqrt(2.0 * np.log(nodes))


def setting_of(job: Job, *, machine: Machine, strategy: Strategy, stack: Stack) -> Setting:
    """Return what all layers of a step share.

    Definition: machine, kernel laws of the dtype, stack, strategy, hidden size.
    """
    return Setting(
        machine=machine,
        laws=laws(machine, job.dtype),
        stack=stack,
        strategy=strategy,
        hidden=job.model.hidden,
        clock=clock_of(machine.chip),
        frozen=job.frozen,
        document_tokens=job.document_tokens,
    )


def microbatches_of(job: Job, layout: Layout) -> Count:
    """Return how many microbatches each replica computes in a step.

    Definition: batch / (dp x microbatch).
    """
    return job.batch_sequences / (layout.dp * layout.microbatch_sequences)


def step_time(job: Job, layout: Layout, *, machine: Machine, strategy: Strategy, stack: Stack) -> StepTime:
    """Return the time of one optimizer step for one layout or a column of them.

    .. math:: T = m \\bar{t} + m (t_{max} - \\bar{t}) + d \\frac{\\sum t - t_{max}}{v} r + \\ldots

    The work of an average stage, the wait for the fullest stage, the bubble of each of d drains, and what is
    exposed once a step.
    Valid for: dense and sparse transformers; contention between message kinds is not modelled.
    Source: flow-shop makespan of m equal jobs; Narayanan 2021, arXiv:2104.04473 sec. 2.2.
    """
    setting = setting_of(job, machine=machine, strategy=strategy, stack=stack)
    passes = microbatch_passes(job, layout, setting)
    return step_parts(job, layout, setting, passes=passes)


def step_parts(
    job: Job, layout: Layout, setting: Setting, *, passes: StagePasses, dp_comm_s: Seconds | None = None
) -> StepTime:
    """Return the time of one step from the passes of one microbatch; `dp_comm_s` where it is known already.

    Source: see `step_time`.
    """
    m = microbatches_of(job, layout)
    if dp_comm_s is None:
        dp_comm_s = data_comm_s(job, layout, setting, passes=passes, microbatches=m)
    p = layout.pp
    sums = passes.forward + passes.backward
    microbatch_s = passes.total_s
    fullest = fullest_stage_s(job.model, layout, passes)
    timing = MicrobatchTime(
        forward_s=passes.forward.total_s,
        backward_s=passes.backward.total_s + passes.recompute.total_s,
        weight_grad_s=passes.weight_grad_s,
    )
    share = BUBBLE_SHARE[setting.strategy.schedule](timing, p)
    busy = m * fullest
    per_stage = m / p
    return StepTime(
        matmul_s=sums.matmul_s * per_stage,
        attention_s=sums.attention_s * per_stage,
        memory_bound_s=sums.memory_bound_s * per_stage,
        launch_s=sums.launch_s * per_stage,
        recompute_s=passes.recompute.total_s * per_stage,
        tp_comm_s=sums.tp_comm_s * per_stage,
        cp_comm_s=sums.cp_comm_s * per_stage,
        ep_comm_s=sums.ep_comm_s * per_stage,
        pp_comm_s=pipeline_comm_s(job, layout, setting, microbatches=m),
        dp_comm_s=dp_comm_s,
        optimizer_s=optimizer_s(job, layout, setting),
        imbalance_s=busy - microbatch_s * per_stage,
        bubble_s=setting.strategy.drains * np.maximum(microbatch_s - fullest, 0.0) / layout.chunks * share,
        straggler_s=straggler_s(
            busy, layout.chips, stack=setting.stack, chips_per_node=setting.machine.chips_per_node
        ),
    )


def fullest_stage_s(model: Model, layout: Layout, passes: StagePasses) -> Seconds:
    """Return the time of one microbatch on the slowest stage, never less than the average.

    .. math:: \\max(l_{max} t_l,\\ l_{last} t_l + t_{head},\\ \\sum t / p)

    Source: a pipeline runs at the pace of its slowest stage.
    """
    on = stage_layers(model.layers, layout.pp, chunks=layout.chunks)
    last = on.last * passes.layer_s + passes.head_s
    slowest = np.maximum(np.maximum(on.fullest * passes.layer_s, last), passes.total_s / layout.pp)
    return np.where(np.asarray(layout.pp) > 1, slowest, passes.total_s)
