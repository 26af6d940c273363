"""The growth file: deliveries over time in one short YAML document, checked as a compiler does."""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic import Field as Limit

from gigawatt.catalog.keyed_text import Places, read_keys
from gigawatt.catalog.load import DATA, defaults, sources
from gigawatt.catalog.machine_words import place_of, quantity_of, refuse_outside
from gigawatt.catalog.records import Fact
from gigawatt.errors import FileFormatError, InputError, unknown_name

ENDINGS = (".yaml", ".yml", ".toml")
FOLDER = DATA / "growth"
YEAR_S = 365.25 * 86400.0
EXAMPLE = "deliveries: [{machine: eagle, count: 5, from: 2024-05, to: 2025-04}]"
DATE = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?")
FIRST_YEAR, LAST_YEAR = 1990, 2100
MAX_CHIPS, MAX_DELIVERIES = 10**9, 5000
QUANTITIES = {  # field: unit, least, most
    "lead": ("s", 0.0, 20 * YEAR_S),
    "retire_after": ("s", 30 * 86400.0, 100 * YEAR_S),
    "facility_power": ("W", 50.0, 1e12),
    "hardware_cost": ("USD", 0.0, 1e13),
    "building_cost": ("USD", 0.0, 1e13),
    "hardware": ("s", 86400.0, 100 * YEAR_S),
    "building": ("s", 86400.0, 200 * YEAR_S),
    "tokens": ("1", 1.0, 1e16),
    "batch": ("1", 1.0, 1e10),
    "flop": ("flop", 1.0, 1e36),
    "mfu": ("1", 1e-4, 1.0),
    "goodput": ("1", 1e-4, 1.0),
    "busy": ("1", 0.0, 1.0),
}
Quantity = str | float | int
Kind = Literal["assumed", "estimated", "spec", "measured", "derived"]
Status = Literal["delivered", "announced"]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, populate_by_name=True)


class DeliveryRows(_Strict):
    """Machines of one kind that arrive at one date, or every month from one to another."""

    what: str = ""
    machine: str | None = None
    chip: str | None = None
    chips: int | None = Limit(default=None, ge=1, le=MAX_CHIPS)
    network: str | None = None
    site: str | None = None
    count: int = Limit(default=1, ge=1, le=1_000_000)
    place: str = ""
    date: str | int | None = None
    first: str | int | None = Limit(default=None, alias="from")
    last: str | int | None = Limit(default=None, alias="to")
    lead: Quantity = 0
    retire_after: Quantity | None = None
    facility_power: Quantity | None = None
    hardware_cost: Quantity | None = None
    building_cost: Quantity | None = None
    status: Status = "delivered"
    kind: Kind = "assumed"
    source: str = "user"
    where: str = ""


class WriteOffRows(_Strict):
    """Over how long capital is written off."""

    hardware: Quantity | None = None
    building: Quantity | None = None


class WorkRows(_Strict):
    """What the fleet is planned for; or a use that is stated."""

    model: str = "llama3.1-405b"
    tokens: Quantity | None = None
    batch: Quantity | None = None
    seq: int | None = Limit(default=None, ge=1, le=2**24)
    dtype: str | None = None
    stack: str | None = None
    mfu: Quantity | None = None
    goodput: Quantity | None = None


class JobRows(_Strict):
    """One job whose end is asked for: a model and tokens, or an amount of work."""

    name: str = ""
    model: str | None = None
    tokens: Quantity | None = None
    batch: Quantity | None = None
    flop: Quantity | None = None
    source: str = "user"
    where: str = ""


class GrowthRows(_Strict):
    """A build-out as written down."""

    name: str = ""
    title: str = ""
    note: str = ""
    until: str | int | None = None
    busy: Quantity = 1
    write_off: WriteOffRows = WriteOffRows()
    work: WorkRows = WorkRows()
    jobs: list[JobRows] | None = None
    deliveries: list[DeliveryRows]


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One line of deliveries in SI units: `days` are those on which `count` machines begin to work."""

    what: str
    machine: str | None
    chip: str | None
    chips: int | None
    network: str | None
    site: str | None
    count: int
    place: str
    days: tuple[datetime.date, ...]
    lead_s: float
    retire_after_s: float | None
    facility_w: float | None  # of one machine
    hardware_usd: float | None
    building_usd: float | None
    status: str
    kind: str
    source: str
    where: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A job whose end is asked for."""

    name: str
    model: str | None
    tokens: float | None
    batch_tokens: float | None
    flop: float | None
    source: str
    where: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """What the fleet is planned for, or a use that is stated."""

    model: str
    words: Mapping[str, Any]
    mfu: float | None
    goodput: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class GrowthFile:
    """A build-out: what arrives when, and what is asked of it."""

    name: str
    title: str
    note: str
    until: datetime.date | None
    busy: float
    hardware_life_s: float
    building_life_s: float
    lives_source: str
    work: Work
    jobs: tuple[Job, ...]
    deliveries: tuple[Delivery, ...]


