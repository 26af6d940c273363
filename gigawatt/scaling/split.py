"""The best split of compute between parameters and tokens, for one set of constants or a column of draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gigawatt.scaling.runs import FLOP_PER_PARAM_TOKEN
from gigawatt.units import Count, Flop, Real


def optimal_params(compute_flop: Flop, constants: Mapping[str, Any]) -> Count:
    r"""Return the parameters at which a law's loss is least for some compute.

    .. math:: N^* = \left( \frac{\alpha A}{\beta B} \right)^{1/(\alpha+\beta)}
              \left( \frac{C}{6} \right)^{\beta/(\alpha+\beta)}

    Valid for: C = 6 N D, and a law E + A N^-alpha + B D^-beta with exponents above 0; else nan.
    Source: Hoffmann 2022, arXiv:2203.15556 eq. 4.

    >>> printed = {"A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}
    >>> f"{optimal_params(5.76e23, printed):.3e}"
    '3.219e+10'
    """
    A, B, alpha, beta = (np.asarray(constants[name], float) for name in ("A", "B", "alpha", "beta"))
    with np.errstate(all="ignore"):
        exponent = 1.0 / (alpha + beta)
        log_g = exponent * (np.log(alpha) + np.log(A) - np.log(beta) - np.log(B))
        found: Real = np.exp(log_g + exponent * beta * np.log(compute_flop / FLOP_PER_PARAM_TOKEN))
    return found


def params_exponent(constants: Mapping[str, Any]) -> Real:
    r"""Return the power of compute at which the best number of parameters grows.

    .. math:: a = \frac{\beta}{\alpha + \beta}

    Source: Hoffmann 2022, arXiv:2203.15556 eq. 4.

    >>> round(params_exponent({"alpha": 0.3478, "beta": 0.3658}), 4)
    0.5126
    """
    found: Real = constants["beta"] / (constants["alpha"] + constants["beta"])
    return found
