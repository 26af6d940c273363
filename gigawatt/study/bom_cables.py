"""The cables of a machine: how many, how long, of what, and the modules at their ends."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

from gigawatt.catalog.load import defaults
from gigawatt.catalog.parts import Part, parts_of
from gigawatt.catalog.records import Fact
from gigawatt.fabric import CLASSES, Hall, length_class, longest_cable_m, mean_cable_m
from gigawatt.study.bom_network import Network, Tier
from gigawatt.units import format as fmt

HALL_FACTS = {  # field: name of the default
    "rack_pitch_m": "rack_pitch_m",
    "row_pitch_m": "row_pitch_m",
    "racks_per_row": "racks_per_row",
    "racks_per_hall": "racks_per_hall",
    "hall_gap_m": "hall_gap_m",
    "rise_m": "cable_rise_m",
    "slack_fraction": "cable_slack_fraction",
    "in_rack_m": "in_rack_cable_m",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Modules:
    """What is plugged in at one end of a run, and how many."""

    part: str  # id; empty when none is known
    name: str
    count: int
    power_w: float | None  # of all; None: not known
    price_usd: tuple[float, float, float] | None  # of all: low, middle, high


@dataclass(frozen=True, kw_only=True, slots=True)
class Cables:
    """The cables of one run: from one tier to the next."""

    name: str  # "server to leaf"
    links: int
    cables: int
    length_class: str
    mean_m: float
    longest_m: float
    medium: str  # copper, fibre, or what is not known
    strands_per_link: int  # fibres; 0 for copper
    lower: Modules | None
    upper: Modules | None

    @property
    def cable_m(self) -> float:
        return self.cables * self.mean_m

    @property
    def strand_m(self) -> float:
        return self.links * self.strands_per_link * self.mean_m


def default_hall(area_per_rack_m2: float | None = None, *, bound: str = "middle") -> Hall:
    """Return how racks stand when nobody says; with an area a rack, rows are as far apart as that asks.

    `bound` is "low", "middle" or "high": every assumption at that end of its range.
    """
    known = {field: _bound(defaults()[name], bound) for field, name in HALL_FACTS.items()}
    hall = Hall(**known)
    if area_per_rack_m2 is None:
        return hall
    return dataclasses.replace(hall, row_pitch_m=area_per_rack_m2 / known["rack_pitch_m"])


def _bound(fact: Fact, bound: str) -> float:
    end = {"low": fact.low, "middle": None, "high": fact.high}[bound]
    return float(fact.value) if end is None else end


def cables_of(
    tier: Tier, network: Network, *, racks_per_node: float, hall: Hall, lengths_m: Mapping[str, float]
) -> Cables:
    """Return the cables into a tier; given lengths hold for all cables of their class."""
    racks = max(tier.block_nodes * racks_per_node, 1e-9)
    place = CLASSES[int(length_class(racks, hall))]
    mean, longest = float(mean_cable_m(racks, hall)), float(longest_cable_m(racks, hall))
    if place in lengths_m:
        mean = longest = lengths_m[place]
    from_node = tier.below == "server"
    node_cage, switch_cage = float(network.links_per_node_cage), network.links_per_switch_cage
    ends = (node_cage if from_node else switch_cage, switch_cage)
    copper = _copper(network.link_bytes_per_s * max(ends), longest)
    lower, upper = (
        None if copper else _modules(network, tier.links_below, links_per_cage=e, reach_m=longest)
        for e in ends
    )
    strands = _strands(network.link_bytes_per_s * ends[1], longest)
    return Cables(
        name=f"{tier.below} to {'group' if tier.name == 'global' else tier.name.replace('local', 'router')}",
        links=tier.links_below,
        cables=math.ceil(tier.links_below / network.links_per_cable),
        length_class=place,
        mean_m=mean,
        longest_m=longest,
        medium=copper.name if copper else "fibre" if strands else "not known",
        strands_per_link=0 if copper else strands,
        lower=lower,
        upper=upper,
    )


def _copper(cage_bytes_per_s: float, longest_m: float) -> Part | None:
    """Return the copper cable that reaches so far at so much, if one is known."""
    return next(
        (p for p in parts_of("copper")
         if p.number("port_bytes_per_s") >= cage_bytes_per_s and p.number("reach_m") >= longest_m),
        None,
    )  # fmt: skip


def _module(cage_bytes_per_s: float, longest_m: float) -> Part | None:
    """Return the module of a cage's rate that reaches far enough, and no farther than needed."""
    known = [
        p
        for p in parts_of("module")
        if abs(p.number("port_bytes_per_s") / cage_bytes_per_s - 1.0) < 1e-3
        and p.number("reach_m") >= longest_m
    ]
    return min(known, key=lambda p: p.number("reach_m"), default=None)


def _strands(cage_bytes_per_s: float, longest_m: float) -> int:
    part = _module(cage_bytes_per_s, longest_m)
    return int(part.number("strands_per_link")) if part else 0


def _modules(network: Network, links: int, *, links_per_cage: float, reach_m: float) -> Modules:
    rate, count = network.link_bytes_per_s * links_per_cage, math.ceil(links / links_per_cage)
    part = _module(rate, reach_m)
    if part is None:
        name = f"module of {fmt(rate * 8, 'bit/s')}"
        return Modules(part="", name=name, count=count, power_w=None, price_usd=None)
    price = part.facts.get("price_usd")
    each = None
    if price is not None:
        middle = float(price.value)
        each = (price.low or middle, middle, price.high or middle)
    return Modules(
        part=part.id,
        name=part.name,
        count=count,
        power_w=count * part.number("power_w"),
        price_usd=None if each is None else (count * each[0], count * each[1], count * each[2]),
    )
