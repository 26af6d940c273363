"""How long one layer and one microbatch take on one chip: forward, backward, recomputed."""

from __future__ import annotations

import dataclasses

import numpy as np

from gigawatt.catalog.records import Block, Linear, Moe, Stack
from gigawatt.comms import Group, all_gather_s, all_reduce_s, all_to_all_s, reduce_scatter_s
from gigawatt.comms.dispatch import dispatch_s
from gigawatt.perf.kernel_constants import KernelLaw, with_flash1, with_flash2
from gigawatt.perf.kernels import (
    aligned_share,
    attention_backward_s,
    attention_forward_s,
    grouped_gemm_s,
    memory_bound_s,
    overlapped_s,
    power_rate,
)
from gigawatt.perf.launches import launch_wait_s, launched_kernels, sharded_host_s, small_kernels
from gigawatt.perf.setting import BF16_BYTES, LayerTime, PassTime, Setting
from gigawatt.perf.softmax import UNFUSED_PASSES, unfused_softmax
from gigawatt.units import Bytes, Count, Real, Seconds
from gigawatt.workload.shard import (
    CHUNK_TOKENS,
    Product,
    Shard,
    adapter_bytes,
    attention_keys,
    between_bytes,
    expert_products,
    inside_bytes,
    layer_products,
    linear_product,
    mlp_activation_bytes,
    recurrent_bytes,
    routed_bytes,
    score_bytes,
    sublayers,
    up_projections,
)

# A backward elementwise kernel reads the gradient beside the input and writes one gradient: three operands
# for two of the forward kernel (norms, activation), one for three in residual additions.
BACKWARD_TRAFFIC_RATIO = 1.5
OLDER_FLASH = {1.0: with_flash1, 2.0: with_flash2}  # else the best fused kernels of the chip


def product_s(p: Product, setting: Setting) -> Seconds:
    """Return the time of one forward product on one chip at the rate that training sustains.

    .. math:: T = T_{kernel} / \\eta_{train}

    Valid for: kernels in a training loop, before power limits them (`throttled`); eta_train is the chip's
    fitted clock times the stack's `sustained` value.
    Source: kernel law of the chip; eta fitted, see the calibration file of the stacks.
    """
    law = setting.laws.linear if p.low_precision else setting.laws.wide
    width = setting.laws.linear_bytes if p.low_precision else BF16_BYTES
    seconds = grouped_gemm_s(p.m, p.n, p.k, groups=p.groups, law=law, bytes_per_input=width)
    aligned = loaded_share(*(p.widths or (p.n, p.k)), element_bytes=width, stack=setting.stack)
    rate = setting.stack["row_scaled_rate"] if width < BF16_BYTES else 1.0
    return seconds / (setting.sustained * rate * aligned)


def loaded_share(*widths: Count, element_bytes: float, stack: Stack) -> Real:
    """Return the rate of a product that a library runs on rows as they lie in memory, see `aligned_share`.

    A compiler, a stack that launches no kernels one by one, lays out and pads operands itself.
    Source: XLA, gpu/transforms/cublas_pad_for_gemms.cc (products padded to whole loads of tensor cores).

    >>> from gigawatt.perf.stacks import stack
    >>> both = (stack("modern"), stack("maxtext"))
    >>> [round(float(loaded_share(50257, element_bytes=2.0, stack=one)), 3) for one in both]
    [0.354, 1.0]
    """
    return aligned_share(*widths, element_bytes=element_bytes) if stack["kernels_per_layer"] else 1.0


def gradient_products(p: Product) -> tuple[Product, Product]:
    """Return the two products of a product's backward pass: for its input and for its weight.

    Definition: dX = dY W' (m x n by n x k), dW = X' dY (k x m by m x n).

    >>> [(g.m, g.n, g.k) for g in gradient_products(Product(name="x", m=1, n=2, k=3))]
    [(1, 3, 2), (3, 2, 1)]
    """
    to_input = dataclasses.replace(p, name=f"{p.name}_dx", n=p.k, k=p.n)
    to_weight = dataclasses.replace(p, name=f"{p.name}_dw", m=p.k, k=p.m, widths=(p.n, p.k))
    return to_input, to_weight


