"""The forms of laws that can be fitted: what they predict at their parameters, and its two derivatives.

Every form is, in logarithms, a soft maximum of straight lines: fitted so, all of them share one solver.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigawatt.errors import unknown_name
from gigawatt.scaling.laws import Surface, joint

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """One form of a law: ln L = s x ln(sum of exp(lines)), lines linear in the parameters.

    `lines` returns, of the centred ln N and ln D, the slope of each line in each parameter (lines x runs x
    parameters) and what does not depend on parameters (lines x runs). `stretch` is the place of the parameter
    that multiplies the soft maximum, None where that is 1. `constants` turns parameters and the means of ln N
    and ln D into the constants that papers print; `starts` turns points of the unit cube into parameters.
    """

    name: str
    equation: str
    parameters: tuple[str, ...]
    constants_of: Mapping[str, str]  # what each printed constant is, in words
    lines: Callable[[Floats, Floats], tuple[Floats, Floats]]
    constants: Callable[[Floats, tuple[float, float]], dict[str, Floats]]
    starts: Callable[[Floats, Floats], Floats]
    stretch: int | None = None
    surface: Callable[[Mapping[str, Any]], Surface] | None = None  # None: no best split of compute


def _columns(like: Floats, *columns: Floats | float) -> Floats:
    return np.stack([np.broadcast_to(np.asarray(c, float), like.shape) for c in columns], axis=-1)


def _chinchilla_lines(n: Floats, d: Floats) -> tuple[Floats, Floats]:
    slopes = np.stack([
        _columns(n, 1, 0, 0, 0, 0),
        _columns(n, 0, 1, 0, -n, 0),
        _columns(n, 0, 0, 1, 0, -d),
    ])  # fmt: skip
    return slopes, np.zeros(slopes.shape[:2])


def _tied_lines(n: Floats, d: Floats) -> tuple[Floats, Floats]:
    slopes = np.stack([_columns(n, 1, 0, 0, 0), _columns(n, 0, 1, 0, -n), _columns(n, 0, 0, 1, -d)])
    return slopes, np.zeros(slopes.shape[:2])


def _kaplan_lines(n: Floats, d: Floats) -> tuple[Floats, Floats]:
    """ln L = alpha_D ln(exp(x - r n) + exp(y - d)): parameters alpha_D, x, y, r = alpha_N / alpha_D."""
    slopes = np.stack([_columns(n, 0, 1, 0, -n), _columns(n, 0, 0, 1, 0)])
    return slopes, np.stack([np.zeros_like(d), -d])


def _compute_lines(n: Floats, d: Floats) -> tuple[Floats, Floats]:
    slopes = np.stack([_columns(n, 1, 0, 0), _columns(n, 0, 1, -(n + d))])
    return slopes, np.zeros(slopes.shape[:2])


def _chinchilla_constants(theta: Floats, means: tuple[float, float]) -> dict[str, Floats]:
    e, a, b, alpha, beta = theta.T
    return {"E": np.exp(e), "A": np.exp(a + alpha * means[0]), "B": np.exp(b + beta * means[1]),
            "alpha": alpha, "beta": beta}  # fmt: skip


def _tied_constants(theta: Floats, means: tuple[float, float]) -> dict[str, Floats]:
    e, a, b, alpha = theta.T
    return _chinchilla_constants(np.stack([e, a, b, alpha, alpha], axis=-1), means)


def _gadre_constants(theta: Floats, means: tuple[float, float]) -> dict[str, Floats]:
    """Return Gadre's a, b and eta beside the five: M^eta C^-eta is (6 N^2)^-eta."""
    found = _tied_constants(theta, means)
    eta = found["alpha"] / 2
    return {**found, "a": found["A"] * 6.0**eta, "b": found["B"] * 6.0**eta, "eta": eta}


def _kaplan_constants(theta: Floats, means: tuple[float, float]) -> dict[str, Floats]:
    alpha_d, x, y, ratio = theta.T
    return {"alpha_N": alpha_d * ratio, "alpha_D": alpha_d,
            "N_c": np.exp(x / ratio + means[0]), "D_c": np.exp(y + means[1])}  # fmt: skip


def _compute_constants(theta: Floats, means: tuple[float, float]) -> dict[str, Floats]:
    e, a, alpha = theta.T
    log_c = np.log(6.0) + means[0] + means[1]
    return {"E": np.exp(e), "A_C": np.exp(a + alpha * log_c), "alpha_C": alpha}


def _chinchilla_starts(cube: Floats, log_loss: Floats) -> Floats:
    """Spread the floor over 5 % to 95 % of the least loss, the rest over N and D, the slopes over 0.05..1."""
    floor, share, alpha, beta = cube.T[:4]
    least, middle = np.exp(log_loss.min()), np.exp(log_loss.mean())
    E = least * (0.05 + 0.9 * floor)
    rest = middle - E
    split = 0.1 + 0.8 * share
    return np.stack([np.log(E), np.log(rest * split), np.log(rest * (1 - split)),
                     0.05 * 20**alpha, 0.05 * 20**beta], axis=-1)  # fmt: skip


def _tied_starts(cube: Floats, log_loss: Floats) -> Floats:
    return _chinchilla_starts(cube, log_loss)[:, :4]


def _kaplan_starts(cube: Floats, log_loss: Floats) -> Floats:
    """Spread alpha_D over 0.02..0.5, its share of N, and the ratio of the slopes over 0.3..3."""
    alpha_d, share, ratio = 0.02 * 25 ** cube[:, 0], 0.1 + 0.8 * cube[:, 1], 0.3 * 10 ** cube[:, 2]
    level = log_loss.mean() / alpha_d
    return np.stack([alpha_d, level + np.log(share), level + np.log(1 - share), ratio], axis=-1)


