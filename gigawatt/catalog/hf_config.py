"""The keys of a config.json, checked as they are read, and what each architecture takes for granted."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gigawatt.errors import FileFormatError


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """The keys of one config, text part on top."""

    keys: Mapping[str, Any]
    where: str

    def get(self, *names: str) -> Any:
        """Return the first of several keys that is there and not null."""
        return next((self.keys[n] for n in names if self.keys.get(n) is not None), None)

    def whole(self, *names: str, default: int | None = None, least: int = 1, most: int = 10**8) -> int:
        """Return a whole number under one of several names.

        Raises: FileFormatError when it is missing without a default, or out of range.
        """
        name = next((n for n in names if self.keys.get(n) is not None), None)
        if name is None:
            if default is None:
                near = difflib.get_close_matches(names[0], [str(k) for k in self.keys], n=1, cutoff=0.75)
                misspelt = near and near[0] != names[0]
                hint = f"; did you mean to write {near[0]!r} so?" if misspelt else ""
                raise FileFormatError(f"{self.where}: {names[0]} is missing{hint}")
            return default
        value = self.keys[name]
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise FileFormatError(
                f"{self.where}: {name} = {value!r} is not a whole number in {least}..{most}"
            )
        return value

    def flag(self, *names: str, default: bool = False) -> bool:
        """Return a true or false key."""
        value = self.get(*names)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise FileFormatError(f"{self.where}: {names[0]} = {value!r} is not true or false")
        return value

    def listed(self, name: str) -> list[Any] | None:
        """Return a list, or None when the key is not there."""
        value = self.get(name)
        if value is not None and not isinstance(value, list):
            raise FileFormatError(f"{self.where}: {name} = {value!r} is not a list")
        return value


@dataclass(frozen=True, kw_only=True, slots=True)
class Traits:
    """What an architecture's code fixes and its config does not say."""

    gated: bool = True
    tied: bool = False
    qkv_bias: bool = False
    out_bias: bool = False
    mlp_bias: bool = False
    norm_bias: bool = False
    norms: int = 2  # per layer
    qk_norm: str = ""  # "head": one vector of head_dim each for q and k; "full": as wide as q and k
    sinks: bool = False
    learned_positions: bool = False
    position_offset: int = 0
    one_mixer_per_layer: bool = False  # a layer is attention, state space or feed-forward, not two of them
    embedding_norms: int = 0

    def extra_vectors(self, config: Config) -> int:
        """Return parameters beside the layers: norms of the embedding, the joining of hyper-connections."""
        hidden = config.whole("hidden_size", "n_embd", "d_model", "dim")
        streams = config.whole("hc_mult", default=0, least=0)
        joined = streams * streams * hidden + streams + 1 if streams else 0  # the last hyper-connection
        return self.embedding_norms * hidden * (1 + self.norm_bias) + joined