def by_document(shard: Shard, document_tokens: int) -> Shard:
    """Return a shard as attention sees it: each packed document a sequence of its own.

    Definition: as many tokens in sequences of `document_tokens`; 0 or longer documents change nothing.

    >>> packed = by_document(Shard(sequences=2, seq_tokens=4096), 256)
    >>> packed.sequences, packed.seq_tokens
    (32.0, 256)
    """
    if not 0 < document_tokens < shard.seq_tokens:
        return shard
    sequences = shard.sequences * shard.seq_tokens / document_tokens
    return dataclasses.replace(shard, sequences=sequences, seq_tokens=document_tokens)


def attention_pass_s(
    block: Block, shard: Shard, setting: Setting, *, backward: bool
) -> tuple[Seconds, Bytes]:
    """Return the time of the attention core on one chip, and the score-matrix bytes moved beside it.

    With flash attention the scores never leave the chip; kernels of its second version use the instructions
    of Ampere, and stay behind the chip's best on later ones. Without, they are two batched products each way
    and `softmax_passes` readings or writings of the score matrix.
    Valid for: causal self-attention; a linear core costs the longer of its flop at the wide law and of what
    its kernels move, `linear_passes` times.
    Source: Dao 2023, arXiv:2307.08691; Korthikanti 2022, arXiv:2205.05198 sec. 4.
    """
    core, law = block.mixer.core, setting.laws.wide
    apart = UNFUSED_PASSES * unfused_softmax(block, shard, stack=setting.stack)
    shard = by_document(shard, setting.document_tokens)
    keys, fraction = attention_keys(block, shard)
    rows = shard.sequences * core.heads / shard.tp
    queries = shard.seq_tokens / shard.cp
    eta = setting.sustained
    if not block.mixer.linears:
        return 0.0 * rows, 0.0
    if core.span == "linear":
        one = recurrence_s(block, shard, law=law)
        ratio = 2.0 if backward else 1.0  # the states again, and two gradients of each product
        return ratio * setting.stack["linear_passes"] * one / eta, 0.0
    dims = {"qk_head_dim": core.qk_head_dim, "v_head_dim": core.v_head_dim}
    if setting.stack["flash_attention"]:
        kernel = attention_backward_s if backward else attention_forward_s
        own = OLDER_FLASH.get(setting.stack["flash_attention"], lambda best: best)(law)
        seconds = kernel(rows, queries, keys, **dims, law=own, causal=fraction)
        rate = setting.stack["attention_rate"] * setting.stack["attention_8bit"]
        return seconds / (eta * rate), 0.0
    times = 2.0 if backward else 1.0
    scores = grouped_gemm_s(queries, keys, core.qk_head_dim, groups=rows, law=law)
    values = grouped_gemm_s(queries, core.v_head_dim, keys, groups=rows, law=law)
    moved = score_bytes(block, shard) * (setting.stack["softmax_passes"] + apart) * times
    widths = (core.qk_head_dim, core.v_head_dim)
    eta = eta * loaded_share(*widths, element_bytes=BF16_BYTES, stack=setting.stack)
    return times * (scores + values) / eta, moved


def recurrence_s(block: Block, shard: Shard, *, law: KernelLaw) -> Seconds:
    """Return the time of the forward pass of a linear recurrence on one chip.

    Each chunk of tokens is multiplied with itself, and with the state before it, as products of 3 d_qk deep.
    Valid for: scans by chunks; a recurrence whose kernels reach what streaming ones do.
    Source: Dao 2024, arXiv:2405.21060 sec. 6; bytes: see `recurrent_bytes`.

    >>> from gigawatt.catalog.records import Core, Mixer
    >>> from gigawatt.perf.kernel_constants import EXAMPLE_LAW
    >>> core = Core(heads=4, kv_heads=1, qk_head_dim=16, v_head_dim=8, span="linear")
    >>> one = Block(count=1, mixer=Mixer(linears=(), core=core), mlp=None, moe=None)
    >>> float(recurrence_s(one, Shard(sequences=1, seq_tokens=100), law=EXAMPLE_LAW))  # 68800 bytes at 2 TB/s
    3.44e-08
    """
    core = block.mixer.core
    chunks = shard.sequences * shard.seq_tokens / shard.cp / CHUNK_TOKENS * core.heads / shard.tp
    width, depth = core.v_head_dim, 3.0 * core.qk_head_dim
    kept_on_chip = {"bytes_per_input": 0.0, "bytes_per_output": 0.0}
    products = grouped_gemm_s(CHUNK_TOKENS, width, depth, groups=chunks, law=law, **kept_on_chip)
    return overlapped_s(products, memory_bound_s(recurrent_bytes(block, shard), law=law), law=law)


