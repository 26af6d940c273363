"""The claim file: one TOML or YAML document, checked like a compiler checks a program."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from gigawatt.catalog import Source
from gigawatt.catalog import sources as catalogue_sources
from gigawatt.catalog.keyed_text import Places, read_keys, read_text
from gigawatt.catalog.machine_words import KINDS as SENTENCES
from gigawatt.catalog.machine_words import place_of
from gigawatt.catalog.records import Kind
from gigawatt.errors import FileFormatError, InputError, unknown_name
from gigawatt.study.claims.expression import FUNCTIONS, names_in
from gigawatt.study.claims.figures import Span, span_of
from gigawatt.study.claims.places import toml_places
from gigawatt.study.claims.queries import QUERIES
from gigawatt.study.claims.query import Query
from gigawatt.study.claims.rows import SHAPES, ClaimFileRows, ClaimRow, PictureRow, ReadingRow

ENDINGS = (".toml", ".yaml", ".yml")
NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
SAID = "said_"  # how an expression names what is said
ABOUT = ("label", "unit", "note")  # what every figure may have
DATUM = ("value", "kind", "source", "where")
EXAMPLE = 'x = { query = "chip", of = "h100-sxm", fact = "tdp_w" }'


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """One figure that is to be computed: a query, an expression, or a datum with its source."""

    name: str
    label: str
    unit: str  # "" is the query's own
    note: str = ""
    query: Query | None = None
    expr: str = ""
    datum: Span | None = None
    kind: str = ""
    sources: tuple[str, ...] = ()
    path: tuple[Any, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """One claim, checked."""

    rows: ClaimRow
    said: Mapping[str, Span]
    figures: Mapping[str, Wanted]


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimFile:
    """A claim file, checked: every name in it is known, and every figure can be asked for."""

    name: str  # as a reader types it
    rows: ClaimFileRows
    shared: Mapping[str, Wanted]
    claims: tuple[Claim, ...]
    sources: Mapping[str, Source]


class _Wrong(Exception):
    """Something is wrong at a path."""

    def __init__(self, path: Sequence[Any], why: str) -> None:
        super().__init__(why)
        self.path = tuple(path)


def built_in() -> dict[str, str]:
    """Return the names and titles of the claim files that come with gigawatt."""
    folder = files("gigawatt.catalog") / "data" / "claims"
    found = sorted(p.name for p in folder.iterdir() if p.name.endswith(".toml"))
    return {name[:-5]: str(tomllib.loads((folder / name).read_text("utf-8"))["title"]) for name in found}


def find_claim_file(name: str) -> ClaimFile:
    """Return a claim file that comes with gigawatt by its name, or a user's by its path.

    Raises: InputError for a name that is not known; FileFormatError for a file that is malformed.
    """
    if name.lower().endswith(ENDINGS):
        return read_claim_file(name)
    folder = files("gigawatt.catalog") / "data" / "claims"
    if name not in built_in():
        raise InputError(
            f"{unknown_name('claim file', name, built_in())}; a file of your own ends in {', '.join(ENDINGS)}"
        )
    text = (folder / f"{name}.toml").read_text("utf-8")
    return claim_file_of(
        tomllib.loads(text), name=name, where=f"claims/{name}.toml", places=toml_places(text)
    )


def read_claim_file(path: str | Path) -> ClaimFile:
    """Return a claim file that the user wrote.

    Raises: FileFormatError with file, line, field, value, what is allowed and the nearest fix.
    """
    rows, places = read_keys(path, kind="a claim file", example="title: What an article says")
    if str(path).lower().endswith(".toml"):
        places = toml_places(read_text(Path(path)))
    return claim_file_of(rows, name=str(path), where=str(path), places=places)


def claim_file_of(rows: Any, *, name: str, where: str, places: Places | None = None) -> ClaimFile:
    """Return checked rows.

    Raises: FileFormatError for the first thing that is wrong.
    """
    places = places or {}
    try:
        written = ClaimFileRows.model_validate(rows)
    except ValidationError as error:
        path, why = _told(error)
        raise FileFormatError(f"{where}{place_of(path, places)}: {why}") from None
    try:
        return _checked(written, name)
    except _Wrong as error:
        raise FileFormatError(
            f"{where}{place_of(error.path, places)}: {_field(error.path)}: {error}"
        ) from None


def _field(path: Sequence[Any]) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in path)


UNIONS = {"str", "float", "int", "dict[str,union[str,float,int]]", "dict[str,nullable[union[str,float,int]]]"}


def _told(error: ValidationError) -> tuple[tuple[Any, ...], str]:
    """Return where the first thing is wrong, and one sentence about it."""
    problems = error.errors()
    problem = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])  # most telling
    path = tuple(p for p in problem["loc"] if p not in UNIONS)
    field, kind = _field(path), problem["type"]
    allowed = _allowed(path[:-1])
    if kind == "extra_forbidden" and path[-1] == "verdict":
        return path, f"{field} cannot be written: a verdict is computed from the readings and their tests"
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(path[-1]), allowed, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}? " if near else ""
        return path, f"{field} is not a field of a claim file here; {hint}allowed: {', '.join(allowed)}"
    if kind == "missing":
        return path, f"{field} is missing"
    if kind in ("too_short", "string_too_long"):
        length = {"too_short": "is empty; give one at least",
                  "string_too_long": f"is longer than {problem['ctx'].get('max_length')} letters: quote the "
                  "key phrase that carries the number, no more"}  # fmt: skip
        return path, f"{field} {length[kind]}"
    known = SENTENCES.get("int_type" if kind.startswith("int_") else kind)
    why = known.format(value=problem["input"], **problem.get("ctx", {})) if known else problem["msg"].lower()
    return path, f"{field} = {problem['input']!r:.60} {why}"


def _allowed(path: Sequence[Any]) -> list[str]:
    shape = tuple(part for part in path if not isinstance(part, int))
    for known, model in SHAPES.items():
        if len(known) == len(shape) and all(k in ("*", s) for k, s in zip(known, shape, strict=True)):
            return [field.alias or name for name, field in model.model_fields.items()]
    return []


def _checked(written: ClaimFileRows, name: str) -> ClaimFile:
    sources = {
        **catalogue_sources(),
        **{id: Source(id=id, **dict(row)) for id, row in written.sources.items()},
    }
    shared = _figures(written.figures, ("figures",), sources=sources)
    _refuse_loops(shared)
    seen: set[str] = set()
    claims = []
    for i, rows in enumerate(written.claims):
        if rows.id in seen:
            raise _Wrong(("claims", i, "id"), f"{rows.id!r} comes twice; every claim has an id of its own")
        seen.add(rows.id)
        claims.append(_claim(rows, ("claims", i), shared=shared, sources=sources))
    for i, picture in enumerate(written.pictures):
        _check_picture(picture, ("pictures", i), claims=claims, shared=shared)
    return ClaimFile(name=name, rows=written, shared=shared, claims=tuple(claims), sources=sources)


def _claim(
    rows: ClaimRow, path: tuple[Any, ...], *, shared: Mapping[str, Wanted], sources: Mapping[str, Source]
) -> Claim:
    figures = _figures(rows.figures, (*path, "figures"), sources=sources)
    said = {}
    for key, row in rows.said.items():
        _check_name(key, (*path, "said", key))
        said[key] = _span(row.value, row.unit, (*path, "said", key), field="value")
    known = {**shared, **figures}
    names = set(known) | {SAID + key for key in said}
    for wanted in figures.values():
        _check_names(wanted.expr, names, wanted.path, field="expr")
    _refuse_loops(known)
    for key in rows.headline:
        if key not in known:
            raise _Wrong((*path, "headline"), str(unknown_name("figure", key, known)))
    for i, source in enumerate(rows.sources):
        if source not in sources:
            raise _Wrong((*path, "sources"), str(unknown_name(f"source {i + 1}", source, sources)))
    if bool(rows.readings) == bool(rows.opinion):
        raise _Wrong(path, "a claim has either readings, or opinion: why nothing can be compared")
    for i, reading in enumerate(rows.readings):
        _check_reading(reading, (*path, "readings", i), figures=known, said=said)
    return Claim(rows=rows, said=said, figures=figures)


def _check_reading(
    reading: ReadingRow, path: tuple[Any, ...], *, figures: Mapping[str, Wanted], said: Mapping[str, Span]
) -> None:
    for i, test in enumerate(reading.tests):
        at = (*path, "tests", i)
        if bool(test.figure) == bool(test.when):
            raise _Wrong(at, "a test has either figure, what it is compared with, or when, a condition")
        if test.when:
            _check_names(test.when, set(figures) | {SAID + key for key in said}, at, field="when")
            continue
        if test.figure not in figures:
            raise _Wrong(at, str(unknown_name("figure", test.figure, figures)))
        if test.than and test.than not in figures:
            raise _Wrong(at, str(unknown_name("than", test.than, figures)))
        own = test.than or test.value is not None
        if not own and (test.said or test.figure) not in said:
            raise _Wrong(at, str(unknown_name("said", test.said or test.figure, said)))
        if not test.rule:
            raise _Wrong(at, "is is missing; allowed: within, at_least, at_most, same")
        if test.rule == "within" and not test.by:
            raise _Wrong(at, 'by is missing: how far off it may be, e.g. by = "5 %", or days for a date')


def _check_picture(
    picture: PictureRow, path: tuple[Any, ...], *, claims: Sequence[Claim], shared: Mapping[str, Wanted]
) -> None:
    if bool(picture.bars) == bool(picture.lines):
        raise _Wrong(path, "a picture has either bars or lines")
    by_id = {claim.rows.id: claim for claim in claims}
    if picture.claim and picture.claim not in by_id:
        raise _Wrong((*path, "claim"), str(unknown_name("claim", picture.claim, by_id)))
    names = set(shared)
    if picture.claim:
        names |= set(by_id[picture.claim].figures) | {SAID + key for key in by_id[picture.claim].said}
    for key in picture.bars:
        if key not in names:
            raise _Wrong((*path, "bars"), str(unknown_name("figure", key, names)))
    for i, line in enumerate(picture.lines):
        at = (*path, "lines", i)
        query = _query({**line.query, picture.vary: picture.low}, at)
        if picture.vary not in type(query).model_fields:
            raise _Wrong((*path, "vary"), str(unknown_name("vary", picture.vary, type(query).model_fields)))


def _figures(
    rows: Mapping[str, Mapping[str, Any]], path: tuple[Any, ...], *, sources: Mapping[str, Source]
) -> dict[str, Wanted]:
    return {name: _wanted(name, row, (*path, name), sources=sources) for name, row in rows.items()}


def _wanted(
    name: str, row: Mapping[str, Any], path: tuple[Any, ...], *, sources: Mapping[str, Source]
) -> Wanted:
    _check_name(name, path)
    ways = [way for way in ("query", "expr", "value") if way in row]
    if len(ways) != 1:
        raise _Wrong(path, f"a figure has one of query, expr and value; this has {len(ways)}, e.g. {EXAMPLE}")
    for key in ABOUT:
        if not isinstance(row.get(key, ""), str):
            raise _Wrong((*path, key), f"{row[key]!r} is not text")
    about = {"name": name, "label": row.get("label") or name.replace("_", " "), "note": row.get("note", "")}
    unit = row.get("unit", "")
    if ways == ["query"]:
        asked = _query({k: v for k, v in row.items() if k not in ABOUT}, path)
        return Wanted(**about, unit=unit, query=asked, path=path)
    if ways == ["expr"]:
        _refuse_extra(row, ("expr", *ABOUT), path)
        if not isinstance(row["expr"], str) or not unit:
            raise _Wrong(path, 'an expr is text and has a unit, e.g. { expr = "a / b", unit = "x" }')
        _check_names(row["expr"], None, path, field="expr")
        return Wanted(**about, unit=unit, expr=row["expr"], path=path)
    return _datum(row, path, about=about, unit=unit or "1", sources=sources)


def _datum(
    row: Mapping[str, Any],
    path: tuple[Any, ...],
    *,
    about: Mapping[str, str],
    unit: str,
    sources: Mapping[str, Source],
) -> Wanted:
    """Return a datum of the file, which needs a kind and a source as every fact does."""
    _refuse_extra(row, (*DATUM, *ABOUT), path)
    if row.get("kind") not in get_args(Kind):
        raise _Wrong((*path, "kind"), f"{row.get('kind')!r} is not one of: {', '.join(get_args(Kind))}")
    cited = tuple(str(row.get("source", "")).split(";"))
    for source in cited:
        if source not in sources:
            what = "a value needs a source" if source == "" else str(unknown_name("source", source, sources))
            raise _Wrong((*path, "source"), what)
    note = "; ".join(part for part in (str(row.get("where", "")), about["note"]) if part)
    return Wanted(
        name=about["name"],
        label=about["label"],
        note=note,
        unit=unit,
        datum=_span(row["value"], unit, path, field="value"),
        kind=str(row["kind"]),
        sources=cited,
        path=path,
    )


def _query(row: Mapping[str, Any], path: tuple[Any, ...]) -> Query:
    kind = row.get("query")
    if not isinstance(kind, str) or kind not in QUERIES:
        raise _Wrong(path, str(unknown_name("query", str(kind), QUERIES)))
    made = QUERIES[kind]
    given = {k: v for k, v in row.items() if k != "query"}
    _refuse_extra(given, tuple(made.model_fields), path)
    try:
        return made.model_validate(given)
    except ValidationError as error:
        inner, why = _told(error)
        raise _Wrong((*path, *inner[:1]), f"of query {kind!r}: {why}") from None


def _refuse_extra(row: Mapping[str, Any], allowed: Sequence[str], path: tuple[Any, ...]) -> None:
    for key in row:
        if key not in allowed:
            near = difflib.get_close_matches(key, allowed, n=1, cutoff=0.6)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise _Wrong((*path, key), f"is not a field here; {hint}allowed: {', '.join(allowed)}")


def _check_name(name: str, path: tuple[Any, ...]) -> None:
    if not NAME.fullmatch(name) or name.startswith(SAID) or name in FUNCTIONS:
        raise _Wrong(
            path, f"{name!r} is not a name: a-z, 0-9 and _, a letter first, no function, not {SAID}..."
        )


def _check_names(text: str, known: set[str] | None, path: tuple[Any, ...], *, field: str) -> None:
    try:
        used = names_in(text, field=field) if text else set()
    except InputError as error:
        raise _Wrong(path, str(error)) from None
    for name in sorted(used - known) if known is not None else ():
        raise _Wrong(path, f"{field}: {unknown_name('figure', name, known or ())}")


def _span(value: Any, unit: str, path: tuple[Any, ...], *, field: str) -> Span:
    try:
        return span_of(value, unit, field=field)
    except InputError as error:
        raise _Wrong(path, str(error)) from None


def _refuse_loops(figures: Mapping[str, Wanted]) -> None:
    """Refuse figures that are computed from themselves."""
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            loop = " -> ".join((*trail[trail.index(name) :], name))
            raise _Wrong(figures[name].path, f"is computed from itself: {loop}")
        if name in done or name not in figures:
            return
        expr = figures[name].expr
        for inner in sorted(names_in(expr, field="expr")) if expr else ():
            visit(inner, (*trail, name))
        done.add(name)

    for name in figures:
        visit(name, ())
