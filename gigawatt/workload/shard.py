"""What one chip computes, moves and keeps for one layer and one microbatch."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from gigawatt.catalog.records import Block, Core, Linear, Mlp, Model, Moe
from gigawatt.units import Bytes, Count, Real
from gigawatt.workload.flop import attended_tokens

CHUNK_TOKENS = 128.0  # of a chunked scan: the default of Megatron-Core's state-space layers (chunk_size)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shard:
    """How one layer and one microbatch are cut. Fields broadcast."""

    sequences: Count  # in the microbatch
    seq_tokens: int
    tp: Count = 1
    cp: Count = 1
    ep: Count = 1
    etp: Count = 1
    sequence_parallel: bool = True

    @property
    def tokens(self) -> Real:
        """Tokens of one microbatch on one context-parallel rank."""
        return self.sequences * self.seq_tokens / self.cp

    @property
    def local_tokens(self) -> Real:
        """Tokens that a rank holds between the tensor-parallel regions."""
        return self.tokens / self.tp if self.sequence_parallel else self.tokens

    @property
    def expert_tokens(self) -> Real:
        """Tokens that one rank offers to the experts: replicas within a tensor group are not sent twice."""
        return self.tokens / self.tp


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    """One matrix product on one chip, m x k times k x n, `groups` of them at once."""

    name: str
    m: Count
    n: Count
    k: Count
    groups: Count = 1
    low_precision: bool = True  # runs in the job's dtype; routers and heads stay in bf16
    widths: tuple[Count, ...] = ()  # elements of a row in memory, of operands and result; (): n and k


def linear_product(linear: Linear, shard: Shard) -> Product:
    """Return the product of one weight matrix on one chip.

    A column split cuts the outputs, a row split the inputs; an unsplit weight sees the local tokens.
    Source: Shoeybi 2019, arXiv:1909.08053 sec. 3.

    >>> up = Linear(name="up", inputs=8, outputs=64, split="column")
    >>> p = linear_product(up, Shard(sequences=2, seq_tokens=4, tp=4))
    >>> p.m, p.n, p.k
    (8.0, 16.0, 8)
    """
    if linear.split == "column":
        return Product(name=linear.name, m=shard.tokens, n=linear.outputs / shard.tp, k=linear.inputs)
    if linear.split == "row":
        return Product(name=linear.name, m=shard.tokens, n=linear.outputs, k=linear.inputs / shard.tp)
    return Product(name=linear.name, m=shard.local_tokens, n=linear.outputs, k=linear.inputs)


def expert_products(moe: Moe, shard: Shard, *, imbalance: Real = 1.0) -> tuple[Product, ...]:
    """Return the grouped products of the routed experts on the busiest chip.

    .. math:: m = \\frac{T e_{tp} K}{E / e_p} \\cdot \\text{imbalance}

    Valid for: tokens spread evenly but for `imbalance` = busiest chip / mean.
    Source: Lepikhin 2020, arXiv:2006.16668 sec. 2.2; parallel folding, arXiv:2504.14960.

    >>> expert_products.__name__
    'expert_products'
    """
    groups = moe.experts / shard.ep
    m = shard.expert_tokens * shard.etp * moe.topk / groups * imbalance
    cut = {"column": (1.0, shard.etp), "row": (shard.etp, 1.0), "none": (1.0, 1.0)}
    return tuple(
        Product(
            name=f"expert_{linear.name}",
            m=m,
            n=linear.outputs / cut[linear.split][1],
            k=linear.inputs / cut[linear.split][0],
            groups=groups,
        )
        for linear in moe.expert.linears
    )


def layer_products(block: Block, shard: Shard, *, imbalance: Real = 1.0) -> tuple[Product, ...]:
    """Return every matrix product of one layer's forward pass on one chip, attention core left out.

    Source: the architecture record, read generically.

    >>> layer_products.__name__
    'layer_products'
    """
    linears = [*block.mixer.linears, *(block.mlp.linears if block.mlp else ())]
    products = [linear_product(linear, shard) for linear in linears]
    if block.moe is None:
        return tuple(products)
    moe = block.moe
    router = linear_product(moe.router, shard)
    shared = [linear_product(linear, shard) for linear in (moe.shared.linears if moe.shared else ())]
    router = Product(name="router", m=shard.local_tokens, n=router.n, k=router.k, low_precision=False)
    latent = [linear_product(linear, shard) for linear in moe.latent]
    return (*products, router, *latent, *shared, *expert_products(moe, shard, imbalance=imbalance))


def mlp_activation_bytes(mlp: Mlp, tokens: Real, cut: Real) -> Bytes:
    """Return the bytes that the activation function reads and writes, forward, bf16.

    .. math:: 2 T f / t \\cdot (3 \\text{ gated}, 2 \\text{ plain})

    Valid for: one fused kernel.
    Source: operand count; Shazeer 2020, arXiv:2002.05202.

    >>> mlp_activation_bytes(Mlp(linears=(), width=4, gated=True), 10.0, 1)
    240.0
    """
    return 2.0 * tokens * mlp.width / cut * (3 if mlp.gated else 2)


def between_bytes(block: Block, shard: Shard, *, hidden: int) -> Bytes:
    """Return the bytes that a layer's forward kernels between its tensor-parallel regions move.

    .. math:: 2 T_{local} h n_{passes} n_{sublayers}

    Of each sublayer a norm (read and write h) and a residual addition, with bias and dropout in the same
    kernel (read two, write one), or what several streams move.
    Valid for: bf16; one kernel each; stacks multiply this by the passes they really make.
    Source: operand count of Korthikanti 2022, arXiv:2205.05198 sec. 4.1.

    >>> from gigawatt.catalog.models import model
    >>> block, cut = model("llama3.1-8b").blocks[0], Shard(sequences=1, seq_tokens=8, tp=4)
    >>> float(between_bytes(block, cut, hidden=16))
    640.0
    """
    return 2.0 * shard.local_tokens * hidden * stream_passes(block.streams) * sublayers(block)


def inside_bytes(block: Block, shard: Shard) -> Bytes:
    """Return the bytes that elementwise kernels inside the tensor-parallel regions must move when fused once.

    Rotary embedding of q and k, and the activation function of dense and shared feed-forward networks;
    `routed_bytes` has the experts', `recurrent_bytes` what linear recurrences move.
    Valid for: bf16; attention's own traffic left out; stacks multiply this by the passes they really make.
    Source: operand count of Korthikanti 2022, arXiv:2205.05198 sec. 4.1.

    >>> inside_bytes.__name__
    'inside_bytes'
    """
    core = block.mixer.core
    moved: Bytes = 0.0
    if core.span != "linear":
        turned = (core.heads + core.kv_heads) * core.qk_head_dim
        moved = 2.0 * shard.tokens / shard.tp * turned * 2
    if block.mlp:
        moved = moved + mlp_activation_bytes(block.mlp, shard.tokens, shard.tp)
    if block.moe and block.moe.shared:
        moved = moved + mlp_activation_bytes(block.moe.shared, shard.tokens, shard.tp)
    return moved


def sublayers(block: Block) -> int:
    """Return how many of a token mixer and a feed-forward network a layer has: each brings norm and residual.

    Definition: layers of hybrids are one or the other.

    >>> from gigawatt.catalog.models import model
    >>> [sublayers(model(name).blocks[0]) for name in ("llama3.1-8b", "nemotron-h-56b")]
    [2, 1]
    """
    return bool(block.mixer.linears) + bool(block.mlp or block.moe)


def stream_passes(streams: int) -> int:
    """Return how often a sublayer reads or writes one residual stream's width, outside its own kernels.

    .. math:: 5, \\quad 4 n + 4 \\text{ for } n > 1 \\text{ streams}

    A norm (2) and an addition (3). Several streams are read for their weights (n), mixed into one (n + 1),
    and read, added to and written (2 n + 1), beside the norm (2).
    Source: operand count of hyper-connections, Zhu 2024, arXiv:2409.19606 sec. 3.

    >>> stream_passes(1), stream_passes(4)
    (5, 20)
    """
    return 5 if streams == 1 else 4 * streams + 4


def passed_width(model: Model) -> int:
    """Return the width of what one layer passes to the next: all residual streams.

    .. math:: n h

    Source: hyper-connections, Zhu 2024, arXiv:2409.19606 sec. 2 (n copies of the hidden state).

    >>> from gigawatt.catalog.models import model
    >>> [passed_width(model(name)) for name in ("llama3.1-8b", "deepseek-v4-flash")]
    [4096, 16384]
    """
    return model.hidden * max(block.streams for block in model.blocks)


def mixed_width(core: Core) -> int:
    """Return the width of what a linear recurrence mixes: values, and keys and queries of their own heads.

    .. math:: a d_v + 2 a_{kv} d_{qk}

    Source: Dao 2024, arXiv:2405.21060 sec. 7 (x, B and C); Yang 2024, arXiv:2412.06464 (v, k and q).

    >>> mixed_width(Core(heads=4, kv_heads=1, qk_head_dim=16, v_head_dim=8, span="linear"))
    64
    """
    return core.heads * core.v_head_dim + 2 * core.kv_heads * core.qk_head_dim


def recurrent_bytes(block: Block, shard: Shard) -> Bytes:
    """Return the bytes that the kernels of a linear recurrence move in a forward pass.

    .. math:: \\frac{T}{t} \\left(4 w + 2 (3 + 3) a d_v + 12 \\frac{a d_{qk} d_v}{c}\\right)

    A short convolution reads and writes all that is mixed, w; values are read for the states and for the
    outputs, which are written; gate and norm read two and write one. Of each chunk of c tokens the states are
    written and read in 32 bits, passed on to the next chunk, then written and read in 16 bits.
    Valid for: scans by chunks in separate kernels.
    Source: kernels of mamba_ssm, ops/triton/ssd_combined.py (convolution, chunk states, state passing, chunk
    scan), by operand count.

    >>> from gigawatt.catalog.records import Mixer
    >>> core = Core(heads=4, kv_heads=1, qk_head_dim=16, v_head_dim=8, span="linear")
    >>> one = Block(count=1, mixer=Mixer(linears=(), core=core), mlp=None, moe=None)
    >>> recurrent_bytes(one, Shard(sequences=1, seq_tokens=100))
    68800.0
    """
    core = block.mixer.core
    states = 12.0 * core.heads * core.qk_head_dim * core.v_head_dim / CHUNK_TOKENS
    passes = 12.0 * core.heads * core.v_head_dim
    return shard.tokens / shard.tp * (4.0 * mixed_width(core) + passes + states)


def adapter_bytes(block: Block, shard: Shard, *, everywhere: bool = False) -> Bytes:
    """Return the bytes that adapters beside frozen weights move, forward, when each pass is fused once.

    .. math:: 2 T (h_{in} / t_{in} + 2 h_{out} / t_{out})

    The narrow product reads the weight's input; its expansion is added to the weight's output (read, write).
    Beside the attention projections, or `everywhere` beside the dense feed-forward network's weights too.
    Valid for: adapters of a rank far below the widths; bf16.
    Source: Hu 2021, arXiv:2106.09685 sec. 4.1 and 4.2 (h = W x + B A x, on the attention weights only).

    >>> from gigawatt.catalog.models import model
    >>> block, one = model("llama2-70b").blocks[0], Shard(sequences=1, seq_tokens=1)
    >>> [float(adapter_bytes(block, one, everywhere=e)) for e in (False, True)]
    [106496.0, 442368.0]
    """
    linears = [linear for linear in block.mixer.linears if linear.split != "none"]
    if everywhere and block.mlp:
        linears += block.mlp.linears
    products = [linear_product(linear, shard) for linear in linears]
    return sum((2.0 * p.m * (p.k + 2.0 * p.n) for p in products), 0.0)


def routed_bytes(block: Block, shard: Shard, *, copies: float = 1.0, bias_passes: float = 6.0) -> Bytes:
    """Return the bytes that the elementwise kernels of the routed experts must move when each is fused once.

    .. math:: 2 T K ((4 c + b) h + 3 f)

    The permutation of the tokens sent and their weighted sum (read and write h each), and the activation
    function. A dispatcher that sends tokens sorted by chip sorts them again by expert: with 2 (K + 1) h moved
    at home and 4 K h at the experts, c = 1.5 (`copies`). Alone on a chip there is nothing to send. Biases of
    the experts' outputs are scaled (1), added (3) and the experts put together (2): b = 6 (`bias_passes`).
    Valid for: bf16, forward, gated experts (2 f for plain ones).
    Source: operand count of Korthikanti 2022, arXiv:2205.05198 sec. 4.1; NVIDIA, Optimizing DeepSeek-V3
    Training Performance on GB200 NVL72, sec. 2.1.1 (permutations by dispatcher); Megatron-Core, grouped
    experts (biases one expert at a time).

    >>> routed_bytes.__name__
    'routed_bytes'
    """
    if block.moe is None:
        return 0.0
    up, down = block.moe.expert.linears[0], block.moe.expert.linears[-1]
    sent = shard.expert_tokens * block.moe.topk
    times = np.where(np.asarray(shard.ep) > 1, copies, 1.0)
    permuted = 2.0 * sent * up.inputs * (4.0 * times + bias_passes * down.bias)
    return mlp_activation_bytes(block.moe.expert, sent, 1.0) + permuted


def score_bytes(block: Block, shard: Shard) -> Bytes:
    """Return the size of the attention score matrix of one layer in bf16, when it is not fused away.

    .. math:: 2 b a s^2 / (t c)

    Valid for: attention without tiling (before FlashAttention).
    Source: Korthikanti 2022, arXiv:2205.05198 eq. 1 (5 a s^2 b bytes with dropout masks).

    >>> score_bytes.__name__
    'score_bytes'
    """
    core = block.mixer.core
    queries = shard.sequences * shard.seq_tokens / shard.cp
    return 2.0 * core.heads / shard.tp * queries * shard.seq_tokens


@dataclass(frozen=True, kw_only=True, slots=True)
class Keeping:
    """What a pass keeps for its backward pass."""

    cheap: bool = True  # outputs of norms and activation functions; False computes them again
    again: tuple[str, ...] = ()  # parts of a layer that are computed again by name, see `Strategy.recomputed`
    operands: bool = True  # inputs of weights; False when the weights are frozen
    operand_bytes: float = 2.0  # of one element of a weight's input, kept in the job's format
    activation_bytes: float = 2.0  # of one element of an activation function's input
    fused: bool = True  # False: of norms and activation functions each operator keeps its operands


def mlp_kept_bytes(mlp: Mlp, tokens: Real, *, cut: Real, keeping: Keeping) -> Bytes:
    """Return the activation bytes that a feed-forward network keeps beside its input.

    .. math:: T f / t \\cdot (n_{act} (1 + g) + n_{op})

    Valid for: the activation function's input as `keeping` says, its output as the next product's operand.
    Operator by operator, in 16 bits, a gated one also keeps the function's own output, and the inputs of
    frozen weights stay for their adapters.
    Source: Korthikanti 2022, arXiv:2205.05198 sec. 4.1.

    >>> mlp_kept_bytes(Mlp(linears=(), width=4, gated=True), 10.0, cut=1, keeping=Keeping())
    240.0
    >>> mlp_kept_bytes(Mlp(linears=(), width=4, gated=True), 10.0, cut=1, keeping=Keeping(fused=False))
    320.0
    """
    if not keeping.fused:
        return tokens * mlp.width / cut * 2.0 * (2 + 2 * mlp.gated)
    output = keeping.operand_bytes if keeping.cheap and keeping.operands else 0.0
    return tokens * mlp.width / cut * (keeping.activation_bytes * (1 + mlp.gated) + output)


def up_projections(block: Block) -> tuple[Linear, ...]:
    """Return the products that make queries, keys and values of what latent attention keeps; none elsewhere.

    Definition: split weights of the mixer whose input is a low-rank space.

    >>> from gigawatt.catalog.models import model
    >>> [x.name for x in up_projections(model("deepseek-v3").blocks[0])]
    ['q_up', 'kv_up']
    >>> up_projections(model("llama3.1-8b").blocks[0])
    ()
    """
    low_rank = {x.outputs for x in block.mixer.linears if x.split == "none"}
    if not low_rank or block.mixer.core.span == "linear":
        return ()
    return tuple(x for x in block.mixer.linears if x.split == "column" and x.name.endswith("_up"))


def attention_bytes(block: Block, shard: Shard) -> Bytes:
    """Return the bytes of one layer's queries, keys, values and attention output on one chip, in 16 bits.

    .. math:: 2 T (a + k) (d_{qk} + d_v) / t, \\quad 2 T (w + a d_v) / t

    The second for a linear recurrence, which keeps what it mixes, w.
    Source: Korthikanti 2022, arXiv:2205.05198 sec. 4.1 (by count).

    >>> from gigawatt.catalog.models import model
    >>> float(attention_bytes(model("llama3.1-8b").blocks[0], Shard(sequences=1, seq_tokens=1)))
    20480.0
    """
    core = block.mixer.core
    width = (core.heads + core.kv_heads) * (core.qk_head_dim + core.v_head_dim)
    if core.span == "linear":
        width = mixed_width(core) + core.heads * core.v_head_dim
    return 2.0 * shard.tokens / shard.tp * width


def kept_bytes(block: Block, shard: Shard, *, hidden: int, keeping: Keeping) -> Bytes:
    """Return the activation bytes that one layer keeps for its backward pass, flash attention assumed.

    Norms keep their inputs, attention q, k, v and its output, the activation function its input, in 16 bits;
    every product with a trained weight keeps its input in the job's format (a copy, where that is narrower).
    Of parts that are computed again by name only what goes into them is kept.
    Operator by operator, a norm keeps a 32-bit copy of its input, the normalised values and its output.
    Valid for: no dropout masks.
    Source: Korthikanti 2022, arXiv:2205.05198 sec. 4.1 (34 s b h with masks; gated and grouped by count).

    >>> kept_bytes.__name__
    'kept_bytes'
    """
    core, tokens, tp = block.mixer.core, shard.tokens, shard.tp
    operand = keeping.operand_bytes if keeping.operands else 0.0
    narrow = operand if operand < 2.0 else 0.0  # attention's output again, as an operand
    output = operand if keeping.cheap and "norms" not in keeping.again else 0.0
    norm = 2.0 * block.streams + output if keeping.fused else 4.0 + 2.0 + 2.0
    norms = sublayers(block) * shard.local_tokens * hidden * norm
    queries = core.heads * (core.qk_head_dim + core.v_head_dim)
    keys = core.kv_heads * (core.qk_head_dim + core.v_head_dim)
    if core.span == "linear":  # what is mixed, the gate and the output
        queries, keys = mixed_width(core), 2 * core.heads * core.v_head_dim
    up_again = not keeping.cheap or "up" in keeping.again
    if up_again and up_projections(block):  # from what is kept of them
        queries, keys = core.heads * core.v_head_dim, 0
    attention = tokens / tp * (2.0 * (queries + keys) + narrow * core.heads * core.v_head_dim)
    squeezed = sum(x.outputs for x in block.mixer.linears if x.split == "none")  # low-rank projections
    kept = norms + attention + 2.0 * shard.local_tokens * squeezed
    dense = None if "dense" in keeping.again and not block.moe else block.mlp
    for mlp in (dense, block.moe.shared if block.moe else None):
        if mlp:
            kept = kept + mlp_kept_bytes(mlp, tokens, cut=tp, keeping=keeping)
    if block.moe and "routed" not in keeping.again:
        expert = block.moe.expert
        sent = shard.expert_tokens * block.moe.topk
        inside = dataclasses.replace(keeping, cheap=keeping.cheap and "activations" not in keeping.again)
        kept = kept + operand * sent * expert.linears[0].inputs
        kept = kept + mlp_kept_bytes(expert, sent, cut=1.0, keeping=inside)
    return kept


def attention_keys(block: Block, shard: Shard) -> tuple[Real, Real]:
    """Return how many keys a query block is multiplied with, and the fraction that the mask leaves.

    Definition: (keys, fraction) with keys x fraction = `attended_tokens`.

    >>> attention_keys.__name__
    'attention_keys'
    """
    core = block.mixer.core
    mean = attended_tokens(core, float(shard.seq_tokens))
    keys = float(shard.seq_tokens)
    if core.span in ("window", "chunk", "sparse") and core.span_tokens:
        keys = float(min(core.span_tokens, shard.seq_tokens))
    return keys, mean / keys