def fused_bytes(block: Block, shard: Shard, *, setting: Setting) -> Bytes:
    """Return the bytes that the elementwise kernels of a forward pass move as a stack fuses them.

    Definition: those between the tensor-parallel regions `residual_passes` times, those inside
    `elementwise_passes` times, those of the routed experts `routed_passes` times; beside frozen weights the
    adapters' `adapter_passes` times.
    """
    stack = setting.stack
    inside = stack["elementwise_passes"] * inside_bytes(block, shard)
    if setting.frozen:
        beside = adapter_bytes(block, shard, everywhere=stack["adapts_all"] > 0)
        inside = inside + stack["adapter_passes"] * beside
    routed = stack["routed_passes"] * routing_bytes(block, shard, stack=stack)
    between = stack["residual_passes"] * between_bytes(block, shard, hidden=setting.hidden)
    return between + inside + routed


def routing_bytes(block: Block, shard: Shard, *, stack: Stack) -> Bytes:
    """Return the bytes that the elementwise kernels of the routed experts move, with a stack's dispatcher.

    Definition: see `routed_bytes`.
    """
    biases = stack["expert_bias_passes"]
    return routed_bytes(block, shard, copies=stack["routed_copies"], bias_passes=biases)


def cast_bytes(products: tuple[Product, ...], setting: Setting) -> Bytes:
    """Return the bytes that quantising activations moves: read 16 bits, write the value and its transpose.

    Only weight gradients read the transpose: beside frozen weights it is not written.
    Definition: elements x (2 + 2 x operand bytes) x the stack's `cast_passes`, one copy of frozen weights'
    operands; 0 for 16-bit jobs.
    Source: NVIDIA Transformer Engine, pytorch/module/linear.py (columnwise usage for weight gradients).
    """
    if setting.laws.linear_bytes >= BF16_BYTES:
        return 0.0
    elements = sum(p.m * p.k * p.groups for p in products if p.low_precision)
    written = (1.0 if setting.frozen else 2.0) * setting.laws.linear_bytes
    return elements * (2.0 + written) * setting.stack["cast_passes"]


def hidden_s(comm_s: Seconds, overlap: float, *, stack: Stack) -> Seconds:
    """Return what remains of a communication when a fraction of it runs behind compute.

    .. math:: T = (1 - o) T_c + o \\sigma T_c

    The hidden part still slows the compute it hides behind by sigma (it takes units and memory bandwidth).
    Valid for: enough compute to hide behind.
    Source: mean slowdown of overlapped compute 18.9 %, arXiv:2507.03114.
    """
    return comm_s * (1.0 - overlap * (1.0 - stack["overlap_slowdown"]))


def tensor_comm_s(block: Block, shard: Shard, setting: Setting) -> Seconds:
    """Return the exposed tensor-parallel communication of one pass over one layer.

    One pair of collectives for the mixer, one for a dense or shared feed-forward network: all-gather and
    reduce-scatter with sequence parallelism, else one all-reduce. Expert tensor parallelism adds a pair.
    What is gathered is an operand: a stack may send it in the job's format (`narrow_gather`), but beside
    adapters, which read it in 16 bits; sums are reduced in 16 bits.
    Valid for: forward; backward makes the same calls on gradients.
    Source: Korthikanti 2022, arXiv:2205.05198 sec. 4.2.2; NVIDIA Transformer Engine, LayerNormLinear (inputs
    and gradients are cast before they are gathered).
    """
    pairs = (
        bool(block.mixer.linears)
        + (block.mlp is not None)
        + (block.moe is not None and block.moe.shared is not None)
    )
    message = BF16_BYTES * shard.tokens * setting.hidden
    group = Group(ranks=shard.tp, stride=1)
    machine = setting.machine
    if setting.strategy.sequence_parallel:
        narrow = setting.stack["narrow_gather"] > 0 and not setting.frozen
        width = min(setting.laws.linear_bytes, BF16_BYTES) if narrow else BF16_BYTES
        one = all_gather_s(width / BF16_BYTES * message, group, machine=machine)
        one = one + reduce_scatter_s(message, group, machine=machine)
    else:
        one = all_reduce_s(message, group, machine=machine)
    total = pairs * one
    if block.moe and np.any(np.asarray(shard.etp) > 1):
        sent = BF16_BYTES * shard.expert_tokens * shard.etp * block.moe.topk * _routed_width(block.moe)
        experts = Group(ranks=shard.etp, stride=1)
        total = total + all_gather_s(sent, experts, machine=machine)
        total = total + reduce_scatter_s(sent, experts, machine=machine)
    overlap = setting.stack["tp_overlap"] * setting.stack["tp_overlap_on"]
    return hidden_s(total, overlap, stack=setting.stack)


