"""What is left of capital: straight-line write-off of what was bought."""

from __future__ import annotations

import numpy as np

from gigawatt.units import Seconds, Usd


def written_off_usd(capital_usd: Usd, age_s: Seconds, *, life_s: Seconds) -> Usd:
    r"""Return how much of a purchase has been written off at an age.

    .. math:: D(t) = C \min\left(1, \max\left(0, \frac{t}{L}\right)\right)

    Straight line, no resale value; nothing before it is in service, all of it after its life.
    Valid for: lives above 0.
    Definition: the same charge in every second of the life.

    >>> year_s = 365.25 * 86400.0
    >>> round(float(written_off_usd(3.2e9, 2.0 * year_s, life_s=5.0 * year_s)) / 1e9, 2)
    1.28
    """
    C, t, L = capital_usd, age_s, life_s
    return C * np.clip(t / L, 0.0, 1.0)
