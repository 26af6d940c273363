"""A layout in words: what matters is said, also where it is 1 or true; what does not act is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def words_of(row: Row) -> dict[str, str]:
    """Return a layout's parts as text by short name, in the order in which ranks are counted.

    >>> words_of({"tp": 1, "cp": 1, "pp": 1, "chunks": 1, "dp_replicate": 1, "dp_shard": 8, "ep": 1, "etp": 1,
    ...           "microbatch_sequences": 2, "recompute": "none", "schedule": "1f1b", "zero_stage": 1,
    ...           "sequence_parallel": True, "offload_optimizer": False})
    {'tp': '1', 'pp': '1', 'dp': '8', 'mbs': '2', 'ZeRO': '1', 'recompute': 'none'}
    """
    replicas, shards = row["dp_replicate"], row["dp_shard"]
    told = {
        "tp": str(row["tp"]),
        "sp": "yes" if row["sequence_parallel"] else "no",
        "cp": str(row["cp"]),
        "pp": str(row["pp"]),
        "vp": str(row["chunks"]),
        "dp": f"{replicas * shards}" + (f" ({replicas} x {shards})" if replicas > 1 else ""),
        "ep": str(row["ep"]),
        "etp": str(row["etp"]),
        "mbs": str(row["microbatch_sequences"]),
        "ZeRO": str(row["zero_stage"]),
        "recompute": _recomputed(row),
        "schedule": row["schedule"],
        "offload": _offloaded(row),
    }
    acts = {  # what does nothing here is not said
        "sp": row["tp"] > 1,
        "cp": row["cp"] > 1,
        "vp": row["chunks"] > 1,
        "ep": row["ep"] > 1 or row["etp"] > 1,
        "etp": row["etp"] > 1,
        "ZeRO": replicas * shards > 1,
        "schedule": row["pp"] > 1,
        "offload": bool(_offloaded(row)),
    }
    return {name: text for name, text in told.items() if acts.get(name, True)}


def _recomputed(row: Row) -> str:
    share = row.get("recompute_share", 1.0)
    partly = row["recompute"] != "none" and share < 1
    return f"{row['recompute']} of {100 * share:.3g} % of layers" if partly else str(row["recompute"])


def _offloaded(row: Row) -> str:
    """Return what waits in host memory."""
    share = row.get("offload_activations", 0.0)
    parts = ["optimizer"] if row["offload_optimizer"] else []
    return " and ".join([*parts, f"{100 * share:.3g} % of activations"] if share else parts)


def layout_line(row: Row, *, shared_by: Sequence[Row] = ()) -> str:
    """Return a layout as one line; with others, only what all of them share."""
    told, others = words_of(row), [words_of(other) for other in shared_by]
    shared = {k: v for k, v in told.items() if all(o.get(k) == v for o in others)}
    line = ", ".join(f"{name} {text}" for name, text in shared.items())
    return f"{line}; {row['microbatches']:,} microbatches" if "microbatches" in row else line


def layout_columns(rows: Sequence[Row]) -> list[dict[str, str]]:
    """Return, per layout, only the parts in which the layouts differ."""
    told = [words_of(row) for row in rows]
    names = list(dict.fromkeys(name for words in told for name in words))
    differ = [name for name in names if len({words.get(name, "") for words in told}) > 1]
    return [{name: words.get(name, "-") for name in differ} for words in told]
