"""The machine file: one short YAML or TOML document, checked like a compiler checks a program."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gigawatt.catalog.keyed_text import Places, read_keys
from gigawatt.catalog.load import chip_ids, site_ids, sources
from gigawatt.catalog.machine_words import place_of, quantity_of, refuse_outside, told
from gigawatt.errors import FileFormatError, InputError, unknown_name

Quantity = str | float | int


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class NetworkLevel(_Strict):
    """One level of the network above the scale-up domain, inside out."""

    name: str = "fabric"
    chips: int | None = Field(default=None, ge=1)  # of one unit of this level; all when left out
    per_chip: Quantity  # "400 Gbit/s": of a chip's network ports, one direction
    oversubscription: float | int = Field(default=1, ge=1, le=1000)
    latency: Quantity | None = None
    reduces_in_network: bool = False


class ScaleUp(_Strict):
    """The scale-up domain; what is left out comes from the chip."""

    name: str = "scale_up"
    chips: int | None = Field(default=None, ge=1)
    per_chip: Quantity | None = None
    latency: Quantity | None = None
    topology: Literal["switch", "mesh", "torus"] | None = None
    dims: list[int] | tuple[int, ...] | None = None
    reduces_in_network: bool | None = None


class FactRow(_Strict):
    """One fact with its source."""

    value: Quantity
    kind: Literal["assumed", "estimated", "spec", "measured", "derived"] = "assumed"
    source: str = "user"
    where: str = ""
    low: Quantity | None = None
    high: Quantity | None = None
    note: str = ""
    rivals: list[FactRow] = Field(default_factory=list)  # figures that contradict it, kept and not chosen


class SiteRow(_Strict):
    """A place of the user's own."""

    pue: float = Field(ge=1.0, le=5.0)
    power_price: Quantity  # "0.07 $/kWh"
    carbon: Quantity  # "0.38 kg/kWh"
    cooling: str = ""


class MachineFile(_Strict):
    """A machine as written down."""

    id: str = Field(default="", pattern=r"^[a-z0-9][a-z0-9.-]*$|^$")
    name: str = ""
    owner: str = ""
    chip: str
    chips: int = Field(ge=1, le=100_000_000)
    chips_per_node: int | None = Field(default=None, ge=1)
    shipping: bool = True
    status: str = ""
    site: str | SiteRow = "us-average"
    fabric: str = ""
    scale_up: ScaleUp = ScaleUp()
    network: Quantity | list[NetworkLevel] | None = None
    facts: dict[str, Quantity | FactRow] = Field(default_factory=dict)
    source: str = "user"
    note: str = ""


FIELDS: dict[str, tuple[str, ...]] = {  # what may be written at each place
    "": tuple(MachineFile.model_fields),
    "scale_up": tuple(ScaleUp.model_fields),
    "network": tuple(NetworkLevel.model_fields),
    "site": tuple(SiteRow.model_fields),
    "facts": tuple(FactRow.model_fields),
}


def read_machine_file(path: str | Path) -> MachineFile:
    """Return a machine file, checked against its schema.

    Raises: FileFormatError with the file, line, column, field and value, and the nearest right name.
    """
    rows, places = read_keys(path)
    return machine_file_of(rows, where=str(path), places=places)


def machine_file_of(rows: Any, *, where: str, places: Places | None = None) -> MachineFile:
    """Return checked rows.

    Raises: FileFormatError for the first thing that is wrong, with the count of the others.
    """
    if not isinstance(rows, dict):
        raise FileFormatError(f"{where}: holds a {type(rows).__name__}, not keys and values")
    places = places or {}
    try:
        found = MachineFile.model_validate(rows)
    except ValidationError as error:
        raise FileFormatError(told(error, where, places=places, fields=FIELDS)) from None
    for check in (_refuse_names, _refuse_facts, _refuse_quantities, _refuse_counts):
        check(found, where, places=places)
    return found


