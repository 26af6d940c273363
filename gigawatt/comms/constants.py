"""Network classes: fitted shares of line rate and step costs, read from the calibration data."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from gigawatt.catalog.records import Machine


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkClass:
    """What one kind of link does with its line rate."""

    ring: float
    nvls: float  # reduction inside the switch
    a2a: float
    p2p: float
    hop: float  # factor on a level's latency
    fill: float  # weight of the pipeline-fill term


@lru_cache(maxsize=1)
def table() -> dict[str, Any]:
    """Return the calibration file."""
    return tomllib.loads(
        (files("gigawatt.catalog") / "data" / "calibration" / "network.toml").read_text("utf-8")
    )


@lru_cache(maxsize=1)
def classes() -> dict[str, NetworkClass]:
    """Return every network class by name."""
    names = NetworkClass.__dataclass_fields__
    return {k: NetworkClass(**{n: v[n] for n in names}) for k, v in table()["class"].items()}


def class_name(machine: Machine, level: int) -> str:
    """Return the network class of one level of a machine.

    The innermost level follows the chip's family; the others the words of the fabric's description, plain
    Ethernet where none is known.
    """
    if level == 0:
        return str(table()["scale_up"].get(machine.chip.family, "pcie"))
    text = machine.fabric.lower()
    return next((str(name) for word, name in table()["fabric_words"].items() if word in text), "ethernet")
