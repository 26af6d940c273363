"""The architecture that a row of a table describes: by name from the catalogue, else from its columns."""

from __future__ import annotations

import dataclasses
import re
from functools import lru_cache

from gigawatt.catalog.architecture import Mla, transformer
from gigawatt.catalog.models import model, model_aliases
from gigawatt.catalog.records import Block, Model
from gigawatt.study.row_cells import Row, RowError, amount, positive, whole
from gigawatt.study.row_framework import default_vocab
from gigawatt.workload.params import params

UNMODELLED = r"\b(m?t5|flan-t5|ul2|bert|roberta|encoder-decoder|encoder-only|switch transformer)\b|\bt5-"
LATENT = r"q_lora (\d+).*kv_lora (\d+).*qk (\d+) ?\+ ?(\d+).*\bv (\d+)"
PLAIN = ("gpt", "megatron", "opt", "bloom", "mpt", "falcon", "pythia", "nemotron4")  # feed-forward networks
GATED = (
    "llama", "codellama", "mixtral", "mistral", "qwen", "internlm", "deepseek", "baichuan", "aquila", "yi",
    "olmo", "gemma", "granite", "minicpm", "chatglm", "grok", "kimi", "skywork",
)  # fmt: skip
NEAR = 0.12  # of the printed parameters: enough for other vocabularies, not for another model


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    """Return catalogue ids by squeezed name, longest first."""
    names = {squeezed(alias): id for alias, id in model_aliases().items()}
    return dict(sorted(names.items(), key=lambda item: -len(item[0])))


def squeezed(name: str) -> str:
    """Return a name without case and separators.

    >>> squeezed("Qwen3_30B_a3B")
    'qwen330ba3b'
    """
    return re.sub(r"[^a-z0-9]", "", name.lower())


def row_model(row: Row, *, prediction_layers: bool, assumed: list[str]) -> Model:
    """Return the model of a row; what had to be assumed is added to `assumed`.

    Raises: RowError that names the missing column.
    """
    notes = row["other_arch_notes"].lower()
    if re.search(UNMODELLED, f"{row['model_name']} {notes}".lower()):
        raise RowError("unsupported", f"model_name = {row['model_name']!r}: only decoders are modelled")
    found = known_model(row)
    if found is None:
        for name in ("layers", "hidden", "heads"):
            positive(row, name)
        found = _from_columns(row, notes, assumed=assumed)
    without = re.search(r"(w/o|without|no) mtp", row["model_name"].lower())
    return found if prediction_layers and not without else dataclasses.replace(found, mtp_layers=0)


# ------------------------------------------------------------------------------------- by name


def known_model(row: Row) -> Model | None:
    """Return the catalogue's model of a row's name when no dimension of the row contradicts it.

    A row with fewer layers is that model cut short (a proxy).
    """
    name, layers = squeezed(row["model_name"]), whole(row, "layers", default=0)
    for alias, id in _names().items():
        if (alias == name or (len(alias) >= 6 and alias in name)) and _agrees(model(id), row, layers=layers):
            return _as_in(row, model(id), layers=layers)
    return None


def _agrees(found: Model, row: Row, *, layers: int) -> bool:
    """Return whether every dimension that a row prints is the model's."""
    moe = found.blocks[-1].moe
    printed_shape = bool(row["layers"] and row["hidden"])
    if layers > found.layers or (printed_shape and moe and not row["n_experts"]):
        return False
    if "learned position" in row["other_arch_notes"].lower() and not found.position_params:
        return False
    cores = [b.mixer.core for b in found.blocks]
    widths = {b.mlp.width for b in found.blocks if b.mlp}
    said = {
        "hidden": {found.hidden},
        "n_experts": {moe.experts if moe else 0},
        "experts_topk": {moe.topk if moe else 0},
        "heads": {core.heads for core in cores},
        "kv_heads": {core.kv_heads for core in cores} if row["head_dim"] and not _latent(row) else set(),
        "ffn_hidden": widths if not moe and len(found.blocks) == 1 else set(),
    }
    fits = all(not row[n] or not values or whole(row, n) in values for n, values in said.items())
    return fits and _parameters_agree(found, row, layers=layers)


def _latent(row: Row) -> bool:
    return "mla" in row["other_arch_notes"].lower()


def _parameters_agree(found: Model, row: Row, *, layers: int) -> bool:
    said = amount(row, "params_B")
    whole_model = layers in (0, found.layers) and said
    return not whole_model or abs(params(found).total / (whole_model * 1e9) - 1.0) < NEAR


def _as_in(row: Row, found: Model, *, layers: int) -> Model:
    if row["vocab"]:
        found = dataclasses.replace(found, vocab=positive(row, "vocab"))
    dense = re.search(r"dense_layers=(\d+)", row["other_arch_notes"])
    if not layers or layers == found.layers or not _falls_on_stages(row, found, layers=layers):
        return found
    return cut_to(found, layers, dense=int(dense[1]) if dense else None)


def _falls_on_stages(row: Row, found: Model, *, layers: int) -> bool:
    """Return whether a row may hold so few layers: not where only the whole model falls on its stages.

    Source: Narayanan 2021, arXiv:2104.04473 sec. 2.2 (layers are a multiple of stages times chunks).
    """
    slots = whole(row, "pp", default=1) * whole(row, "vpp", default=1)
    return slots < 2 or layers % slots == 0 or found.layers % slots != 0


