"""Published laws of loss over parameters and tokens."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np

from gigawatt.errors import unknown_name
from gigawatt.units import Count, Real
from gigawatt.units import format as fmt

DEFAULT_LAW = "besiroglu-2024"


@dataclass(frozen=True, kw_only=True, slots=True)
class Law:
    """Constants of one published law, and the range of the runs behind it."""

    id: str
    name: str
    source: str
    E: float
    A: float
    B: float
    alpha: float
    beta: float
    params_low: float
    params_high: float
    flop_high: float
    text: str  # what the loss is measured on


@dataclass(frozen=True, kw_only=True, slots=True)
class LossEstimate:
    """A loss, by which law, and whether the law's runs were near."""

    loss_nats: Real
    law: str
    in_range: bool
    note: str


@lru_cache(maxsize=1)
def laws() -> dict[str, Law]:
    """Return all laws by id."""
    text = (files("gigawatt.catalog") / "data" / "laws.toml").read_text("utf-8")
    return {id: Law(id=id, **row) for id, row in tomllib.loads(text).items()}


def law(id: str) -> Law:
    """Return one law.

    Raises: InputError with the nearest names.
    """
    if id not in laws():
        raise unknown_name("law", id, laws())
    return laws()[id]


def loss_nats(params: Count, tokens: Count, *, by: Law) -> Real:
    r"""Return the loss in nats per token.

    .. math:: L = E + A N^{-\alpha} + B D^{-\beta}

    Valid for: dense transformers, one pass over the data, the text and tokens of the law's own runs.
    Source: Hoffmann 2022, arXiv:2203.15556 eq. 10; refitted by Besiroglu 2024, arXiv:2404.10102.

    >>> round(loss_nats(70e9, 1.4e12, by=law("hoffmann-2022")), 3)
    1.937
    """
    return by.E + by.A * params**-by.alpha + by.B * tokens**-by.beta


def predict_loss(params: float, tokens: Count, *, by: str = DEFAULT_LAW) -> LossEstimate:
    """Return the loss that a law gives, and how far from its own runs that is.

    A column of tokens is in range when all of it is; the note tells of the longest run.
    Source: see `loss_nats`.

    >>> predict_loss(1e9, 2e10).in_range
    True
    """
    chosen = law(by)
    longest = float(np.max(tokens))
    flop = 6.0 * params * longest
    inside = chosen.params_low <= params <= chosen.params_high and flop <= chosen.flop_high
    ranges = f"{fmt(chosen.params_low, '1')} to {fmt(chosen.params_high, '1')} parameters"
    asked = f"{fmt(params, '1')} and {_power_of_ten(flop)} flop"
    fitted = f"{chosen.name} was fitted on {ranges} and up to {_power_of_ten(chosen.flop_high)} flop"
    outside = f"{fitted}; this is {asked}: an extrapolation, on other data"
    note = "" if inside else outside
    return LossEstimate(
        loss_nats=loss_nats(params, tokens, by=chosen), law=chosen.id, in_range=inside, note=note
    )


def tokens_for_loss(loss_nats: float, params: float, *, by: str = DEFAULT_LAW) -> float:
    r"""Return the tokens at which a law reaches a loss; infinite where it never does.

    .. math:: D = \left( \frac{B}{L - E - A N^{-\alpha}} \right)^{1/\beta}

    Source: `loss_nats`, solved for D.

    >>> round(tokens_for_loss(1.937, 70e9, by="hoffmann-2022") / 1e12, 1)
    1.4
    """
    chosen = law(by)
    left = loss_nats - chosen.E - chosen.A * params**-chosen.alpha
    return float((chosen.B / left) ** (1.0 / chosen.beta)) if left > 0 else float("inf")


def critical_batch_tokens(loss_nats: Real) -> Count:
    r"""Return the batch beyond which more chips buy little: half of the tokens are wasted there.

    .. math:: B_{crit} = B_* L^{-1/\alpha_B}, \quad B_* = 2 \cdot 10^8,\ \alpha_B = 0.21

    Valid for: autoregressive transformers on web text; an extrapolation below the losses of its own runs,
    where larger batches than this have been trained.
    Source: Kaplan 2020, arXiv:2001.08361 eq. 1.4; McCandlish 2018, arXiv:1812.06162.

    >>> round(float(critical_batch_tokens(2.0)) / 1e6, 2)
    7.37
    """
    found: Count = 2e8 * loss_nats ** (-1.0 / 0.21)
    return found


def _power_of_ten(value: float) -> str:
    return f"{value:.1e}".replace("e+", "e")
