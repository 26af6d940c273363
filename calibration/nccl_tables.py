"""The NCCL tables of `aiconfigurator-core`, read where the package is installed; never copied."""

from __future__ import annotations

import importlib.util
import statistics
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PACKAGE = "aiconfigurator_core"
CHIPS = {  # folder of a system, its chip, chips of a server
    "a100_sxm": ("A100", 8), "h100_sxm": ("H100", 8), "h200_sxm": ("H200", 8), "b200_sxm": ("B200", 8),
    "b300_sxm": ("B300", 8), "gb200": ("GB200", 4), "gb300": ("GB300", 4), "l40s": ("L40S", 8),
}  # fmt: skip
NAMES = {"all_reduce": "all_reduce", "all_gather": "all_gather", "reduce_scatter": "reduce_scatter",
         "alltoall": "all_to_all"}  # fmt: skip
ELEMENT_BYTES = {"half": 2, "int8": 1}
SIZES = (256, 2**30)
# The L40S server of the tables has no peer access between its PCIe roots: 1.5 to 5 GB/s from four chips on.
MOST_RANKS = {"l40s": 2}

Key = tuple[str, str, str, int]


def installed() -> bool:
    """Return whether the package is there."""
    return importlib.util.find_spec(PACKAGE) is not None


def series() -> Iterator[tuple[Key, NDArray[np.float64]]]:
    """Yield (chip, NCCL version, collective, chips of a server) and rows of ranks, bytes, seconds.

    The median of repeated points counts.
    """
    if not installed():
        return
    import pyarrow.parquet as parquet

    found: dict[Key, dict[tuple[int, int], list[float]]] = {}
    for file, system, version in _files():
        for row in parquet.read_table(file).to_pylist():
            ranks, size = int(row["num_gpus"]), int(row["message_size"]) * ELEMENT_BYTES[row["nccl_dtype"]]
            if ranks > MOST_RANKS.get(system, ranks) or not SIZES[0] <= size <= SIZES[1]:
                continue
            chip, domain = CHIPS[system]
            key = (chip, version, NAMES[row["op_name"]], domain)
            found.setdefault(key, {}).setdefault((ranks, size), []).append(float(row["latency"]) * 1e-3)
    for key, points in sorted(found.items()):
        yield (
            key,
            np.array([(n, s, statistics.median(t)) for (n, s), t in sorted(points.items())], dtype=float),
        )


def _files() -> Iterator[tuple[Path, str, str]]:
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None
    assert spec.submodule_search_locations
    data = Path(next(iter(spec.submodule_search_locations))) / "systems" / "data"
    for file in sorted(data.glob("*/comm/nccl/*/nccl_perf.parquet")):
        system, version = file.parts[-5], file.parts[-2]
        if system in CHIPS:
            yield file, system, version
