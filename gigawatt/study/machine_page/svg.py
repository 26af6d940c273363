"""Just enough SVG: shapes as text, the same bytes for the same picture."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

INK, MUTED, RULE, PAPER = "#1d2b3a", "#56677a", "#a9b8c6", "#ffffff"
CHIP, CHIP_FILL = "#2b8a7e", "#cfe8e3"
SWITCH, SWITCH_FILL = "#4a5fb5", "#dfe4f6"
LIGHT, LIGHT_FILL = "#8e44ad", "#efe0f6"
HOT, HOT_FILL, HOT_PALE = "#d9480f", "#ffd9c2", "#fff1e8"
WEAK = "#946200"
FONT = "system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,Liberation Sans,sans-serif"
WIDE = 0.54  # of its size: a letter of such a font on average, rather more than less


def number(value: float) -> str:
    """Return a coordinate, short.

    >>> number(12.0), number(0.333333)
    ('12', '0.3')
    """
    return f"{value:.1f}".removesuffix(".0")


def rect(
    x: float, y: float, *, w: float, h: float, fill: str = PAPER, stroke: str = RULE, r: float = 2.0,
    width: float = 1.0,
) -> str:  # fmt: skip
    """Return a box."""
    n = number
    return (
        f'<rect x="{n(x)}" y="{n(y)}" width="{n(w)}" height="{n(h)}" rx="{n(r)}" fill="{fill}" '
        f'stroke="{stroke}" stroke-width="{n(width)}"/>'
    )


def path(d: str, *, stroke: str = RULE, width: float = 1.0, fill: str = "none", dash: str = "") -> str:
    """Return a path."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="{d}" fill="{fill}" stroke="{stroke}" stroke-width="{number(width)}"{dashed}/>'


def lines(pairs: Sequence[tuple[float, float, float, float]], **style: object) -> str:
    """Return many straight lines as one path."""
    n = number
    d = "".join(f"M{n(a)} {n(b)}L{n(c)} {n(e)}" for a, b, c, e in pairs)
    return path(d, **style)  # type: ignore[arg-type]


def dots(centres: Sequence[tuple[float, float]], *, r: float, fill: str) -> str:
    """Return many dots as one path."""
    n = number
    d = "".join(
        f"M{n(x - r)} {n(y)}a{n(r)} {n(r)} 0 1 0 {n(2 * r)} 0a{n(r)} {n(r)} 0 1 0 {n(-2 * r)} 0"
        for x, y in centres
    )
    return f'<path d="{d}" fill="{fill}"/>'


def text(
    x: float, y: float, *, words: str, size: float, fill: str = INK, bold: bool = False, anchor: str = "start"
) -> str:
    """Return one line of text."""
    heavy = ' font-weight="600"' if bold else ""
    where = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return (
        f'<text x="{number(x)}" y="{number(y)}" font-size="{number(size)}" fill="{fill}"{heavy}{where}>'
        f"{escape(words, quote=False)}</text>"
    )


def wrapped(words: str, *, size: float, width: float) -> list[str]:
    """Return text broken into lines that fit a width.

    >>> wrapped("one two three", size=10.0, width=45.0)
    ['one two', 'three']
    """
    most, found = max(int(width / (WIDE * size)), 1), [""]
    for word in words.split():
        longer = f"{found[-1]} {word}".strip()
        if len(longer) <= most or not found[-1]:
            found[-1] = longer
        else:
            found.append(word)
    return found


def document(parts: Sequence[str], *, width: float, height: float, title: str, about: str) -> str:
    """Return a picture as a file of its own."""
    n = number
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {n(width)} {n(height)}" width="{n(width)}" '
        f'height="{n(height)}" role="img" font-family="{FONT}">'
    )
    told = f"<title>{escape(title, quote=False)}</title><desc>{escape(about, quote=False)}</desc>"
    ground = f'<rect width="{n(width)}" height="{n(height)}" fill="{PAPER}"/>'
    return "\n".join([head, told, ground, *parts, "</svg>"])
