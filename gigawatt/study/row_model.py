"""The architecture that a row of a table describes: by name from the catalogue, else from its columns."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from functools import lru_cache

from gigawatt.catalog.architecture import transformer
from gigawatt.catalog.models import model, model_aliases
from gigawatt.catalog.records import Block, Model
from gigawatt.study.row_cells import RowError, number_in, whole
from gigawatt.workload.params import params

Row = Mapping[str, str]
UNMODELLED = ("t5", "encoder-decoder", "switch transformer")
MEGATRON_VOCAB = 51200  # the GPT-2 tokens padded to a multiple of 128 times 8, Megatron's default


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


def known_model(row: Row) -> Model | None:
    """Return the catalogue's model of a row's name when no dimension of the row contradicts it.

    A row with fewer layers is that model cut short (a proxy).
    """
    name = squeezed(row["model_name"])
    id = next((id for alias, id in _names().items() if len(alias) >= 6 and alias in name), None)
    if id is None:
        return None
    found, layers = model(id), whole(row, "layers", default=0)
    block = found.blocks[-1]
    said = {
        "hidden": found.hidden,
        "n_experts": block.moe.experts if block.moe else 0,
        "heads": _heads_like(found, row),
    }
    if any(row[name] and whole(row, name) != value for name, value in said.items()):
        return None
    if layers and layers > found.layers:
        return None
    if row["vocab"]:
        found = dataclasses.replace(found, vocab=whole(row, "vocab"))
    return cut_to(found, layers) if layers and layers != found.layers else found


def _heads_like(found: Model, row: Row) -> int:
    """Return the row's head count when some layer has it (hybrids have two kinds), else the model's."""
    heads = [b.mixer.core.heads for b in found.blocks]
    return whole(row, "heads") if row["heads"] and whole(row, "heads") in heads else heads[0]


def cut_to(found: Model, layers: int) -> Model:
    """Return a model with only its first layers.

    >>> cut_to(model("llama3.1-8b"), 4).layers
    4
    """
    blocks: list[Block] = []
    left = layers
    for block in found.blocks:
        if left > 0:
            blocks.append(dataclasses.replace(block, count=min(block.count, left)))
            left -= blocks[-1].count
    return dataclasses.replace(found, blocks=tuple(blocks), mtp_layers=0)


def row_model(row: Row) -> Model:
    """Return the model of a row.

    Raises: RowError that names the missing column.
    """
    notes = row["other_arch_notes"].lower()
    if any(word in f"{row['model_name']} {notes}".lower() for word in UNMODELLED):
        raise RowError(
            "unsupported", f"model_name = {row['model_name']!r}: encoder-decoder models are not modelled"
        )
    found = known_model(row)
    if found is not None:
        return found
    for name in ("layers", "hidden", "heads"):
        if not row[name]:
            raise RowError("incomplete", name)
    if "mla" in notes or "hybrid" in notes or "mamba" in notes:
        raise RowError(
            "unknown_model",
            f"model_name = {row['model_name']!r}: its latent or hybrid layers are not in the columns",
        )
    return _from_columns(row, notes)


def _from_columns(row: Row, notes: str) -> Model:
    gated, tied = _gated(notes, row), _tied(notes)
    candidates = [
        _build(row, notes, gated=g, tied=t)
        for g in ([gated] if gated is not None else [False, True])
        for t in ([tied] if tied is not None else [g is False, g is True])
    ]
    said = number_in(row["params_B"]) * 1e9 if row["params_B"] else 0.0
    if len(candidates) == 1 or not said:
        if gated is None and not said:
            raise RowError("incomplete", "other_arch_notes (gated or plain feed-forward network)")
        return candidates[0]
    return min(candidates, key=lambda m: abs(params(m).total / said - 1.0))


def _gated(notes: str, row: Row) -> bool | None:
    if any(word in notes for word in ("swiglu", "gated", "geglu", "llama")):
        return True
    if any(word in notes for word in ("2-matrix", "gelu", "gpt", "relu", "opt-")):
        return False
    if squeezed(row["model_name"]).startswith(("gpt", "megatron")):
        return False
    if squeezed(row["model_name"]).startswith(
        ("llama", "mixtral", "qwen", "mistral", "internlm", "deepseek")
    ):
        return True
    return None


def _tied(notes: str) -> bool | None:
    if "untied" in notes:
        return False
    if "tied" in notes or "gpt" in notes or "opt-" in notes:
        return True
    return None


def _build(row: Row, notes: str, *, gated: bool, tied: bool) -> Model:
    hidden, heads = whole(row, "hidden"), whole(row, "heads")
    if not row["head_dim"] and hidden % heads:
        raise RowError("incomplete", "head_dim")
    experts = whole(row, "n_experts", default=0)
    if experts and not row["experts_topk"]:
        raise RowError("incomplete", "experts_topk")
    gpt = not gated
    if not row["ffn_hidden"] and not gpt:
        raise RowError("incomplete", "ffn_hidden")
    if not row["vocab"] and not gpt:
        raise RowError("incomplete", "vocab")
    ffn = whole(row, "ffn_hidden", default=4 * hidden)
    moe_ffn = whole(row, "moe_ffn_hidden", default=ffn)
    shared = re.search(r"shared expert \((\d+)\)", notes)
    every = 2 if "every 2nd moe" in notes else 1
    built = transformer(
        id=squeezed(row["model_name"]) or "row",
        name=row["model_name"],
        layers=whole(row, "layers"),
        hidden=hidden,
        heads=heads,
        kv_heads=whole(row, "kv_heads", default=heads),
        head_dim=int(number_in(row["head_dim"])) if row["head_dim"] else None,
        ffn_hidden=ffn,
        vocab=whole(row, "vocab", default=MEGATRON_VOCAB),
        gated=gated,
        tied=tied,
        bias=gpt and "no bias" not in notes,
        norm_bias=gpt and "no bias" not in notes,
        learned_positions=whole(row, "seq_len", default=0)
        if "learned position" in notes or "gpt" in notes
        else 0,
        experts=experts,
        topk=whole(row, "experts_topk", default=0),
        moe_ffn_hidden=moe_ffn,
        shared_ffn_hidden=int(shared[1]) if shared else moe_ffn if "shared expert" in notes else 0,
        dense_layers=whole(row, "layers") // 2 if every == 2 else 0,
    )
    return built