def growth_names() -> tuple[str, ...]:
    """Return the names of the build-outs that come with the package, sorted."""
    return tuple(
        sorted(p.name[:-5] for p in FOLDER.iterdir() if p.name.endswith(".yaml") and p.name[0] != "_")
    )


def find_growth(name: str) -> GrowthFile:
    """Return a build-out by name, or from a file when the name ends like one.

    Raises: InputError for a name that is not known; FileFormatError for a file that is wrong.
    """
    if not isinstance(name, str) or not name.strip() or "\0" in name:
        raise InputError(f"growth = {name!r} is not a name; there are: {', '.join(growth_names())}")
    if name.lower().endswith(ENDINGS):
        return read_growth_file(name)
    if name.strip().lower() not in growth_names():
        raise unknown_name("growth", name, growth_names())
    return read_growth_file(str(FOLDER / f"{name.strip().lower()}.yaml"))


def read_growth_file(path: str | Path) -> GrowthFile:
    """Return the build-out that a file means.

    Raises: FileFormatError with the file, line, field and value, what is allowed and the nearest fix.
    """
    rows, places = read_keys(path, kind="a growth file", example=EXAMPLE)
    return growth_of(rows, where=str(path), places=places)


def growth_of(rows: Any, *, where: str, places: Places | None = None) -> GrowthFile:
    """Return the build-out that rows mean.

    Raises: FileFormatError for the first thing that is wrong.
    """
    places, reader = places or {}, _Reader()
    try:
        written = GrowthRows.model_validate(rows)
    except ValidationError as error:
        raise FileFormatError(_told(error, where, places)) from None
    try:
        return _growth(written, Path(where).stem, reader)
    except InputError as error:
        raise FileFormatError(f"{where}{place_of(tuple(reader.path), places)}: {error}") from None


class _Reader:
    """Quantities by field, with the path of what is being read kept for the error."""

    def __init__(self) -> None:
        self.path: list[Any] = []

    def at(self, *path: Any) -> str:
        self.path = list(path)
        return ".".join(map(str, path))

    def number(self, written: Any, *path: Any) -> float | None:
        """Return a quantity in SI, None where nothing is written.

        Raises: InputError for one that is none, or out of its range.
        """
        field = self.at(*path)
        if written is None:
            return None
        unit, least, most = QUANTITIES[str(path[-1])]
        value = quantity_of(written, unit, field=field)
        refuse_outside(value, written, unit=unit, field=field, least=least, most=most)
        return value

    def day(self, written: Any, *path: Any) -> datetime.date:
        """Return a date; a month is its first day.

        Raises: InputError for what is none.
        """
        field, found = self.at(*path), DATE.fullmatch(str(written).strip())
        if found is None:
            hint = f"; did you mean {written}-01?" if re.fullmatch(r"\d{4}", str(written).strip()) else ""
            raise InputError(f"{field} = {written!r} is not a date such as 2024-09 or 2024-09-02{hint}")
        year, month, day = int(found[1]), int(found[2]), int(found[3] or 1)
        try:
            date = datetime.date(year, month, day)
        except ValueError:
            raise InputError(f"{field} = {written!r} is not a day of the calendar") from None
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise InputError(f"{field} = {written!r} is not in {FIRST_YEAR} .. {LAST_YEAR}")
        return date