def context_comm_s(
    block: Block, shard: Shard, setting: Setting, *, attention_s: Seconds, gathers: float
) -> Seconds:
    """Return the exposed context-parallel communication of one pass over one layer.

    Keys and values of the other ranks pass by, `gathers` times (1 forward, 2 backward: again, and their
    gradients); a stack hides them behind attention up to `cp_overlap` of its time.
    Valid for: ring or all-gather context parallelism; grouped keys only.
    Source: Liu 2023, arXiv:2310.01889; Llama 3, arXiv:2407.21783 sec. 3.3.2.
    """
    core = block.mixer.core
    if core.span == "linear":
        kept = core.heads * core.qk_head_dim * core.v_head_dim * shard.sequences / shard.tp
    else:
        heads = np.maximum(core.kv_heads / shard.tp, 1.0)
        kept = heads * (core.qk_head_dim + core.v_head_dim) * shard.sequences * shard.seq_tokens
    group = Group(ranks=shard.cp, stride=shard.tp)
    comm = gathers * all_gather_s(BF16_BYTES * kept, group, machine=setting.machine)
    hidden = np.minimum(comm, setting.stack["cp_overlap"] * attention_s)
    return comm - hidden * (1.0 - setting.stack["overlap_slowdown"])


def expert_comm_s(block: Block, shard: Shard, setting: Setting) -> Seconds:
    """Return the exposed expert-parallel communication of one pass: dispatch and combine.

    .. math:: S = T K h \\cdot 2 \\text{ (all-to-all)}

    A stack whose dispatcher sends a token once to each unit that holds some of its experts (`ep_dedup`) sends
    less on the outer levels.
    Valid for: balanced routing, times the stack's `ep_imbalance`.
    Source: Lepikhin 2020, arXiv:2006.16668; DeepSeek-V3, arXiv:2412.19437 sec. 3.2.2.
    """
    moe = block.moe
    if moe is None:
        return 0.0
    stack = setting.stack
    once = BF16_BYTES * shard.expert_tokens * _routed_width(moe) * stack["ep_imbalance"]
    group = Group(ranks=shard.ep, stride=shard.etp)
    if stack["ep_dedup"]:
        limit = float(moe.topk_groups) if moe.groups > 1 else np.inf
        one = dispatch_s(once, float(moe.topk), group=group, machine=setting.machine, most_units=limit)
    else:
        one = all_to_all_s(once * moe.topk, group, machine=setting.machine)
    overlap = stack["ep_overlap_asked"] if stack["ep_overlap_on"] else stack["ep_overlap"]
    return hidden_s(2.0 * one, overlap, stack=stack)


def _routed_width(moe: Moe) -> int:
    """Return the width at which tokens travel to the experts: the model's, or the latent one."""
    return moe.expert.linears[0].inputs


def throttled(parts: PassTime, setting: Setting) -> PassTime:
    """Return a pass with its tensor operations at the clock that power allows.

    The tensor share of the pass is that of its matrix products and attention.
    Source: see `power_rate`.
    """
    stack = setting.stack
    share = (parts.matmul_s + parts.attention_s) / parts.total_s
    product = power_rate(setting.laws.linear.long_run, share, warmth=stack["warmth"])
    attention = power_rate(setting.laws.wide.attention_long_run, share, warmth=stack["warmth"])
    return dataclasses.replace(
        parts, matmul_s=parts.matmul_s / product, attention_s=parts.attention_s / attention
    )


