"""YAML or TOML text as plain keys and values, and where each key stands."""

from __future__ import annotations

import itertools
import tomllib
from pathlib import Path
from typing import Any

from gigawatt.errors import FileFormatError

MAX_FILE_BYTES = 100_000
MAX_DEPTH = 50  # brackets or dashes in one another; readers take quadratic time or recurse
MAX_VALUES = 10_000  # aliases can make a short file mean a very long one

Places = dict[tuple[Any, ...], str]  # path of keys: ":line:column"


def read_keys(
    path: str | Path, *, kind: str = "a machine", example: str = "chip: h100-sxm"
) -> tuple[dict[str, Any], Places]:
    """Return what a small YAML or TOML file of some kind says, as plain values.

    Raises: FileFormatError when it cannot be read, or does not hold keys and values.
    """
    file = Path(path)
    text = read_text(file)
    rows, places = (_toml(text, file), {}) if file.suffix.lower() == ".toml" else _yaml(text, file)
    if rows is None or rows == {}:
        needs = "at least `chip` and `chips`" if kind == "a machine" else f"e.g. `{example}`"
        raise FileFormatError(f"{file}: is empty; {kind} needs {needs}")
    if not isinstance(rows, dict):
        held = "a list" if isinstance(rows, list) else "one value"
        raise FileFormatError(f"{file}: holds {held}, not keys and values such as `{example}`")
    return rows, places


def read_text(file: Path) -> str:
    """Return the text of a small file.

    Raises: FileFormatError when it cannot be read.
    """
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise FileFormatError(
                f"{file}: is larger than {MAX_FILE_BYTES:,} bytes; nobody wrote that by hand"
            )
        return file.read_text("utf-8-sig")
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        if isinstance(error, UnicodeDecodeError):
            raise FileFormatError(f"{file}: is not UTF-8 text") from None
        what = getattr(error, "strerror", None) or "no such file"
        raise FileFormatError(f"{file}: cannot be read ({what.lower()})") from None


def _toml(text: str, file: Path) -> Any:
    _refuse_depth(text, file, "TOML")
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise FileFormatError(f"{file}: is not TOML ({str(error).lower()})") from None


def _yaml(text: str, file: Path) -> tuple[Any, Places]:
    """Return plain values of a YAML 1.2 document, and where each key stands."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    _refuse_depth(text, file, "YAML")
    loader = YAML(typ="rt")
    places: Places = {}
    try:
        return _plain(loader.load(text), (), places=places, left=itertools.count(MAX_VALUES, -1)), places
    except FileFormatError as error:
        raise FileFormatError(f"{file}: {error}") from None
    except (YAMLError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        # ruamel lets its own slips through on odd tags and numbers
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        what = (str(getattr(error, "problem", None) or error).splitlines() or ["unreadable"])[0]
        raise FileFormatError(f"{file}{place}: is not YAML ({what})") from None


def _refuse_depth(text: str, file: Path, kind: str) -> None:
    """Refuse what is nested deeper than any machine, before a reader of quadratic time sees it."""
    steps = {"[": 1, "{": 1, "]": -1, "}": -1}
    depths = itertools.accumulate(steps[letter] for letter in text if letter in steps)
    dashes = max((line.count("- ") + line.count("? ") for line in text.splitlines()), default=0)
    if max(depths, default=0) > MAX_DEPTH or dashes > 4 * MAX_DEPTH:
        raise FileFormatError(f"{file}: is not {kind} (more than {MAX_DEPTH} lists in one another)")


def _plain(node: Any, path: tuple[Any, ...], *, places: Places, left: Any) -> Any:
    if next(left) <= 0 or len(path) > MAX_DEPTH:
        raise FileFormatError(f"holds more than {MAX_VALUES:,} values, or lists that hold themselves")
    if isinstance(node, dict):
        lines = getattr(node, "lc", None)
        for key in node:
            at = lines.key(key) if lines is not None and lines.data and key in lines.data else None
            if at:
                places[(*path, _key(key))] = f":{at[0] + 1}:{at[1] + 1}"
        return {_key(k): _plain(v, (*path, _key(k)), places=places, left=left) for k, v in node.items()}
    if isinstance(node, list):
        return [_plain(v, (*path, i), places=places, left=left) for i, v in enumerate(node)]
    if isinstance(node, bool) or node is None:
        return node
    return next((kind(node) for kind in (int, float, str) if isinstance(node, kind)), str(node))


def _key(key: Any) -> str:
    return "null" if key is None else str(key)