def _growth(written: GrowthRows, stem: str, reader: _Reader) -> GrowthFile:
    if not written.deliveries:
        reader.at("deliveries")
        raise InputError(f"deliveries = [] brings nothing; write e.g. {EXAMPLE}")
    found = tuple(_delivery(row, i, reader) for i, row in enumerate(written.deliveries))
    if (events := sum(len(d.days) for d in found)) > MAX_DELIVERIES:
        reader.at("deliveries")
        raise InputError(
            f"deliveries are {events:,} months and dates together; the most is {MAX_DELIVERIES:,}"
        )
    until = None if written.until is None else reader.day(written.until, "until")
    if until is not None and until < min(d.days[0] for d in found):
        raise InputError(
            f"until = {written.until!r} is before the first delivery, {min(d.days[0] for d in found)}"
        )
    hardware, building = (
        reader.number(getattr(written.write_off, n), "write_off", n) for n in ("hardware", "building")
    )
    server, plant = defaults()["depreciation_s"], defaults()["facility_life_s"]
    said = [f"hardware {_whence(server, hardware)}", f"building {_whence(plant, building)}"]
    return GrowthFile(
        name=written.name or stem,
        title=written.title or written.name or stem,
        note=written.note,
        until=until,
        busy=float(reader.number(written.busy, "busy") or 0.0),
        hardware_life_s=hardware or float(server.value),
        building_life_s=building or float(plant.value),
        lives_source="; ".join(said),
        work=_work(written.work, reader),
        jobs=_jobs(written.jobs, reader),
        deliveries=found,
    )


def _whence(stand_in: Fact, written: float | None) -> str:
    return (
        "as the file says" if written is not None else f"{stand_in.kind}, {stand_in.source}: {stand_in.where}"
    )


def _delivery(row: DeliveryRows, i: int, reader: _Reader) -> Delivery:
    at = ("deliveries", i)
    _refuse_machine(row, at, reader)
    _refuse_source(row.source, (*at, "source"), reader)
    return Delivery(
        what=row.what or row.machine or f"{row.chips:,} {row.chip}",
        machine=row.machine,
        chip=row.chip,
        chips=row.chips,
        network=row.network,
        site=row.site,
        count=row.count,
        place=row.place,
        days=_days(row, at, reader),
        lead_s=reader.number(row.lead, *at, "lead") or 0.0,
        retire_after_s=reader.number(row.retire_after, *at, "retire_after"),
        facility_w=reader.number(row.facility_power, *at, "facility_power"),
        hardware_usd=reader.number(row.hardware_cost, *at, "hardware_cost"),
        building_usd=reader.number(row.building_cost, *at, "building_cost"),
        status=row.status,
        kind=row.kind,
        source=row.source,
        where=row.where,
    )


def _refuse_machine(row: DeliveryRows, at: tuple[Any, ...], reader: _Reader) -> None:
    where = reader.at(*at)
    if (row.machine is None) == (row.chip is None):
        given = "both a machine and a chip" if row.machine else "neither a machine nor a chip"
        raise InputError(f"{where} has {given}; write machine: eagle, or chip: h100-sxm and chips: 25000")
    if row.chip is not None and row.chips is None:
        raise InputError(f"{where}.chips is missing; write e.g. chips: 25000")
    if row.machine is not None:
        for name in ("network", "site"):
            if getattr(row, name) is not None:
                reader.at(*at, name)
                raise InputError(f"{where}.{name} goes with chip; the machine {row.machine!r} has its own")


def _refuse_source(text: str, path: tuple[Any, ...], reader: _Reader) -> None:
    field = reader.at(*path)
    for one in text.split(";"):
        if one not in sources():
            raise InputError(f"{unknown_name(field, one, sources())}; leave it out, or write 'user'")


def _days(row: DeliveryRows, at: tuple[Any, ...], reader: _Reader) -> tuple[datetime.date, ...]:
    """Return the days of a line: one, or that day of every month from first to last."""
    where = reader.at(*at)
    if (row.date is None) == (row.first is None):
        given = "date and from" if row.date is not None else "neither date nor from"
        raise InputError(f"{where} has {given}; write date: 2024-09-02, or from: 2024-05 and to: 2025-04")
    if row.date is not None:
        if row.last is not None:
            raise InputError(f"{where}.to goes with from; a date is one day")
        return (reader.day(row.date, *at, "date"),)
    first = reader.day(row.first, *at, "from")
    if row.last is None:
        raise InputError(f"{where}.to is missing; write e.g. to: {first.year + 1}-{first.month:02d}")
    last = reader.day(row.last, *at, "to")
    months = 12 * (last.year - first.year) + last.month - first.month
    if months < 0:
        raise InputError(f"{where}.to = {row.last!r} is before from = {row.first!r}")
    if first.day > 28:
        reader.at(*at, "from")
        raise InputError(
            f"{where}.from = {row.first!r}: not every month has a day {first.day}; the last is 28"
        )
    return tuple(month_after(first, n) for n in range(months + 1))


