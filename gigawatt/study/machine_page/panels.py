"""How each kind of level is drawn: one unit of it, its parts inside, one of them marked."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

from gigawatt.study.machine_page import svg
from gigawatt.study.machine_page.structure import Tier

WIDTH, HEIGHT = 190.0, 116.0
FEW = 8  # boxes side by side; of more, six, dots and the last
ONE_LAYER = 32  # boxes that one layer of switches is drawn for
SMALL = 12.0  # size of letters in a drawing


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """Where the marked part is."""

    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Panel:
    """A drawing at the origin, and its marked part; none for a chip."""

    parts: tuple[str, ...]
    marked: Box | None = None


def panel(tier: Tier, *, inner: Tier | None) -> Panel:
    """Return the drawing of a level; `inner` is the next level in."""
    if tier.kind == "torus":
        return _torus(tier, block=1 if inner is None or inner.kind in ("chip", "slice") else 2)
    return PANELS[tier.kind](tier)


def _row(count: int, *, y: float, h: float, w: float = WIDTH, x: float = 0.0) -> tuple[list[str], list[Box]]:
    """Return a row of boxes, the first marked, with dots where there are too many."""
    slots = min(count, FEW)
    gap = 5.0 if slots > 1 else 0.0
    wide = min((w - gap * (slots - 1)) / slots, 60.0)
    start = x + (w - slots * wide - gap * (slots - 1)) / 2.0
    parts, boxes = [], []
    for i in range(slots):
        left = start + i * (wide + gap)
        if count > FEW and i == FEW - 2:
            middle = left + wide / 2
            parts.append(
                svg.dots(
                    [(middle - 5, y + h / 2), (middle, y + h / 2), (middle + 5, y + h / 2)],
                    r=1.5,
                    fill=svg.MUTED,
                )
            )
            continue
        hot = i == 0
        parts.append(
            svg.rect(left, y, w=wide, h=h, fill=svg.HOT_FILL if hot else svg.CHIP_FILL,
                     stroke=svg.HOT if hot else svg.CHIP, width=1.6 if hot else 1.0)
        )  # fmt: skip
        boxes.append(Box(x=left, y=y, w=wide, h=h))
    return parts, boxes


def _middle(box: Box) -> float:
    return box.x + box.w / 2.0


def _bars(count: int, *, y: float, h: float = 11.0, w: float = WIDTH) -> tuple[list[str], list[Box]]:
    wide = min((w - 8.0 * (count - 1)) / count, 44.0)
    start = (w - count * wide - 8.0 * (count - 1)) / 2.0
    boxes = [Box(x=start + i * (wide + 8.0), y=y, w=wide, h=h) for i in range(count)]
    style = {"fill": svg.SWITCH_FILL, "stroke": svg.SWITCH}
    return [svg.rect(b.x, b.y, w=b.w, h=b.h, **style) for b in boxes], boxes  # type: ignore[arg-type]


def _links(lower: list[Box], upper: list[Box], *, dash: str = "", all_to_all: bool = True) -> str:
    pairs = []
    for i, low in enumerate(lower):
        mine = upper if all_to_all else [upper[i * len(upper) // len(lower)]]
        pairs += [(_middle(low), low.y, _middle(up), up.y + up.h) for up in mine]
    return svg.lines(pairs, stroke=svg.SWITCH, width=0.8, dash=dash)


def _clos(tier: Tier) -> Panel:
    """The tiers of switches above the parts: as many as are counted, or a sketch of one or two."""
    row, boxes = _row(tier.holds, y=90.0, h=24.0)
    dash = "4 3" if tier.oversubscription > 1.001 else ""
    if tier.holds == 1:
        bars, above = _bars(1, y=30.0)
        middle = _middle(above[0])
        out = svg.lines([(middle + d, 30.0, middle + d, 10.0) for d in (-14, 0, 14)], stroke=svg.SWITCH)
        return Panel(parts=(out, _links(boxes, above), *bars, *row), marked=boxes[0])
    tiers = len(tier.layers) or (1 if tier.holds <= ONE_LAYER else 2)
    counts = [min(tier.holds, 4)] if tiers == 1 else [4, 3, 2][:tiers]
    step = {1: 0.0, 2: 36.0, 3: 26.0}[tiers]
    parts, below = list(row), boxes
    for i, count in enumerate(counts):
        bars, here = _bars(count, y={1: 36.0, 2: 54.0, 3: 62.0}[tiers] - i * step)
        top = i == len(counts) - 1
        parts = [_links(below, here, dash=dash if top else "", all_to_all=i > 0 or top), *parts, *bars]
        below = here
    return Panel(parts=(*parts, *_over(tier)), marked=boxes[0])


def _over(tier: Tier) -> tuple[str, ...]:
    if tier.oversubscription <= 1.001:
        return ()
    words = f"{tier.oversubscription:.3g}:1"
    return (
        svg.rect(WIDTH - 40.0, 0.0, w=40.0, h=17.0, fill=svg.PAPER, stroke=svg.SWITCH, r=8.0),
        svg.text(WIDTH - 20.0, 12.5, words=words, size=SMALL, fill=svg.SWITCH, anchor="middle"),
    )


def _domain(tier: Tier) -> Panel:
    """Every part to one switch that joins all."""
    row, boxes = _row(tier.holds, y=84.0, h=30.0)
    bar = svg.LIGHT if tier.optical else svg.SWITCH
    fill = svg.LIGHT_FILL if tier.optical else svg.SWITCH_FILL
    pairs = [(_middle(b) + d, b.y, _middle(b) + d, 40.0) for b in boxes for d in (-4.0, 0.0, 4.0)]
    words = "optical switches" if tier.optical else "switches of the domain"
    parts = (
        svg.lines(pairs, stroke=bar, width=0.9),
        svg.rect(6.0, 14.0, w=WIDTH - 12.0, h=26.0, fill=fill, stroke=bar, r=4.0),
        svg.text(WIDTH / 2, 31.5, words=words, size=SMALL, fill=bar, anchor="middle"),
        *row,
    )
    return Panel(parts=parts, marked=boxes[0])


def _torus(tier: Tier, *, block: int) -> Panel:
    """A grid whose every row and column is closed by a loop; `block` chips each way are marked."""
    dims = tier.dims
    if len(dims) >= 3:
        return _cube(tier, block=block)
    across, down = min(dims[-1], 8), min(dims[0], 5)
    left, top, dx, dy = 30.0, 26.0, (WIDTH - 60.0) / (across - 1), 72.0 / (down - 1)
    at = [(left + i * dx, top + j * dy) for j in range(down) for i in range(across)]
    grid = [(left, top + j * dy, left + (across - 1) * dx, top + j * dy) for j in range(down)]
    grid += [(left + i * dx, top, left + i * dx, top + (down - 1) * dy) for i in range(across)]
    n, right, bottom = svg.number, left + (across - 1) * dx, top + (down - 1) * dy
    wraps = "".join(
        f"M{n(left)} {n(y)}C{n(left - 26)} {n(y - 13)} {n(right + 26)} {n(y - 13)} {n(right)} {n(y)}"
        for y in (top + j * dy for j in range(down))
    )
    wraps += "".join(
        f"M{n(x)} {n(top)}C{n(x + 9)} {n(top - 24)} {n(x + 9)} {n(bottom + 24)} {n(x)} {n(bottom)}"
        for x in (left + i * dx for i in range(across))
    )
    wide, high = 12.0 + (block - 1) * dx, 12.0 + (block - 1) * dy
    box = Box(x=left - 6.0, y=bottom + 6.0 - high, w=wide, h=high)
    parts = (
        svg.path(wraps, stroke=svg.SWITCH, width=0.8, dash="3 2"),
        svg.lines(grid, stroke=svg.CHIP, width=1.2),
        svg.dots(at, r=4.0, fill=svg.CHIP),
        svg.rect(box.x, box.y, w=box.w, h=box.h, fill=svg.HOT_FILL, stroke=svg.HOT, width=1.6),
    )
    return Panel(parts=parts, marked=box)


def _cube(tier: Tier, *, block: int) -> Panel:
    """Three faces of a block of chips, a loop that closes each axis, and the switches that close them."""
    k, side, lean = 4, 56.0, 26.0
    left, top = 34.0, 52.0
    step, slant = side / (k - 1), lean / (k - 1)
    front = [(left + i * step, top + j * step) for j in range(k) for i in range(k)]
    upper = [(left + i * step + d * slant, top - d * slant) for d in range(1, k) for i in range(k)]
    flank = [(left + side + d * slant, top + j * step - d * slant) for d in range(1, k) for j in range(1, k)]
    grid = [(left, top + j * step, left + side, top + j * step) for j in range(k)]
    grid += [(left + i * step, top, left + i * step, top + side) for i in range(k)]
    grid += [(left + i * step, top, left + i * step + lean, top - lean) for i in range(k)]
    grid += [(left + d * slant, top - d * slant, left + side + d * slant, top - d * slant) for d in range(k)]
    grid += [(left + side, top + j * step, left + side + lean, top + j * step - lean) for j in range(k)]
    grid += [
        (left + side + d * slant, top - d * slant, left + side + d * slant, top + side - d * slant)
        for d in range(k)
    ]
    n, right, low = svg.number, left + side, top + side
    wraps = (
        f"M{n(left)} {n(top + step)}C{n(left - 34)} {n(top - 4)} "
        f"{n(right + 60)} {n(top + 2)} {n(right)} {n(top + step)}"
        f"M{n(left + step)} {n(top)}C{n(left - 26)} {n(top - 44)} "
        f"{n(left - 40)} {n(low + 24)} {n(left + step)} {n(low)}"
        f"M{n(right)} {n(low)}C{n(right + 26)} {n(low + 14)} "
        f"{n(right + lean + 30)} {n(low - 6)} {n(right + lean)} {n(low - lean)}"
    )
    wide = 12.0 + (block - 1) * step
    box = Box(x=left - 6.0, y=low + 6.0 - wide, w=wide, h=wide)
    parts = [
        svg.path(wraps, stroke=svg.SWITCH, width=1.1, dash="3 2"),
        svg.lines(grid, stroke=svg.CHIP, width=1.0),
        svg.dots([*front, *upper, *flank], r=3.0, fill=svg.CHIP),
        svg.rect(box.x, box.y, w=box.w, h=box.h, fill=svg.HOT_FILL, stroke=svg.HOT, width=1.6),
        *_closing(tier),
    ]
    return Panel(parts=tuple(parts), marked=box)


def _closing(tier: Tier) -> list[str]:
    """Return what closes the loops of a block: optical switches, or just wires."""
    if not tier.optical:
        return [svg.text(142.0, 40.0, words="wrapped", size=SMALL, fill=svg.SWITCH)]
    pairs = [(120.0, 40.0 + 9.0 * i, 150.0, 24.0 + 13.0 * i) for i in range(6)]
    return [
        svg.lines(pairs, stroke=svg.LIGHT, width=0.8),
        svg.rect(150.0, 14.0, w=34.0, h=88.0, fill=svg.LIGHT_FILL, stroke=svg.LIGHT, r=4.0),
        svg.text(167.0, 54.0, words="OCS", size=SMALL, fill=svg.LIGHT, anchor="middle", bold=True),
        svg.text(167.0, 70.0, words="light", size=11.0, fill=svg.LIGHT, anchor="middle"),
    ]


def _ring(count: int) -> list[tuple[float, float]]:
    """Return places on an ellipse, the first at its foot."""
    turns = [math.pi / 2 + 2 * math.pi * i / count for i in range(count)]
    return [(WIDTH / 2 + 62.0 * math.cos(a), 56.0 + 44.0 * math.sin(a)) for a in turns]


def _chords(tier: Tier, *, w: float, h: float, ring: bool = False) -> Panel:
    count = min(tier.holds, 12)
    places = _ring(count)
    joined = itertools.pairwise([*places, places[0]]) if ring else itertools.combinations(places, 2)
    pairs = [(*a, *b) for a, b in joined]
    first = Box(x=places[0][0] - w / 2, y=places[0][1] - h / 2, w=w, h=h)
    boxes = [
        svg.rect(x - w / 2, y - h / 2, w=w, h=h, fill=svg.CHIP_FILL, stroke=svg.CHIP) for x, y in places[1:]
    ]
    hot = svg.rect(first.x, first.y, w=w, h=h, fill=svg.HOT_FILL, stroke=svg.HOT, width=1.6)
    return Panel(parts=(svg.lines(pairs, stroke=svg.SWITCH, width=0.7), *boxes, hot), marked=first)


def _mesh(tier: Tier) -> Panel:
    """Chips joined without a switch."""
    return _chords(tier, w=15.0, h=15.0)


def _closed(tier: Tier) -> Panel:
    """Chips joined to their two neighbours."""
    return _chords(tier, w=15.0, h=15.0, ring=True)


def _dragonfly(tier: Tier) -> Panel:
    """Groups, every one joined to every other."""
    return _chords(tier, w=34.0, h=20.0)


def _grid(count: int, *, x: float, y: float, w: float, h: float) -> tuple[list[str], Box]:
    """Return boxes in rows and columns, the one at the foot on the left marked."""
    rows = max(r for r in (1, 2, 3) if r == 1 or (count % r == 0 and r * r <= count))
    columns = math.ceil(count / rows)
    wide, high = (w - 4.0 * (columns - 1)) / columns, (h - 4.0 * (rows - 1)) / rows
    wide, high = min(wide, 2.2 * high), min(high, 1.6 * wide)
    left, top = (
        x + (w - columns * wide - 4.0 * (columns - 1)) / 2,
        y + (h - rows * high - 4.0 * (rows - 1)) / 2,
    )
    parts, marked = [], Box(x=x, y=y, w=wide, h=high)
    for i in range(count):
        at = (left + (i % columns) * (wide + 4.0), top + (i // columns) * (high + 4.0))
        hot = i == (rows - 1) * columns
        fill, stroke = (svg.HOT_FILL, svg.HOT) if hot else (svg.CHIP_FILL, svg.CHIP)
        parts.append(svg.rect(*at, w=wide, h=high, fill=fill, stroke=stroke, width=1.6 if hot else 1.0))
        if hot:
            marked = Box(x=at[0], y=at[1], w=wide, h=high)
    return parts, marked


def _server(tier: Tier) -> Panel:
    shell = svg.rect(14.0, 22.0, w=WIDTH - 28.0, h=76.0, fill="#f4f7f9", stroke=svg.MUTED, r=6.0)
    parts, marked = _grid(min(tier.holds, 24), x=26.0, y=34.0, w=WIDTH - 52.0, h=52.0)
    return Panel(parts=(shell, *parts), marked=marked)


def _rack(tier: Tier) -> Panel:
    """A cabinet of servers, one on another."""
    count = min(tier.holds, 18)
    high = min(94.0 / count, 20.0)
    left, wide, foot = WIDTH / 2 - 34.0, 68.0, 108.0
    body = svg.rect(left - 6.0, foot - count * high - 6.0, w=wide + 12.0, h=count * high + 10.0,
                    fill="#f4f7f9", stroke=svg.MUTED, r=3.0)  # fmt: skip
    boxes = [Box(x=left, y=foot - (i + 1) * high, w=wide, h=high - 2.0) for i in range(count)]
    cold = [svg.rect(b.x, b.y, w=b.w, h=b.h, fill=svg.CHIP_FILL, stroke=svg.CHIP) for b in boxes[1:]]
    hot = svg.rect(left, boxes[0].y, w=wide, h=high - 2.0, fill=svg.HOT_FILL, stroke=svg.HOT, width=1.6)
    return Panel(parts=(body, *cold, hot), marked=boxes[0])


def _tile(tier: Tier) -> Panel:
    """Dies side by side on one plate, each joined to its neighbours, the plate to others on its sides."""
    side = max(math.isqrt(tier.holds), 1)
    edge = 104.0
    left, top, step = (WIDTH - edge) / 2, 6.0, (edge - 8.0) / side
    parts = [svg.rect(left, top, w=edge, h=edge, fill="#f4f7f9", stroke=svg.MUTED, r=6.0)]
    marked = Box(x=left, y=top, w=step, h=step)
    for j, i in itertools.product(range(side), range(side)):
        at = (left + 5.5 + i * step, top + 5.5 + j * step)
        hot = (i, j) == (0, side - 1)
        fill, stroke = (svg.HOT_FILL, svg.HOT) if hot else (svg.CHIP_FILL, svg.CHIP)
        parts.append(svg.rect(*at, w=step - 3.0, h=step - 3.0, fill=fill, stroke=stroke, r=1.0))
        if hot:
            marked = Box(x=at[0], y=at[1], w=step - 3.0, h=step - 3.0)
    out = [(left - 14.0, top + f * edge, left, top + f * edge) for f in (0.25, 0.5, 0.75)]
    out += [(left + edge, y, left + edge + 14.0, y) for _, y, _, _ in out]
    return Panel(parts=(svg.lines(out, stroke=svg.SWITCH, width=2.0), *parts), marked=marked)


def _card(tier: Tier) -> Panel:
    """One card cut into slices, one of them marked."""
    shell = svg.rect(14.0, 22.0, w=WIDTH - 28.0, h=76.0, fill="#f4f7f9", stroke=svg.MUTED, r=6.0)
    wide = (WIDTH - 48.0) / tier.holds
    parts, box = [shell], Box(x=24.0, y=32.0, w=wide, h=56.0)
    for i in range(tier.holds):
        fill, stroke = (svg.HOT_FILL, svg.HOT) if i == 0 else (svg.CHIP_FILL, svg.CHIP)
        parts.append(svg.rect(24.0 + i * wide, 32.0, w=wide, h=56.0, fill=fill, stroke=stroke, r=0.0))
    parts.append(
        svg.rect(box.x, box.y, w=box.w, h=box.h, fill=svg.HOT_FILL, stroke=svg.HOT, width=1.6, r=0.0)
    )
    return Panel(parts=tuple(parts), marked=box)


def _chip(tier: Tier) -> Panel:
    left, top = WIDTH / 2 - 30.0, 28.0
    memory = [
        svg.rect(x, top + 2.0 + 20.0 * i, w=16.0, h=16.0, fill=svg.SWITCH_FILL, stroke=svg.SWITCH)
        for x in (left - 21.0, left + 65.0)
        for i in range(3)
    ]
    body = svg.rect(left - 30.0, top - 10.0, w=120.0, h=80.0, fill="#f4f7f9", stroke=svg.MUTED, r=5.0)
    die = svg.rect(left, top, w=60.0, h=60.0, fill=svg.CHIP_FILL, stroke=svg.CHIP, width=1.6)
    words = svg.text(
        WIDTH / 2, top + 34.0, words="chip", size=13.0, fill=svg.CHIP, bold=True, anchor="middle"
    )
    return Panel(parts=(body, *memory, die, words))


def _slice(tier: Tier) -> Panel:
    """What one slice of a chip is given of it."""
    whole = _chip(tier)
    left, top = WIDTH / 2 - 30.0, 28.0
    rest = svg.rect(left, top, w=60.0, h=60.0, fill="#f4f7f9", stroke=svg.MUTED)
    mine = svg.rect(left, top, w=10.0, h=60.0, fill=svg.CHIP_FILL, stroke=svg.CHIP, width=1.6)
    words = svg.text(left + 36.0, top + 34.0, words="slice", size=13.0, fill=svg.CHIP, anchor="middle")
    return Panel(parts=(*whole.parts[:-2], rest, mine, words))


def _site(tier: Tier) -> Panel:
    """Buildings on the ground, power coming in."""
    count = min(tier.dims[0] if tier.dims else 1, 10)
    rows = 1 if count <= 5 else 2
    columns = math.ceil(count / rows)
    wide, high = min((WIDTH - 34.0) / columns - 6.0, 96.0), 58.0 if rows == 1 else 34.0
    parts = [*_pylon(), svg.lines([(0.0, 108.0, WIDTH, 108.0)], stroke=svg.MUTED, width=1.4)]
    if rows == 2:
        parts.append(svg.lines([(30.0, 62.0, WIDTH, 62.0)], stroke=svg.RULE, width=1.0))
    first = Box(x=34.0, y=108.0 - high, w=wide, h=high)
    for i in range(count):
        x, row = 34.0 + (i % columns) * (wide + 6.0), rows - 1 - i // columns
        parts += _building(x, 108.0 - high - (rows - 1 - row) * (high + 12.0), w=wide, h=high, hot=i == 0)
    return Panel(parts=tuple(parts), marked=first)


def _pylon() -> list[str]:
    legs = [
        (8.0, 108.0, 16.0, 40.0),
        (24.0, 108.0, 16.0, 40.0),
        (6.0, 56.0, 26.0, 56.0),
        (8.0, 68.0, 24.0, 68.0),
    ]
    legs += [(10.0, 90.0, 22.0, 68.0), (22.0, 90.0, 10.0, 68.0)]
    return [svg.lines(legs, stroke=svg.MUTED, width=1.2)]


def _building(x: float, y: float, *, w: float, h: float, hot: bool) -> list[str]:
    fill, stroke = (svg.HOT_FILL, svg.HOT) if hot else (svg.CHIP_FILL, svg.CHIP)
    fans = max(int(w / 18.0), 1)
    roof = [
        svg.rect(x + (i + 0.5) * w / fans - 4.0, y - 5.0, w=8.0, h=5.0, stroke=stroke, r=1.0)
        for i in range(fans)
    ]
    doors = [(x + (i + 0.5) * w / fans, y + 8.0, x + (i + 0.5) * w / fans, y + h - 6.0) for i in range(fans)]
    body = svg.rect(x, y, w=w, h=h, fill=fill, stroke=stroke, width=1.6 if hot else 1.0)
    return [*roof, body, svg.lines(doors, stroke=stroke, width=0.7)]


def _sites(tier: Tier) -> Panel:
    """Sites far apart, joined by long lines."""
    row, boxes = _row(tier.holds, y=74.0, h=40.0)
    n = svg.number
    d = "".join(
        f"M{n(_middle(a))} 74C{n(_middle(a))} {n(74 - 16 * gap)} "
        f"{n(_middle(b))} {n(74 - 16 * gap)} {n(_middle(b))} 74"
        for gap in range(1, len(boxes))
        for a, b in zip(boxes, boxes[gap:], strict=False)
    )
    arcs = svg.path(d, stroke=svg.SWITCH, width=1.0, dash="4 3")
    return Panel(parts=(arcs, *row, *_over(tier)), marked=boxes[0])


PANELS: dict[str, Callable[[Tier], Panel]] = {
    "site": _site,
    "sites": _sites,
    "switch": _clos,
    "dragonfly": _dragonfly,
    "domain": _domain,
    "mesh": _mesh,
    "ring": _closed,
    "rack": _rack,
    "server": _server,
    "tile": _tile,
    "card": _card,
    "slice": _slice,
    "chip": _chip,
}
