"""Network classes: what links of one kind do with their line rate, and what their steps cost, as fitted."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np

from gigawatt.catalog.records import Machine
from gigawatt.units import BytesPerSecond, Fraction, Real, Seconds

EIGHT = 8  # chips of a server: a scale-up domain of more is a rack of servers


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkClass:
    """What one kind of link does with its line rate.

    Two protocols move a message: one that flags every word (low latency, low rate) and one that signals
    whole chunks (high rate). The better one counts.
    """

    latency_s: Seconds  # of one hop of the links that were measured; a longer one adds its excess
    launch_s: Seconds  # launch and first synchronisation of one collective; counts at the innermost level
    low_hop_s: Seconds  # one hop with flags in every word
    low_fraction: Fraction  # share of line rate with them
    start_s: Seconds  # what signalling whole chunks adds
    hop_s: Seconds  # one hop of whole chunks round a ring
    tree_hop_s: Seconds  # one hop of whole chunks up or down a tree
    ring_fraction: Fraction
    tree_fraction: Fraction
    serial_fraction: Fraction  # of the shorter of two stages of a tree that does not hide behind the longer
    most_bytes_per_s: BytesPerSecond  # what one chip's software drives, whatever its links carry
    fill: Real  # weight of the pipeline fill: 2 fill sqrt(start x stream) is added
    own: Real  # weight of the part that stays on its chip: it is copied, not sent
    switch_fraction: Fraction  # reduction inside the switch
    switch_rank_s: Seconds  # what every rank of a domain adds to its start
    switch_own: Real
    exchange_fraction: Fraction  # all-to-all
    exchange_own: Real
    exchange_start_s: Seconds
    peer_s: Seconds  # each peer of an all-to-all
    pair_fraction: Fraction  # one message to one peer


NAMES = tuple(f.name for f in fields(NetworkClass))


@lru_cache(maxsize=2)
def table(name: str) -> dict[str, Any]:
    """Return a calibration file: "network" (constants) or "network_kinds" (which class a link is of)."""
    return tomllib.loads(
        (files("gigawatt.catalog") / "data" / "calibration" / f"{name}.toml").read_text("utf-8")
    )


@lru_cache(maxsize=1)
def classes() -> dict[str, NetworkClass]:
    """Return every network class by name."""
    rows = table("network")["class"]
    return {name: network_class(name, rows) for name in rows}


def network_class(name: str, rows: Mapping[str, Mapping[str, Any]]) -> NetworkClass:
    """Return one class; what it does not say itself is that of the relative that it names."""
    row, found = rows[name], dict(rows[name])
    while "like" in row:
        row = rows[row["like"]]
        found = {**row, **found}
    return NetworkClass(**{n: float(found[n]) for n in NAMES})


def narrow_below_bytes_per_s(machine: Machine) -> BytesPerSecond:
    """Return the rate per chip below which a machine's network is of an older class; 0 where there is none.

    Definition: the calibration's table of narrow links.

    >>> from gigawatt.catalog import machine
    >>> narrow_below_bytes_per_s(machine("eagle"))
    0.0
    """
    narrow = table("network_kinds")["narrow"].get(_fabric(machine), {})
    return float(narrow.get("below_bytes_per_s", 0.0))


def _fabric(machine: Machine) -> str:
    """Return the class of the first known word of a fabric's description; Ethernet where there is none."""
    text, words = machine.fabric.lower(), table("network_kinds")["fabric_words"]
    return next((str(name) for word, name in words.items() if word in text), "ethernet")


def class_name(machine: Machine, level: int) -> str:
    """Return the network class of one level of a machine.

    The innermost level follows the chip (its links' generation) and then its family; the others the words of
    the fabric's description, plain Ethernet where none is known.
    """
    kinds = table("network_kinds")
    if level == 0:
        by_chip, by_family = kinds["scale_up_chip"], kinds["scale_up"]
        return str(by_chip.get(machine.chip.id) or by_family.get(machine.chip.family, "pcie"))
    name = _fabric(machine)
    narrow, racks = kinds["narrow"].get(name), kinds["between_racks"]
    # a column of rates is of one class: whoever makes it splits it at `narrow_below_bytes_per_s`
    if narrow and np.all(machine.levels[level].bytes_per_s < narrow["below_bytes_per_s"]):
        return str(narrow["class"])
    return str(racks[name]) if machine.scale_up.chips > EIGHT and name in racks else name
