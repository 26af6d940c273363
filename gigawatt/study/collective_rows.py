"""Predict the rows of a table of collective measurements; times and bandwidths are never read."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gigawatt.catalog.records import Machine
from gigawatt.comms import COLLECTIVES, Group, busbw_bytes_per_s, lower_bound_s, reaches, ring_s
from gigawatt.comms.constants import class_name
from gigawatt.errors import GigawattError
from gigawatt.study.network_words import machine_in_words
from gigawatt.study.row_cells import RowError, number_in, positive
from gigawatt.study.table_file import read_columns
from gigawatt.units import Bytes, BytesPerSecond, Count, Seconds

NEEDED = ("source", "system", "n_gpus", "collective", "size_bytes")
NAMES = {
    "all_reduce": "all_reduce", "allreduce": "all_reduce",
    "all_gather": "all_gather", "allgather": "all_gather",
    "reduce_scatter": "reduce_scatter", "reducescatter": "reduce_scatter",
    "all_to_all": "all_to_all", "alltoall": "all_to_all",
    "moe_dispatch_low_latency": "all_to_all", "moe_combine_low_latency": "all_to_all",
    "moe_dispatch_normal": "all_to_all", "moe_combine_normal": "all_to_all",
    "send_recv": "send_recv", "sendrecv": "send_recv",
}  # fmt: skip
# What a benchmark adds to a call: PyTorch's eager launch, about 20 us (all_reduce_bench.py of stas00's book,
# beside nccl-tests on the same servers).
HARNESS = ((r"all_reduce_bench|\btorch\b|pytorch", 20e-6), (r"stas00(?!.*nccl-tests)", 20e-6))
FORCED_RING = r"nccl_algo=ring"
MOST_BYTES = 1e15


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectivePrediction:
    """One row of the answer; numbers are nan where they are not known."""

    row: int  # from 1, without the header
    source: str
    system: str
    n_gpus: str
    collective: str
    size_bytes: str
    status: str  # ok, incomplete, unknown_chip, unsupported, inconsistent
    reason: str = ""
    time_us: float = float("nan")
    algbw_GBps: float = float("nan")
    busbw_GBps: float = float("nan")
    bound_us: float = float("nan")  # no algorithm needs less
    calibration: str = ""


def read_collective_rows(path: str | Path) -> list[dict[str, str]]:
    """Return the configuration columns of a table of collectives.

    Raises: FileFormatError when the file is not such a table.
    """
    return read_columns(path, NEEDED, optional=("notes",))


def predict_collectives(rows: Iterable[Mapping[str, str]]) -> Iterator[CollectivePrediction]:
    """Yield one prediction a row, in order; a row that cannot be predicted says why."""
    for index, row in enumerate(rows, 1):
        asked = CollectivePrediction(
            row=index,
            source=row["source"],
            system=row["system"],
            n_gpus=row["n_gpus"],
            collective=row["collective"],
            size_bytes=row["size_bytes"],
            status="ok",
        )
        try:
            yield dataclasses.replace(asked, **_numbers(row))
        except RowError as error:
            yield dataclasses.replace(asked, status=error.status, reason=error.reason)
        except GigawattError as error:
            yield dataclasses.replace(asked, status="unsupported", reason=str(error))


def _numbers(row: Mapping[str, str]) -> dict[str, Any]:
    name, chips = operation(row["collective"]), positive(row, "n_gpus")
    if chips < 2:
        raise RowError("inconsistent", f"n_gpus = {chips}: one chip has nobody to talk to")
    machine = machine_in_words(row["system"], chips, source=row["source"], notes=row.get("notes", ""))
    used = " + ".join(class_name(machine, i) for i in range(len(machine.levels)))
    if not row["size_bytes"] and row["collective"].startswith("moe_"):
        rate = exchange_bytes_per_s(chips, machine)
        return {
            "busbw_GBps": rate / 1e9,
            "calibration": used,
            "reason": "no size_bytes: the rate of long messages",
        }
    size = message_bytes(row["size_bytes"])
    seconds = collective_s(name, size, chips=chips, machine=machine, text=f"{row['system']} {row['source']}")
    bus = busbw_bytes_per_s(name, size, seconds=seconds, ranks=chips)
    if row["collective"].startswith("moe_"):  # a dispatcher's own "bottleneck bandwidth" is bytes over time
        bus = size / seconds
    bound = lower_bound_s(name, size, Group(ranks=chips), machine=machine)
    return {
        "time_us": float(seconds) * 1e6,
        "algbw_GBps": float(size / seconds) / 1e9,
        "busbw_GBps": float(bus) / 1e9,
        "bound_us": float(bound) * 1e6,
        "calibration": used,
    }


def message_bytes(text: str) -> float:
    """Return the size of a message.

    Raises: RowError when it is not a number of bytes.

    >>> message_bytes("17179869184")
    17179869184.0
    """
    if not text:
        raise RowError("incomplete", "size_bytes")
    try:
        size = number_in(text)
    except ValueError:
        raise RowError("inconsistent", f"size_bytes = {text!r} is not a number") from None
    if not 1.0 <= size <= MOST_BYTES:
        raise RowError("inconsistent", f"size_bytes = {text!r} is not in 1..{MOST_BYTES:.0e}")
    return size


def operation(collective: str) -> str:
    """Return the collective of a printed name.

    Raises: RowError when it is none that is modelled.

    >>> operation("alltoall")
    'all_to_all'
    """
    name = collective.strip().lower().replace("-", "_").removesuffix("_perf")
    if not name:
        raise RowError("incomplete", "collective")
    if name not in NAMES:
        raise RowError("unsupported", f"collective = {collective!r}; known: {', '.join(sorted(set(NAMES)))}")
    return NAMES[name]


def collective_s(name: str, size_bytes: Bytes, *, chips: Count, machine: Machine, text: str) -> Seconds:
    """Return the time of a collective as a benchmark prints it.

    Definition: the collective, by a ring where the benchmark forced one, + what the harness adds.
    """
    low, group = text.lower(), Group(ranks=chips)
    if name == "all_reduce" and re.search(FORCED_RING, low):
        seconds = ring_s(size_bytes, reaches(group, machine), crossings=2.0)
    else:
        seconds = COLLECTIVES[name](size_bytes, group, machine=machine)
    return seconds + next((added for words, added in HARNESS if re.search(words, low)), 0.0)


def exchange_bytes_per_s(chips: int, machine: Machine) -> BytesPerSecond:
    """Return what one chip's narrowest link carries of a long exchange between experts.

    Definition: the outermost level that the group uses, driven rate x fitted share.
    """
    used = [r for r in reaches(Group(ranks=chips), machine) if bool(r.used)]
    return float(used[-1].driven_bytes_per_s * used[-1].fitted.exchange_fraction)
