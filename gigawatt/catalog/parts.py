"""What stands between and around the chips: switches, adapters, modules, servers, racks."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, get_args

from gigawatt.catalog.load import DATA, facts_of
from gigawatt.catalog.records import Facts, number
from gigawatt.errors import FileFormatError, unknown_name

PartKind = Literal["switch", "nic", "module", "copper", "server", "scale-up", "optical-switch", "rack"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One part that can be bought, or counted."""

    id: str
    kind: PartKind
    name: str
    match: tuple[str, ...] = ()  # words of a machine's fabric that mean this switch
    chips: tuple[str, ...] = ()  # ids of the chips that it is built around
    facts: Facts = field(default_factory=dict, hash=False, compare=False)

    def number(self, name: str) -> float:
        """Return the value of one numeric fact.

        Raises: UnknownFactError that says which are known.
        """
        return number(self.facts, name, self.id)

    def knows(self, name: str) -> bool:
        """Return whether a fact is known."""
        return name in self.facts


@lru_cache(maxsize=1)
def parts() -> dict[str, Part]:
    """Return all parts by id.

    Raises: FileFormatError for a part of no known kind, or a figure without a source.
    """
    rows = tomllib.loads((DATA / "parts.toml").read_text("utf-8"))
    wrong = [id for id, row in rows.items() if row.get("kind") not in get_args(PartKind)]
    if wrong:
        raise FileFormatError(f"parts.toml: {wrong[0]}: kind is not one of {get_args(PartKind)}")
    return {
        id: Part(
            id=id,
            kind=row["kind"],
            name=row["name"],
            match=tuple(row.get("match", ())),
            chips=tuple(row.get("chips", ())),
            facts=facts_of(row["facts"], where=f"parts.toml: {id}"),
        )
        for id, row in rows.items()
    }


def parts_of(kind: PartKind, *, chip: str | None = None) -> tuple[Part, ...]:
    """Return the parts of a kind, in the file's order; with `chip` those that are built around it."""
    return tuple(p for p in parts().values() if p.kind == kind and (chip is None or chip in p.chips))


def switch(id: str) -> Part:
    """Return one switch.

    Raises: InputError with the nearest names.
    """
    known = {p.id: p for p in parts_of("switch")}
    if id not in known:
        raise unknown_name("switch", id, known)
    return known[id]