RATE, LATENCY = (1e6, 1e16), (0.0, 1.0)  # a thousandth of a slow link, a thousand fast ones; a second
YEAR_S = 365.25 * 86400.0
FACTS: dict[str, tuple[str, float, float]] = {  # unit, least, most: beyond, a unit was confused
    "capex_usd_per_chip": ("USD", 0.0, 1e8),
    "capital_per_year": ("1", 0.0, 10.0),
    "chips_per_rack": ("1", 1.0, 1e5),
    "cost_usd": ("USD", 0.0, 1e14),
    "depreciation_s": ("s", 86400.0, 100 * YEAR_S),
    "facility_life_s": ("s", 86400.0, 200 * YEAR_S),
    "facility_usd_per_w": ("1", 0.0, 1e4),
    "facility_w": ("W", 1.0, 1e12),
    "failures_per_chip_s": ("1/s", 1e-15, 1e-2),
    "hpl_power_w": ("W", 1.0, 1e12),
    "hpl_rmax_flop_per_s": ("flop/s", 1.0, 1e24),
    "hpl_rpeak_flop_per_s": ("flop/s", 1.0, 1e24),
    "it_power_per_chip_w": ("W", 1.0, 1e6),
    "operations_per_year": ("1", 0.0, 10.0),
    "rent_usd_per_s": ("USD/s", 0.0, 0.1),
    "restart_s": ("s", 0.0, 30 * 86400.0),
    "storage_bytes_per_s": ("byte/s", *RATE),
}
WORDS = ("cooling", "oversubscription", "release_date")  # facts that are text


def _refuse_names(found: MachineFile, where: str, *, places: Places) -> None:
    cited: dict[tuple[str, ...], str] = {("source",): found.source}
    cited |= {("facts", n, "source"): r.source for n, r in found.facts.items() if isinstance(r, FactRow)}
    names: list[tuple[tuple[str, ...], str, Collection[str]]] = [(("chip",), found.chip, chip_ids())]
    if isinstance(found.site, str):
        names.append((("site",), found.site, site_ids()))
    names += [(path, one, sources()) for path, text in cited.items() for one in text.split(";")]
    for path, name, known in names:
        if name not in known:
            hint = "; leave it out, or write 'user'" if path[-1] == "source" else ""
            field = path[0] if len(path) == 1 else ".".join(path)
            raise FileFormatError(
                f"{where}{place_of(path, places)}: {unknown_name(field, name, known)}{hint}"
            )


def _refuse_facts(found: MachineFile, where: str, *, places: Places) -> None:
    for name in found.facts:
        if name not in FACTS and name not in WORDS:
            place = place_of(("facts", name), places)
            error = unknown_name("fact", name, (*FACTS, *WORDS))
            raise FileFormatError(f"{where}{place}: facts.{name}: {error}")


def _quantities(found: MachineFile) -> Iterator[tuple[tuple[Any, ...], Any, tuple[str, float, float]]]:
    """Return where each quantity stands, what is written, its unit and its range."""
    rate, latency = ("byte/s", *RATE), ("s", *LATENCY)
    yield ("scale_up", "per_chip"), found.scale_up.per_chip, rate
    yield ("scale_up", "latency"), found.scale_up.latency, latency
    if isinstance(found.network, list):
        for i, level in enumerate(found.network):
            yield ("network", i, "per_chip"), level.per_chip, rate
            yield ("network", i, "latency"), level.latency, latency
    else:
        yield ("network",), found.network, rate
    if isinstance(found.site, SiteRow):
        yield ("site", "power_price"), found.site.power_price, ("USD/J", 0.0, 10 / 3.6e6)
        yield ("site", "carbon"), found.site.carbon, ("kg/J", 0.0, 10 / 3.6e6)
    for name, row in found.facts.items():
        if name in FACTS:
            parts = ("value", "low", "high") if isinstance(row, FactRow) else ()
            for part in parts:
                yield ("facts", name, part), getattr(row, part), FACTS[name]
            if not parts:
                yield ("facts", name), row, FACTS[name]


def _refuse_quantities(found: MachineFile, where: str, *, places: Places) -> None:
    for path, written, (unit, least, most) in _quantities(found):
        if written is None:
            continue
        field, place = ".".join(map(str, path)), place_of(path, places)
        try:
            value = quantity_of(written, unit, field=field)
            refuse_outside(value, written, unit=unit, field=field, least=least, most=most)
        except InputError as error:
            raise FileFormatError(f"{where}{place}: {error}") from None


def _refuse_counts(found: MachineFile, where: str, *, places: Places) -> None:
    if found.chips_per_node is not None and found.chips_per_node > found.chips:
        raise FileFormatError(
            f"{where}{place_of(('chips_per_node',), places)}: chips_per_node = {found.chips_per_node:,} is "
            f"more than chips = {found.chips:,}"
        )
    dims = list(found.scale_up.dims or ())
    if any(d < 1 for d in dims):
        place = place_of(("scale_up", "dims"), places)
        raise FileFormatError(f"{where}{place}: scale_up.dims = {dims} holds a number below 1")
