"""One layer of a config.json: which mixer, which feed-forward network, which norms."""

from __future__ import annotations

from gigawatt.catalog.architecture import (
    NO_MIXER,
    Compression,
    Mla,
    attention,
    compressed_attention,
    delta_net,
    dense_mlp,
    latent_attention,
    moe,
    state_space,
)
from gigawatt.catalog.hf_config import Config, Traits
from gigawatt.catalog.records import Block, Linear, Mixer, Mlp, Moe, Span
from gigawatt.errors import FileFormatError

COMPRESSION_RATIOS = (0, 4, 128)
INDEXED_RATIO = 4  # the ratio at which DeepSeek-V4 chooses keys by an indexer
PATTERN = {"M": "mamba", "*": "full_attention", "-": "mlp", "E": "moe"}  # letters of hybrid patterns
BLOCK_NAMES = {"mamba": "mamba", "attention": "full_attention", "mlp": "mlp", "moe": "moe"}


def layer_kind(config: Config, i: int, *, layers: int) -> str:
    """Return what layer i is: full_, sliding_, chunked_ or linear_attention, mamba, mlp or moe.

    Raises: FileFormatError when a list of the config is too short or names what is not read here.
    """
    pattern = config.get("hybrid_override_pattern")
    if isinstance(pattern, str):
        if len(pattern) != layers or any(letter not in PATTERN for letter in pattern):
            raise FileFormatError(
                f"{config.where}: hybrid_override_pattern has {len(pattern)} letters for {layers} layers; "
                f"letters are {' '.join(PATTERN)}"
            )
        return PATTERN[pattern[i]]
    named = config.listed("layers_block_type")
    if named is not None:
        if len(named) < layers or any(n not in BLOCK_NAMES for n in named):
            raise FileFormatError(
                f"{config.where}: layers_block_type needs {layers} of {', '.join(BLOCK_NAMES)}"
            )
        return BLOCK_NAMES[named[i]]
    ratios = config.listed("compress_ratios")
    if ratios is not None:
        if len(ratios) < layers or any(r not in COMPRESSION_RATIOS for r in ratios):
            raise FileFormatError(f"{config.where}: compress_ratios needs {layers} of {COMPRESSION_RATIOS}")
        return str(ratios[i])
    kinds = config.listed("layer_types")
    if kinds is not None:
        if len(kinds) < layers:
            raise FileFormatError(f"{config.where}: layer_types lists {len(kinds)} of {layers} layers")
        return str(kinds[i])
    every = config.whole("full_attention_interval", default=0, least=0)
    if every:
        return "full_attention" if (i + 1) % every == 0 else "linear_attention"
    return _default_kind(config, i)


def _default_kind(config: Config, i: int) -> str:
    """Return the attention of a layer that the config does not list, by the rule of its architecture."""
    kind = config.get("model_type")
    if kind == "gemma2":
        return "sliding_attention" if i % 2 == 0 else "full_attention"
    if kind in ("gemma3", "gemma3_text"):
        every = config.whole("sliding_window_pattern", default=6)
        return "full_attention" if (i + 1) % every == 0 else "sliding_attention"
    if kind in ("llama4", "llama4_text"):
        return "full_attention" if (i + 1) % 4 == 0 else "chunked_attention"
    if config.get("sliding_window") and config.get("use_sliding_window") is not False and kind == "mistral":
        return "sliding_attention"
    return "full_attention"


