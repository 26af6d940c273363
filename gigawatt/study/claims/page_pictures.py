"""Pictures of the page: bars and lines that stay readable on a telephone, without scripts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

COLOURS = ("#3568a8", "#d98e2b", "#1a7f4b", "#8a4fa3", "#b3261e", "#2b8c93")
WIDEST = 72.0  # percent of the track that the longest bar takes; its text stands beside it
TICKS = 5


def picture_html(picture: Mapping[str, Any]) -> str:
    """Return one picture with its caption and note."""
    drawn = _bars(picture["bars"]) if picture["bars"] else _lines(picture)
    claim = f" <span class=dim>(claim {escape(picture['claim'])})</span>" if picture["claim"] else ""
    note = f"<p class='small dim'>{escape(picture['note'])}</p>" if picture["note"] else ""
    return f"<figure><figcaption>{escape(picture['title'])}{claim}</figcaption>{drawn}{note}</figure>"


def _bars(bars: Sequence[Mapping[str, Any]]) -> str:
    most = max(abs(bar["value"]) for bar in bars) or 1.0
    return "".join(_bar(bar, WIDEST * abs(bar["value"]) / most) for bar in bars)


def _bar(bar: Mapping[str, Any], percent: float) -> str:
    kind = " said" if bar["said"] else ""
    label = bar["label"] if not bar["said"] or bar["label"] == "said" else f"said: {bar['label']}"
    return (
        f"<div class='bar{kind}'><b>{escape(label)}</b><div class=track>"
        f"<div class=fill style='width:{percent:.2f}%'></div><span>{escape(bar['text'])}</span></div></div>"
    )


def _lines(picture: Mapping[str, Any]) -> str:
    """Return lines in a box: the curves stretch with it, the words beside it do not."""
    lines, log = picture["lines"], picture["log_x"]
    xs = [_place(x, log=log) for line in lines for x in line["x"]]
    ys = [y for line in lines for y in line["y"]]
    low, high = _nice(min(ys), max(ys))
    box = (min(xs), max(xs), low, high)
    curves = "".join(
        f"<polyline fill=none stroke='{colour}' stroke-width=2 vector-effect=non-scaling-stroke "
        f"points='{_points(line, box, log=log)}'/>"
        for line, colour in zip(lines, COLOURS, strict=False)
    )
    keys = " ".join(
        f"<span><span class=key style='background:{colour}'></span>{escape(line['label'])}</span>"
        for line, colour in zip(lines, COLOURS, strict=False)
    )
    frame = f"<svg viewBox='0 0 100 100' preserveAspectRatio=none role=img>{curves}</svg>"
    return (
        f"<p class=small>{keys}</p><p class='small dim'>{escape(picture['y_label'])}</p>"
        f"<div class=plot>{frame}{_x_ticks(box, picture['x_label'], log=log)}{_y_ticks(box)}</div>"
    )


def _place(x: float, *, log: bool) -> float:
    return math.log10(x) if log else x


def _step(low: float, high: float) -> float:
    """Return the distance of round ticks over a range.

    >>> _step(1.74, 2.35), _step(0.0, 90.0)
    (0.2, 20.0)
    """
    raw = max(high - low, 1e-12) / TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    return next(n * power for n in (1, 2, 5, 10) if n * power >= raw)


def _nice(low: float, high: float) -> tuple[float, float]:
    """Return the round ends of a range.

    >>> [round(end, 2) for end in _nice(1.74, 2.35)]
    [1.6, 2.4]
    """
    step = _step(low, high)
    return math.floor(low / step) * step, math.ceil(high / step) * step


def _points(line: Mapping[str, Any], box: tuple[float, float, float, float], *, log: bool) -> str:
    left, right, low, high = box
    across, down = 100 / (right - left or 1), 100 / (high - low or 1)
    return " ".join(
        f"{across * (_place(x, log=log) - left):.2f},{down * (high - y):.2f}"
        for x, y in zip(line["x"], line["y"], strict=True)
    )


def _x_ticks(box: tuple[float, float, float, float], label: str, *, log: bool) -> str:
    left, right = box[:2]
    whole = [float(n) for n in range(math.ceil(left - 1e-9), math.floor(right + 1e-9) + 1)]
    step = max(math.ceil(len(whole) / TICKS), 1)
    even = [left + (right - left) * i / (TICKS - 1) for i in range(TICKS)]
    ticks = whole[::step] if log and len(whole) > 1 else even
    told = "".join(
        f"<i style='left:{100 * (x - left) / (right - left or 1):.2f}%;top:calc(100% + .15rem);"
        "transform:translateX(-50%)'>"
        f"{f'1e{x:.0f}' if log else f'{x:.3g}'}</i>"
        for x in ticks
    )
    return (
        f"{told}<i style='left:50%;top:calc(100% + 1.25rem);transform:translateX(-50%)'>{escape(label)}</i>"
    )


def _y_ticks(box: tuple[float, float, float, float]) -> str:
    low, high = box[2:]
    step = _step(low, high)
    ticks = [low + step * i for i in range(round((high - low) / step) + 1)]
    return "".join(
        f"<i style='right:calc(100% + .4rem);top:{100 * (high - y) / (high - low or 1):.2f}%;"
        f"transform:translateY(-50%)'>{y:.3g}</i>"
        for y in ticks
    )
