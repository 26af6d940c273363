"""Networks of round numbers, and the network class that loses nothing."""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from typing import Any

import pytest

from gigawatt.catalog.machines import machine, machine_ids
from gigawatt.catalog.records import Chip, Level, Machine, Site
from gigawatt.comms import constants
from gigawatt.comms.constants import NetworkClass
from gigawatt.errors import UnknownFactError

SITE = Site(id="s", pue=1.0, usd_per_kwh=0.0, kg_co2e_per_kwh=0.0)


def toy_machine(*levels: Level, chips: int | None = None) -> Machine:
    """Return a machine of some network levels."""
    chip = Chip(id="toy", name="toy", vendor="toy", family="toy", shipping=True, facts={})
    count = chips or levels[-1].chips
    return Machine(
        id="toy",
        name="toy",
        owner="",
        shipping=True,
        chip=chip,
        chips=count,
        chips_per_node=levels[0].chips,
        levels=levels,
        site=SITE,
    )


def level(chips: int, bytes_per_s: float, **other: Any) -> Level:
    """Return a level of a network without latency."""
    return Level(
        **{"name": f"of {chips}", "latency_s": 0.0, **other, "chips": chips, "bytes_per_s": bytes_per_s}
    )


def lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every link reach its line rate, and every collective start at once."""
    names = [f.name for f in dataclasses.fields(NetworkClass)]
    shares = {name: 1.0 for name in names if name.endswith("_fraction")}
    limits = {name: math.inf for name in names if name.endswith("_bytes_per_s")}
    perfect = NetworkClass(**{**dict.fromkeys(names, 0.0), **shares, **limits, "serial_fraction": 0.0})
    monkeypatch.setattr(constants, "classes", lambda: defaultdict(lambda: perfect))


def every_machine() -> tuple[Machine, ...]:
    """Return every machine of the catalogue whose network is known."""
    found = []
    for name in machine_ids():
        try:
            found.append(machine(name))
        except UnknownFactError:
            continue
    return tuple(found)
