"""Where the keys of a TOML document stand, line by line: what is wrong is told with its line."""

from __future__ import annotations

import re

from gigawatt.catalog.keyed_text import Places

HEADER = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.\-\"' ]+?)\s*\]\]?\s*(?:#.*)?$")
KEY = re.compile(r"\s*([A-Za-z0-9_\-]+|\"[^\"]*\"|'[^']*')\s*(?:\.[^=]*)?=")
QUOTES = ('"""', "'''")


def toml_places(text: str) -> Places:
    """Return the line of every table and key of a TOML document that starts a line.

    Keys inside inline tables are told by the line of the key that holds them.

    >>> toml_places('a = 1\\n[[claims]]\\nid = "3"\\n[claims.said]\\nx = 2')[("claims", 0, "said", "x")]
    ':5'
    """
    found: Places = {}
    counts: dict[tuple[str | int, ...], int] = {}
    table: tuple[str | int, ...] = ()
    open_quote = ""
    for number, line in enumerate(text.splitlines(), 1):
        if open_quote:
            open_quote = "" if open_quote in line else open_quote
            continue
        header = HEADER.match(line)
        key = None if header else KEY.match(line)
        if header:
            table = _table(header[2], counts, again=header[1] == "[[")
            found.setdefault(table, f":{number}")
        elif key:
            found.setdefault((*table, key[1].strip("\"'")), f":{number}")
        open_quote = next((q for q in QUOTES if line.count(q) % 2), "")
    return found


def _table(name: str, counts: dict[tuple[str | int, ...], int], *, again: bool) -> tuple[str | int, ...]:
    """Return the path of a table; the last of a list of tables where its parent is one."""
    path: tuple[str | int, ...] = ()
    parts = [part.strip().strip("\"'") for part in name.split(".")]
    for i, part in enumerate(parts):
        path = (*path, part)
        if again and i == len(parts) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path
