"""The picture of a machine: its levels under one another, each opening one part of the level above."""

from __future__ import annotations

from collections.abc import Sequence

from gigawatt.catalog.records import Machine
from gigawatt.errors import UnknownFactError
from gigawatt.study.charts import renderer
from gigawatt.study.machine_page import panels, svg
from gigawatt.study.machine_page.structure import Figure, Tier, tiers
from gigawatt.units import format as fmt

WIDTH, EDGE, GAP = 530.0, 16.0, 26.0
LEFT, TEXT = 14.0, 226.0  # where drawings and words begin
LARGE, NAME, BODY, FINE = 21.0, 16.0, 14.5, 13.0
STAR = "*"


def picture(machine: Machine) -> str:
    """Return the structure of a machine as one SVG file, from its record alone."""
    found = tiers(machine)
    head, y = _head(machine)
    parts, zooms, opened = [], [], None
    for tier, inner in zip(found, [*found[1:], None], strict=True):
        drawing = panels.panel(tier, inner=inner)
        words, height = _words(tier, inner, y=y)
        if opened is not None:
            zooms.append(_zoom(opened, y))
        parts.append(
            f'<g transform="translate({svg.number(LEFT)} {svg.number(y)})">{"".join(drawing.parts)}</g>'
        )
        parts += words
        opened = (drawing.marked, y)
        y += max(panels.HEIGHT, height) + GAP
    foot, y = _foot(found, y)
    about = "; ".join(f"{t.name}: {t.chips:,} chips, {t.units:,} in all" for t in found)
    title = f"What {machine.name} is made of"
    return svg.document(
        [*zooms, *head, *parts, *foot], width=WIDTH, height=y + EDGE, title=title, about=about
    )


def png(text: str, *, pixels_per_point: float = 2.0) -> bytes:
    """Return a picture as PNG.

    Raises: MissingExtraError with the command that installs what draws it.
    """
    return bytes(renderer().svg_to_png(text, scale=pixels_per_point))


def _head(machine: Machine) -> tuple[list[str], float]:
    parts, y = [], EDGE + LARGE
    for line in svg.wrapped(machine.name, size=LARGE, width=WIDTH - 2 * EDGE):
        parts.append(svg.text(LEFT, y, words=line, size=LARGE, bold=True))
        y += LARGE + 5.0
    told = [f"{machine.chips:,} x {machine.chip.name}, {machine.owner}", summary(machine)]
    if machine.fabric:
        told.append(machine.fabric)
    for line in (part for text in told for part in svg.wrapped(text, size=FINE, width=WIDTH - 2 * EDGE)):
        parts.append(svg.text(LEFT, y, words=line, size=FINE, fill=svg.MUTED))
        y += FINE + 5.0
    badge = status_words(machine)
    shade = svg.MUTED if machine.shipping else svg.HOT
    for line in svg.wrapped(badge, size=FINE, width=WIDTH - 2 * EDGE) if badge else []:
        parts.append(svg.text(LEFT, y, words=line, size=FINE, fill=shade, bold=True))
        y += FINE + 5.0
    return parts, y + 8.0


def status_words(machine: Machine) -> str:
    """Return whether a machine exists, in words; nothing where its record does not say and it could."""
    if machine.shipping:
        return f"Status: {machine.status}" if machine.status else ""
    return f"ANNOUNCED, NOT SHIPPING: {machine.status or 'no date is known'}"


def summary(machine: Machine) -> str:
    """Return peak and memory of a whole machine in words."""
    dtype = next((d for d in ("bf16", "fp16") if d in machine.chip.dtypes), machine.chip.dtypes[0])
    peak = fmt(machine.chips * machine.chip.peak_flop_per_s(dtype), "flop/s")
    try:
        memory = f", {fmt(machine.chips * machine.chip.hbm_bytes, 'byte')} of memory"
    except UnknownFactError:
        memory = ""
    return f"{peak} {dtype}, dense{memory}"


def plural(tier: Tier, count: int) -> str:
    """Return a count of units of a level in words."""
    name = tier.name.split(",")[0]
    name = tier.kind if tier.kind in ("chip", "slice") else name
    return f"{count:,} {name}{'s' if count != 1 else ''}"


def counts(tier: Tier, inner: Tier | None) -> str:
    """Return how many there are of a level, and of what each is made."""
    if inner is None:
        return f"{tier.units:,} in all"
    if tier.kind == "site":
        return f"{tier.chips:,} chips"
    many = f"{tier.units:,}, each of " if tier.units > 1 else ""
    made = plural(inner, tier.holds)
    whole = "" if inner.kind in ("chip", "slice") else f": {tier.chips:,} chips"
    return f"{many}{made}{whole}"


def _words(tier: Tier, inner: Tier | None, *, y: float) -> tuple[list[str], float]:
    parts, at, room = [], y + 15.0, WIDTH - TEXT - EDGE
    rows = [(line, NAME, svg.INK, True) for line in svg.wrapped(tier.name, size=NAME * 1.06, width=room)]
    rows += [(line, BODY, svg.INK, False) for line in svg.wrapped(counts(tier, inner), size=BODY, width=room)]
    if tier.kind == "torus":
        rows.append((f"{' x '.join(map(str, tier.dims))} torus", BODY, svg.INK, False))
    for figure in tier.figures:
        told = figure.text + (STAR if figure.weak else "")
        shade = svg.WEAK if figure.weak else svg.MUTED
        rows += [(line, FINE, shade, False) for line in svg.wrapped(told, size=FINE, width=room)]
    for line, size, shade, bold in rows:
        parts.append(svg.text(TEXT, at, words=line, size=size, fill=shade, bold=bold))
        at += size + 4.0
    return parts, at - y - 8.0


def _zoom(opened: tuple[panels.Box | None, float], y: float) -> str:
    """Return the beam from the marked part of one drawing to the drawing of what is in it."""
    box, top = opened
    if box is None:
        return ""
    n, foot = svg.number, top + box.y + box.h
    left, right = LEFT + box.x, LEFT + box.x + box.w
    d = f"M{n(left)} {n(foot)}L{n(LEFT)} {n(y)}L{n(LEFT + panels.WIDTH)} {n(y)}L{n(right)} {n(foot)}Z"
    return f'<path d="{d}" fill="{svg.HOT_PALE}" stroke="{svg.HOT}" stroke-width="0.6" stroke-opacity="0.5"/>'


def _foot(found: Sequence[Tier], y: float) -> tuple[list[str], float]:
    weak = any(figure.weak for tier in found for figure in tier.figures)
    told = ["Orange: the part that the next drawing opens. Boxes stand for many; counts are in the words."]
    if weak:
        told.append(f"{STAR} assumed or estimated; `gigawatt machine show` gives the source of each figure.")
    parts = []
    for words in told:
        shade = svg.WEAK if words.startswith(STAR) else svg.MUTED
        for line in svg.wrapped(words, size=12.0, width=WIDTH - 2 * EDGE):
            parts.append(svg.text(LEFT, y, words=line, size=12.0, fill=shade))
            y += 16.0
    return parts, y - 10.0


__all__ = ["Figure", "counts", "picture", "plural", "png", "status_words", "summary"]
