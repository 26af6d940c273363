"""The registry of published laws: constants with their conventions, where their runs lie, and who says so."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np

from gigawatt.catalog.load import sources
from gigawatt.errors import FileFormatError, InputError, unknown_name
from gigawatt.units import Real

DEFAULT_LAW = "besiroglu-2024"
DATA = files("gigawatt.catalog") / "data"
STATUSES = ("read in paper", "recomputed", "secondary")
COUNTED = ("", "total", "non-embedding", "active", "head")  # which parameters N is
NEEDED = {  # kind and form: the constants that its formula takes
    ("loss", "separable"): {"E", "A", "B", "alpha", "beta"},
    ("loss", "overtrained"): {"E", "a", "b", "eta"},
    ("loss", "joint"): {"alpha_N", "alpha_D", "N_c", "D_c"},
    ("loss", "granular"): {"E", "a", "alpha", "B", "beta", "g", "gamma"},
    ("frontier", "anchored"): {"flop_at", "params_at", "tokens_at", "a", "b"},
    ("frontier", "params_power"): {"k", "a"},
    ("frontier", "tokens_power"): {"k", "b"},
    ("frontier", "flop_per_token"): {"m", "a", "d", "b"},
    ("loss_of_compute", "power"): {"c", "k", "E"},
    ("loss_of_compute", "offset_power"): {"c", "k", "E"},
    ("loss_of_params", "power"): {"c", "k", "E"},
    ("loss_of_tokens", "power"): {"c", "k", "E"},
    ("rate", "of_flop"): {"k", "c"},
    ("rate", "of_params"): {"k", "n"},
    ("rate", "of_params_and_tokens"): {"k", "n", "d"},
    ("batch", "of_flop"): {"k", "c"},
    ("batch", "of_params"): {"k", "n"},
    ("batch", "of_tokens"): {"k", "d"},
    ("critical_batch", "of_params"): {"k", "n"},
    ("critical_batch", "of_loss"): {"B_star", "alpha_B"},
    ("repetition", "decaying"): {"R_D", "R_N"},
    ("precision", "saturating"): {"weights", "activations", "kv_cache"},
    ("routing", "bilinear"): {"a", "b", "c", "d", "E_start", "E_max"},
    ("method", "least_total_flop"): set(),
    ("named", "of_params_and_tokens"): {"n", "d"},
    ("named", "joint_experts"): set(),
}
KINDS = tuple(dict.fromkeys(kind for kind, _ in NEEDED))


@dataclass(frozen=True, kw_only=True, slots=True)
class Surface:
    """Constants of L = E + (A N^-alpha + B D^-beta)^power: one law's, or columns of bootstrap draws."""

    E: Real
    A: Real
    B: Real
    alpha: Real
    beta: Real
    power: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Law:
    """One published law."""

    id: str
    name: str
    kind: str
    form: str
    constants: Mapping[str, float]
    source: str  # ids of the bibliography
    where: str
    status: str
    errors: Mapping[str, float] = field(default_factory=dict)  # published standard errors
    exponent_bands: Mapping[str, tuple[float, float]] = field(
        default_factory=dict
    )  # 10th and 90th percentile
    draws: str = ""  # the file of bootstrap draws
    params: str = ""  # which parameters N counts
    flop: str = ""  # how C is counted
    unit: str = "1"
    text: str = ""  # losses of two texts are not compared
    box: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    box_where: str = ""
    note: str = ""

    @property
    def surface(self) -> Surface:
        """Return the law as a surface of N and D.

        Raises: InputError when it is not a law of the loss.
        """
        if self.kind != "loss":
            raise InputError(
                f"law = {self.id!r} is of kind {self.kind!r}, not a loss of N and D; {_losses()}"
            )
        return SURFACES[self.form](self.constants)


def separable(constants: Mapping[str, float]) -> Surface:
    """Return the surface of Hoffmann's form, as it is.

    Definition: Hoffmann 2022, arXiv:2203.15556 eq. 2.
    """
    return Surface(**constants)


def overtrained(constants: Mapping[str, float]) -> Surface:
    r"""Return Gadre's form as a surface: with M = D/N and C = 6ND it is separable.

    .. math:: E + (a M^\eta + b M^{-\eta}) C^{-\eta}
        = E + a 6^{-\eta} N^{-2\eta} + b 6^{-\eta} D^{-2\eta}

    Source: Gadre 2024, arXiv:2403.08540 eq. 4.

    >>> s = overtrained({"E": 1.508, "a": 141.3, "b": 189.5, "eta": 0.1212})
    >>> N, D = 1e9, 2e10
    >>> by_hand = 1.508 + (141.3 * 20**0.1212 + 189.5 * 20**-0.1212) * (6 * N * D) ** -0.1212
    >>> abs(s.E + s.A * N**-s.alpha + s.B * D**-s.beta - by_hand) < 1e-12
    True
    """
    eta, sixth = constants["eta"], 6.0 ** -constants["eta"]
    A, B = constants["a"] * sixth, constants["b"] * sixth
    return Surface(E=constants["E"], A=A, B=B, alpha=2 * eta, beta=2 * eta)


