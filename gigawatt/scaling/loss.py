"""The loss of N parameters and D tokens by a law, its inverse, its band, and how far the law's runs are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gigawatt.scaling.laws import DEFAULT_LAW, Law, Surface, draws_of, law
from gigawatt.units import Count, Real
from gigawatt.units import format as fmt

BAND = (10.0, 90.0)  # percentiles of every band
FLOP_PER_PARAM_AND_TOKEN = 6.0
DIMENSIONS = {
    "params": "parameters",
    "tokens": "tokens",
    "flop": "flop",
    "tokens_per_param": "tokens a parameter",
    "epochs": "epochs",
    "experts": "experts",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class LossEstimate:
    """A loss, by which law, and whether the law's runs were near."""

    loss_nats: Real
    law: str
    in_range: bool
    note: str
    params: float = math.nan  # what was counted as N
    counted: str = ""  # what was assumed in counting; empty where nothing was


def loss_nats(params: Count, tokens: Count, *, by: Law | Surface) -> Real:
    r"""Return the loss in nats per token.

    .. math:: L = E + (A N^{-\alpha} + B D^{-\beta})^p, \quad p = 1 \text{ but for Kaplan's form}

    Valid for: dense transformers, one pass over the data, the text and tokens of the law's own runs.
    Source: Hoffmann 2022, arXiv:2203.15556 eq. 2; Kaplan 2020, arXiv:2001.08361 eq. 1.5.

    >>> round(loss_nats(70e9, 1.4e12, by=law("hoffmann-2022-tex")), 4)
    1.9208
    """
    s = surface_of(by)
    left: Real = s.A * params**-s.alpha + s.B * tokens**-s.beta
    return s.E + (left if s.power == 1.0 else left**s.power)


def surface_of(by: Law | Surface) -> Surface:
    """Return the surface of a law, or the surface itself.

    Raises: InputError when the law is not one of the loss.
    """
    return by.surface if isinstance(by, Law) else by


def predict_loss(params: float, tokens: Count, *, by: str = DEFAULT_LAW) -> LossEstimate:
    """Return the loss that a law gives, and how far from its own runs that is.

    A column of tokens is in range when all of it is; the note tells of the run that is farthest.
    Source: see `loss_nats`.

    >>> predict_loss(1e9, 2e10).in_range
    True
    >>> predict_loss(405e9, 15.6e12).note
    'Besiroglu 2024 is extrapolated by 3.5 orders of magnitude in flop (3.8e25, runs to 1.3e22)'
    """
    chosen = law(by)
    ends = (float(np.min(tokens)), float(np.max(tokens)))
    notes = [outside(chosen, **point_of(params, end)) for end in ends]
    note = max(notes, key=lambda found: found.orders)
    return LossEstimate(
        loss_nats=loss_nats(params, tokens, by=chosen),
        law=chosen.id,
        in_range=bool(chosen.box) and note.orders == 0,
        note=note.text,
        params=params,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Outside:
    """How far a point is from a law's runs: orders of magnitude in the dimension that is farthest."""

    orders: float
    text: str  # empty inside


def point_of(params: float, tokens: float) -> dict[str, float]:
    """Return the dimensions of a point in which laws say where their runs lie.

    >>> point_of(1e9, 2e10)["tokens_per_param"]
    20.0
    """
    flop = FLOP_PER_PARAM_AND_TOKEN * params * tokens
    return {"params": params, "tokens": tokens, "flop": flop, "tokens_per_param": tokens / params}


def outside(by: Law, **point: float) -> Outside:
    """Return how many orders of magnitude a point is outside the runs of a law.

    >>> outside(law("besiroglu-2024"), params=1.618e11).orders
    1.0
    >>> outside(law("deepseek-2024"), flop=1e24).text
    'the range of the runs of DeepSeek LLM 2024 is not known here'
    """
    if not by.box:
        return Outside(orders=0.0, text=f"the range of the runs of {by.name} is not known here")
    far = {name: _orders(point[name], by.box[name]) for name in by.box if name in point}
    name = max(far, key=lambda one: far[one], default="")
    if not name or far[name] == 0:
        return Outside(orders=0.0, text="")
    low, high = by.box[name]
    edge = f"runs to {_short(high, name)}" if point[name] > high else f"runs from {_short(low, name)}"
    text = f"{by.name} is extrapolated by {_orders_text(far[name])} in {DIMENSIONS[name]} "
    return Outside(orders=far[name], text=text + f"({_short(point[name], name)}, {edge})")


def _orders(value: float, box: tuple[float, float]) -> float:
    """Return by how many powers of ten a value is outside a range; the rounding of its ends is inside."""
    low, high = box
    over = max(math.log10(value / high), math.log10(low / value), 0.0) if value > 0 else math.inf
    return over if over > 1e-3 else 0.0


def _orders_text(orders: float) -> str:
    return f"{orders:.1f} orders of magnitude" if orders >= 0.95 else f"a factor of {10**orders:.2g}"


def _short(value: float, name: str) -> str:
    return f"{value:.1e}".replace("e+", "e") if name == "flop" else fmt(value, "1")


def tokens_for_loss(loss_nats: float, params: float, *, by: str | Law | Surface = DEFAULT_LAW) -> float:
    r"""Return the tokens at which a law reaches a loss; infinite where it never does.

    .. math:: D = \left( \frac{B}{(L - E)^{1/p} - A N^{-\alpha}} \right)^{1/\beta}

    Source: `loss_nats`, solved for D.

    >>> round(tokens_for_loss(1.937, 70e9, by="hoffmann-2022") / 1e12, 1)
    1.4
    """
    s = surface_of(law(by) if isinstance(by, str) else by)
    over = loss_nats - s.E
    left = over ** (1.0 / s.power) - s.A * params**-s.alpha if over > 0 else -1.0
    return float((s.B / left) ** (1.0 / s.beta)) if left > 0 else math.inf


def band(values: Real) -> tuple[float, float]:
    """Return the 10th and 90th percentile of a column.

    Definition: linear interpolation between order statistics.

    >>> band(np.arange(101.0))
    (10.0, 90.0)
    """
    low, high = np.percentile(values, BAND)
    return float(low), float(high)


def loss_band(params: float, tokens: float, *, by: Law) -> tuple[float, float] | None:
    """Return the 80 % band of a loss, from the law's bootstrap draws; None where none is published.

    It is of the sampling of runs alone: what another form of law or another text would say is not in it.
    Source: percentiles over the draws; see `draws_of`.

    >>> low, high = loss_band(70e9, 1.4e12, by=law("besiroglu-2024"))
    >>> bool(low < loss_nats(70e9, 1.4e12, by=law("besiroglu-2024")) < high)
    True
    """
    draws = draws_of(by)
    return None if draws is None else band(loss_nats(params, tokens, by=draws))


def comparable(laws: Mapping[str, Law]) -> dict[str, list[str]]:
    """Return the ids of laws by the text that their loss is of: only these may be compared."""
    found: dict[str, list[str]] = {}
    for id, one in laws.items():
        found.setdefault(one.text, []).append(id)
    return found
