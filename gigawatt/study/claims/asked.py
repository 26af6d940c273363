"""What the queries of a claim file share: catalogue records, plans kept for reuse, and how facts are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gigawatt.catalog import Chip, Machine, chip, chip_ids, find_machine, machine_ids
from gigawatt.catalog.records import Fact
from gigawatt.errors import InputError, UnknownFactError, unknown_name
from gigawatt.study.claims.figures import Value, date_span
from gigawatt.study.plan import Plan, plan


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What a query answers, before it has a name."""

    value: Value
    unit: str
    kind: str
    sources: tuple[str, ...] = ()
    note: str = ""
    low: float = float("nan")
    high: float = float("nan")


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """Plans that several claims share are searched once."""

    plans: dict[str, Plan] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def plan(self, words: Mapping[str, Any]) -> Plan:
        """Return the plan of some words of `gigawatt.plan`, from the drawer where it lies there."""
        key = json.dumps(words, sort_keys=True)
        if key not in self.plans:
            self.plans[key] = plan(**words)
        return self.plans[key]

    def kept(self, key: str, make: Any) -> Any:
        """Return what was made before under a key, else make it."""
        if key not in self.values:
            self.values[key] = make()
        return self.values[key]


def machine_or_chip(name: str) -> Machine | Chip:
    """Return the machine of a name or a file, or the chip of that name.

    Raises: InputError when it is neither.
    """
    key = name.strip().lower()
    if key in chip_ids() and key not in machine_ids():
        return chip(key)
    return find_machine(name)


BOUNDS = ("value", "low", "high")


def fact_found(facts: Mapping[str, Fact], name: str, *, owner: str, bound: str, rival: int | None) -> Found:
    """Return one fact: its value, an end of its range, or a figure that contradicts it.

    Raises: InputError for a name, bound or rival that is not there.
    """
    if name not in facts:
        raise unknown_name(f"fact of {owner}", name, facts)
    fact = facts[name]
    if rival is not None:
        if not 1 <= rival <= len(fact.rivals):
            raise InputError(f"rival = {rival} of {owner}.{name}: it has {len(fact.rivals)}")
        fact = fact.rivals[rival - 1]
    value = fact.value if bound == "value" else {"low": fact.low, "high": fact.high}[bound]
    if value is None:
        raise UnknownFactError(f"no {bound} end of {owner}.{name} is known")
    about = "; ".join(part for part in (fact.where, fact.note) if part)
    sources = tuple(fact.source.split(";"))
    if name == "release_date":
        span = date_span(str(value), field=f"{owner}.{name}")
        return Found(value=span.value, unit="date", kind=fact.kind, sources=sources, note=about,
                     low=span.low, high=span.high)  # fmt: skip
    return Found(value=value, unit=fact.unit, kind=fact.kind, sources=sources, note=about)


def weight(facts: Mapping[str, Fact], *names: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the kinds and the sources of some facts."""
    known = [facts[name] for name in names if name in facts]
    sources = sorted({source for fact in known for source in fact.source.split(";")})
    return tuple(fact.kind for fact in known), tuple(sources)