def month_after(day: datetime.date, months: int) -> datetime.date:
    """Return the same day of the month some months later.

    >>> month_after(datetime.date(2024, 11, 5), 3)
    datetime.date(2025, 2, 5)
    """
    count = 12 * day.year + day.month - 1 + months
    return day.replace(year=count // 12, month=count % 12 + 1)


def _work(row: WorkRows, reader: _Reader) -> Work:
    mfu, goodput = (reader.number(getattr(row, n), "work", n) for n in ("mfu", "goodput"))
    if (mfu is None) != (goodput is None):
        reader.at("work")
        lacks = "goodput" if goodput is None else "mfu"
        raise InputError(f"work.{lacks} is missing: a stated use has both, e.g. {{mfu: 38 %, goodput: 90 %}}")
    words = {
        "tokens": reader.number(row.tokens, "work", "tokens"),
        "batch_tokens": reader.number(row.batch, "work", "batch"),
        "seq_tokens": row.seq,
        "dtype": row.dtype,
        "stack": row.stack,
    }
    return Work(model=row.model, words=words, mfu=mfu, goodput=goodput)


def _jobs(rows: list[JobRows] | None, reader: _Reader) -> tuple[Job, ...]:
    if rows is not None:
        return tuple(_job(row, i, reader) for i, row in enumerate(rows))
    usual, _ = read_keys(str(FOLDER / "_jobs.toml"))
    return tuple(_job(JobRows.model_validate(row), i, reader) for i, row in enumerate(usual["jobs"]))


def _job(row: JobRows, i: int, reader: _Reader) -> Job:
    at = ("jobs", i)
    where = reader.at(*at)
    if (row.model is None) == (row.flop is None):
        raise InputError(
            f"{where} takes a model with tokens, or flop; e.g. {{model: llama3.1-405b, tokens: 15T}}"
        )
    if row.model is not None and row.tokens is None:
        raise InputError(f"{where}.tokens is missing; write e.g. tokens: 15T")
    if row.flop is not None and (row.tokens is not None or row.batch is not None):
        raise InputError(f"{where}: tokens and batch go with a model, and this job is an amount of flop")
    _refuse_source(row.source, (*at, "source"), reader)
    return Job(
        name=row.name or row.model or f"{row.flop}",
        model=row.model,
        tokens=reader.number(row.tokens, *at, "tokens"),
        batch_tokens=reader.number(row.batch, *at, "batch"),
        flop=reader.number(row.flop, *at, "flop"),
        source=row.source,
        where=row.where,
    )


FIELDS: dict[str, type[_Strict]] = {
    "": GrowthRows,
    "deliveries": DeliveryRows,
    "write_off": WriteOffRows,
    "work": WorkRows,
    "jobs": JobRows,
}


def _told(error: ValidationError, where: str, places: Places) -> str:
    """Return one sentence for the first thing that is wrong, with the count of the others."""
    problems = error.errors()
    first = problems[0]
    path = tuple(p for p in first["loc"] if p not in ("str", "int", "float"))
    kind, field = first["type"], ".".join(map(str, path)) or "the file"
    others = len({tuple(p["loc"][:3]) for p in problems}) - 1
    more = f" (and {others} more)" if others else ""
    if kind == "extra_forbidden":
        record = FIELDS.get(str(path[0]) if len(path) > 1 else "", GrowthRows)
        allowed = [info.alias or name for name, info in record.model_fields.items()]
        near = difflib.get_close_matches(str(path[-1]), allowed, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}?" if near else f"allowed: {', '.join(allowed)}"
        why = f"{field} is not a field of a growth file; {hint}"
    elif kind == "missing":
        why = f"{field} is missing; write e.g. {EXAMPLE}"
    else:
        why = f"{field} = {first['input']!r}: {first['msg'].lower()}"
    return f"{where}{place_of(path, places)}: {why}{more}"
