"""The measured kernel times of the package aiconfigurator-core: found, filtered, merged, thinned.

The rows are read where pip installed them and never copied. Of the versions of one backend the one with the
most rows speaks. A shape measured by several backends becomes one time by the operator's `Rule`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PACKAGE = "aiconfigurator-core"
Column = NDArray[np.float64]
SYSTEMS = {  # chip of the catalogue -> folder of the package
    "a100-sxm": "a100_sxm",
    "h100-sxm": "h100_sxm",
    "h200-sxm": "h200_sxm",
    "b200-sxm": "b200_sxm",
    "b300-sxm": "b300_sxm",
    "gb200": "gb200",
    "gb300": "gb300",
    "l40s": "l40s",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """How the backends' times of one shape become one, and why."""

    named: str  # the package's name of the dtype
    backends: tuple[str, ...]  # empty: all
    pick: str  # "median" or "fastest"
    why: str


ALL: tuple[str, ...] = ()
PRODUCT_RULES = {
    "bf16": Rule(
        named="bfloat16", backends=ALL, pick="median", why="all backends call the same library, cuBLASLt"
    ),
    "fp8": Rule(
        named="fp8", backends=("trtllm",), pick="median", why="calls cuBLASLt, as training frameworks do"
    ),
    "fp8_block": Rule(
        named="fp8_block", backends=("trtllm",), pick="median", why="tuned kernels for scales of 128 elements"
    ),
    "nvfp4": Rule(
        named="nvfp4", backends=ALL, pick="fastest", why="kernels still differ, the best is copied"
    ),
}
ATTENTION_RULE = Rule(
    named="bfloat16", backends=ALL, pick="fastest", why="training uses the fastest kernel there is"
)
CAST_RULE = Rule(named="fp8", backends=("trtllm", "vllm"), pick="fastest", why="a pure read and write")
EXPERT_RULES = {
    "bf16": Rule(named="bfloat16", backends=("trtllm",), pick="median", why="CUTLASS grouped kernel"),
    "fp8": Rule(named="fp8", backends=("trtllm",), pick="median", why="CUTLASS grouped kernel"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """Measured kernels of one operator, chip and dtype: columns of shapes and of seconds."""

    shape: dict[str, Column]
    seconds: Column
    measured: int  # rows of the package behind them
    files: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.seconds)

    def take(self, where: NDArray[Any]) -> Rows:
        """Return some of the rows."""
        shape = {name: column[where] for name, column in self.shape.items()}
        return Rows(shape=shape, seconds=self.seconds[where], measured=self.measured, files=self.files)


def root() -> Path | None:
    """Return the folder of the package's measurements, None when it or its reader is not installed."""
    found = importlib.util.find_spec("aiconfigurator_core")
    if found is None or found.origin is None or importlib.util.find_spec("pyarrow") is None:
        return None
    return Path(found.origin).parent / "systems" / "data"


def package_version() -> str:
    """Return the version of the installed package."""
    return version(PACKAGE)


def _read(path: Path, columns: Sequence[str], filters: list[tuple[str, str, Any]]) -> Any:
    parquet: Any = import_module("pyarrow.parquet")
    known = set(parquet.read_schema(path).names)
    usable = [f for f in filters if f[0] in known]  # a column that a backend lacks is at its default
    return parquet.read_table(path, columns=list(columns), filters=usable or None)


def _chosen(folder: Path, name: str, backends: Sequence[str]) -> list[Path]:
    """Return one file per backend: of its versions the one with the most rows."""
    parquet: Any = import_module("pyarrow.parquet")
    found: dict[str, list[tuple[int, str]]] = {}
    for path in sorted(folder.glob(f"*/*/{name}")):
        backend = path.parts[-3]
        if not backends or backend in backends:
            found.setdefault(backend, []).append((parquet.read_metadata(path).num_rows, str(path)))
    return [Path(max(versions)[1]) for _, versions in sorted(found.items())]


def merged(table: NDArray[Any], pick: str) -> tuple[NDArray[Any], Column]:
    """Return each shape once, with the median or the least of its times (last column)."""
    if not len(table):
        return table[:, :-1], table[:, -1]
    shapes, group = np.unique(table[:, :-1], axis=0, return_inverse=True)
    group = group.ravel()
    order = np.lexsort((table[:, -1], group))
    times = table[order, -1]
    count = np.bincount(group)
    first = np.concatenate(([0], np.cumsum(count)[:-1]))
    if pick == "fastest":
        return shapes, times[first]
    return shapes, 0.5 * (times[first + (count - 1) // 2] + times[first + count // 2])


def rows_of(
    place: Path,
    name: str,
    *,
    rule: Rule,
    columns: Sequence[str],
    filters: list[tuple[str, str, Any]],
    keep: Callable[[dict[str, Column]], NDArray[Any]] | None = None,
) -> Rows:
    """Return the rows of one operator of one chip, each shape once."""
    files = _chosen(place, name, rule.backends)
    tables = [_read(f, [*columns, "latency"], filters) for f in files]
    stacked = [
        np.stack([t[c].to_numpy().astype(float) for c in (*columns, "latency")], axis=1) for t in tables
    ]
    table = np.concatenate([*stacked, np.empty((0, len(columns) + 1))])
    table = table[table[:, -1] > 0.0]
    if keep is not None:
        table = table[keep(dict(zip(columns, table.T[:-1], strict=True)))]
    shapes, milliseconds = merged(table, rule.pick)
    used = tuple("/".join(f.parts[-5:]) for f, t in zip(files, tables, strict=True) if len(t))
    return Rows(
        shape=dict(zip(columns, shapes.T, strict=True)),
        seconds=milliseconds * 1e-3,
        measured=len(table),
        files=used,
    )


def thinned(rows: Rows, cells: Sequence[NDArray[Any]]) -> Rows:
    """Return one row per cell, each of a cell in its turn, so that every size counts alike."""
    if not len(rows):
        return rows
    _, cell = np.unique(np.stack(cells, axis=1), axis=0, return_inverse=True)
    order = np.argsort(cell.ravel(), kind="stable")
    count = np.bincount(cell.ravel())
    first = np.concatenate(([0], np.cumsum(count)[:-1]))
    return rows.take(order[first + np.arange(len(count)) % count])


def octave(column: Column, steps: int = 1) -> Column:
    """Return the nearest power of two, or of its root of `steps`, as an exponent."""
    return np.round(steps * np.log2(column))


def products(place: Path, dtype: str) -> Rows:
    """Return matrix products of training sizes."""
    rule = PRODUCT_RULES[dtype]
    sizes = [(c, ">=", 128) for c in ("m", "n", "k")]
    rows = rows_of(
        place / "gemm",
        "gemm_perf.parquet",
        rule=rule,
        columns=("m", "n", "k"),
        filters=[("gemm_dtype", "==", rule.named), *sizes],
    )
    s = rows.shape
    return thinned(rows, [octave(s["m"]), octave(s["n"], 2), octave(s["k"], 2)])


def attention(place: Path) -> Rows:
    """Return causal 16-bit attention over whole sequences."""
    rule = ATTENTION_RULE
    rows = rows_of(
        place / "attention",
        "context_attention_perf.parquet",
        rule=rule,
        columns=("batch_size", "isl", "num_heads", "num_key_value_heads", "head_dim"),
        filters=[
            ("attn_dtype", "==", rule.named),
            ("kv_cache_dtype", "==", rule.named),
            ("window_size", "==", 0),
            ("step", "==", 0),
            ("isl", ">=", 512),
            ("head_dim", "in", (64, 128, 256)),  # the sizes that every backend has a tuned kernel for
        ],
    )
    s = rows.shape
    cells = [octave(s["batch_size"] * s["num_heads"]), s["isl"], s["head_dim"]]
    return thinned(rows, [*cells, octave(s["num_heads"] / s["num_key_value_heads"])])


def latent_attention(place: Path) -> Rows:
    """Return causal 16-bit attention with heads of 192 and 128, as DeepSeek's."""
    rule = ATTENTION_RULE
    rows = rows_of(
        place / "mla",
        "context_mla_perf.parquet",
        rule=rule,
        columns=("batch_size", "isl", "num_heads"),
        filters=[
            ("mla_dtype", "==", rule.named),
            ("kv_cache_dtype", "==", rule.named),
            ("step", "==", 0),
            ("isl", ">=", 2048),
        ],
    )
    busy = rows.shape["batch_size"] * rows.shape["num_heads"] >= 16
    return rows.take(busy)


def casts(place: Path) -> Rows:
    """Return casts to 8 bits with a known scale: two bytes read, one written; too large for the caches."""
    return rows_of(
        place / "quantize",
        "scale_matrix_perf.parquet",
        rule=CAST_RULE,
        columns=("m", "k"),
        filters=[("quant_dtype", "==", CAST_RULE.named)],
        keep=lambda s: 3.0 * s["m"] * s["k"] >= 2**27,
    )


def experts(place: Path, dtype: str) -> Rows:
    """Return whole expert layers (gated, balanced routing, at least 128 tokens an expert)."""
    rule = EXPERT_RULES[dtype]
    columns = ("num_tokens", "hidden_size", "inter_size", "topk", "num_experts", "moe_tp_size", "moe_ep_size")
    return rows_of(
        place / "moe",
        "moe_perf.parquet",
        rule=rule,
        columns=columns,
        filters=[
            ("moe_dtype", "==", rule.named),
            ("distribution", "==", "balanced"),
            ("kernel_source", "==", "moe_torch_flow_cutlass"),
        ],
        keep=lambda s: (
            (s["num_tokens"] * s["topk"] >= 128 * s["num_experts"])
            & (s["inter_size"] >= 256 * s["moe_tp_size"])
        ),
    )


def of_training(rows: Rows) -> NDArray[Any]:
    """Return which rows have sizes of a training step: 2,048 tokens or more, matrices of 1,024 or more."""
    s = rows.shape
    large = np.ones(len(rows), dtype=bool)
    if "n" in s:
        large &= (s["m"] >= 2048) & (s["n"] >= 1024) & (s["k"] >= 1024)
    if "isl" in s:
        large &= (s["isl"] >= 2048) & (s["batch_size"] * s["num_heads"] >= 16)
    if "num_experts" in s:
        large &= s["inter_size"] >= 1024 * s["moe_tp_size"]
    return large
