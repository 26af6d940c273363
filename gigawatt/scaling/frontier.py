"""The best N and D for a compute, what that loss is, and what constraints cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from gigawatt.errors import InputError
from gigawatt.scaling.laws import Law, Surface
from gigawatt.scaling.loss import FLOP_PER_PARAM_AND_TOKEN, loss_nats, surface_of, tokens_for_loss
from gigawatt.scaling.multipliers import effective_params, effective_tokens
from gigawatt.units import Count, Flop, Real

INFERENCE_FLOP_PER_PARAM_AND_TOKEN = 2.0
SCANNED, SPAN_DECADES = 801, 4.0  # points of the first look at a constrained optimum, and how far around


@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """Parameters and tokens: one split of a compute, or columns."""

    params: Count
    tokens: Count

    @property
    def tokens_per_param(self) -> Real:
        return self.tokens / self.params

    @property
    def compute_flop(self) -> Flop:
        return FLOP_PER_PARAM_AND_TOKEN * self.params * self.tokens


def optimal_split(compute_flop: Flop, *, by: Law | Surface) -> Split:
    r"""Return the split of a compute C = 6ND that has the least loss.

    .. math:: N^* = G (C/6)^{\beta/(\alpha+\beta)}, \quad D^* = C / (6 N^*), \quad
        G = \left( \frac{\alpha A}{\beta B} \right)^{1/(\alpha+\beta)}

    A power of the sum, as in Kaplan's form, has its least where the sum has it.
    Valid for: any C; one pass over the data.
    Source: Hoffmann 2022, arXiv:2203.15556 eq. 4.

    >>> from gigawatt.scaling.laws import law
    >>> best = optimal_split(5.76e23, by=law("besiroglu-2024"))
    >>> round(best.params / 1e9, 2), round(best.tokens_per_param, 2)
    (72.25, 18.39)
    """
    s = surface_of(by)
    both = s.alpha + s.beta
    G = (s.alpha * s.A / (s.beta * s.B)) ** (1.0 / both)
    work = compute_flop / FLOP_PER_PARAM_AND_TOKEN
    params = G * work ** (s.beta / both)
    return Split(params=params, tokens=work / params)


def frontier_exponents(by: Law | Surface) -> tuple[Real, Real]:
    r"""Return a and b of N* ~ C^a and D* ~ C^b.

    .. math:: a = \beta/(\alpha+\beta), \quad b = \alpha/(\alpha+\beta)

    Source: Hoffmann 2022, arXiv:2203.15556 eq. 4.

    >>> from gigawatt.scaling.laws import law
    >>> round(frontier_exponents(law("besiroglu-2024"))[0], 4)
    0.5126
    """
    s = surface_of(by)
    return s.beta / (s.alpha + s.beta), s.alpha / (s.alpha + s.beta)


def frontier_nats(compute_flop: Flop, *, by: Law | Surface) -> Real:
    """Return the least loss of a compute.

    Definition: `loss_nats` at `optimal_split`.
    """
    best = optimal_split(compute_flop, by=by)
    return loss_nats(best.params, best.tokens, by=by)


def nats_per_decade(compute_flop: Flop, *, by: Law | Surface) -> Real:
    r"""Return what ten times the compute would change the loss by, at the slope that is here; below 0.

    .. math:: \frac{dL^*}{d \log_{10} C} = - p \frac{\alpha \beta}{\alpha + \beta} (L^* - E) \ln 10

    Valid for: the compute-optimal frontier of the law.
    Source: derivative of Hoffmann 2022, arXiv:2203.15556 eq. 2 along eq. 4.

    >>> from gigawatt.scaling.laws import law
    >>> [round(float(nats_per_decade(c, by=law("besiroglu-2024"))), 4) for c in (1e24, 1e25, 1e26, 1e27)]
    [-0.0585, -0.0388, -0.0257, -0.0171]
    """
    s = surface_of(by)
    slope = s.power * s.alpha * s.beta / (s.alpha + s.beta)
    found: Real = -slope * (frontier_nats(compute_flop, by=s) - s.E) * math.log(10.0)
    return found


def frontier_flop(loss_nats: float, *, by: Law | Surface) -> float:
    r"""Return the least compute that reaches a loss; infinite where none does.

    .. math:: C = C_0 \left( \frac{L^*(C_0) - E}{L - E} \right)^{(\alpha+\beta)/(p \alpha \beta)}

    Source: `frontier_nats`, solved for C.

    >>> from gigawatt.scaling.laws import law
    >>> chinchilla = law("besiroglu-2024")
    >>> f"{frontier_flop(float(frontier_nats(1e25, by=chinchilla)), by=chinchilla):.6e}"
    '1.000000e+25'
    """
    s = surface_of(by)
    if loss_nats <= s.E:
        return math.inf
    slope = s.power * s.alpha * s.beta / (s.alpha + s.beta)
    return float(((frontier_nats(1.0, by=s) - s.E) / (loss_nats - s.E)) ** (1.0 / slope))


def overtraining_ratio(smaller_by: float, compute_flop: float, *, by: Law | Surface) -> float:
    r"""Return how many times the compute a smaller model needs for the loss that C reaches at best.

    .. math:: 6 N D(L^*, N) / C, \quad N = N^* / s

    Infinite where so small a model never reaches that loss.
    Valid for: any s above 0; below 1 the model is larger than the best.
    Source: `tokens_for_loss` at the loss of `optimal_split`.

    >>> from gigawatt.scaling.laws import law
    >>> [round(overtraining_ratio(s, 1e25, by=law("besiroglu-2024")), 3) for s in (1.5, 2.0, 3.0, 4.0)]
    [1.071, 1.259, 2.094, 4.465]
    """
    params = float(optimal_split(compute_flop, by=by).params) / smaller_by
    tokens = tokens_for_loss(float(frontier_nats(compute_flop, by=by)), params, by=surface_of(by))
    return FLOP_PER_PARAM_AND_TOKEN * params * tokens / compute_flop


def served_split(loss_nats: float, inference_tokens: float, *, by: Law | Surface) -> Split:
    r"""Return the split that reaches a loss with the least flop of training and of serving tokens.

    .. math:: \min_N\ 6 N D(L, N) + 2 N D_{inf}

    Valid for: a loss above E; a served token counts 2N, wherever it is read or written.
    Raises: InputError for a loss that is out of reach.
    Source: Sardana 2023, arXiv:2401.00448; solved with SciPy's bounded minimiser over ln N.

    >>> from gigawatt.scaling.laws import law
    >>> chinchilla = law("hoffmann-2022")
    >>> loss = float(frontier_nats(sized_flop(30e9, by=chinchilla), by=chinchilla))
    >>> best = served_split(loss, 1e13, by=chinchilla)
    >>> round(best.params / 1e9, 2), round(best.tokens / 1e12, 2)
    (15.86, 6.05)
    """
    from scipy.optimize import minimize_scalar  # heavy: only where it is needed

    s = surface_of(by)
    if not loss_nats > s.E:
        raise InputError(f"loss = {loss_nats:g} is out of reach: the law never goes below {float(s.E):.4g}")
    most = math.log(float(optimal_split(frontier_flop(loss_nats, by=s), by=s).params))
    least = math.log(float(s.A) / (loss_nats - float(s.E)) ** (1.0 / s.power)) / float(s.alpha)

    def total_flop(ln_params: float) -> float:
        params = math.exp(ln_params)
        tokens = tokens_for_loss(loss_nats, params, by=s)
        served = INFERENCE_FLOP_PER_PARAM_AND_TOKEN * params * inference_tokens
        return FLOP_PER_PARAM_AND_TOKEN * params * tokens + served

    found = minimize_scalar(
        lambda x: math.log(total_flop(x)),
        bounds=(least + 1e-9, most),
        method="bounded",
        options={"xatol": 1e-10},
    )
    params = math.exp(float(found.x))
    return Split(params=params, tokens=tokens_for_loss(loss_nats, params, by=s))


def sized_flop(params: float, *, by: Law | Surface) -> Flop:
    r"""Return the compute for which a model is the best size.

    .. math:: C = 6 (N / G)^{1/a}

    Source: Hoffmann 2022, arXiv:2203.15556 eq. 4, solved for C.
    """
    a, _ = frontier_exponents(by)
    unit = optimal_split(1.0, by=by).params
    found: Flop = (params / unit) ** (1.0 / a)
    return found


def repeated_nats(split: Split, unique_tokens: float, *, by: Law | Surface) -> Real:
    r"""Return the loss where only so many tokens are different and the others repeat them.

    .. math:: L = E + A N'^{-\alpha} + B D'^{-\beta}

    Valid for: about ten epochs at most; the law cannot overfit, and real runs do.
    Source: Muennighoff 2023, arXiv:2305.16264; N' and D' by `effective_params` and `effective_tokens`.

    >>> from gigawatt.scaling.laws import law
    >>> round(float(repeated_nats(Split(params=2.8e9, tokens=55e9), 14e9, by=law("muennighoff-2023"))), 5)
    2.37709
    """
    enough = params_for_tokens(unique_tokens, by=by)
    params = effective_params(split.params, enough)
    return loss_nats(params, effective_tokens(split.tokens, unique_tokens), by=by)


def params_for_tokens(tokens: float, *, by: Law | Surface) -> float:
    r"""Return the parameters for which so many tokens are the best number.

    .. math:: N = \left( \frac{\alpha A}{\beta B} \right)^{1/\alpha} D^{\beta/\alpha}

    Source: Hoffmann 2022, arXiv:2203.15556 eq. 4 without C; Muennighoff 2023, arXiv:2305.16264 calls it U_N.

    >>> from gigawatt.scaling.laws import law
    >>> round(params_for_tokens(25e9, by=law("muennighoff-2023")) / 1e9, 4)
    1.2747
    """
    s = surface_of(by)
    return float((s.alpha * s.A / (s.beta * s.B)) ** (1.0 / s.alpha) * tokens ** (s.beta / s.alpha))


def repeating_split(compute_flop: float, unique_tokens: float, *, by: Law | Surface) -> Split:
    """Return the split of a compute with the least loss where tokens beyond the unique ones repeat them.

    Valid for: as `repeated_nats`.
    Source: Muennighoff 2023, arXiv:2305.16264; a scan over ln N, then SciPy's bounded minimiser.

    >>> from gigawatt.scaling.laws import law
    >>> free = optimal_split(1e22, by=law("muennighoff-2023"))
    >>> capped = repeating_split(1e22, float(free.tokens), by=law("muennighoff-2023"))
    >>> round(float(capped.params / free.params), 6)
    1.0
    """
    from scipy.optimize import minimize_scalar  # heavy: only where it is needed

    work = compute_flop / FLOP_PER_PARAM_AND_TOKEN
    middle = math.log(float(optimal_split(compute_flop, by=by).params))

    def split(ln_params: Real) -> Split:
        params = np.exp(ln_params)
        return Split(params=params, tokens=work / params)

    def loss(ln_params: Real) -> Real:
        return repeated_nats(split(ln_params), unique_tokens, by=by)

    reach = SPAN_DECADES * math.log(10.0)
    tried = np.linspace(middle - reach, middle + reach, SCANNED)
    best = int(np.argmin(loss(tried)))
    bounds = (tried[max(best - 1, 0)], tried[min(best + 1, SCANNED - 1)])
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-10})
    return split(float(found.x))


def equal_flop(params: float, compute_flop: float, *, by: Law | Surface) -> tuple[float, float]:
    """Return the loss of a fixed size at a compute, and the compute at which the best size reaches that loss.

    Definition: `loss_nats` at D = C / 6N, and `frontier_flop` of it.
    """
    loss = float(loss_nats(params, compute_flop / FLOP_PER_PARAM_AND_TOKEN / params, by=by))
    return loss, frontier_flop(loss, by=by)


def published_split(by: Law, compute_flop: Flop) -> Split:
    """Return the best split by a law of the frontier: power laws of N or D over C, as printed.

    Where a law gives one of N and D, the other is what C leaves by the law's own count of flop.
    Valid for: laws of kind `frontier`.
    Raises: InputError for a law of another kind.
    Source: the law's own.

    >>> from gigawatt.scaling.laws import law
    >>> best = published_split(law("llama-3"), 3.8e25)
    >>> round(best.tokens / 1e12, 2), round(best.params / 1e9, 1)
    (16.29, 388.7)
    """
    if by.kind != "frontier":
        raise InputError(f"law = {by.id!r} is of kind {by.kind!r}, not of the frontier")
    return FRONTIERS[by.form](by.constants, compute_flop)


def _anchored(k: Mapping[str, float], compute_flop: Flop) -> Split:
    ratio = compute_flop / k["flop_at"]
    return Split(params=k["params_at"] * ratio ** k["a"], tokens=k["tokens_at"] * ratio ** k["b"])


def _params_power(k: Mapping[str, float], compute_flop: Flop) -> Split:
    params = k["k"] * compute_flop ** k["a"]
    return Split(params=params, tokens=compute_flop / FLOP_PER_PARAM_AND_TOKEN / params)


def _tokens_power(k: Mapping[str, float], compute_flop: Flop) -> Split:
    tokens = k["k"] * compute_flop ** k["b"]
    return Split(params=compute_flop / FLOP_PER_PARAM_AND_TOKEN / tokens, tokens=tokens)


def _flop_per_token(k: Mapping[str, float], compute_flop: Flop) -> Split:
    params = k["m"] * compute_flop ** k["a"] / FLOP_PER_PARAM_AND_TOKEN
    return Split(params=params, tokens=k["d"] * compute_flop ** k["b"])


FRONTIERS: dict[str, Callable[[Mapping[str, float], Flop], Split]] = {
    "anchored": _anchored,
    "params_power": _params_power,
    "tokens_power": _tokens_power,
    "flop_per_token": _flop_per_token,
}


def power_nats(by: Law, value: Real) -> Real:
    r"""Return the loss by a law of compute alone, of parameters alone, or of tokens alone.

    .. math:: L = (x / c)^{-k} + E \quad \text{or} \quad L = c\, x^{-k} + E

    Valid for: laws of one variable.
    Source: Kaplan 2020, arXiv:2001.08361 eqs. 1.1-1.3; Cerebras-GPT, arXiv:2304.03208 eq. 1; Porian 2024.

    >>> from gigawatt.scaling.laws import law
    >>> [round(power_nats(law("cerebras-gpt"), c), 4) for c in (2.6e18, 2.3e22)]
    [2.603, 1.5796]
    >>> round(power_nats(law("kaplan-2020-params"), 1e9), 4)
    2.3756
    """
    k = by.constants
    power: Real = (value / k["c"]) ** -k["k"] if by.form == "power" else k["c"] * value ** -k["k"]
    return power + k["E"]
