"""What a host launches for one layer, and how long the chip waits for it."""

from __future__ import annotations

import numpy as np

from gigawatt.catalog.records import Block, Stack
from gigawatt.perf.softmax import UNFUSED_KERNELS, unfused_softmax
from gigawatt.units import Count, Seconds
from gigawatt.workload.shard import Product, Shard, sublayers

LAUNCH_POWER = 4.0  # how sharp the corner between launch-bound and kernel-bound is


def launched_kernels(block: Block, shard: Shard, *, stack: Stack, casts: int = 0) -> Count:
    """Return how many kernels of a forward pass over one layer a host launches one by one.

    .. math:: n = (1 - g) \\left(\\sum_i (1 - g_i) n_i + (n_e + 2 n_c) E / e_p\\right)

    Half of `kernels_per_layer` are the token mixer's, half the feed-forward network's. A layer with experts
    has `router_kernels` times as many, the rest for routing and permutations, and where a stack runs each
    local expert's products by themselves, n_e of them an expert. In 8 bits or fewer each product has n_c
    more: `kernels_per_cast` for each of the `casts` of its input, values and scales. Graphs of parts of a
    layer launch the kernels of attention, of a recurrence, of a dense network, or of routing, and none of the
    experts'; graphs of a whole pass (g) all.
    Source: NVIDIA Transformer Engine, GroupedLinear (one product an expert); NVIDIA, Optimizing DeepSeek-V3
    Training Performance on GB200 NVL72, sec. 2.1 (scaling kernels); counts per stack.
    """
    half, cast = stack["kernels_per_layer"] / 2.0, stack["kernels_per_cast"] * casts
    linears = block.mixer.linears
    mixer = "graphed_recurrence" if block.mixer.core.span == "linear" else "graphed_attention"
    apart = UNFUSED_KERNELS * unfused_softmax(block, shard, stack=stack)
    launched: Count = bool(linears) * (1.0 - stack[mixer]) * (half + apart + cast * len(linears))
    if block.mlp is not None:
        launched = launched + (1.0 - stack["graphed_mlp"]) * (half + cast * len(block.mlp.linears))
    if block.moe is not None:
        shared = cast * len(block.moe.shared.linears) if block.moe.shared else 0.0
        routing = 2.0 * half * (stack["router_kernels"] - 1.0) + shared
        each = stack["kernels_per_expert"] + cast * len(block.moe.expert.linears)
        launched = launched + half + (1.0 - stack["graphed_routing"]) * routing
        launched = launched + each * block.moe.experts / shard.ep
    return (1.0 - stack["graphed"]) * launched


def small_kernels(block: Block, shard: Shard, *, products: tuple[Product, ...], stack: Stack) -> Count:
    """Return how many of a forward pass's kernels over one layer are neither products nor attention.

    Each has the least time of a kernel on its chip, however little it moves; graphs do not change that.
    Definition: `kernels_per_layer` by sublayers, routing's among them, and those of a softmax in parts, less
    the products and attention's one kernel or two products.
    """
    routing = 2.0 * (stack["router_kernels"] - 1.0) if block.moe else 0.0
    own = stack["kernels_per_layer"] / 2.0 * (sublayers(block) + routing)
    kernels: Count = own + UNFUSED_KERNELS * unfused_softmax(block, shard, stack=stack)
    attention = 1.0 if stack["flash_attention"] else 2.0
    least: Count = np.maximum(kernels - len(products) - attention * bool(block.mixer.linears), 0.0)
    return least


def sharded_host_s(shard: Shard, *, frozen: bool, stack: Stack) -> Seconds:
    """Return what a host adds to a forward pass of one layer to dispatch products of sharded tensors.

    A framework that keeps tensor-parallel weights as tensors that know their sharding, and runs operator by
    operator, works out how each product is sharded before it launches it. Beside frozen weights each linear
    layer has the two products of its adapter too.
    Valid for: a time per layer that counts its linear layers, q, k, v and gate and up apart.
    Source: PyTorch pull request 107305 (0.34 ms for one addmm of DTensors).

    >>> slow = Stack(id="slow", name="", year=2026, values={"host_s_per_sharded_layer": 2e-3})
    >>> cut = [Shard(sequences=1, seq_tokens=1, tp=t) for t in (1, 2)]
    >>> [float(sharded_host_s(one, frozen=True, stack=slow)) for one in cut]
    [0.0, 0.006]
    """
    products = 3.0 if frozen else 1.0
    return products * stack["host_s_per_sharded_layer"] * (np.asarray(shard.tp) > 1)


def launch_wait_s(
    launched: Count, device_s: Seconds, *, syncs: Count, stack: Stack, dispatched_s: Seconds = 0.0
) -> Seconds:
    """Return how long the chip waits for a host that launches kernels slower than they run.

    .. math:: T = \\left(H^q + D^q\\right)^{1/q} - D, \\quad H = n t_{host} + n_{sync} t_{peer} + H_0

    About max(0, H - D), with the corner rounded: within a layer some kernels are shorter than their launch
    and others longer, and the queue between them is short. q = 4; n_sync counts the peers that collectives
    wait for, each launched by a host of its own, and H_0 is what was dispatched otherwise.
    Valid for: device_s above 0.
    Source: one producer and one consumer of a bounded queue; t_host fitted per stack.

    >>> values = {"host_s_per_kernel": 1e-3, "host_s_per_peer": 0.0}
    >>> slow = Stack(id="slow", name="", year=2026, values=values)
    >>> round(float(launch_wait_s(10.0, 0.01, syncs=0.0, stack=slow)), 5)
    0.00189
    """
    host_s = launched * stack["host_s_per_kernel"] + syncs * stack["host_s_per_peer"] + dispatched_s
    excess = np.log1p((host_s / device_s) ** LAUNCH_POWER)  # no difference of two near numbers
    return device_s * np.expm1(excess / LAUNCH_POWER)
