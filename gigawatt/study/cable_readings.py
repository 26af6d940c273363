"""Can so many kilometres of cable be? What a claim means under each way to read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gigawatt.catalog.records import Machine
from gigawatt.errors import InputError, UnknownFactError
from gigawatt.study.bom import bom
from gigawatt.study.document import known
from gigawatt.study.envelope import digest_of, envelope

SCHEMA = "gigawatt/cables/1"
STRANDS = 8  # fibres of a link over parallel optics, where the machine's own are not known


@dataclass(frozen=True, kw_only=True, slots=True)
class CableReading:
    """What a claimed length asks of each link of some equal machines, and what is counted of them."""

    machines: float
    chips: float
    links: float
    strands: float
    cable_m_per_link: float  # that the claim asks, if it means cables
    strand_m_per_link: float  # that it asks, if it means fibres
    counted_cable_m: float | None  # by the bill of materials
    counted_strand_m: float | None
    low_cable_m: float | None  # counted, with racks and trays at the low end of what is assumed
    high_cable_m: float | None
    mean_m: float | None  # of a link, by the bill of materials
    longest_m: float | None

    @property
    def machines_if_cable(self) -> float | None:
        """Return how many such machines have as much cable as is claimed."""
        return _over(self.cable_m_per_link * self.links, self.counted_cable_m, self.machines)

    @property
    def machines_if_strands(self) -> float | None:
        return _over(self.cable_m_per_link * self.links, self.counted_strand_m, self.machines)

    @property
    def spread(self) -> tuple[float, float] | None:
        """Return the counted length at the low and high end of what is assumed, over the middle."""
        if not self.counted_cable_m or self.low_cable_m is None or self.high_cable_m is None:
            return None
        return self.low_cable_m / self.counted_cable_m, self.high_cable_m / self.counted_cable_m


def _over(claimed_m: float, counted_m: float | None, machines: float) -> float | None:
    return None if not counted_m else claimed_m / (counted_m / machines)


def cable_readings(
    machine: str | Machine, claimed_m: float, *, counts: Sequence[float] = (1, 5, 30, 60), **options: Any
) -> tuple[CableReading, ...]:
    """Return, for several counts of one machine, the metres of each link that a claimed length asks.

    `options` are those of `bom`. A link is a cable between two ports of the network of the chips.
    Raises: InputError for a length or a count that is none; UnknownFactError when links cannot be counted.
    """
    if not 1.0 <= claimed_m <= 1e15:
        raise InputError(f"claimed length = {claimed_m:g} m is not in 1..1e15 m")
    bad = [n for n in counts if not 0 < n <= 1e6]
    if bad or not counts:
        raise InputError(f"count of machines = {bad[0] if bad else 'none'} is not in 1..1e6")
    found = bom(machine, **options)
    if not found.tiers:
        raise UnknownFactError(f"the links of {found.machine.id!r} cannot be counted: {found.missing[0]}")
    links = sum(t.links_below for t in found.tiers)
    cable, strand = found.cable_m, found.strand_m
    low, high = (bom(machine, **{**options, "geometry": end}).cable_m for end in ("low", "high"))
    strands = sum(c.links * (c.strands_per_link or STRANDS) for c in found.cables) or links * STRANDS
    return tuple(
        CableReading(
            machines=n,
            chips=n * found.machine.chips,
            links=n * links,
            strands=n * strands,
            cable_m_per_link=claimed_m / (n * links),
            strand_m_per_link=claimed_m / (n * strands),
            counted_cable_m=None if cable is None else n * cable,
            counted_strand_m=None if strand is None else n * strand,
            low_cable_m=None if low is None else n * low,
            high_cable_m=None if high is None else n * high,
            mean_m=None if cable is None else cable / links,
            longest_m=max((c.longest_m for c in found.cables), default=None),
        )
        for n in counts
    )


def cables_document(machine: str, claimed_m: float, *, readings: Sequence[CableReading]) -> dict[str, Any]:
    """Return the versioned envelope of the readings of a claim; null is a number that is not known."""
    inputs = {"machine": machine, "claimed_m": claimed_m, "machines": [r.machines for r in readings]}
    first = readings[0]
    document: dict[str, Any] = known(
        envelope(
            SCHEMA,
            inputs=inputs,
            provenance={"digest": digest_of(inputs)},
            warnings=[],
            result={
                "machines_if_cable": first.machines_if_cable,
                "machines_if_strands": first.machines_if_strands,
                "spread": first.spread,
                "readings": [
                    {name: getattr(r, name) for name in CableReading.__dataclass_fields__} for r in readings
                ],
            },
        )
    )
    return document
