"""Read a Hugging Face config.json into an architecture, without running anything of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gigawatt.catalog.architecture import merged
from gigawatt.catalog.hf_config import Config, Traits, refuse_unread, traits_of, unknown_kind
from gigawatt.catalog.hf_layers import layer_block
from gigawatt.catalog.records import Model
from gigawatt.errors import FileFormatError

MAX_LAYERS = 10_000


def read_hf_config(path: str | Path) -> Model:
    """Return the model of a config.json, or of a folder that holds one.

    Raises: FileFormatError with the file, the key, the value and what is allowed.
    """
    file = Path(path)
    if file.is_dir():
        file = file / "config.json"
    try:
        raw = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise FileFormatError(f"{file}: cannot be read ({error.strerror or 'no such file'})") from None
    except UnicodeDecodeError:
        raise FileFormatError(f"{file}: is not UTF-8 text") from None
    except (json.JSONDecodeError, RecursionError) as error:
        where = f":{error.lineno}:{error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise FileFormatError(f"{file}{where}: is not JSON") from None
    if not isinstance(raw, dict):
        raise FileFormatError(f"{file}: holds a {type(raw).__name__}, not an object of keys")
    name = file.parent.name if file.name == "config.json" else file.stem
    return model_of(raw, id=name or "config", name=name or "config", where=str(file))


def model_of(raw: Mapping[str, Any], *, id: str, name: str, where: str) -> Model:
    """Return the model that a config describes. Multi-token-prediction layers are noted, not counted."""
    text = raw.get("text_config")
    top = dict(raw)
    keys = {**top, **text} if isinstance(text, dict) else top
    config = Config(keys=keys, where=where)
    refuse_unread(config)
    traits = traits_of(config)
    listed = len(config.listed("layers_block_type") or ()) or None
    layers = config.whole("num_hidden_layers", "n_layer", "n_layers", default=listed, most=MAX_LAYERS)
    hidden = config.whole("hidden_size", "n_embd", "d_model", "dim")
    vocab = config.whole("vocab_size")
    blocks = merged(layer_block(config, traits, i=i, layers=layers) for i in range(layers))
    tied = tie_embedding(config, top, text=text if isinstance(text, dict) else {}, traits=traits)
    positions = (
        config.whole("n_positions", "max_position_embeddings", default=0) if traits.learned_positions else 0
    )
    return Model(
        id=id,
        name=name,
        hidden=hidden,
        vocab=vocab,
        blocks=blocks,
        tied_embedding=tied,
        position_params=(positions + traits.position_offset) * hidden if positions else 0,
        vector_params=hidden * (1 + traits.norm_bias) + traits.extra_vectors(config),
        mtp_layers=config.whole(
            "mtp_num_layers",  # passes through one layer of weights, where a configuration says
            "num_nextn_predict_layers",
            "mtp_num_hidden_layers",
            "num_mtp_modules",
            default=0,
            least=0,
        ),
        max_seq_tokens=config.whole("max_position_embeddings", "n_positions", default=0, least=0),
        note=unknown_kind(config),
    )


def tie_embedding(config: Config, top: Mapping[str, Any], *, text: Mapping[str, Any], traits: Traits) -> bool:
    """Return whether head and embedding share one table; the default differs by architecture."""
    for keys in (text, top):
        said = keys.get("tie_word_embeddings")
        if isinstance(said, bool):
            return said
        if said is not None:
            raise FileFormatError(f"{config.where}: tie_word_embeddings = {said!r} is neither true nor false")
    return traits.tied