def heads_of(config: Config) -> tuple[int, int, int]:
    """Return heads, key-value heads and head size."""
    heads = config.whole("num_attention_heads", "n_head", "n_heads")
    hidden = config.whole("hidden_size", "n_embd", "d_model", "dim")
    fallback = heads
    if config.get("multi_query") is True and config.get("new_decoder_architecture") is not True:
        fallback = 1
    kv_heads = config.whole("num_key_value_heads", "num_kv_heads", default=fallback)
    head_dim = config.whole("head_dim", "attention_head_dim", "kv_channels", default=max(hidden // heads, 1))
    said = any(config.get(name) is not None for name in ("head_dim", "attention_head_dim", "kv_channels"))
    if hidden % heads and not said:
        raise FileFormatError(
            f"{config.where}: num_attention_heads = {heads} does not divide hidden_size = {hidden}; "
            "give head_dim if that is meant"
        )
    if heads % kv_heads:
        raise FileFormatError(
            f"{config.where}: num_key_value_heads = {kv_heads} does not divide {heads} heads"
        )
    return heads, kv_heads, head_dim


def mixer_of(config: Config, traits: Traits, *, kind: str) -> Mixer:
    """Return the token mixer of a layer kind."""
    hidden = config.whole("hidden_size", "n_embd", "d_model", "dim")
    if kind == "linear_attention":
        return _delta(config, hidden)
    if kind == "mamba":
        return state_space(
            hidden=hidden,
            heads=config.whole("mamba_num_heads"),
            head_dim=config.whole("mamba_head_dim"),
            groups=config.whole("n_groups", default=1),
            state=config.whole("ssm_state_size"),
            conv_tokens=config.whole("conv_kernel", default=4),
        )
    if kind in ("mlp", "moe"):
        return NO_MIXER
    if config.get("compress_ratios") is not None:
        return _compressed(config, hidden, kind)
    if config.get("kv_lora_rank") is not None:
        return _latent(config, hidden)
    return _grouped(config, traits, kind, hidden)


def _grouped(config: Config, traits: Traits, kind: str, hidden: int) -> Mixer:
    heads, kv_heads, head_dim = heads_of(config)
    full = kind == "full_attention"
    key_is_value = full and config.flag("attention_k_eq_v")
    if full:
        head_dim = config.whole("global_head_dim", default=head_dim)
        kv_heads = config.whole("num_global_key_value_heads", default=kv_heads) if key_is_value else kv_heads
    spans: dict[str, tuple[Span, int]] = {
        "sliding_attention": ("window", config.whole("sliding_window", default=0, least=0)),
        "chunked_attention": ("chunk", config.whole("attention_chunk_size", default=8192)),
    }
    span, tokens = spans.get(kind, ("full", 0))
    norm = {"head": 2 * head_dim, "full": (heads + kv_heads) * head_dim}.get(traits.qk_norm, 0)
    return attention(
        hidden=hidden,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        span=span if tokens or span == "full" else "full",
        span_tokens=tokens,
        qkv_bias=traits.qkv_bias,
        out_bias=traits.out_bias,
        qk_norm=norm,
        gate=config.flag("attn_output_gate"),
        key_is_value=key_is_value,
        sinks=traits.sinks,
    )


def _latent(config: Config, hidden: int) -> Mixer:
    heads = config.whole("num_attention_heads")
    mla = Mla(
        q_lora_rank=config.whole("q_lora_rank", default=0, least=0),
        kv_lora_rank=config.whole("kv_lora_rank"),
        nope_head_dim=config.whole("qk_nope_head_dim"),
        rope_head_dim=config.whole("qk_rope_head_dim", least=0),
        v_head_dim=config.whole("v_head_dim"),
    )
    chosen = config.whole("index_topk", default=0, least=0)
    if not chosen:
        return latent_attention(hidden=hidden, heads=heads, mla=mla)
    index_heads, index_dim = config.whole("index_n_heads"), config.whole("index_head_dim")
    indexer = (
        Linear(name="index_q", inputs=mla.q_lora_rank, outputs=index_heads * index_dim, split="none"),
        Linear(name="index_k", inputs=hidden, outputs=index_dim, split="none"),
        Linear(name="index_weights", inputs=hidden, outputs=index_heads, split="none"),
    )
    return latent_attention(
        hidden=hidden,
        heads=heads,
        mla=mla,
        span="sparse",
        span_tokens=chosen,
        extra=indexer,
        extra_vectors=2 * index_dim,
    )


def _compressed(config: Config, hidden: int, kind: str) -> Mixer:
    ratio = int(kind)
    return compressed_attention(
        hidden=hidden,
        heads=config.whole("num_attention_heads"),
        head_dim=config.whole("head_dim"),
        q_lora_rank=config.whole("q_lora_rank"),
        out_groups=config.whole("o_groups"),
        out_lora_rank=config.whole("o_lora_rank"),
        keys=Compression(
            ratio=ratio,
            window=config.whole("sliding_window"),
            chosen=config.whole("index_topk") if ratio == INDEXED_RATIO else 0,
            index_heads=config.whole("index_n_heads"),
            index_head_dim=config.whole("index_head_dim"),
        ),
    )


def connection_params(config: Config, hidden: int) -> int:
    """Return the parameters of a layer's two hyper-connections (arXiv:2409.19606), 0 without."""
    streams = config.whole("hc_mult", default=0, least=0)
    mixing = (2 + streams) * streams
    return 2 * (mixing * streams * hidden + mixing + 3) if streams else 0


def _delta(config: Config, hidden: int) -> Mixer:
    return delta_net(
        hidden=hidden,
        key_heads=config.whole("linear_num_key_heads"),
        value_heads=config.whole("linear_num_value_heads"),
        key_head_dim=config.whole("linear_key_head_dim"),
        value_head_dim=config.whole("linear_value_head_dim"),
        conv_tokens=config.whole("linear_conv_kernel_dim", default=4),
    )


def is_moe(config: Config, i: int, *, kind: str) -> bool:
    """Return whether layer i has routed experts."""
    if config.get("hybrid_override_pattern", "layers_block_type") is not None:
        return kind == "moe"
    if experts_of(config) < 2:
        return False
    dense_first = config.whole("first_k_dense_replace", default=0, least=0)
    frequency = config.get("moe_layer_freq")
    if isinstance(frequency, list):
        return bool(frequency[i]) if i < len(frequency) else True
    if i < dense_first:
        return False
    every = config.whole("decoder_sparse_step", "interleave_moe_layer_step", default=1)
    if isinstance(frequency, int) and not isinstance(frequency, bool) and frequency > 1:
        every = frequency
        return i % every == 0
    return (i + 1) % every == 0 and i not in (config.listed("mlp_only_layers") or [])


def experts_of(config: Config) -> int:
    """Return the number of routed experts, 0 for none."""
    return config.whole("n_routed_experts", "num_local_experts", "num_experts", default=0, least=0)


def moe_of(config: Config, traits: Traits) -> Moe:
    """Return the mixture of experts of a layer."""
    hidden = config.whole("hidden_size")
    width = config.whole("moe_intermediate_size", "intermediate_size")
    experts = experts_of(config)
    topk = config.whole("num_experts_per_tok", "num_experts_per_token", "experts_per_token", "top_k_experts")
    if topk > experts:
        raise FileFormatError(f"{config.where}: num_experts_per_tok = {topk} is more than {experts} experts")
    bias = traits.mlp_bias
    return moe(
        hidden=hidden,
        experts=experts,
        topk=topk,
        width=width,
        shared_width=shared_width(config, width),
        gated=traits.gated,
        bias=bias,
        router_bias=traits.sinks,
        shared_gate=config.get("shared_expert_intermediate_size") is not None,
        latent=config.whole("moe_latent_size", default=0, least=0),
        groups=config.whole("n_group", default=1),
        topk_groups=config.whole("topk_group", default=1),
    )


def shared_width(config: Config, width: int) -> int:
    """Return the width of the experts that every token passes, 0 for none."""
    own = config.whole(
        "shared_expert_intermediate_size",
        "moe_shared_expert_intermediate_size",
        "shared_intermediate_size",
        default=0,
        least=0,
    )
    if own:
        return own
    if config.get("model_type") in ("llama4", "llama4_text"):
        return width
    return width * config.whole("n_shared_experts", "num_shared_experts", default=0, least=0)


def mlp_of(config: Config, traits: Traits) -> Mlp:
    """Return the dense feed-forward network of a layer."""
    hidden = config.whole("hidden_size", "n_embd", "d_model", "dim")
    names = ("intermediate_size_mlp", "intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size")
    width = config.whole(*names, default=4 * hidden)
    return dense_mlp(hidden=hidden, width=width, gated=traits.gated, bias=traits.mlp_bias)


def layer_block(config: Config, traits: Traits, *, i: int, layers: int) -> Block:
    """Return layer i as a block of one."""
    kind = layer_kind(config, i, layers=layers)
    hidden = config.whole("hidden_size", "n_embd", "d_model", "dim")
    sparse = is_moe(config, i, kind=kind)
    alone = traits.one_mixer_per_layer and kind not in ("mlp", "moe")
    beside = config.flag("enable_moe_block")  # dense and routed networks side by side
    norms = traits.norms + (3 if beside else 0)
    extra = hidden + experts_of(config) if beside else 0  # router scale and per-expert scale
    return Block(
        count=1,
        mixer=mixer_of(config, traits, kind=kind),
        mlp=None if alone or (sparse and not beside) else mlp_of(config, traits),
        moe=moe_of(config, traits) if sparse else None,
        vector_params=norms * hidden * (1 + traits.norm_bias) + extra + connection_params(config, hidden),
        streams=config.whole("hc_mult", default=1),
    )