def _compute_starts(cube: Floats, log_loss: Floats) -> Floats:
    E = np.exp(log_loss.min()) * (0.05 + 0.9 * cube[:, 0])
    return np.stack([np.log(E), np.log(np.exp(log_loss.mean()) - E), 0.02 * 25 ** cube[:, 1]], axis=-1)


def _surface(constants: Mapping[str, Any]) -> Surface:
    return Surface(**{name: constants[name] for name in ("E", "A", "B", "alpha", "beta")})


FIVE = {
    "E": "floor: the loss of an endless model on endless data, in the unit of the loss",
    "A": "what parameters still gain is A N^-alpha, in the unit of the loss, N as the file counts it",
    "B": "what tokens still gain is B D^-beta, in the unit of the loss, D in tokens seen",
    "alpha": "exponent of parameters",
    "beta": "exponent of tokens",
}
FORMS = {
    form.name: form
    for form in (
        Form(name="chinchilla", equation="L = E + A N^-alpha + B D^-beta",
             parameters=("ln E", "ln A'", "ln B'", "alpha", "beta"), constants_of=FIVE,
             lines=_chinchilla_lines, constants=_chinchilla_constants, starts=_chinchilla_starts,
             surface=_surface),
        Form(name="tied", equation="L = E + A N^-alpha + B D^-alpha",
             parameters=("ln E", "ln A'", "ln B'", "alpha"), constants_of=FIVE,
             lines=_tied_lines, constants=_tied_constants, starts=_tied_starts, surface=_surface),
        Form(name="gadre", equation="L = E + (a M^eta + b M^-eta) C^-eta, M = D/N, C = 6 N D",
             parameters=("ln E", "ln A'", "ln B'", "alpha"),
             constants_of={**FIVE, "a": "A 6^eta", "b": "B 6^eta", "eta": "alpha / 2 = beta / 2"},
             lines=_tied_lines, constants=_gadre_constants, starts=_tied_starts, surface=_surface),
        Form(name="kaplan-joint", equation="L = ((N_c / N)^(alpha_N / alpha_D) + D_c / D)^alpha_D",
             parameters=("alpha_D", "x", "y", "alpha_N / alpha_D"),
             constants_of={"alpha_N": "exponent of parameters alone", "alpha_D": "exponent of tokens alone",
                           "N_c": "scale of parameters", "D_c": "scale of tokens"},
             lines=_kaplan_lines, constants=_kaplan_constants, starts=_kaplan_starts, stretch=0,
             surface=joint),
        Form(name="compute", equation="L = E + A_C C^-alpha_C, C = 6 N D",
             parameters=("ln E", "ln A_C'", "alpha_C"),
             constants_of={"E": FIVE["E"], "A_C": "in the unit of the loss, C in flop",
                           "alpha_C": "exponent of compute"},
             lines=_compute_lines, constants=_compute_constants, starts=_compute_starts),
    )
}  # fmt: skip


def form(name: str) -> Form:
    """Return a form by its name.

    Raises: InputError with the nearest names.
    """
    if name not in FORMS:
        raise unknown_name("law", name, FORMS)
    return FORMS[name]


@dataclass(frozen=True, kw_only=True, slots=True)
class Design:
    """A form at some runs: the lines' slopes and offsets, and the products that a Hessian is made of."""

    slopes: Floats  # lines x runs x parameters
    offsets: Floats  # lines x runs
    products: Floats  # lines x runs x (parameters x parameters)
    stretch: int | None

    @classmethod
    def of(cls, form: Form, log_params: Floats, *, log_tokens: Floats) -> Design:
        """Return a form at centred logarithms of parameters and tokens."""
        slopes, offsets = form.lines(log_params, log_tokens)
        products = (slopes[..., :, None] * slopes[..., None, :]).reshape(*slopes.shape[:2], -1)
        return cls(slopes=slopes, offsets=offsets, products=products, stretch=form.stretch)

    def log_loss(self, theta: Floats) -> Any:
        """Return ln L of every run (a row of parameters each), the lines' shares, and the soft maximum."""
        lines = np.einsum("kip,sp->ksi", self.slopes, theta, optimize=True) + self.offsets[:, None, :]
        top = lines.max(axis=0)
        shares = np.exp(lines - top)
        total = shares.sum(axis=0)
        shares /= total
        soft = top + np.log(total)
        return (soft if self.stretch is None else theta[:, self.stretch, None] * soft), shares, soft

    def slope(self, theta: Floats, shares: Floats, *, soft: Floats) -> tuple[Floats, Floats]:
        """Return the derivative of ln L (rows x runs x parameters), and that of the soft maximum."""
        inner = np.einsum("ksi,kip->sip", shares, self.slopes, optimize=True)
        if self.stretch is None:
            return inner, inner
        outer = theta[:, self.stretch, None, None] * inner
        outer[:, :, self.stretch] += soft
        return outer, inner

    def bend(self, theta: Floats, shares: Floats, *, inner: Floats, pull: Floats) -> Floats:
        """Return the sum over runs of `pull` (rows x runs) times the second derivative of ln L."""
        rows, _, p = inner.shape
        found = np.zeros((rows, p * p))
        for share, product in zip(shares, self.products):
            found += (pull * share) @ product
        bent = found.reshape(rows, p, p) - np.swapaxes(inner * pull[..., None], 1, 2) @ inner
        if self.stretch is not None:
            bent *= theta[:, self.stretch, None, None]
            cross = np.einsum("si,sip->sp", pull, inner)
            bent[:, self.stretch, :] += cross
            bent[:, :, self.stretch] += cross
        return bent
