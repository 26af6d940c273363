"""Where Megatron's fused softmax does not apply, and what a softmax in parts costs."""

from __future__ import annotations

import numpy as np

from gigawatt.catalog.records import Block, Stack
from gigawatt.units import Real
from gigawatt.workload.shard import Shard

# What a softmax in parts does beside the one kernel: to 32 bits, scale, mask, softmax, back to 16 bits, each
# read and written, forward or backward. Megatron-LM, megatron/model/fused_softmax.py (forward_torch_softmax).
FUSED_KEYS = 16384
UNFUSED_PASSES = 16.0  # more readings or writings of the scores in 16 bits: 36 bytes for 4
UNFUSED_KERNELS = 5.0  # more kernels


def unfused_softmax(block: Block, shard: Shard, *, stack: Stack) -> Real:
    """Return 1 where attention without flash attention takes its softmax apart, 0 where one kernel does it.

    The kernel that scales, masks and takes the softmax at once handles rows of up to 16,384 keys, where four
    divides the heads of all sequences on a chip. A compiler makes its own; a recurrence has none.
    Source: Megatron-LM, megatron/model/fused_softmax.py (is_kernel_available).

    >>> from gigawatt.catalog.models import model
    >>> from gigawatt.perf.stacks import stack
    >>> gpt, old = model("gpt3-175b").blocks[0], stack("megatron-2021")
    >>> cuts = [Shard(sequences=n, seq_tokens=2048, tp=t) for n, t in ((1, 8), (1, 16), (2, 16), (1, 48))]
    >>> [float(unfused_softmax(gpt, cut, stack=old)) for cut in cuts]
    [0.0, 1.0, 0.0, 1.0]
    """
    scores = bool(block.mixer.linears) and block.mixer.core.span != "linear"
    if stack["flash_attention"] or not stack["kernels_per_layer"] or not scores:
        return 0.0
    heads = shard.sequences * block.mixer.core.heads / shard.tp
    return np.where((heads % 4 != 0) | (shard.seq_tokens > FUSED_KEYS), 1.0, 0.0)
