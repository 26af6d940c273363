"""Machines of the catalogue and of the user: composed from a chip, a network, a site and their facts."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from gigawatt.catalog.load import DATA, chip, defaults, fact_of, quantity, site, site_of, sources
from gigawatt.catalog.machine_file import (
    FactRow,
    MachineFile,
    NetworkLevel,
    SiteRow,
    machine_file_of,
    read_machine_file,
)
from gigawatt.catalog.records import Chip, Fact, Level, Machine, Site
from gigawatt.errors import FileFormatError, InputError, UnknownFactError, unknown_name

FILE_ENDINGS = (".toml", ".yaml", ".yml")
STAND_INS = (
    "failures_per_chip_s", "restart_s", "depreciation_s", "facility_usd_per_w", "facility_life_s",
    "operations_per_year", "capital_per_year",
)  # fmt: skip
INHERITED = ("rent_usd_per_s", "capex_usd_per_chip")  # a machine has its chip's, unless it says otherwise


@lru_cache(maxsize=1)
def machine_ids() -> tuple[str, ...]:
    """Return the ids of all machines, sorted."""
    return tuple(sorted(p.name[:-5] for p in (DATA / "machines").iterdir() if p.name.endswith(".toml")))


@lru_cache(maxsize=256)
def machine(id: str) -> Machine:
    """Return a machine of the catalogue by id.

    Raises: InputError with the nearest names; UnknownFactError when a figure that it needs is not known.
    """
    if id not in machine_ids():
        raise unknown_name("machine", id, machine_ids())
    where = f"machines/{id}.toml"
    rows = tomllib.loads((DATA / "machines" / f"{id}.toml").read_text("utf-8"))
    return compose(machine_file_of(rows, where=where), where=where)


def shipping_machine_ids() -> tuple[str, ...]:
    """Return the ids of all machines that exist, sorted."""
    return tuple(i for i in machine_ids() if _rows_shipping(i))


@lru_cache(maxsize=256)
def _rows_shipping(id: str) -> bool:
    return bool(tomllib.loads((DATA / "machines" / f"{id}.toml").read_text("utf-8")).get("shipping", True))


def load_machine_file(path: str | Path) -> Machine:
    """Return a machine that the user wrote.

    Raises: FileFormatError with file, line, field, value and what is allowed.
    """
    return compose(read_machine_file(path), where=str(path))


def find_machine(name: str, chips: int | None = None) -> Machine:
    """Return a machine of the catalogue, or of a file when the name ends like one; a part of it with `chips`.

    Raises: InputError for a name that is not known or chips that it does not have.
    """
    found = load_machine_file(name) if name.lower().endswith(FILE_ENDINGS) else machine(name.strip().lower())
    return found if chips is None else found.take(chips)


def compose(rows: MachineFile, *, where: str) -> Machine:
    """Return the machine of a checked file.

    Raises: FileFormatError for names and quantities that are not ones; UnknownFactError for a missing figure.
    """
    try:
        part = chip(rows.chip)
    except InputError as error:
        raise FileFormatError(f"{where}: {error}") from None
    per_node = rows.chips_per_node or min(int(part.number("scale_up_chips")), 8, rows.chips)
    id = rows.id or Path(where).stem
    return Machine(
        id=id,
        name=rows.name or id,
        owner=rows.owner,
        shipping=rows.shipping and part.shipping,
        chip=part,
        chips=rows.chips,
        chips_per_node=per_node,
        levels=_levels(rows, part, where),
        site=_site(rows, where),
        fabric=rows.fabric,
        facts=_facts(rows, part, where),
        note=rows.note,
    )


def _levels(rows: MachineFile, part: Chip, where: str) -> tuple[Level, ...]:
    inner = _scale_up(rows, part, where)
    found, below = [inner], inner.chips
    for row in _network_rows(rows, part, single=inner.chips >= rows.chips):
        chips = min(row.chips or rows.chips, rows.chips)
        if chips < below or (chips == below and chips < rows.chips):
            raise FileFormatError(
                f"{where}: network.{row.name}.chips = {chips} is not more than the {below} of the level "
                "inside it"
            )
        name = f"network.{row.name}.per_chip"
        rate = quantity(row.per_chip, "byte/s", name=name, where=where) / float(row.oversubscription)
        found.append(
            Level(
                name=row.name,
                chips=chips,
                bytes_per_s=_positive(rate, name, where),
                latency_s=_latency(row.latency, "network_latency_s", f"network.{row.name}.latency", where),
                reduces_in_network=row.reduces_in_network,
                oversubscription=float(row.oversubscription),
            )
        )
        below = chips
    if found[-1].chips < rows.chips:
        raise FileFormatError(
            f"{where}: the outermost network level joins {found[-1].chips} of {rows.chips} chips; "
            f"leave its chips out or set them to {rows.chips}"
        )
    return tuple(found)


def _network_rows(rows: MachineFile, part: Chip, *, single: bool) -> list[NetworkLevel]:
    """Return the levels above the scale-up domain; none where that spans the machine."""
    if isinstance(rows.network, list):
        return rows.network
    if rows.network is not None:
        return [NetworkLevel(per_chip=rows.network)]
    return [] if single else [NetworkLevel(per_chip=part.number("nic_bytes_per_s"))]


def _scale_up(rows: MachineFile, part: Chip, where: str) -> Level:
    row, facts = rows.scale_up, part.facts
    chips = row.chips or int(part.number("scale_up_chips"))
    rate = (
        part.number("scale_up_bytes_per_s")
        if row.per_chip is None
        else quantity(row.per_chip, "byte/s", name="scale_up.per_chip", where=where)
    )
    topology = row.topology or str(
        facts["scale_up_topology"].value if "scale_up_topology" in facts else "switch"
    )
    dims = tuple(row.dims or ())
    if topology == "torus" and not dims:
        if row.chips or "scale_up_dims" not in facts:
            raise FileFormatError(f"{where}: scale_up.dims is missing for a torus of {chips} chips")
        dims = tuple(int(d) for d in str(facts["scale_up_dims"].value).split("x"))
    if dims and math.prod(dims) != chips:
        raise FileFormatError(
            f"{where}: scale_up.dims = {list(dims)} multiply to {math.prod(dims)}, not {chips} chips"
        )
    inside = (
        row.reduces_in_network
        if row.reduces_in_network is not None
        else "scale_up_reduces_in_switch" in facts
    )
    return Level(
        name=row.name,
        chips=min(chips, rows.chips) if topology != "torus" else chips,
        bytes_per_s=_positive(rate, "scale_up.per_chip", where),
        latency_s=_latency(row.latency, "scale_up_latency_s", "scale_up.latency", where),
        topology=topology,  # type: ignore[arg-type]
        dims=dims,
        reduces_in_network=inside,
    )


def _positive(value: float, name: str, where: str) -> float:
    if not value > 0:
        raise FileFormatError(f"{where}: {name} = {value:g} is not above 0")
    return value


def _latency(written: str | float | int | None, default: str, name: str, where: str) -> float:
    if written is None:
        return float(defaults()[default].value)
    return quantity(written, "s", name=name, where=where)


def _site(rows: MachineFile, where: str) -> Site:
    if isinstance(rows.site, SiteRow):
        own = {
            "pue": rows.site.pue,
            "usd_per_kwh": rows.site.power_price,
            "kg_co2e_per_kwh": rows.site.carbon,
        }
        said = {k: {"value": v, "kind": "assumed", "source": "user"} for k, v in own.items()}
        return site_of("user", {k: fact_of(k, v, where=where) for k, v in said.items()})
    try:
        return site(rows.site)
    except InputError as error:
        raise FileFormatError(f"{where}: {error}") from None


def _facts(rows: MachineFile, part: Chip, where: str) -> dict[str, Fact]:
    """Return the machine's facts: its own, or its chip's, or stand-ins, each marked by its kind."""
    own = {name: fact_of(name, _row(value), where=where) for name, value in rows.facts.items()}
    unknown = [s for s in rows.source.split(";") if s not in sources()]
    if unknown:
        raise FileFormatError(f"{where}: source = {rows.source!r} is not in sources.toml")
    found = {n: part.facts[n] for n in INHERITED if n in part.facts}
    stand_in = defaults()
    found |= {n: stand_in[n] for n in STAND_INS}
    found["storage_bytes_per_s"] = _scaled(
        stand_in["storage_per_chip_bytes_per_s"], "storage_bytes_per_s", rows.chips
    )
    found |= _power(part) | own
    return found


def _row(value: FactRow | str | float | int) -> Mapping[str, object]:
    if isinstance(value, FactRow):
        return value.model_dump(exclude_none=True)
    return {"value": value, "kind": "assumed", "source": "user"}


def _scaled(fact: Fact, name: str, factor: float, note: str = "", kind: str = "") -> Fact:
    return Fact(
        name=name,
        value=float(fact.value) * factor,
        unit=fact.unit,
        kind=kind or fact.kind,  # type: ignore[arg-type]
        source=fact.source,
        where=fact.where,
        low=None if fact.low is None else fact.low * factor,
        high=None if fact.high is None else fact.high * factor,
        note=note or fact.note,
    )


def _power(part: Chip) -> dict[str, Fact]:
    """Return the nameplate IT power per chip with its share of server and network; none if not known."""
    network = float(defaults()["network_power_ratio"].value)
    try:
        if "system_w" in part.facts:
            note = "server nameplate per chip x 1.1 for network, storage and management"
            return {
                "it_power_per_chip_w": _scaled(
                    part.facts["system_w"], "it_power_per_chip_w", network, note, "derived"
                )
            }
        over_tdp = defaults()["system_over_tdp_ratio"]
        ratio, tdp_w = float(over_tdp.value), part.number("tdp_w")
    except UnknownFactError:
        return {}
    note = f"{ratio:g} x TDP for the server, x {network:g} for the network: no server power is known"
    found = _scaled(part.facts["tdp_w"], "it_power_per_chip_w", ratio * network, note, "assumed")
    low, high = ((end or ratio) * network * tdp_w for end in (over_tdp.low, over_tdp.high))
    return {"it_power_per_chip_w": dataclasses.replace(found, low=low, high=high)}
