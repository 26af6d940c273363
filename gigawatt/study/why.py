"""Why one machine beats another: the sentence that a person would write, from the largest differences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gigawatt.study.compare import Comparison, score
from gigawatt.study.plan import Plan
from gigawatt.study.run import DAY_S, peak_flop_per_s
from gigawatt.units import figures
from gigawatt.units import format as fmt

CLOSE = 1.02  # a ratio below this is no difference, given how wrong predictions are
TOLD = 0.1  # of the largest cause: what is less is not told
POINTS = 0.01  # of the chip-hours: a ledger line below it is not told
LINES = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """One factor of a ratio: above 1 it speaks for the winner."""

    ratio: float
    text: str


def why(comparison: Comparison) -> list[str]:
    """Return one sentence or two for every machine that the best one beats."""
    best, *others = comparison.plans
    return [_against(best, other, comparison) for other in others]


def _against(best: Plan, other: Plan, comparison: Comparison) -> str:
    by, a, b = comparison.by, _name(best), _name(other)
    ratio = score(other, by) / score(best, by)
    if math.isinf(ratio) or math.isnan(ratio):
        return f"{b} cannot be ranked: what a run on it costs is not known."
    head = _headline(best, other, by=by)
    if ratio < CLOSE:
        return f"{a} and {b} are equal within what a prediction can tell: {head}."
    told = _told(causes(best, other, by=by), a, b)
    if by == "time":
        told += _price(best, other)
    verb, more = VERBS[by]
    return f"{a} {verb} {_times(ratio)} {more} than {b}, {head}: {told}."


VERBS = {"time": ("is", "faster"), "cost": ("is", "cheaper"), "energy": ("takes", "less energy")}


def _headline(best: Plan, other: Plan, *, by: str) -> str:
    def text(p: Plan) -> str:
        if by == "time":
            return f"{figures(p.run.wall_s / DAY_S)} d"
        return fmt(p.run.rent_usd, "USD") if by == "cost" else fmt(p.run.facility_energy_j, "J")

    return f"{text(best)} against {text(other)}"


def causes(best: Plan, other: Plan, *, by: str) -> list[Cause]:
    r"""Return the factors whose product is the ratio of what two plans take.

    .. math:: \frac{T_b}{T_a} = \frac{n_a}{n_b} \frac{P_a}{P_b} \frac{u_a}{u_b}, \quad
        \frac{C_b}{C_a} = \frac{T_b n_b\, c_b}{T_a n_a\, c_a}

    n chips, P datasheet peak of one, u useful share of the chip-hours; c the price or the mean power at the
    meter of one chip. So chips cancel in dollars and joules.
    Definition: useful model flop = n P u T on both, for the job is the same.
    """
    peak = [peak_flop_per_s(p.scenario.machine, p.scenario.job.dtype) for p in (best, other)]
    useful = [_useful(p) for p in (best, other)]
    found = [
        Cause(ratio=peak[0] / peak[1], text=f"{_x(peak[0] / peak[1])} the peak rate of a chip"),
        Cause(ratio=useful[0] / useful[1], text=_useful_text(best, other)),
    ]
    chips = [p.scenario.machine.chips for p in (best, other)]
    if by == "time":
        found.append(Cause(ratio=chips[0] / chips[1], text=f"{_x(chips[0] / chips[1])} the chips"))
    else:
        rate = [_rate(p, by) for p in (best, other)]
        unit = "price of a chip-hour" if by == "cost" else "power of a chip at the meter"
        found.append(Cause(ratio=rate[1] / rate[0], text=f"{_x(rate[0] / rate[1])} the {unit}"))
    return found


def _rate(p: Plan, by: str) -> float:
    """Return dollars or joules of a chip-second."""
    return float((p.run.rent_usd if by == "cost" else p.run.facility_energy_j) / p.run.chip_s)


def _told(found: Sequence[Cause], a: str, b: str) -> str:
    """Return the causes in words: those for the winner, the largest first, then those against it."""
    weight = {cause: math.log(cause.ratio) for cause in found}
    least = TOLD * max(abs(w) for w in weight.values())
    told = sorted((c for c in found if abs(weight[c]) > least), key=lambda c: -abs(weight[c]))
    fore = [c.text for c in told if weight[c] > 0]
    against = [c.text for c in told if weight[c] < 0]
    text = f"it has {_listed(fore)}"
    return f"{text}, though {_listed(against)}" if against else text


def _useful_text(best: Plan, other: Plan) -> str:
    """Return the useful shares, and the lines of the ledger that make most of their difference."""
    a, b = _useful(best), _useful(other)
    text = f"{fmt(a, '%')} of its chip-hours in useful work against {fmt(b, '%')}"
    lines = _lines(best, other, better=a > b)
    return f"{text} ({_listed(lines)})" if lines else text


def _lines(best: Plan, other: Plan, *, better: bool) -> list[str]:
    theirs = {entry.name: entry.fraction for entry in other.ledger}
    moved = [(e.label, theirs[e.name] - e.fraction) for e in best.ledger if e.name != "useful"]
    saved = sorted(
        (m for m in moved if (m[1] > 0) == better and abs(m[1]) >= POINTS), key=lambda m: -abs(m[1])
    )
    word = "less" if better else "more"
    return [f"{100 * abs(gap):.1f} points {word} to {label}" for label, gap in saved[:LINES]]


def _price(best: Plan, other: Plan) -> str:
    """Return what being faster costs, "" where no price is known."""
    a, b = best.run.rent_usd, other.run.rent_usd
    if math.isnan(a) or math.isnan(b):
        return ""
    more = f"{fmt(a, 'USD')} to rent against {fmt(b, 'USD')}"
    if max(a, b) / min(a, b) < CLOSE:
        return f"; the run costs the same, {more}"
    return f"; the run costs {'less' if a < b else 'more'}, {more}"


def _useful(p: Plan) -> float:
    return next(entry.fraction for entry in p.ledger if entry.name == "useful")


def _times(ratio: float) -> str:
    return f"{100 * (1 - 1 / ratio):.0f} %" if ratio < 2 else f"{figures(ratio)} times"


def _x(ratio: float) -> str:
    return f"{figures(ratio)} x"


def _listed(parts: Sequence[str]) -> str:
    return ", ".join(parts[:-1]) + f" and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def _name(p: Plan) -> str:
    return p.scenario.machine.id
