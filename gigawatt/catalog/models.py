"""Models of the catalogue, and of any Hugging Face config.json."""

from __future__ import annotations

import dataclasses
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from gigawatt.catalog.hf import model_of, read_hf_config
from gigawatt.catalog.load import DATA, fact_of, facts_of
from gigawatt.catalog.records import Model
from gigawatt.errors import unknown_name

RECIPE = ("seq_tokens", "batch_tokens", "tokens", "dtype")


@lru_cache(maxsize=1)
def model_ids() -> tuple[str, ...]:
    """Return the ids of all models, sorted."""
    return tuple(sorted(p.name[:-5] for p in (DATA / "models").iterdir() if p.name.endswith(".toml")))


@lru_cache(maxsize=256)
def _rows(id: str) -> dict[str, Any]:
    return tomllib.loads((DATA / "models" / f"{id}.toml").read_text("utf-8"))


@lru_cache(maxsize=1)
def _aliases() -> dict[str, str]:
    return {alias.lower(): id for id in model_ids() for alias in (id, *_rows(id)["aliases"])}


@lru_cache(maxsize=256)
def model(id: str) -> Model:
    """Return a model of the catalogue by id or alias.

    Raises: InputError with the nearest names.
    """
    key = id.strip().lower()
    if key not in model_ids():
        if key not in _aliases():
            raise unknown_name("model", id, model_ids())
        key = _aliases()[key]
    rows, where = _rows(key), f"models/{key}.toml"
    config = {"source": rows["source"], "kind": "spec", "value": 0.0}
    fact_of("config", config, where=where)  # the dimensions have a source too
    found = model_of(rows["config"], id=rows["id"], name=rows["name"], where=where)
    return dataclasses.replace(
        found,
        rumoured=rows.get("rumoured", False),
        recipe=facts_of(rows.get("recipe", {}), where=where),
        facts=facts_of(rows.get("facts", {}), where=where),
        note=rows.get("note", ""),
    )


def find_model(name: str) -> Model:
    """Return a model of the catalogue, or of a config.json when the name is a path.

    Raises: InputError for a name that is not known; FileFormatError for a file that is not a config.
    """
    is_path = name.endswith(".json") or "/" in name
    if is_path or (name.lower() not in _aliases() and Path(name).is_dir()):
        return read_hf_config(name)
    return model(name)


def model_aliases() -> dict[str, str]:
    """Return the id of every name that a model goes by."""
    return dict(_aliases())
