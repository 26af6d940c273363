"""How a page looks: one style and one kind of table for all."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:76rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "h1{line-height:1.2}table{border-collapse:collapse;margin:1rem 0 2rem}"
    "td,th{padding:.15rem .6rem;text-align:right;white-space:nowrap;vertical-align:top}"
    "td:first-child,th:first-child,.words,.long{text-align:left}.long{white-space:normal;min-width:18rem}"
    "tr:nth-child(even){background:#f4f4f4}"
    "figure{margin:0;overflow-x:auto}svg{max-width:100%;height:auto}div{overflow-x:auto}"
    "@media(max-width:40rem){body{margin:1rem auto}h1{font-size:1.5rem}h2{font-size:1.15rem}"
    "table{font-size:12px}td,th{padding:.1rem .3rem}figure svg{max-width:none}}"  # slid, not shrunk
)
NUMBER = re.compile(r"[-+$<>~]{0,2}\d")
LONG = 40  # characters, from which on a column of words is wrapped


def html_page(title: str, body: str, *, style: str = "") -> str:
    """Return one self-contained page; `body` is HTML, and the title is escaped here."""
    told = escape(title)
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>gigawatt: {told}</title><style>{STYLE}{style}</style><h1>{told}</h1>{body}</html>"
    )


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """Return a table: numbers to the right, words to the left, long words wrapped.

    >>> table([{"chip": "h100-sxm", "cards": "8"}])
    '<table><tr><th class=words>chip<th>cards<tr><td class=words>h100-sxm<td>8</table>'
    """
    if not rows:
        return "<table></table>"
    kinds = {name: _kind([row[name] for row in rows]) for name in rows[0]}
    head = "".join(f"<th{kinds[name]}>{escape(name)}" for name in rows[0])
    body = "".join("<tr>" + "".join(f"<td{kinds[k]}>{escape(v)}" for k, v in row.items()) for row in rows)
    return f"<table><tr>{head}{body}</table>"


def _kind(cells: Sequence[str]) -> str:
    if any(NUMBER.match(cell) for cell in cells):
        return ""
    return " class=long" if max(len(cell) for cell in cells) > LONG else " class=words"
