"""The machine file: one short YAML or TOML document, checked like a compiler checks a program."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gigawatt.errors import FileFormatError

MAX_FILE_BYTES = 1_000_000
Quantity = str | float | int


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class NetworkLevel(_Strict):
    """One level of the network above the scale-up domain, inside out."""

    name: str = "fabric"
    chips: int | None = Field(default=None, ge=1)  # of one unit of this level; all when left out
    per_chip: Quantity  # "400 Gbit/s": of a chip's network ports, one direction
    oversubscription: float | int = Field(default=1, ge=1)
    latency: Quantity | None = None
    reduces_in_network: bool = False


class ScaleUp(_Strict):
    """The scale-up domain; what is left out comes from the chip."""

    name: str = "scale_up"
    chips: int | None = Field(default=None, ge=1)
    per_chip: Quantity | None = None
    latency: Quantity | None = None
    topology: Literal["switch", "mesh", "torus"] | None = None
    dims: tuple[int, ...] | list[int] | None = None
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


def read_machine_file(path: str | Path) -> MachineFile:
    """Return a machine file, checked against its schema.

    Raises: FileFormatError with the file, line, column, field and value, and the nearest right name.
    """
    file = Path(path)
    text = read_text(file)
    rows, places = (_toml(text, file), {}) if file.suffix == ".toml" else _yaml(text, file)
    return machine_file_of(rows, where=str(file), places=places)


def read_text(file: Path) -> str:
    """Return the text of a small file.

    Raises: FileFormatError when it cannot be read.
    """
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise FileFormatError(f"{file}: is larger than {MAX_FILE_BYTES:,} bytes; this is no machine file")
        return file.read_text("utf-8")
    except OSError as error:
        raise FileFormatError(f"{file}: cannot be read ({error.strerror or 'no such file'})") from None
    except UnicodeDecodeError:
        raise FileFormatError(f"{file}: is not UTF-8 text") from None


def machine_file_of(
    rows: Any, *, where: str, places: dict[tuple[Any, ...], str] | None = None
) -> MachineFile:
    """Return checked rows.

    Raises: FileFormatError for the first thing that is wrong, with the count of the others.
    """
    if not isinstance(rows, dict):
        raise FileFormatError(f"{where}: holds a {type(rows).__name__}, not keys and values")
    try:
        return MachineFile.model_validate(rows)
    except ValidationError as error:
        raise FileFormatError(_told(error, where, places or {})) from None


def _told(error: ValidationError, where: str, places: dict[tuple[Any, ...], str]) -> str:
    """Return one sentence: place, field, what was found, what is allowed, the nearest name."""
    problems = error.errors()
    first = _most_telling(problems)
    path = tuple(p for p in first["loc"] if p not in _UNION_TAGS)
    field = ".".join(str(p) for p in path)
    place = next((places[path[:n]] for n in range(len(path), 0, -1) if path[:n] in places), "")
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(path[-1]), _names_at(path[:-1]), n=1, cutoff=0.5)
        hint = (
            f"; did you mean {near[0]!r}?"
            if near
            else f"; allowed: {', '.join(sorted(_names_at(path[:-1])))}"
        )
        told = f"{field} is not a field of a machine file{hint}"
    elif first["type"] == "missing":
        told = f"{field} is missing"
    else:
        told = f"{field} = {first['input']!r}: {first['msg'].lower().removeprefix('input ')}"
    more = (
        f" (and {len(problems) - 1} more)"
        if len(problems) > 1 and len({p["loc"][0] for p in problems}) > 1
        else ""
    )
    return f"{where}{place}: {told}{more}"


_UNION_TAGS = (
    "str",
    "float",
    "int",
    "SiteRow",
    "FactRow",
    "list[NetworkLevel]",
    "tuple[int, ...]",
    "list[int]",
)


def _most_telling(problems: Any) -> Any:
    """Return the deepest problem of the first field: of a union, the branch that got furthest."""
    field = problems[0]["loc"][0]
    return max((p for p in problems if p["loc"][0] == field), key=lambda p: len(p["loc"]))


def _names_at(path: tuple[Any, ...]) -> list[str]:
    models: dict[str, type[BaseModel]] = {
        "scale_up": ScaleUp,
        "network": NetworkLevel,
        "site": SiteRow,
        "facts": FactRow,
    }
    return list((models[path[0]] if path else MachineFile).model_fields)


def _toml(text: str, file: Path) -> Any:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FileFormatError(f"{file}: is not TOML ({error})") from None


def _yaml(text: str, file: Path) -> tuple[Any, dict[tuple[Any, ...], str]]:
    """Return plain values of a YAML 1.2 document, and where each key stands."""
    from ruamel.yaml import YAML, YAMLError

    loader = YAML(typ="rt")
    try:
        tree = loader.load(text)
    except (YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        what = str(getattr(error, "problem", None) or error).splitlines()[0]
        raise FileFormatError(f"{file}{place}: is not YAML ({what})") from None
    places: dict[tuple[Any, ...], str] = {}
    return _plain(tree, (), places), places


def _plain(node: Any, path: tuple[Any, ...], places: dict[tuple[Any, ...], str]) -> Any:
    if isinstance(node, dict):
        lines = getattr(node, "lc", None)
        for key in node:
            at = lines.key(key) if lines is not None and lines.data and key in lines.data else None
            if at:
                places[(*path, key)] = f":{at[0] + 1}:{at[1] + 1}"
        return {str(k): _plain(v, (*path, k), places) for k, v in node.items()}
    if isinstance(node, list):
        return [_plain(v, (*path, i), places) for i, v in enumerate(node)]
    if isinstance(node, bool) or node is None:
        return node
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return str(node)