PLAIN = {"gated": False, "qkv_bias": True, "out_bias": True, "mlp_bias": True, "norm_bias": True}
TRAITS: dict[str, dict[str, Any]] = {
    "gpt2": {**PLAIN, "tied": True, "learned_positions": True},
    "gpt_neox": PLAIN,
    "opt": {**PLAIN, "tied": True, "learned_positions": True, "position_offset": 2},
    "bloom": {**PLAIN, "tied": True, "embedding_norms": 1},
    "falcon": {"gated": False, "tied": True, "norm_bias": True},
    "mpt": {"gated": False, "tied": True},
    "nemotron": {"gated": False, "norm_bias": True},
    "nemotron_h": {"gated": False, "one_mixer_per_layer": True, "norms": 1},
    "phi": {**PLAIN, "norms": 1},
    "qwen2": {"qkv_bias": True},
    "qwen2_moe": {"qkv_bias": True},
    "qwen3": {"qk_norm": "head"},
    "qwen3_moe": {"qk_norm": "head"},
    "qwen3_next": {"qk_norm": "head"},
    "qwen3_5_text": {"qk_norm": "head"},
    "qwen3_5_moe_text": {"qk_norm": "head"},
    "qwen3_vl_text": {"qk_norm": "head"},
    "qwen3_vl_moe_text": {"qk_norm": "head"},
    "gemma": {"tied": True},
    "gemma2": {"tied": True, "norms": 4},
    "gemma3": {"tied": True, "norms": 4, "qk_norm": "head"},
    "gemma3_text": {"tied": True, "norms": 4, "qk_norm": "head"},
    "gemma4_text": {"tied": True, "norms": 4, "qk_norm": "head"},
    "olmo": {"norms": 0},
    "olmo2": {"qk_norm": "full"},
    "olmo3": {"qk_norm": "full"},
    "gpt_oss": {"qkv_bias": True, "out_bias": True, "mlp_bias": True, "sinks": True},
    "minimax_m2": {"qk_norm": "full"},
    "glm": {"qkv_bias": True},
    "glm4": {"norms": 4, "qkv_bias": True},
    "glm4_moe": {"qk_norm": ""},
    "cohere": {"tied": True, "norms": 1},
    "starcoder2": {**PLAIN, "tied": True},
    "palm": {"tied": True, "norms": 1},
    "pangu_ultra_moe": {"norms": 4},
    "glm130b": {"qkv_bias": True, "out_bias": True, "mlp_bias": True, "norm_bias": True, "tied": True},
    "grok-1": {"tied": True, "norms": 4},
    "gpt_moe": {"gated": False, "tied": True},
}
LIKE_LLAMA = (  # gated, untied, two norms, no biases: nothing to add
    "llama", "mistral", "mixtral", "deepseek", "deepseek_v2", "deepseek_v3", "deepseek_v32", "deepseek_v4",
    "deepseek_ref", "kimi_k2", "llama4", "llama4_text", "glm_moe_dsa", "mimo", "qwen3_5_text",
)  # fmt: skip
# Keys that change what a layer is in ways that this reader does not follow: refused, or counts would be
# wrong.
NOT_READ = (
    "block_configs",
    "linear_attn_config",
    "sparse_attention_config",
    "hybrid_layer_pattern",
    "share_expert_dim",
    "vision_lm_shared",
    "attention_other_setting",
)


def refuse_unread(config: Config) -> None:
    """Refuse a config with a key that this reader does not follow.

    Raises: FileFormatError that names the key.
    """
    for key in NOT_READ:
        if config.get(key):
            raise FileFormatError(
                f"{config.where}: {key} is not read here, so its parameter count would be wrong"
            )
    kind = config.get("model_type")
    if kind is not None and not isinstance(kind, str):
        raise FileFormatError(f"{config.where}: model_type = {kind!r} is not text")
    if kind in ENCODER_DECODERS:
        raise FileFormatError(f"{config.where}: model_type = {kind!r}: encoder-decoders are not modelled")
    kinds = config.listed("indexer_types") or []
    if "shared" in kinds:
        raise FileFormatError(f"{config.where}: indexer_types = 'shared' is not read here")


ENCODER_DECODERS = ("t5", "mt5", "umt5", "longt5", "switch_transformers", "bart", "mbart", "whisper")


def unknown_kind(config: Config) -> str:
    """Return a note when the architecture's name is not known here, and so read as a Llama-like one."""
    kind = config.get("model_type")
    if kind in TRAITS or kind in LIKE_LLAMA:
        return ""
    return f"model_type = {kind!r} is not known here: read as a Llama-like network"


def traits_of(config: Config) -> Traits:
    """Return what the architecture named in a config takes for granted, the config's own flags on top."""
    kind = config.get("model_type")
    known = dict(TRAITS.get(kind, {})) if isinstance(kind, str) else {}
    for flag, names in (
        ("qkv_bias", ("attention_bias", "qkv_bias", "use_qkv_bias")),
        ("mlp_bias", ("mlp_bias",)),
    ):
        value = config.get(*names)
        if isinstance(value, bool):
            known[flag] = value
    if isinstance(config.get("attention_bias"), bool) and kind not in ("qwen2", "qwen2_moe", "glm4_moe"):
        known["out_bias"] = config.get("attention_bias")
    if (
        kind == "falcon"
        and config.get("multi_query") is True
        and config.get("new_decoder_architecture") is not True
    ):
        known["norms"] = 1  # attention and feed-forward side by side behind one norm
    if (
        not known.get("qk_norm")
        and config.get("use_qk_norm") is True
        and kind not in ("llama4_text", "llama4")
    ):
        known["qk_norm"] = "head"
    return Traits(**known)
