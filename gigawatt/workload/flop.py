"""Model flop: what the mathematics of one step needs, however it is computed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from gigawatt.catalog.records import Block, Core, Mlp, Model
from gigawatt.units import Count, Flop, Real


def attended_tokens(core: Core, seq_tokens: Count) -> Real:
    """Return the mean number of keys that one causal query attends to.

    .. math:: \\bar{k} = \\min(w, s) - \\frac{\\min(w, s)^2}{2 s},
              \\quad w = s \\text{ when full}; c/2 \\text{ in chunks}

    A linear core attends to a state, not to keys: it counts 0 here. Sparse attention counts the chosen keys.
    Valid for: causal masks, sequences not packed.
    Source: area of a causal band; PaLM, arXiv:2204.02311 App. B counts twice this for full attention.

    >>> float(attended_tokens(Core(heads=1, kv_heads=1, qk_head_dim=64, v_head_dim=64), 8192))
    4096.0
    >>> core = Core(heads=1, kv_heads=1, qk_head_dim=64, v_head_dim=64, span="window", span_tokens=2048)
    >>> float(attended_tokens(core, 8192))
    1792.0
    """
    if core.span == "linear":
        return 0.0 * seq_tokens
    if core.span == "chunk":
        return np.minimum(core.span_tokens, seq_tokens) / 2
    w = np.minimum(core.span_tokens or np.inf, seq_tokens)
    return w - w * w / (2 * seq_tokens)


def core_flop_per_token(core: Core, seq_tokens: Count) -> Flop:
    """Return the forward flop per token of one weightless core.

    .. math:: F = 2 a (d_{qk} + d_v) \\bar{k}, \\quad F_{linear} = 2 a (3 d_{qk} d_v)

    The linear form counts one outer product, one decay and one read of the state per head and token;
    chunked implementations compute up to twice as much.
    Valid for: any span.
    Source: Korthikanti 2022, arXiv:2205.05198 App. A (halved by the mask); Yang 2023, arXiv:2312.06635
    sec. 2.

    >>> float(core_flop_per_token(Core(heads=128, kv_heads=8, qk_head_dim=128, v_head_dim=128), 8192))
    268435456.0
    """
    if core.span == "linear":
        return 6.0 * core.heads * core.qk_head_dim * core.v_head_dim + 0.0 * seq_tokens
    return 2.0 * core.heads * (core.qk_head_dim + core.v_head_dim) * attended_tokens(core, seq_tokens)


def mlp_weights(mlp: Mlp | None) -> int:
    """Return the matrix entries of a feed-forward network, biases left out.

    Definition: sum of inputs x outputs.

    >>> mlp_weights(None)
    0
    """
    return sum(linear.inputs * linear.outputs for linear in mlp.linears) if mlp else 0


def active_weights(block: Block) -> int:
    """Return the matrix entries of one layer that one token passes.

    Definition: mixer, dense feed-forward, router, shared experts and top-k routed experts; no embeddings.

    >>> active_weights.__name__
    'active_weights'
    """
    mixer = sum(linear.inputs * linear.outputs for linear in block.mixer.linears)
    if block.moe is None:
        return mixer + mlp_weights(block.mlp)
    moe = block.moe
    router = sum(linear.inputs * linear.outputs for linear in (moe.router, *moe.latent))
    routed = moe.topk * mlp_weights(moe.expert)
    return mixer + mlp_weights(block.mlp) + router + mlp_weights(moe.shared) + routed


def layer_flop_per_token(block: Block, seq_tokens: Count) -> Flop:
    """Return the forward flop per token of one layer.

    .. math:: F = 2 W_{active} + F_{core}

    Valid for: matrix products and attention; elementwise work is below 0.1 %.
    Source: Kaplan 2020, arXiv:2001.08361 sec. 2.1.

    >>> layer_flop_per_token.__name__
    'layer_flop_per_token'
    """
    return 2.0 * active_weights(block) + core_flop_per_token(block.mixer.core, seq_tokens)


def head_flop_per_token(model: Model) -> Flop:
    """Return the forward flop per token of the vocabulary projection.

    .. math:: F = 2 h V

    Valid for: one head; multi-token-prediction heads are counted with their layers.
    Source: Narayanan 2021, arXiv:2104.04473 appendix.

    >>> head_flop_per_token.__name__
    'head_flop_per_token'
    """
    return 2.0 * model.hidden * model.vocab


def prediction_blocks(model: Model) -> tuple[Block, ...]:
    """Return the blocks that one multi-token-prediction layer is made of.

    Definition: the last layer; of a hybrid, whose layers mix tokens or feed forward, the last attention and
    the last layer ("*E" in the configurations of Nemotron 3).

    >>> from gigawatt.catalog.models import model
    >>> [len(prediction_blocks(model(name))) for name in ("deepseek-v3", "nemotron-3-super-120b-a12b")]
    [1, 2]
    """
    last = dataclasses.replace(model.blocks[-1], count=1)
    if last.mixer.linears:
        return (last,)
    mixers = [b for b in model.blocks if b.mixer.linears and b.mixer.core.span != "linear"]
    return (*(dataclasses.replace(block, count=1) for block in mixers[-1:]), last)


def prediction_layers_flop_per_token(model: Model, seq_tokens: Count) -> Flop:
    """Return the forward flop per token of multi-token-prediction layers and their heads.

    .. math:: F = n_{mtp} (F_{layer} + 2 \\cdot 2h \\cdot h + 2 h V)

    Valid for: DeepSeek-V3 style modules: one projection of 2h to h, one layer (see `prediction_blocks`), the
    shared head.
    Source: DeepSeek-V3, arXiv:2412.19437 sec. 2.2.

    >>> prediction_layers_flop_per_token.__name__
    'prediction_layers_flop_per_token'
    """
    layer = sum(layer_flop_per_token(block, seq_tokens) for block in prediction_blocks(model))
    one = layer + 4.0 * model.hidden**2
    return model.mtp_layers * (one + head_flop_per_token(model))


def model_flop_per_token(model: Model, seq_tokens: Count) -> Flop:
    """Return the flop per token of one training step: forward and twice as much backward, no recompute.

    .. math:: F = 3 \\left( \\sum_l F_l + 2 h V + F_{mtp} \\right)

    Attention is counted as the causal mask leaves it (half of the square).
    Valid for: all weights trained.
    Source: Kaplan 2020, arXiv:2001.08361 sec. 2.1; causal count as in Dao 2023, arXiv:2307.08691 sec. 4.1.

    >>> model_flop_per_token.__name__
    'model_flop_per_token'
    """
    layers = sum(b.count * layer_flop_per_token(b, seq_tokens) for b in model.blocks)
    head = head_flop_per_token(model)
    return 3.0 * (layers + head + prediction_layers_flop_per_token(model, seq_tokens))


def full_attention_flop_per_token(model: Model, seq_tokens: Count) -> Flop:
    """Return the training flop per token in the PaLM convention: attention over the whole square.

    .. math:: F = 6 W + 12 L a d s

    Valid for: comparison with sources that do not halve attention.
    Source: Chowdhery 2022, arXiv:2204.02311 App. B.

    >>> full_attention_flop_per_token.__name__
    'full_attention_flop_per_token'
    """
    extra = sum(
        b.count * core_flop_per_token(b.mixer.core, seq_tokens)
        for b in model.blocks
        if b.mixer.core.span == "full"
    )
    return model_flop_per_token(model, seq_tokens) + 3.0 * extra


FLOP_CONVENTIONS: dict[str, Callable[[Model, Count], Flop]] = {
    "causal": model_flop_per_token,
    "full_attention": full_attention_flop_per_token,
}
