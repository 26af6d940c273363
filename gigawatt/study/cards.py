"""What a budget of power or of money buys, of each kind of chip."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gigawatt.catalog.load import chip as chip_named
from gigawatt.catalog.machine_file import machine_file_of
from gigawatt.catalog.machines import compose
from gigawatt.catalog.records import Fact, Machine
from gigawatt.errors import InputError, UnknownFactError
from gigawatt.study.bom import chips_per_rack
from gigawatt.study.bom_money import Range, range_of, server_price
from gigawatt.study.document import known
from gigawatt.study.envelope import digest_of, envelope
from gigawatt.study.scenario import named_machine

SCHEMA = "gigawatt/cards/1"
CHIPS = ("h100-sxm", "h200-sxm", "b200-sxm", "gb200", "gb300", "tpu-v5e", "tpu-v5p", "tpu-v6e", "tpu-v7")
SITE = "us-average"
MOST = 10**8


@dataclass(frozen=True, kw_only=True, slots=True)
class Cards:
    """As many chips of one kind as a budget buys, in whole servers. None is not known."""

    chip: str
    chips: int
    nodes: int
    racks: int | None
    meter_w_per_chip: float  # nameplate, at the meter
    power_kind: str  # how the power is known
    peak_flop_per_s: dict[str, float]  # of all, dense, by dtype
    hardware_usd: Range | None  # low, middle, high of all
    hardware_how: str
    facility_usd: Range
    missing: tuple[str, ...]

    @property
    def power_w(self) -> float:
        return self.chips * self.meter_w_per_chip

    @property
    def capex_usd(self) -> Range | None:
        if self.hardware_usd is None:
            return None
        low, middle, high = (h + f for h, f in zip(self.hardware_usd, self.facility_usd, strict=True))
        return low, middle, high


@dataclass(frozen=True, kw_only=True, slots=True)
class Hand:
    """The cards of each kind, what was asked, and the kinds that could not be counted."""

    power_w: float | None
    budget_usd: float | None
    like: str
    site: str
    cards: tuple[Cards, ...]
    left_out: tuple[tuple[str, str], ...]  # chip, why


def cards(
    *,
    power_w: float | None = None,
    budget_usd: float | None = None,
    like: str | None = None,
    chips: Sequence[str] = CHIPS,
    site: str = SITE,
) -> Hand:
    """Return how many chips of each kind a power at the meter, a budget, or both allow, and what they are.

    `like` takes the power at the meter of a machine of the catalogue. A budget buys chips at the middle of
    their known prices, with their share of the servers, the network and the facility.
    Raises: InputError when nothing, or something that is no amount, is given; for a chip that is not known.
    """
    if like is not None:
        power_w = _power_of(named_machine(like, chips=None)) if power_w is None else power_w
    if power_w is None and budget_usd is None:
        raise InputError("nothing to spend is given; give --power 1GW, --budget '100 B$' or --like eagle")
    for name, value in (("power", power_w), ("budget", budget_usd)):
        if value is not None and not 1.0 <= value <= 1e15:
            raise InputError(f"{name} = {value:g} is not in 1..1e15")
    found, left_out = [], []
    for id in chips:
        try:
            found.append(_cards(id, power_w=power_w, budget_usd=budget_usd, site=site))
        except UnknownFactError as error:
            left_out.append((id, str(error).split(";")[0]))
    return Hand(power_w=power_w, budget_usd=budget_usd, like=like or "", site=site, cards=tuple(found),
                left_out=tuple(left_out))  # fmt: skip


def _power_of(machine: Machine) -> float:
    fact = machine.facts.get("it_power_per_chip_w")
    if fact is None:
        raise UnknownFactError(f"no it_power_per_chip_w is known for {machine.id!r}; give --power")
    return float(fact.value) * machine.chips * machine.site.pue


def _cards(id: str, *, power_w: float | None, budget_usd: float | None, site: str) -> Cards:
    one = _machine(id, site)
    fact = one.facts.get("it_power_per_chip_w")
    if fact is None:
        raise UnknownFactError(f"no power of a server is known for {id!r}")
    meter_w = float(fact.value) * one.site.pue
    hardware, how, missing = _hardware(one)
    facility = range_of(one.facts["facility_usd_per_w"])
    limits = [] if power_w is None else [power_w / meter_w]
    if budget_usd is not None:
        if hardware is None:
            raise UnknownFactError(f"no price is known for {id!r}")
        limits.append(budget_usd / (hardware[1] + facility[1] * meter_w))
    nodes = int(min(limits) * (1 + 1e-12) / one.chips_per_node)
    count = min(nodes * one.chips_per_node, MOST)
    per_rack = chips_per_rack(one)
    return Cards(
        chip=id,
        chips=count,
        nodes=count // one.chips_per_node,
        racks=None if per_rack is None else math.ceil(count / per_rack),
        meter_w_per_chip=meter_w,
        power_kind=fact.kind,
        peak_flop_per_s={d: count * one.chip.peak_flop_per_s(d) for d in one.chip.dtypes},
        hardware_usd=None if hardware is None else _times(count, hardware),
        hardware_how=how,
        facility_usd=_times(count * meter_w, facility),
        missing=tuple(missing),
    )


def _machine(id: str, site: str) -> Machine:
    """Return one scale-up domain of a chip at a site, with the facts that a machine of it has."""
    part = chip_named(id)
    domain = int(part.number("scale_up_chips"))
    rows = {
        "chip": id,
        "chips": domain,
        "site": site,
        "chips_per_node": min(domain, _per_node(domain)),
    }
    return compose(machine_file_of(rows, where=id), where=id)


def _per_node(domain: int) -> int:
    """Return the chips of a server: 8 of a switched domain of 8, else 4, as tori and racks have them."""
    return 8 if domain == 8 else 4


def _hardware(machine: Machine) -> tuple[Range | None, str, list[str]]:
    """Return the price of one chip with its servers and network, how it is known, and what it leaves out."""
    fact: Fact | None = machine.facts.get("capex_usd_per_chip")
    if fact is not None:
        return range_of(fact), f"all-in price of a chip: {fact.where}", []
    missing: list[str] = []
    found = server_price(machine, missing)
    if found is None:
        return None, "", missing
    return found[0], found[1], [*missing, "price of the network: not in it"]


def _times(count: float, prices: Range) -> Range:
    low, middle, high = (count * p for p in prices)
    return low, middle, high


def cards_document(hand: Hand) -> dict[str, Any]:
    """Return the versioned envelope of what a budget buys; null is a number that is not known."""
    inputs = {"power_w": hand.power_w, "budget_usd": hand.budget_usd, "like": hand.like, "site": hand.site,
              "chips": [c.chip for c in hand.cards] + [id for id, _ in hand.left_out]}  # fmt: skip
    document: dict[str, Any] = known(
        envelope(
            SCHEMA,
            inputs=inputs,
            provenance={"digest": digest_of(inputs)},
            status="partial" if hand.left_out else "ok",
            warnings=[{"code": "left_out", "message": f"{id}: {why}"} for id, why in hand.left_out],
            result={"cards": [_row(c) for c in hand.cards]},
        )
    )
    return document


def _row(found: Cards) -> dict[str, Any]:
    capex, hardware = found.capex_usd, found.hardware_usd
    return {
        "chip": found.chip,
        "chips": found.chips,
        "nodes": found.nodes,
        "racks": found.racks,
        "power_w": found.power_w,
        "meter_w_per_chip": found.meter_w_per_chip,
        "power_kind": found.power_kind,
        "peak_flop_per_s": found.peak_flop_per_s,
        "hardware": _range(hardware),
        "hardware_how": found.hardware_how,
        "facility": _range(found.facility_usd),
        "capex": _range(capex),
        "missing": list(found.missing),
    }


def _range(found: Range | None) -> dict[str, float] | None:
    return None if found is None else dict(zip(("low_usd", "mid_usd", "high_usd"), found, strict=True))
