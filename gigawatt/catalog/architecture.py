"""Builders of architecture records from plain dimensions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

from gigawatt.catalog.records import Block, Core, Linear, Mixer, Mlp, Model, Moe, Span


@dataclass(frozen=True, kw_only=True, slots=True)
class Mla:
    """The dimensions of multi-head latent attention; q_lora_rank 0 projects queries directly."""

    q_lora_rank: int
    kv_lora_rank: int
    nope_head_dim: int
    rope_head_dim: int
    v_head_dim: int


def attention(
    *,
    hidden: int,
    heads: int,
    kv_heads: int,
    head_dim: int,
    v_head_dim: int | None = None,
    span: Span = "full",
    span_tokens: int = 0,
    qkv_bias: bool = False,
    out_bias: bool = False,
    qk_norm: int = 0,
    gate: bool = False,
    key_is_value: bool = False,
    sinks: bool = False,
) -> Mixer:
    """Return multi-head, grouped or multi-query attention.

    `qk_norm` is the number of norm parameters; `gate` adds an output gate to the query projection;
    `key_is_value` shares one projection for keys and values.

    >>> attention(hidden=16, heads=4, kv_heads=2, head_dim=4).linears[0].outputs
    32
    """
    v_dim = v_head_dim or head_dim
    queries = heads * head_dim * (2 if gate else 1)
    keys = kv_heads * (head_dim + (0 if key_is_value else v_dim))
    qkv = Linear(name="qkv", inputs=hidden, outputs=queries + keys, split="column", bias=qkv_bias)
    out = Linear(name="out", inputs=heads * v_dim, outputs=hidden, split="row", bias=out_bias)
    core = Core(
        heads=heads,
        kv_heads=kv_heads,
        qk_head_dim=head_dim,
        v_head_dim=v_dim,
        span=span,
        span_tokens=span_tokens,
    )
    return Mixer(linears=(qkv, out), core=core, vector_params=qk_norm + (heads if sinks else 0))


def latent_attention(
    *,
    hidden: int,
    heads: int,
    mla: Mla,
    span: Span = "full",
    span_tokens: int = 0,
    extra: tuple[Linear, ...] = (),
    extra_vectors: int = 0,
) -> Mixer:
    """Return multi-head latent attention (DeepSeek-V2, arXiv:2405.04434 sec. 2.1), and what is added to it.

    >>> dims = Mla(q_lora_rank=8, kv_lora_rank=4, nope_head_dim=2, rope_head_dim=1, v_head_dim=2)
    >>> [x.name for x in latent_attention(hidden=16, heads=4, mla=dims).linears]
    ['q_down', 'q_up', 'kv_down', 'kv_up', 'out']
    """
    qk = mla.nope_head_dim + mla.rope_head_dim
    queries = [Linear(name="q", inputs=hidden, outputs=heads * qk, split="column")]
    if mla.q_lora_rank:
        queries = [
            Linear(name="q_down", inputs=hidden, outputs=mla.q_lora_rank, split="none"),
            Linear(name="q_up", inputs=mla.q_lora_rank, outputs=heads * qk, split="column"),
        ]
    keys = (
        Linear(name="kv_down", inputs=hidden, outputs=mla.kv_lora_rank + mla.rope_head_dim, split="none"),
        Linear(
            name="kv_up",
            inputs=mla.kv_lora_rank,
            outputs=heads * (mla.nope_head_dim + mla.v_head_dim),
            split="column",
        ),
    )
    out = Linear(name="out", inputs=heads * mla.v_head_dim, outputs=hidden, split="row")
    core = Core(
        heads=heads,
        kv_heads=heads,
        qk_head_dim=qk,
        v_head_dim=mla.v_head_dim,
        span=span,
        span_tokens=span_tokens,
    )
    norms = mla.q_lora_rank + mla.kv_lora_rank
    return Mixer(linears=(*queries, *keys, *extra, out), core=core, vector_params=norms + extra_vectors)


@dataclass(frozen=True, kw_only=True, slots=True)
class Compression:
    """How a layer of compressed attention shortens its keys: one of `ratio`, an indexer where it chooses."""

    ratio: int  # 0: sliding window only
    window: int
    chosen: int  # compressed keys that the indexer picks; 0: all
    index_heads: int
    index_head_dim: int


def compressed_attention(
    *,
    hidden: int,
    heads: int,
    head_dim: int,
    q_lora_rank: int,
    out_groups: int,
    out_lora_rank: int,
    keys: Compression,
) -> Mixer:
    """Return DeepSeek-V4's attention: one shared key-value head, a window, and compressed distant keys.

    Keys of a compressor without an indexer grow with the sequence; a window of 2 x `window` stands for them.

    >>> keys = Compression(ratio=0, window=128, chosen=0, index_heads=0, index_head_dim=0)
    >>> mixer = compressed_attention(
    ...     hidden=64, heads=4, head_dim=16, q_lora_rank=8, out_groups=2, out_lora_rank=4, keys=keys)
    >>> mixer.core.span
    'window'
    """
    linears = [
        Linear(name="q_down", inputs=hidden, outputs=q_lora_rank, split="none"),
        Linear(name="q_up", inputs=q_lora_rank, outputs=heads * head_dim, split="column"),
        Linear(name="kv", inputs=hidden, outputs=head_dim, split="none"),
    ]
    vectors = q_lora_rank + head_dim + heads
    wide = 2 if keys.chosen else 1
    if keys.ratio:
        linears.append(Linear(name="compress", inputs=hidden, outputs=2 * wide * head_dim, split="none"))
        vectors += keys.ratio * wide * head_dim + head_dim
    if keys.chosen:
        dim = keys.index_head_dim
        linears.append(Linear(name="index_k", inputs=hidden, outputs=4 * dim, split="none"))
        linears.append(
            Linear(name="index_q", inputs=q_lora_rank, outputs=keys.index_heads * dim, split="none")
        )
        linears.append(Linear(name="index_weights", inputs=hidden, outputs=keys.index_heads, split="none"))
        vectors += keys.ratio * 2 * dim + dim
    grouped = heads * head_dim // out_groups
    linears.append(
        Linear(name="out_down", inputs=grouped, outputs=out_groups * out_lora_rank, split="column")
    )
    linears.append(Linear(name="out", inputs=out_groups * out_lora_rank, outputs=hidden, split="row"))
    span: Span = "sparse" if keys.chosen else "window"
    reach = keys.window + keys.chosen if keys.chosen else keys.window * (2 if keys.ratio else 1)
    core = Core(
        heads=heads, kv_heads=1, qk_head_dim=head_dim, v_head_dim=head_dim, span=span, span_tokens=reach
    )
    return Mixer(linears=tuple(linears), core=core, vector_params=vectors)


def delta_net(
    *, hidden: int, key_heads: int, value_heads: int, key_head_dim: int, value_head_dim: int, conv_tokens: int
) -> Mixer:
    """Return a gated delta-rule linear attention (Qwen3-Next; Yang 2024, arXiv:2412.06464).

    >>> mixer = delta_net(
    ...     hidden=8, key_heads=1, value_heads=2, key_head_dim=4, value_head_dim=4, conv_tokens=4)
    >>> mixer.core.span
    'linear'
    """
    keys, values = key_heads * key_head_dim, value_heads * value_head_dim
    linears = (
        Linear(name="qkvz", inputs=hidden, outputs=2 * keys + 2 * values, split="column"),
        Linear(name="beta_alpha", inputs=hidden, outputs=2 * value_heads, split="column"),
        Linear(name="out", inputs=values, outputs=hidden, split="row"),
    )
    core = Core(
        heads=value_heads,
        kv_heads=key_heads,
        qk_head_dim=key_head_dim,
        v_head_dim=value_head_dim,
        span="linear",
    )
    vectors = conv_tokens * (2 * keys + values) + 2 * value_heads + value_head_dim
    return Mixer(linears=linears, core=core, vector_params=vectors)


def state_space(
    *, hidden: int, heads: int, head_dim: int, groups: int, state: int, conv_tokens: int
) -> Mixer:
    """Return a Mamba-2 mixer (Dao 2024, arXiv:2405.21060).

    >>> state_space(hidden=8, heads=2, head_dim=8, groups=1, state=16, conv_tokens=4).core.span
    'linear'
    """
    inner = heads * head_dim
    mixed = inner + 2 * groups * state
    linears = (
        Linear(name="in", inputs=hidden, outputs=inner + mixed + heads, split="column"),
        Linear(name="out", inputs=inner, outputs=hidden, split="row"),
    )
    core = Core(heads=heads, kv_heads=groups, qk_head_dim=state, v_head_dim=head_dim, span="linear")
    return Mixer(linears=linears, core=core, vector_params=(conv_tokens + 1) * mixed + 3 * heads + inner)


NO_MIXER = Mixer(
    linears=(), core=Core(heads=1, kv_heads=1, qk_head_dim=0, v_head_dim=0, span="linear")
)  # a layer of a hybrid that has no token mixing


def dense_mlp(*, hidden: int, width: int, gated: bool, bias: bool = False) -> Mlp:
    """Return a feed-forward network; gated networks read two projections of `width` each.

    >>> dense_mlp(hidden=4, width=8, gated=True).params
    96
    """
    up = Linear(name="up", inputs=hidden, outputs=width * (2 if gated else 1), split="column", bias=bias)
    down = Linear(name="down", inputs=width, outputs=hidden, split="row", bias=bias)
    return Mlp(linears=(up, down), width=width, gated=gated)


def moe(
    *,
    hidden: int,
    experts: int,
    topk: int,
    width: int,
    shared_width: int = 0,
    gated: bool = True,
    bias: bool = False,
    router_bias: bool = False,
    router_vectors: int = 0,
    shared_gate: bool = False,
    latent: int = 0,
    groups: int = 1,
    topk_groups: int = 1,
) -> Moe:
    """Return a mixture of experts.

    `router_vectors` are the routing corrections; `shared_gate` scales the shared expert; `latent` is
    the width of the space in which the experts work, 0 for the hidden size itself; a token may use experts of
    `topk_groups` of `groups` groups.

    >>> moe(hidden=4, experts=8, topk=2, width=16).expert.params
    192
    """
    shared = dense_mlp(hidden=hidden, width=shared_width, gated=gated, bias=bias) if shared_width else None
    around = (
        Linear(name="latent_down", inputs=hidden, outputs=latent, split="none"),
        Linear(name="latent_up", inputs=latent, outputs=hidden, split="none"),
    )
    return Moe(
        experts=experts,
        topk=topk,
        latent=around if latent else (),
        expert=dense_mlp(hidden=latent or hidden, width=width, gated=gated, bias=bias),
        router=Linear(name="router", inputs=hidden, outputs=experts, split="none", bias=router_bias),
        shared=shared,
        vector_params=router_vectors + (hidden if shared_gate else 0),
        groups=groups,
        topk_groups=topk_groups,
    )


def merged(layers: Iterable[Block]) -> tuple[Block, ...]:
    """Return blocks with equal neighbours merged into one of their count.

    >>> a = Block(count=1, mixer=NO_MIXER, mlp=None, moe=None)
    >>> [b.count for b in merged([a, a])]
    [2]
    """
    found: list[Block] = []
    for block in layers:
        if found and dataclasses.replace(found[-1], count=block.count) == block:
            found[-1] = dataclasses.replace(found[-1], count=found[-1].count + block.count)
        else:
            found.append(block)
    return tuple(found)


def transformer(
    *,
    id: str,
    name: str,
    layers: int,
    hidden: int,
    heads: int,
    vocab: int,
    ffn_hidden: int | None = None,
    kv_heads: int | None = None,
    head_dim: int | None = None,
    gated: bool = False,
    tied: bool = True,
    bias: bool = True,
    norm_bias: bool | None = None,
    learned_positions: int = 0,
    experts: int = 0,
    topk: int = 0,
    moe_ffn_hidden: int | None = None,
    shared_ffn_hidden: int = 0,
    dense_layers: int = 0,
    mla: Mla | None = None,
) -> Model:
    """Return a plain transformer; by default a GPT: 4h wide, biases, tied embedding.

    `bias` gives every linear one; norms have one too unless `norm_bias` says otherwise.

    >>> gpt3 = transformer(
    ...     id="gpt3", name="GPT-3", layers=96, hidden=12288, heads=96, vocab=51200, learned_positions=2048)
    >>> gpt3.layers, gpt3.blocks[0].mlp.width
    (96, 49152)
    """
    norms = 2 * hidden * (2 if (bias if norm_bias is None else norm_bias) else 1)
    head_dim = head_dim or hidden // heads
    if mla:
        mixer = latent_attention(hidden=hidden, heads=heads, mla=mla)
    else:
        kv = kv_heads or heads
        mixer = attention(
            hidden=hidden, heads=heads, kv_heads=kv, head_dim=head_dim, qkv_bias=bias, out_bias=bias
        )
    mlp = dense_mlp(hidden=hidden, width=ffn_hidden or 4 * hidden, gated=gated, bias=bias)
    blocks = []
    dense = layers if not experts else min(dense_layers, layers)
    if dense:
        blocks.append(Block(count=dense, mixer=mixer, mlp=mlp, moe=None, vector_params=norms))
    if layers > dense:
        width = moe_ffn_hidden or ffn_hidden or 4 * hidden
        routed = moe(
            hidden=hidden,
            experts=experts,
            topk=topk,
            width=width,
            shared_width=shared_ffn_hidden,
            gated=gated,
            bias=bias,
        )
        blocks.append(Block(count=layers - dense, mixer=mixer, mlp=None, moe=routed, vector_params=norms))
    return Model(
        id=id,
        name=name,
        hidden=hidden,
        vocab=vocab,
        blocks=tuple(blocks),
        tied_embedding=tied,
        position_params=learned_positions * hidden,
        vector_params=norms // 2,
    )