def _finish(parts: PassTime, block: Block, shard: Shard, *, passes: float, setting: Setting) -> PassTime:
    stack = setting.stack
    kernels = passes * launched_kernels(block, shard, stack=stack, casts=setting.laws.casts)
    syncs = passes * (bool(block.mixer.linears) + (block.mlp is not None)) * (shard.tp - 1.0)
    sharded = passes * sharded_host_s(shard, frozen=setting.frozen, stack=stack)
    waited = launch_wait_s(kernels, parts.total_s, syncs=syncs, stack=stack, dispatched_s=sharded)
    return dataclasses.replace(parts, launch_s=waited)


def forward_time(block: Block, shard: Shard, setting: Setting) -> PassTime:
    """Return the forward pass of one layer and one microbatch on one chip.

    Source: sum of its kernels and exposed messages, each by its own formula.
    """
    stack = setting.stack
    products = layer_products(block, shard, imbalance=stack["ep_imbalance"])
    attention, scores = attention_pass_s(block, shard, setting, backward=False)
    moved = fused_bytes(block, shard, setting=setting)
    moved = moved + scores + cast_bytes(products, setting)
    small = small_kernels(block, shard, products=products, stack=stack)
    parts = PassTime(
        matmul_s=sum(product_s(p, setting) for p in products),
        attention_s=attention,
        memory_bound_s=memory_bound_s(moved, law=setting.laws.wide, kernels=small),
        tp_comm_s=tensor_comm_s(block, shard, setting),
        cp_comm_s=context_comm_s(block, shard, setting, attention_s=attention, gathers=1.0),
        ep_comm_s=expert_comm_s(block, shard, setting),
    )
    return _finish(throttled(parts, setting), block, shard, passes=1.0, setting=setting)


def backward_time(block: Block, shard: Shard, setting: Setting) -> tuple[PassTime, Seconds]:
    """Return the backward pass of one layer and one microbatch on one chip, and its weight-gradient part.

    Source: sum of its kernels and exposed messages, each by its own formula.
    """
    stack = setting.stack
    products = layer_products(block, shard, imbalance=stack["ep_imbalance"])
    pairs = [gradient_products(p) for p in products]
    weight_grad = 0.0 if setting.frozen else sum(product_s(dw, setting) for _, dw in pairs)
    attention, scores = attention_pass_s(block, shard, setting, backward=True)
    moved = fused_bytes(block, shard, setting=setting)
    small = small_kernels(block, shard, products=products, stack=stack)
    moved = BACKWARD_TRAFFIC_RATIO * moved + scores + cast_bytes(tuple(dx for dx, _ in pairs), setting)
    parts = PassTime(
        matmul_s=sum(product_s(dx, setting) for dx, _ in pairs) + weight_grad,
        attention_s=attention,
        memory_bound_s=memory_bound_s(moved, law=setting.laws.wide, kernels=2.0 * small),
        tp_comm_s=tensor_comm_s(block, shard, setting),
        cp_comm_s=context_comm_s(block, shard, setting, attention_s=attention, gathers=2.0),
        ep_comm_s=expert_comm_s(block, shard, setting),
    )
    warm = throttled(parts, setting)
    weight_grad = weight_grad * (warm.matmul_s / parts.matmul_s)
    return _finish(warm, block, shard, passes=2.0, setting=setting), weight_grad


def computed_again(block: Block, shard: Shard, *, setting: Setting, forward: PassTime) -> PassTime:
    """Return the part of a layer's forward pass that full recompute does again.

    All of it, but what `keeps_attention` keeps, and in stacks without `recomputes_output` the last product
    and the message after it: backward needs what goes into that product, and a compiler leaves out the rest.
    With routed experts backward needs the outputs too, for the weights that the router gives them.
    Source: JAX documentation, jax.checkpoint (dead code elimination of what is rematerialised); MaxText
    base.yml, remat_policy custom.
    """
    kept: list[Linear] = []
    if setting.strategy.keeps_attention:
        kept += block.mixer.linears[:-1]
        forward = dataclasses.replace(forward, attention_s=0.0 * forward.attention_s, cp_comm_s=0.0)
    if block.mlp and not block.moe and not setting.stack["recomputes_output"]:
        kept += block.mlp.linears[-1:]
        last = 0.5 if setting.strategy.sequence_parallel else 1.0  # of a sublayer's two messages, or its one
        done = 1.0 - last / sublayers(block)
        forward = dataclasses.replace(forward, tp_comm_s=done * forward.tp_comm_s)
    if not kept:
        return forward
    products = layer_products(block, shard, imbalance=setting.stack["ep_imbalance"])
    every = sum(product_s(p, setting) for p in products)
    saved = sum(product_s(linear_product(x, shard), setting) for x in kept)
    return dataclasses.replace(forward, matmul_s=forward.matmul_s * (1.0 - saved / every))


