"""Queries to what a machine is made of: Linpack, cards of a budget, bills of material, lengths of cable."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from gigawatt.errors import InputError, UnknownFactError, unknown_name
from gigawatt.study.bom import Bom, bom
from gigawatt.study.bom_cables import Modules
from gigawatt.study.cable_readings import CableReading, cable_readings
from gigawatt.study.cards import SITE, Hand, cards
from gigawatt.study.claims.asked import Desk, Found
from gigawatt.study.claims.query import Quantity, Query
from gigawatt.study.hpl import Hpl, hpl
from gigawatt.units import parse


class HplQuery(Query):
    """High-Performance Linpack on a machine; without an order, the matrix fills the memory as runs do."""

    KIND: ClassVar[str] = "hpl"
    of: str
    get: Literal["rate", "time_s", "order", "rate_per_chip", "efficiency", "error_p50", "error_p90"] = "rate"
    order: int | None = Field(default=None, ge=1)

    def found(self, desk: Desk) -> Found:
        run: Hpl = desk.kept(self.command(), lambda: hpl(self.of, order=self.order))
        value, unit = {
            "rate": (run.rate_flop_per_s, "flop/s"),
            "time_s": (float(run.run.total_s), "s"),
            "order": (float(run.run.order), "1"),
            "rate_per_chip": (run.rate_flop_per_s / run.machine.chips, "flop/s"),
            "efficiency": (run.efficiency, "%"),
            "error_p50": (run.band.p50, "%"),
            "error_p90": (run.band.p90, "%"),
        }[self.get]
        return Found(value=value, unit=unit, kind="predicted", note=f"rate of a chip: {run.run.origin}")

    def command(self) -> str:
        order = "" if self.order is None else f" --order {self.order:,}"
        return f"gigawatt machine hpl {shlex.quote(self.of)}{order}"


class CardsQuery(Query):
    """How many chips of one kind a power at the meter, a budget or both allow."""

    KIND: ClassVar[str] = "cards"
    of: str
    power: Quantity | None = None
    budget: Quantity | None = None
    like: str | None = None  # the power of a machine
    site: str = SITE
    get: Literal["chips", "nodes", "power_w", "meter_w_per_chip", "peak_bf16"] = "chips"

    def found(self, desk: Desk) -> Found:
        hand: Hand = desk.kept(self.command(), self._hand)
        if not hand.cards:
            raise UnknownFactError(hand.left_out[0][1])
        one = hand.cards[0]
        value, unit = {
            "chips": (one.chips, "cards"),
            "nodes": (one.nodes, "servers"),
            "power_w": (one.power_w, "W"),
            "meter_w_per_chip": (one.meter_w_per_chip, "W"),
            "peak_bf16": (one.peak_flop_per_s.get("bf16", float("nan")), "flop/s"),
        }[self.get]
        return Found(value=float(value), unit=unit, kind=one.power_kind, note=f"site {self.site}")

    def _hand(self) -> Hand:
        return cards(
            power_w=None if self.power is None else parse(self.power, "W", field="power"),
            budget_usd=None if self.budget is None else parse(self.budget, "USD", field="budget"),
            like=self.like,
            chips=[self.of],
            site=self.site,
        )

    def command(self) -> str:
        told = {"power": self.power, "budget": self.budget, "like": self.like}
        words = [f"--{name} {shlex.quote(str(v))}" for name, v in told.items() if v is not None]
        return " ".join(["gigawatt machine cards", *words, f"--among {self.of} --site {self.site}"])


def _modules(found: Bom) -> int:
    return sum(end.count for end in _ends(found))


def _ends(found: Bom) -> list[Modules]:
    return [end for c in found.cables for end in (c.lower, c.upper) if end is not None]


def _modules_w(found: Bom) -> float | None:
    watts = [end.power_w for end in _ends(found)]
    return None if not watts or None in watts else sum(w for w in watts if w is not None)


def _modules_usd(found: Bom) -> float | None:
    prices = [end.price_usd for end in _ends(found)]
    return None if not prices or None in prices else sum(p[1] for p in prices if p is not None)


BOM_FIGURES: dict[str, tuple[str, Callable[[Bom], float | int | None]]] = {
    "nodes": ("servers", lambda b: b.nodes),
    "racks": ("racks", lambda b: None if b.racks is None else b.racks.total),
    "tiers": ("tiers", lambda b: len(b.tiers) or None),
    "switches": ("switches", lambda b: b.switches),
    "links": ("links", lambda b: sum(t.links_below for t in b.tiers) or None),
    "modules": ("modules", lambda b: _modules(b) or None),
    "modules_per_chip": ("modules", lambda b: _modules(b) / b.machine.chips or None),
    "modules_power_w": ("W", _modules_w),
    "modules_usd": ("USD", _modules_usd),
    "cable_m": ("m", lambda b: b.cable_m),
    "strand_m": ("m", lambda b: b.strand_m),
    "power_w": ("W", lambda b: b.power_w),
    "training_power_w": ("W", lambda b: b.training_power_w),
    "capex_usd": ("USD", lambda b: b.capex_usd[1]),
}


class BomQuery(Query):
    """What a machine is made of, by the rules of its fabric."""

    KIND: ClassVar[str] = "bom"
    of: str
    get: str
    chips: int | None = Field(default=None, ge=1)

    def found(self, desk: Desk) -> Found:
        if self.get not in BOM_FIGURES:
            raise unknown_name("figure of a bill of materials", self.get, BOM_FIGURES)
        found: Bom = desk.kept(self.command(), lambda: bom(self.of, chips=self.chips))
        unit, take = BOM_FIGURES[self.get]
        value = take(found)
        if value is None:
            raise UnknownFactError(f"no {self.get} of {self.of!r}: {'; '.join(found.missing) or 'not known'}")
        return Found(value=float(value), unit=unit, kind="predicted")

    def command(self) -> str:
        chips = "" if self.chips is None else f" --chips {self.chips}"
        return f"gigawatt machine bom {shlex.quote(self.of)}{chips}"


class CablesQuery(Query):
    """What a claimed length of cable asks of each link of some equal machines, and what is counted."""

    KIND: ClassVar[str] = "cables"
    of: str
    claim: Quantity
    machines: int = Field(default=1, ge=1)
    get: Literal[
        "links", "cable_m_per_link", "strand_m_per_link", "counted_cable_m", "counted_strand_m", "mean_m",
        "longest_m", "machines_if_cable", "machines_if_strands",
    ]  # fmt: skip

    def found(self, desk: Desk) -> Found:
        run: Sequence[CableReading] = desk.kept(self.command(), self._readings)
        value = getattr(run[0], self.get)
        if value is None:
            raise InputError(f"{self.get} of {self.of!r} is not known: a part of its cables is not")
        unit = "m" if "_m" in self.get and "machines" not in self.get else "1"
        return Found(value=float(value), unit=unit, kind="predicted")

    def _readings(self) -> Sequence[CableReading]:
        claimed_m = parse(self.claim, "m", field="claim")
        return cable_readings(self.of, claimed_m, counts=[float(self.machines)])

    def command(self) -> str:
        claim = shlex.quote(str(self.claim))
        return f"gigawatt machine cables {shlex.quote(self.of)} --claim {claim} --machines {self.machines}"
