"""Published designs of a compute network, as rules."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache

from gigawatt.catalog.load import DATA, sources
from gigawatt.errors import FileFormatError, unknown_name


@dataclass(frozen=True, kw_only=True, slots=True)
class Design:
    """How a published design builds its compute network; what is not said is one, or nothing."""

    id: str
    name: str
    radix: int
    node_chips: int
    node_links: int  # ports of a node on this network
    source: str  # an id in sources.toml
    where: str
    kind: str = "fat-tree"  # or dragonfly
    switch: str = ""  # an id of the parts
    unit_nodes: int = 0  # node slots of a scalable unit
    rack_nodes: int = 0  # nodes of a rack, where the design counts racks
    manager_slots: int = 0  # node slots left to the fabric manager
    manager_links: int = 0
    planes: int = 1
    tiers: int = 0  # 0: as many as the size needs
    links_per_cable: int = 1
    node_links_per_cage: int = 1
    counts_known: bool = True
    machines: tuple[str, ...] = ()  # of the catalogue, that are built so
    note: str = ""


@lru_cache(maxsize=1)
def designs() -> dict[str, Design]:
    """Return the designs by id.

    Raises: FileFormatError for one without a known source.
    """
    rows = tomllib.loads((DATA / "fabrics.toml").read_text("utf-8"))
    unknown = [id for id, row in rows.items() if row.get("source") not in sources()]
    if unknown:
        raise FileFormatError(f"fabrics.toml: {unknown[0]}: source is not in sources.toml")
    return {
        id: Design(id=id, **{**row, "machines": tuple(row.get("machines", ()))}) for id, row in rows.items()
    }


def design(id: str) -> Design:
    """Return one design.

    Raises: InputError with the nearest names.
    """
    if id not in designs():
        raise unknown_name("network design", id, designs())
    return designs()[id]


def design_of(machine: str) -> Design | None:
    """Return the design that a machine of the catalogue is built to, if any."""
    return next((d for d in designs().values() if machine in d.machines), None)
