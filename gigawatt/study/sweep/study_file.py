"""The study file: one YAML document, checked like a compiler checks a program."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic import Field as Limit

from gigawatt.catalog.keyed_text import Places, read_keys
from gigawatt.catalog.machine_words import place_of
from gigawatt.errors import FileFormatError, InputError, unknown_name
from gigawatt.study.given import SHORT
from gigawatt.study.sweep.draws import MEANING, NUMBERS, Draw
from gigawatt.study.sweep.fields import Field, field_of, fields, value_of
from gigawatt.study.sweep.outputs import DEFAULT_OUTPUTS, OUTPUTS

Method = Literal["random", "sobol", "saltelli", "tornado"]
POWERS = ("sobol", "saltelli")  # that take a power of two
NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
MAX_ROWS, MAX_AXIS = 10**9, 100_000
PART_ROWS = 2**16
EXAMPLE = "sets: {prices: {grid: {machine.rent_usd_per_s: [2 $/h, 3 $/h]}}}"


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class SetRows(_Strict):
    """One named set: every combination of its grid, each with its draws."""

    grid: dict[str, Any] = Limit(default_factory=dict)
    draw: dict[str, Any] = Limit(default_factory=dict)
    samples: int = Limit(default=0, ge=0, le=MAX_ROWS)
    method: Method = "random"


class StudyRows(_Strict):
    """A study as written down."""

    name: str = ""
    seed: int = Limit(default=0, ge=0, lt=2**63)
    part_rows: int = Limit(default=PART_ROWS, ge=1, le=2**20)
    base: dict[str, Any]
    sets: dict[str, SetRows]
    outputs: list[str] = Limit(default_factory=lambda: list(DEFAULT_OUTPUTS))


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep:
    """One set of a study, in SI units."""

    name: str
    grid: Mapping[str, tuple[Any, ...]]  # what sets groups apart comes first
    draw: Mapping[str, Draw]
    samples: int
    method: Method

    @property
    def points(self) -> int:
        """Return how many combinations the grid has."""
        return math.prod(len(values) for values in self.grid.values())

    @property
    def designed(self) -> int:
        """Return how many rows each combination has."""
        d = len(self.draw)
        each = {"saltelli": self.samples * (d + 2), "tornado": 2 * d + 1}
        return each.get(self.method, self.samples) if d else 1

    @property
    def rows(self) -> int:
        return self.points * self.designed


@dataclass(frozen=True, kw_only=True, slots=True)
class Study:
    """What is asked: a base scenario, sets of changes, and which results are kept."""

    name: str
    seed: int
    part_rows: int
    base: Mapping[str, Any]
    fixed: Mapping[str, Any]
    sets: tuple[Sweep, ...]
    outputs: tuple[str, ...]

    @property
    def rows(self) -> int:
        return sum(sweep.rows for sweep in self.sets)


def read_study_file(path: str | Path) -> tuple[dict[str, Any], Study]:
    """Return a study file as plain values, and the study that it means.

    Raises: FileFormatError with the file, line, field and value, what is allowed and the nearest fix.
    """
    if Path(path).suffix.lower() not in (".yaml", ".yml"):
        raise InputError(
            f"study = {str(path)!r} is not the name of a study file, which ends in .yaml or .yml"
        )
    rows, places = read_keys(path, kind="a study", example="base: {model: llama3.1-8b, on: eos}")
    found = study_of(rows, where=str(path), places=places)
    return {**rows, "name": found.name}, found


def study_of(rows: Any, *, where: str, places: Places | None = None) -> Study:
    """Return the study that checked rows mean.

    Raises: FileFormatError for the first thing that is wrong.
    """
    places, reader = places or {}, _Reader(known=fields())
    try:
        written = StudyRows.model_validate(rows)
    except ValidationError as error:
        raise FileFormatError(_told(error, where, places)) from None
    try:
        return _study(written, Path(where).stem, reader)
    except InputError as error:
        raise FileFormatError(f"{where}{place_of(tuple(reader.path), places)}: {error}") from None


class _Reader:
    """Values by field, with the path of what is being read kept for the error."""

    def __init__(self, known: Mapping[str, Field]) -> None:
        self.known = known
        self.path: list[Any] = []

    def at(self, *path: Any) -> str:
        self.path = list(path)
        return ".".join(map(str, path))

    def field(self, name: Any) -> Field:
        return field_of(str(name), known=self.known)


def _study(written: StudyRows, stem: str, reader: _Reader) -> Study:
    base, fixed = _base(written.base, reader)
    if not written.sets:
        reader.at("sets")
        raise InputError(f"sets = {{}} has nothing to compute; write e.g. {EXAMPLE}")
    sets = tuple(_sweep(name, rows, reader) for name, rows in written.sets.items())
    for i, name in enumerate(written.outputs):
        reader.at("outputs", i)
        if name not in OUTPUTS:
            raise unknown_name("output", name, OUTPUTS)
    if len(set(written.outputs)) < len(written.outputs) or not written.outputs:
        reader.at("outputs")
        raise InputError(f"outputs = {written.outputs} names none, or one twice; e.g. [days, cost_usd]")
    if (rows := sum(s.rows for s in sets)) > MAX_ROWS:
        reader.at("sets")
        raise InputError(f"sets have {rows:,} rows together; the most is {MAX_ROWS:,}")
    return Study(
        name=written.name or stem,
        seed=written.seed,
        part_rows=written.part_rows,
        base=base,
        fixed=fixed,
        sets=sets,
        outputs=tuple(written.outputs),
    )


def _base(rows: Mapping[str, Any], reader: _Reader) -> tuple[dict[str, Any], dict[str, Any]]:
    found: dict[str, Any] = {}
    fixed: Any = {}
    for key, value in rows.items():
        where = reader.at("base", key)
        if key == "fixed":
            fixed = value
            if not isinstance(value, dict):
                raise InputError(f"{where} = {value!r} is not a table such as {{tp: 8}}")
            continue
        inner = value if isinstance(value, dict) else {None: value}
        for sub, one in inner.items():
            name = key if sub is None else f"{key}.{_long(key, sub)}"
            where = reader.at("base", key) if sub is None else reader.at("base", key, sub)
            field = reader.field(name)
            if field.name in found:
                raise InputError(f"base.{field.name} is given twice")
            found[field.name] = value_of(field, one, where=where)
    reader.at("base")
    _refuse_base(found, fixed)
    return found, fixed


def _long(key: str, sub: Any) -> str:
    """Return a layout word under its full name: vp is chunks."""
    name = "dp_shard" if key == "layout" and sub == "dp" else str(sub)
    return SHORT.get(name, name) if key == "layout" else name


def _refuse_base(found: Mapping[str, Any], fixed: Mapping[str, Any]) -> None:
    if fixed and any(name.startswith("layout.") for name in found):
        raise InputError("base.fixed holds a search and base.layout prices one layout; give one of them")
    if "batch_tokens" in found and "batch_sequences" in found:
        raise InputError(
            "base.batch_tokens and base.batch_sequences say the same thing twice; give one of them"
        )


def _sweep(name: str, rows: SetRows, reader: _Reader) -> Sweep:
    reader.at("sets", name)
    if not NAME.fullmatch(name):
        raise InputError(f"sets.{name}: a set's name is a table's name: a-z, 0-9 and _, a letter first")
    if not rows.grid and not rows.draw:
        raise InputError(f"sets.{name} has neither a grid nor draws; write e.g. {EXAMPLE}")
    grid = {str(key): _axis(name, key, value, reader) for key, value in rows.grid.items()}
    draw = {}
    for key, value in rows.draw.items():
        where = reader.at("sets", name, "draw", key)
        field = reader.field(key)
        if field.name in grid:
            raise InputError(f"{where}: {field.name} is also an axis of the grid; it can be one of them")
        draw[field.name] = _draw(field, value, where=where)
    reader.at("sets", name, "samples")
    _refuse_samples(name, rows, len(draw))
    apart = sorted(grid, key=lambda n: reader.known[n].together)  # stable: what sets groups apart first
    return Sweep(
        name=name, grid={n: grid[n] for n in apart}, draw=draw, samples=rows.samples, method=rows.method
    )


def _refuse_samples(name: str, rows: SetRows, draws: int) -> None:
    n, method = rows.samples, rows.method
    if not draws:
        if n or method != "random":
            raise InputError(f"sets.{name}: samples and method are of draws, and there are none")
        return
    if method == "tornado" and n:
        raise InputError(
            f"sets.{name}.samples = {n}: a tornado has two rows for each draw; leave samples out"
        )
    if method != "tornado" and n < 1:
        raise InputError(f"sets.{name}.samples is missing; write e.g. samples: 10000")
    if method in POWERS and n & (n - 1):
        below = 1 << (n.bit_length() - 1)
        raise InputError(
            f"sets.{name}.samples = {n}: {method} takes a power of two; try {below} or {2 * below}"
        )
    if method == "saltelli" and n < 2:
        raise InputError(f"sets.{name}.samples = {n}: saltelli takes 2 or more; write e.g. samples: 1024")


def _axis(name: str, key: str, value: Any, reader: _Reader) -> tuple[Any, ...]:
    """Return the values of one axis: a list, or {from, to, count, scale}."""
    where = reader.at("sets", name, "grid", key)
    field = reader.field(key)
    if isinstance(value, dict):
        return _range(field, value, where)
    if not isinstance(value, list) or not value:
        raise InputError(f"{where} = {value!r} is neither a list of values nor a table of from, to and count")
    if len(value) > MAX_AXIS:
        raise InputError(f"{where} has {len(value):,} values; the most is {MAX_AXIS:,}")
    found = tuple(value_of(field, one, where=f"{where}.{i}") for i, one in enumerate(value))
    if len(set(found)) < len(found):
        raise InputError(f"{where} has a value twice: rows would be repeated")
    return found


def _range(field: Field, value: Mapping[str, Any], where: str) -> tuple[Any, ...]:
    _refuse_keys(where, value, ("from", "to", "count", "scale"), needed=("from", "to", "count"))
    if field.kind == "word":
        raise InputError(f"{where}: {field.name} takes names; write a list of them")
    first, last = (value_of(field, value[end], where=f"{where}.{end}") for end in ("from", "to"))
    count, scale = value["count"], value.get("scale", "linear")
    if isinstance(count, bool) or not isinstance(count, int) or not 2 <= count <= MAX_AXIS:
        raise InputError(f"{where}.count = {count!r} is not a whole number in 2 .. {MAX_AXIS:,}")
    if scale not in ("linear", "log"):
        raise InputError(f"{where}.scale = {scale!r} is not one of: linear, log")
    if scale == "log" and min(first, last) <= 0:
        raise InputError(f"{where}.scale = 'log' needs ends above 0")
    steps = [i / (count - 1) for i in range(count)]
    mixed = [first * (last / first) ** x if scale == "log" else first + (last - first) * x for x in steps]
    found = [round(x) for x in mixed] if field.kind in ("count", "degree") else [*mixed[:-1], float(last)]
    if len(set(found)) < len(found):
        raise InputError(f"{where} has {count} steps from {first:g} to {last:g}, and some are the same")
    return tuple(found)


def _draw(field: Field, value: Any, *, where: str) -> Draw:
    """Return one distribution.

    Raises: InputError for what is none.
    """
    kinds = (*NUMBERS, "choices", "published", "band")
    if not isinstance(value, dict):
        raise InputError(f"{where} = {value!r} is not a distribution such as {{uniform: [1, 2]}}")
    _refuse_keys(where, value, (*kinds, "of", "weights"), needed=())
    given = [kind for kind in kinds if kind in value]
    if len(given) != 1:
        raise InputError(f"{where} names {len(given)} distributions; give one of: {', '.join(kinds)}")
    kind = given[0]
    if "of" in value and (value["of"] != "base" or kind not in NUMBERS):
        raise InputError(
            f"{where}.of = {value['of']!r}: only `of: base`, with numbers that multiply the base value"
        )
    if "weights" in value and kind != "choices":
        raise InputError(f"{where}.weights are of choices, and this is {kind}")
    if kind == "choices":
        return _choices(field, value, where)
    if field.kind != "column":
        raise InputError(f"{where}: {field.name} takes whole numbers or names; write {{choices: [...]}}")
    if kind in ("published", "band"):
        return _from_scenario(field, kind, value[kind], where=where)
    return _numbers(field, kind, value, where=where)


def _from_scenario(field: Field, kind: str, value: Any, *, where: str) -> Draw:
    if value is not True:
        raise InputError(f"{where}.{kind} = {value!r} is not true; leave it out, or write {kind}: true")
    if (kind == "band") != (field.name == "step_ratio"):
        raise InputError(
            f"{where}: `band` is the measured error of step times; it goes with step_ratio alone"
        )
    return Draw(kind=kind)


def _numbers(field: Field, kind: str, value: Mapping[str, Any], *, where: str) -> Draw:
    written, of_base = value[kind], "of" in value
    if not isinstance(written, list) or len(written) != NUMBERS[kind]:
        raise InputError(f"{where}.{kind} = {written!r} is not {MEANING[kind]}")
    at = f"{where}.{kind}"
    numbers = tuple(value_of(field, x, where=f"{at}.{i}", ratio=of_base) for i, x in enumerate(written))
    rising = kind in ("uniform", "log_uniform", "triangular", "log_normal")
    flat = numbers[0] == numbers[-1] or (rising and list(numbers) != sorted(numbers))
    if (flat and rising) or (kind == "normal" and numbers[1] <= 0):
        raise InputError(f"{at} = {written!r} is not {MEANING[kind]} in rising order, with a width above 0")
    if kind.startswith("log_") and min(numbers) <= 0:
        raise InputError(f"{at} = {written!r} needs numbers above 0")
    return Draw(kind=kind, numbers=tuple(map(float, numbers)), of_base=of_base)


def _choices(field: Field, value: Mapping[str, Any], where: str) -> Draw:
    written, weights = value["choices"], value.get("weights", [])
    if not isinstance(written, list) or len(written) < 2:
        raise InputError(f"{where}.choices = {written!r} is not a list of two values or more")
    found = tuple(value_of(field, one, where=f"{where}.choices.{i}") for i, one in enumerate(written))
    good = isinstance(weights, list) and all(
        isinstance(w, int | float) and not isinstance(w, bool) and 0 < w < 1e12 for w in weights
    )
    if not good or (weights and len(weights) != len(found)):
        raise InputError(f"{where}.weights = {weights!r} is not one number above 0 for each choice")
    return Draw(kind="choices", choices=found, weights=tuple(map(float, weights)))


def _refuse_keys(
    where: str, value: Mapping[Any, Any], allowed: tuple[str, ...], *, needed: tuple[str, ...]
) -> None:
    for key in value:
        if key not in allowed:
            raise unknown_name(where, str(key), allowed)
    for key in needed:
        if key not in value:
            raise InputError(f"{where}.{key} is missing; it takes {', '.join(needed)}")


FIELDS = {1: tuple(StudyRows.model_fields), 3: tuple(SetRows.model_fields)}


def _told(error: ValidationError, where: str, places: Places) -> str:
    """Return one sentence for the first thing that is wrong, with the count of the others."""
    problems = error.errors()
    first = problems[0]
    path, kind = tuple(first["loc"]), first["type"]
    field = ".".join(map(str, path)) or "the file"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    if kind == "extra_forbidden":
        allowed = FIELDS.get(len(path), ())
        near = difflib.get_close_matches(str(path[-1]), allowed, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}?" if near else f"allowed: {', '.join(allowed)}"
        why = f"{field} is not a field of a study file; {hint}"
    elif kind == "missing":
        example = EXAMPLE if field == "sets" else "base: {model: llama3.1-8b, on: eos, tokens: 1T}"
        why = f"{field} is missing; write e.g. {example}"
    else:
        why = f"{field} = {first['input']!r}: {first['msg'].lower()}"
    return f"{where}{place_of(path, places)}: {why}{more}"
