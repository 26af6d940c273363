"""What a row says that is computed again, and what it leaves open."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gigawatt.perf.layout import Recompute
from gigawatt.study.row_framework import Framework

RECOMPUTED = (  # words, most of them of Megatron-Core's recompute_modules
    (r"norm", "norms"),
    (r"moe_act\b|\bact\b", "activations"),
    (r"up.?proj", "up"),
    (r"\bmlp\b", "dense"),
    (r"core_attn", "core"),
    (r"\bmoe\b", "routed"),
)


def recompute_mode(text: str) -> Recompute:
    """Return the recompute mode that a configuration's words mean; none when blank, as frameworks default.

    >>> recompute_mode("remat_policy=full"), recompute_mode("selective: mla_up_proj"), recompute_mode("")
    ('full', 'selective', 'none')
    """
    low = text.lower()
    if not low or re.match(r"none|no\b|false|off|0$|disabled", low):
        return "none"
    if re.search(r"full|uniform|block|^(true|yes|on|1)$|every layer", low):
        return "full"
    return "selective"


def recomputed_parts(text: str) -> str:
    """Return the parts of a layer that a configuration names to be recomputed; none where it names none.

    >>> recomputed_parts("selective: mla_up_proj+mlp"), recomputed_parts("selective op")
    ('up+dense', '')
    """
    low = text.lower()
    if recompute_mode(text) != "selective" or "removed" in low:
        return ""
    return "+".join(part for words, part in RECOMPUTED if re.search(words, low))


@dataclass(frozen=True, kw_only=True, slots=True)
class Mode:
    """What is recomputed, in which share of the layers, and what of the rest waits in host memory."""

    recompute: Recompute
    share: float = 1.0
    offload: float = 0.0
    keeps_attention: bool = False


MODES = (  # lightest work first; frameworks recompute any number of layers, here by eighths
    Mode(recompute="none"),
    Mode(recompute="selective"),
    *(Mode(recompute="full", share=eighth / 8.0) for eighth in range(1, 9)),
    Mode(recompute="full", offload=1.0),
)
WHOLE = (MODES[-2], MODES[-1])
CUSTOM = (Mode(recompute="full", keeps_attention=True), *WHOLE)  # as named tensors of a layer are kept


def kept_modes(text: str, framework: Framework) -> tuple[Mode, ...]:
    """Return the recompute modes that a configuration's words leave open, lightest work first.

    In frameworks that wrap layers or operators one by one, "selective" does not say how many, but where the
    framework's own choice is known; where recompute is one switch, it is on for all layers or for none.

    >>> from gigawatt.perf import stack
    >>> plain = Framework(stack=stack("modern"), flop="causal")
    >>> [len(kept_modes(text, plain)) for text in ("", "selective", "remat_policy custom/full (see recipe)")]
    [11, 0, 3]
    """
    if not text:
        return (MODES[0], *WHOLE) if framework.all_or_none else MODES
    if framework.selective_share and recompute_mode(text) == "selective":
        return (Mode(recompute="full", share=framework.selective_share),)
    if "custom" in text.lower():
        return CUSTOM
    if framework.offloads and recompute_mode(text) == "full":
        return WHOLE
    return MODES[1:-1] if framework.selects_layers and recompute_mode(text) == "selective" else ()