def cut_to(found: Model, layers: int, *, dense: int | None = None) -> Model:
    """Return a model with only its first layers, or with so many dense ones before its expert layers.

    >>> cut_to(model("llama3.1-8b"), 4).layers
    4
    >>> [block.count for block in cut_to(model("deepseek-v3"), 4, dense=1).blocks]
    [1, 3]
    """
    blocks: list[Block] = []
    left = layers
    for block in found.blocks:
        count = block.count if dense is None or block.moe else min(block.count, dense)
        if min(count, left) > 0:
            blocks.append(dataclasses.replace(block, count=min(count, left)))
            left -= blocks[-1].count
    return dataclasses.replace(found, blocks=tuple(blocks), mtp_layers=0)


# ------------------------------------------------------------------------------------- by columns


def _from_columns(row: Row, notes: str, *, assumed: list[str]) -> Model:
    """Return the model of a row's columns; where they leave two readings, that of the printed parameters."""
    unprinted = _latent(row) and not re.search(LATENT, notes)
    if unprinted or re.search(r"hybrid|mamba|linear attention|delta", notes):
        raise RowError(
            "unknown_model",
            f"model_name = {row['model_name']!r}: its latent or hybrid layers are not in the columns",
        )
    gated, tied = _gated(notes, row), _tied(notes)
    candidates = [
        _build(row, notes, gated=g, tied=t)
        for g in ([gated] if gated is not None else [False, True])
        for t in ([tied] if tied is not None else [g is False, g is True])
        if row["ffn_hidden"] or row["moe_ffn_hidden"] or not g
    ]
    said = amount(row, "params_B")
    if not candidates or (gated is None and not said):
        missing = "ffn_hidden" if gated else "other_arch_notes (gated or plain feed-forward network)"
        raise RowError("incomplete", missing)
    best = min(candidates, key=lambda m: abs(params(m).total / (said * 1e9) - 1.0)) if said else candidates[0]
    if not row["vocab"]:
        source = default_vocab(row, gated=_is_gated(best))[1]
        assumed.append(f"vocab = {best.vocab}: {source}")
    return best


def _is_gated(built: Model) -> bool:
    last = built.blocks[-1]
    mlp = last.moe.expert if last.moe else last.mlp
    return bool(mlp and mlp.gated)


def _gated(notes: str, row: Row) -> bool | None:
    """Return whether the feed-forward network is gated, None where neither words nor name say."""
    if re.search(r"swiglu|(?<!un)(?<!non-)gated|geglu|llama|silu", notes):
        return True
    if re.search(r"2-matrix|gelu|gpt|relu|opt-|plain mlp|ungated|non-gated", notes):
        return False
    name = squeezed(row["model_name"])
    if name.startswith(PLAIN):
        return False
    return True if name.startswith(GATED) else None


def _tied(notes: str) -> bool | None:
    if "untied" in notes:
        return False
    if "tied" in notes or "gpt" in notes or "opt-" in notes:
        return True
    return None


def _build(row: Row, notes: str, *, gated: bool, tied: bool) -> Model:
    hidden, heads, layers = (positive(row, name) for name in ("hidden", "heads", "layers"))
    if not row["head_dim"] and hidden % heads:
        raise RowError("incomplete", "head_dim")
    head_dim = positive(row, "head_dim", default=hidden // heads)
    experts = whole(row, "n_experts", default=0)
    ffn = positive(row, "ffn_hidden", default=whole(row, "moe_ffn_hidden", default=4 * hidden))
    moe_ffn = positive(row, "moe_ffn_hidden", default=ffn)
    shared = re.search(r"shared expert \((\d+)\)", notes)
    biased = not gated and not re.search(r"no bias|without bias", notes)
    return transformer(
        id=squeezed(row["model_name"]) or "row",
        name=row["model_name"],
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=positive(row, "kv_heads", default=heads),
        head_dim=head_dim,
        ffn_hidden=ffn,
        vocab=positive(row, "vocab", default=default_vocab(row, gated=gated)[0]),
        gated=gated,
        tied=tied,
        bias=biased,
        norm_bias=biased,
        learned_positions=_learned_positions(row, notes),
        experts=experts,
        topk=positive(row, "experts_topk") if experts else 0,
        moe_ffn_hidden=moe_ffn,
        shared_ffn_hidden=int(shared[1]) if shared else moe_ffn if "shared expert" in notes else 0,
        dense_layers=_dense_layers(notes, layers),
        mla=_mla(notes),
    )


def _learned_positions(row: Row, notes: str) -> int:
    learned = "learned position" in notes or ("gpt" in notes and not re.search("alibi|rope|rotary", notes))
    return whole(row, "seq_len", default=0) if learned else 0


def _dense_layers(notes: str, layers: int) -> int:
    """Return how many layers of a mixture of experts are dense: "first 3 layers dense", "every 2nd MoE"."""
    first = re.search(r"first (\d+|layer)(?: layers?)? dense|dense_layers=(\d+)", notes)
    if first:
        return int((first[1] or first[2]).replace("layer", "1"))
    return layers // 2 if "every 2nd moe" in notes else 0


def _mla(notes: str) -> Mla | None:
    found = re.search(LATENT, notes)
    if not found:
        return None
    query, key, nope, rope, value = (int(text) for text in found.groups())
    return Mla(q_lora_rank=query, kv_lora_rank=key, nope_head_dim=nope, rope_head_dim=rope, v_head_dim=value)