def recompute_time(block: Block, shard: Shard, setting: Setting, *, forward: PassTime) -> PassTime:
    """Return what backward computes again, on the mean layer when only a share of them recomputes.

    Full: the forward pass, see `computed_again`. Selective: the attention core without flash attention (with
    it the kernel recomputes inside itself already), else what the strategy names, or the norms, activation
    functions and the up-projections of latent attention.
    Source: Korthikanti 2022, arXiv:2205.05198 sec. 5.
    """
    share = setting.strategy.recompute_share
    if setting.strategy.recompute == "none":
        return PassTime()
    if setting.strategy.recompute == "full":
        return computed_again(block, shard, setting=setting, forward=forward).scaled(share)
    if not setting.stack["flash_attention"]:
        attention, scores = attention_pass_s(block, shard, setting, backward=False)
        scores_s = memory_bound_s(scores, law=setting.laws.wide)
        return PassTime(attention_s=attention, memory_bound_s=scores_s).scaled(share)
    if setting.strategy.recomputed:
        return named_again(block, shard, setting=setting, forward=forward).scaled(share)
    moved = fused_bytes(block, shard, setting=setting)
    again = sum((product_s(linear_product(x, shard), setting) for x in up_projections(block)), 0.0)
    norms_s = memory_bound_s(0.5 * moved, law=setting.laws.wide)
    return PassTime(matmul_s=again, memory_bound_s=norms_s).scaled(share)


def named_again(block: Block, shard: Shard, *, setting: Setting, forward: PassTime) -> PassTime:
    """Return the time of the parts of a forward pass that a strategy names to be computed again.

    `norms`; `activations` of the experts; `up`-projections of latent attention; `dense` feed-forward
    networks and the attention `core`, with their messages; the `routed` experts with theirs.
    Source: Megatron-Core, transformer_config.py (recompute_modules).
    """
    stack, moe, mlp = setting.stack, block.moe, block.mlp
    named = setting.strategy.recomputed.split("+")
    products: list[Product] = []
    moved: Bytes = 0.0
    routed = moe is not None and "routed" in named
    if "norms" in named:  # a norm moves its operands once, see `fused_bytes`
        moved = 2 * BF16_BYTES * shard.local_tokens * setting.hidden * sublayers(block)
    if "up" in named:
        products += [linear_product(x, shard) for x in up_projections(block)]
    dense = mlp is not None and moe is None and "dense" in named
    if mlp and dense:
        products += [linear_product(x, shard) for x in mlp.linears]
        moved = moved + stack["elementwise_passes"] * mlp_activation_bytes(mlp, shard.tokens, shard.tp)
    if moe and routed:
        products += expert_products(moe, shard, imbalance=stack["ep_imbalance"])
        moved = moved + stack["routed_passes"] * routing_bytes(block, shard, stack=stack)
    elif moe and "activations" in named:
        sent = shard.expert_tokens * moe.topk
        moved = moved + stack["routed_passes"] * mlp_activation_bytes(moe.expert, sent, 1.0)
    core = "core" in named and block.mixer.core.span != "linear"
    return PassTime(
        matmul_s=sum((product_s(p, setting) for p in products), 0.0),
        attention_s=forward.attention_s if core else 0.0,
        memory_bound_s=memory_bound_s(moved, law=setting.laws.wide),
        tp_comm_s=forward.tp_comm_s / sublayers(block) if dense else 0.0,
        cp_comm_s=forward.cp_comm_s if core else 0.0,
        ep_comm_s=forward.ep_comm_s if routed else 0.0,
    )


def layer_time(block: Block, shard: Shard, setting: Setting) -> LayerTime:
    """Return the time of one layer and one microbatch on one chip, pass by pass.

    Source: sum of its passes.
    """
    forward = forward_time(block, shard, setting)
    backward, weight_grad = backward_time(block, shard, setting)
    recompute = recompute_time(block, shard, setting, forward=forward)
    return LayerTime(forward=forward, backward=backward, recompute=recompute, weight_grad_s=weight_grad)
