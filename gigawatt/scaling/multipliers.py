"""What counts as a token and as a parameter: repeated data, few bits, routed experts."""

from __future__ import annotations

import math

import numpy as np

from gigawatt.scaling.laws import law
from gigawatt.units import Count, Flop, Fraction, Real


def _saturated(value: Count, unique: Count, rate: float) -> Count:
    """Return U + U R* (1 - exp(-R / R*)) where there is repetition, R = value / U - 1; else the value."""
    again = np.maximum(value / unique - 1.0, 0.0)
    found: Count = np.minimum(value, unique) - unique * rate * np.expm1(-again / rate)
    return found


def effective_tokens(tokens: Count, unique_tokens: Count) -> Count:
    r"""Return how many new tokens a run over repeated ones is worth.

    .. math:: D' = U + U R_D^* \left( 1 - e^{-R_D / R_D^*} \right), \quad R_D = D/U - 1

    At most 16.39 times the unique tokens, however often they are seen.
    Valid for: about ten epochs at most.
    Source: Muennighoff 2023, arXiv:2305.16264, as released in huggingface/datablations.

    >>> round(float(effective_tokens(55e9, 14e9)) / 1e10, 4)
    5.1335
    """
    return _saturated(tokens, unique_tokens, law("muennighoff-2023-repetition").constants["R_D"])


def effective_params(params: Count, enough_params: Count) -> Count:
    r"""Return how many parameters are worth having where data repeats.

    .. math:: N' = U_N + U_N R_N^* \left( 1 - e^{-R_N / R_N^*} \right), \quad R_N = N/U_N - 1

    U_N is the size for which the unique tokens are the best number; a smaller model counts in full.
    Valid for: about ten epochs at most.
    Source: Muennighoff 2023, arXiv:2305.16264, as released in huggingface/datablations.

    >>> float(effective_params(1e9, 2e9)), round(float(effective_params(4e9, 2e9)) / 1e9, 3)
    (1000000000.0, 3.823)
    """
    return _saturated(params, enough_params, law("muennighoff-2023-repetition").constants["R_N"])


def precision_fraction(
    *, weight_bits: Count = math.inf, activation_bits: Count = math.inf, kv_cache_bits: Count = math.inf
) -> Fraction:
    r"""Return the part of the parameters that counts when a model is trained in few bits.

    .. math:: N_{eff} / N = \prod_x \left( 1 - e^{-P_x / \gamma_x} \right)

    Valid for: 3 bits or more in training; without the offsets that the paper's table adds.
    Source: Kumar 2024, arXiv:2411.04330 eq. 3, app. K table 2.

    >>> [round(float(precision_fraction(weight_bits=p)), 3) for p in (3, 4, 6, 8)]
    [0.674, 0.776, 0.894, 0.95]
    """
    gamma = law("kumar-2024-precision").constants
    bits = {"weights": weight_bits, "activations": activation_bits, "kv_cache": kv_cache_bits}
    found: Real = 1.0
    for name, each in bits.items():
        found = found * -np.expm1(-each / gamma[name])
    return found


def mixture_flop(active_params: Count, tokens: Count, *, granularity: Count, experts: Count = 64.0) -> Flop:
    r"""Return the training flop of a mixture of fine-grained experts, its routers counted.

    .. math:: F = (72 d^2 + 14 d E G) D n, \quad 12 d^2 n = N_{active},\ d = 64 n

    Valid for: transformers as wide as 64 times their depth, every feed-forward layer routed.
    Source: Krajewski 2024, arXiv:2402.07871.

    >>> f"{mixture_flop(7e9, 137.6e9, granularity=32):.2e}"
    '6.47e+21'
    """
    blocks = (active_params / (12.0 * 64.0**2)) ** (1.0 / 3.0)
    d = 64.0 * blocks
    return (72.0 * d**2 + 14.0 * d * experts * granularity) * tokens * blocks


def saturated_experts(experts: Count) -> Real:
    r"""Return Clark's count of experts: from E_start at one to E_max at many.

    .. math:: \frac{1}{\hat E} = \frac{1}{E - 1 + (1/E_{start} - 1/E_{max})^{-1}} + \frac{1}{E_{max}}

    Source: Clark 2022, arXiv:2202.01169 eq. 1, as in the released notebook.

    >>> round(float(saturated_experts(1.0)), 4)
    2.0746
    """
    k = law("clark-2022").constants
    first = 1.0 / (1.0 / k["E_start"] - 1.0 / k["E_max"])
    return 1.0 / (1.0 / (experts - 1.0 + first) + 1.0 / k["E_max"])


def routed_params(active_params: Count, experts: Count) -> Count:
    r"""Return the size of the dense model that a routed one equals in loss, at the same tokens.

    .. math:: \bar N = N^{\alpha(\hat E) / \alpha(E_{start})}
        \left( \frac{\hat E}{E_{start}} \right)^{b / \alpha(E_{start})}, \quad \alpha(E) = a + c \log_{10} E

    `experts` is how many times the parameters of the routed part a token does not choose from: all over
    chosen.
    Valid for: 17 million to 1.3 billion active parameters, up to 512 experts, one chosen, every second layer
    routed; the gain is gone at 780 billion.
    Source: Clark 2022, arXiv:2202.01169 sec. 5, constants fitted on its released runs.

    >>> [round(float(routed_params(1.3e9, experts)) / 1e9, 2) for experts in (1.0, 8.0, 64.0)]
    [1.3, 2.14, 3.93]
    """
    k = law("clark-2022").constants
    found = saturated_experts(experts)
    first = k["a"] + k["c"] * math.log10(k["E_start"])
    power = (k["a"] + k["c"] * np.log10(found)) / first
    gained: Count = (found / k["E_start"]) ** (k["b"] / first) * active_params**power
    return gained