def joint(constants: Mapping[str, float]) -> Surface:
    r"""Return Kaplan's form as a surface: a power of a separable sum.

    .. math:: L = \left( (N_c / N)^{\alpha_N / \alpha_D} + D_c / D \right)^{\alpha_D}

    Source: Kaplan 2020, arXiv:2001.08361 eq. 1.5.
    """
    alpha = constants["alpha_N"] / constants["alpha_D"]
    A, B = constants["N_c"] ** alpha, constants["D_c"]
    return Surface(E=0.0, A=A, B=B, alpha=alpha, beta=1.0, power=constants["alpha_D"])


def granular(constants: Mapping[str, float], granularity: float = 1.0) -> Surface:
    r"""Return Krajewski's form as a surface, at one granularity of the experts.

    .. math:: L = E + (g G^{-\gamma} + a) N^{-\alpha} + B D^{-\beta}

    Source: Krajewski 2024, arXiv:2402.07871.
    """
    A = constants["g"] * granularity ** -constants["gamma"] + constants["a"]
    B, alpha, beta = (constants[name] for name in ("B", "alpha", "beta"))
    return Surface(E=constants["E"], A=A, B=B, alpha=alpha, beta=beta)


SURFACES: dict[str, Callable[[Mapping[str, float]], Surface]] = {
    "separable": separable,
    "overtrained": overtrained,
    "joint": joint,
    "granular": granular,
}


@lru_cache(maxsize=1)
def laws() -> dict[str, Law]:
    """Return all laws by id.

    Raises: FileFormatError for a law without a known source, kind, status or a constant of its formula.
    """
    rows = tomllib.loads((DATA / "laws.toml").read_text("utf-8"))
    return {id: _law_of(id, row) for id, row in rows.items()}


def laws_of(*kinds: str) -> dict[str, Law]:
    """Return the laws of some kinds, by id."""
    return {id: found for id, found in laws().items() if found.kind in kinds}


def law(id: str) -> Law:
    """Return one law.

    Raises: InputError with the nearest names.
    """
    if id not in laws():
        raise unknown_name("law", id, laws())
    return laws()[id]


def draws_of(by: Law) -> Surface | None:
    """Return the bootstrap draws of a law as one surface of columns; None where none are kept.

    Raises: InputError when it is not a law of the loss.
    """
    return _draws(by.draws) if by.draws else None


@lru_cache(maxsize=8)
def _draws(name: str) -> Surface:
    with (DATA / "law_draws" / f"{name}.csv").open("r", encoding="utf-8") as file:
        names = file.readline().strip().split(",")
        columns = np.loadtxt(file, delimiter=",", unpack=True)
    return Surface(**dict(zip(names, columns, strict=True)))


def _losses() -> str:
    return f"there are: {', '.join(laws_of('loss'))}"


def _law_of(id: str, row: Mapping[str, Any]) -> Law:
    needed = NEEDED.get((row.get("kind", ""), row.get("form", "")))
    unknown = [s for s in str(row.get("source", "")).split(";") if s not in sources()]
    wrong = next(
        (
            text
            for bad, text in (
                (needed is None, f"kind {row.get('kind')!r} has no form {row.get('form')!r}"),
                (bool(unknown), f"source = {row.get('source')!r} is not in sources.toml"),
                (row.get("status") not in STATUSES, f"status is not one of: {', '.join(STATUSES)}"),
                (row.get("params", "") not in COUNTED, f"params is not one of: {', '.join(COUNTED)}"),
                (
                    set(row.get("constants", ())) != needed,
                    f"its constants are not {', '.join(sorted(needed or ()))}",
                ),
                (not all(map(math.isfinite, row.get("constants", {}).values())), "a constant is not finite"),
            )
            if bad
        ),
        None,
    )
    if wrong:
        raise FileFormatError(f"laws.toml: {id}: {wrong}")
    boxes = {
        name: {k: (v[0], v[1]) for k, v in row.get(name, {}).items()} for name in ("box", "exponent_bands")
    }
    return Law(id=id, **{**row, **boxes})
