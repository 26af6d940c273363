"""Read the catalogue's own data: sources, facts, chips, sites. A number without a source does not load."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, get_args

from gigawatt.catalog.records import Chip, Fact, Kind, Site, Source
from gigawatt.errors import FileFormatError, InputError, unknown_name
from gigawatt.units import parse

DATA = files("gigawatt.catalog") / "data"

# The unit of a fact is said by the end of its name; longer endings first.
UNIT_OF_ENDING = {
    "_usd_per_w": "1",
    "_flop_per_s": "flop/s",
    "_bytes_per_s": "byte/s",
    "_usd_per_s": "USD/s",
    "usd_per_kwh": "USD/J",
    "kg_co2e_per_kwh": "kg/J",
    "_usd_per_chip": "USD",
    "_per_chip_w": "W",
    "_per_chip_s": "1/s",
    "_per_s": "1/s",
    "_bytes": "byte",
    "_usd": "USD",
    "_kg": "kg",
    "_m": "m",
    "_w": "W",
    "_s": "s",
    "_tokens": "1",
}
TEXT_FACTS = {
    "release_date", "process", "memory_type", "scale_up_topology", "scale_up_dims", "dtype", "cooling",
    "scale_up_reduces_in_switch", "fabric_topology", "oversubscription", "parts", "location", "storage",
}  # fmt: skip


def unit_of(name: str) -> str:
    """Return the SI unit of a fact by the end of its name.

    >>> unit_of("peak_bf16_flop_per_s"), unit_of("hbm_bytes"), unit_of("pue"), unit_of("restart_s")
    ('flop/s', 'byte', '1', 's')
    """
    if name in TEXT_FACTS:
        return "text"
    return next((unit for ending, unit in UNIT_OF_ENDING.items() if name.endswith(ending)), "1")


@lru_cache(maxsize=1)
def sources() -> dict[str, Source]:
    """Return the bibliography by id."""
    rows = tomllib.loads((DATA / "sources.toml").read_text("utf-8"))
    return {key: Source(id=key, **row) for key, row in rows.items()}


def fact_of(name: str, row: Mapping[str, Any], *, where: str) -> Fact:
    """Return one fact from its row.

    Raises: FileFormatError for a fact without a known source, an unknown kind or a value that is not one.
    """
    cited = str(row.get("source", ""))
    unknown = [s for s in cited.split(";") if s not in sources()]
    if not cited or unknown:
        raise FileFormatError(f"{where}: facts.{name}: source = {cited!r} is not in sources.toml")
    if row.get("kind") not in get_args(Kind):
        raise FileFormatError(
            f"{where}: facts.{name}: kind = {row.get('kind')!r} is not one of {get_args(Kind)}"
        )
    if "value" not in row:
        raise FileFormatError(f"{where}: facts.{name}: value is missing")
    unit = unit_of(name)
    bounds = {b: quantity(row[b], unit, name=f"{name}.{b}", where=where) for b in ("low", "high") if b in row}
    rivals = tuple(fact_of(name, rival, where=where) for rival in row.get("rivals", ()))
    return Fact(
        name=name,
        value=str(row["value"]) if unit == "text" else quantity(row["value"], unit, name=name, where=where),
        unit=unit,
        kind=row["kind"],
        source=cited,
        where=str(row.get("where", "")),
        note=str(row.get("note", "")),
        rivals=rivals,
        **bounds,
    )


def quantity(value: Any, unit: str, *, name: str, where: str) -> float:
    """Return a number of a data file in SI.

    Raises: FileFormatError with the file and the field.
    """
    try:
        found = parse(value, unit, field=name)
    except InputError as error:
        raise FileFormatError(f"{where}: {error}") from None
    if found < 0:
        raise FileFormatError(f"{where}: {name} = {value!r} is negative")
    return found


def facts_of(rows: Mapping[str, Mapping[str, Any]], *, where: str) -> dict[str, Fact]:
    """Return facts by name.

    Raises: FileFormatError, as `fact_of`.
    """
    return {name: fact_of(name, row, where=where) for name, row in rows.items()}


@lru_cache(maxsize=1)
def chip_ids() -> tuple[str, ...]:
    """Return the ids of all chips, sorted."""
    return tuple(sorted(p.name[:-5] for p in (DATA / "chips").iterdir() if p.name.endswith(".toml")))


@lru_cache(maxsize=256)
def _chip_rows(id: str) -> dict[str, Any]:
    return tomllib.loads((DATA / "chips" / f"{id}.toml").read_text("utf-8"))


@lru_cache(maxsize=256)
def chip(id: str) -> Chip:
    """Return a chip of the catalogue by id.

    Raises: InputError with the nearest names.
    """
    if id not in chip_ids():
        raise unknown_name("chip", id, chip_ids())
    rows = _chip_rows(id)
    return Chip(
        id=rows["id"],
        name=rows["name"],
        vendor=rows["vendor"],
        family=rows["family"],
        shipping=rows["shipping"],
        note=rows.get("note", ""),
        facts=facts_of(rows["facts"], where=f"chips/{id}.toml"),
    )


@lru_cache(maxsize=1)
def _aliases() -> dict[str, str]:
    found = {}
    for id in chip_ids():
        for alias in (id, *_chip_rows(id)["aliases"]):
            found[alias.strip().lower()] = id
    return found


def chip_by_alias(text: str) -> Chip:
    """Return the chip that goes by a printed name, such as "NVIDIA H100-SXM5-80GB".

    Raises: InputError with the nearest names.
    """
    id = _aliases().get(text.strip().lower())
    if id is None:
        raise unknown_name("accelerator", text, _aliases())
    return chip(id)


@lru_cache(maxsize=1)
def _site_rows() -> dict[str, Any]:
    return tomllib.loads((DATA / "sites.toml").read_text("utf-8"))


def site_ids() -> tuple[str, ...]:
    """Return the ids of all sites, sorted."""
    return tuple(sorted(_site_rows()))


@lru_cache(maxsize=256)
def site(id: str) -> Site:
    """Return a site of the catalogue by id.

    Raises: InputError with the nearest names.
    """
    if id not in _site_rows():
        raise unknown_name("site", id, site_ids())
    return site_of(id, facts_of(_site_rows()[id], where="sites.toml"))


JOULES_PER_KWH = 3.6e6


def site_of(id: str, facts: Mapping[str, Fact]) -> Site:
    """Return a site from its facts: pue, usd_per_kwh, kg_co2e_per_kwh, cooling.

    Definition: prices and intensities per kWh are 3.6e6 times those per joule.
    """
    return Site(
        id=id,
        pue=float(facts["pue"].value),
        usd_per_kwh=float(facts["usd_per_kwh"].value) * JOULES_PER_KWH,
        kg_co2e_per_kwh=float(facts["kg_co2e_per_kwh"].value) * JOULES_PER_KWH,
        cooling=str(facts["cooling"].value) if "cooling" in facts else "",
        facts=dict(facts),
    )


@lru_cache(maxsize=1)
def defaults() -> dict[str, Fact]:
    """Return the facts that stand in where a machine has none of its own; each says so by its kind."""
    rows = tomllib.loads((DATA / "defaults.toml").read_text("utf-8"))
    return facts_of(rows, where="defaults.toml")
