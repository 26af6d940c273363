"""Learning rate and batch by published laws, side by side: they disagree by two to three times."""

from __future__ import annotations

from gigawatt.scaling.laws import Law, law
from gigawatt.units import Count, Flop, Real


def power_law(by: Law, *, params: Count, tokens: Count, compute_flop: Flop) -> Real:
    r"""Return what a power law of a recipe gives: a learning rate, or a batch in tokens.

    .. math:: k N^n D^d C^c

    Valid for: laws of kind `rate` and `batch`, and critical batches of parameters.
    Source: the law's own.

    >>> round(power_law(law("step-law-rate"), params=7e9, tokens=1.4e12, compute_flop=5.88e22) * 1e4, 3)
    9.166
    >>> round(power_law(law("deepseek-2024-batch"), params=1.0, tokens=1.0, compute_flop=8.46e22) / 1e6, 3)
    9.224
    """
    k = by.constants
    found: Real = (
        k["k"] * params ** k.get("n", 0.0) * tokens ** k.get("d", 0.0) * compute_flop ** k.get("c", 0.0)
    )
    return found


def critical_batch_tokens(loss_nats: Real) -> Count:
    r"""Return the batch beyond which more chips buy little: half of the tokens are wasted there.

    .. math:: B_{crit} = B_* L^{-1/\alpha_B}, \quad B_* = 2 \cdot 10^8,\ \alpha_B = 0.21

    Valid for: autoregressive transformers on web text; an extrapolation below the losses of its own runs,
    where larger batches than this have been trained.
    Source: Kaplan 2020, arXiv:2001.08361 eq. 1.4; McCandlish 2018, arXiv:1812.06162.

    >>> round(float(critical_batch_tokens(2.0)) / 1e6, 2)
    7.37
    """
    k = law("kaplan-2020-batch").constants
    found: Count = k["B_star"] * loss_nats ** (-1.0 / k["alpha_B"])
    return found
