"""How sure is a fit: the same fit to runs drawn again with replacement, thousands at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gigawatt.errors import InputError, unknown_name
from gigawatt.scaling.descend import descend
from gigawatt.scaling.fit import Fit
from gigawatt.scaling.forms import Floats

GENERATORS = ("pcg64", "mt19937")
BLOCK = 500  # resamples between two reports of progress
MOST_RESAMPLES = 1_000_000
TINY_FLOOR = 0.01  # of the least loss: a resample whose E is below it has found no floor


@dataclass(frozen=True, kw_only=True, slots=True)
class Bootstrap:
    """The constants of each resample, and how they were drawn.

    Each resample starts at the fit of all runs: where one has several minima, it takes the one that is near.
    """

    constants: dict[str, Floats]
    theta: Floats
    seed: int
    generator: str
    settled: float  # share of the resamples whose solver stopped because nothing was left to gain

    def __len__(self) -> int:
        return len(self.theta)


def resampled(runs: int, resamples: int, *, seed: int, generator: str = "pcg64") -> Floats:
    """Return how often each run is drawn in each resample (resamples x runs).

    "mt19937" draws as numpy.random.RandomState(seed).randint(0, runs, runs) does, resample after resample:
    the way published intervals were made.

    >>> resampled(4, 2, seed=42, generator="mt19937").tolist()
    [[1.0, 0.0, 2.0, 1.0], [2.0, 0.0, 1.0, 1.0]]
    """
    if generator not in GENERATORS:
        raise unknown_name("generator", generator, GENERATORS)
    if generator == "mt19937":
        old = np.random.RandomState(seed)
        drawn = np.stack([old.randint(0, runs, runs) for _ in range(resamples)])
    else:
        drawn = np.random.default_rng(seed).integers(0, runs, (resamples, runs))
    flat = drawn + runs * np.arange(resamples)[:, None]
    return np.bincount(flat.ravel(), minlength=runs * resamples).reshape(resamples, runs).astype(float)


def bootstrap(
    fit: Fit,
    resamples: int,
    *,
    seed: int = 0,
    generator: str = "pcg64",
    progress: Callable[[float], None] | None = None,
) -> Bootstrap:
    """Return the constants of a law fitted to runs drawn again with replacement.

    Raises: InputError when there are too few or too many resamples.
    """
    if not 2 <= resamples <= MOST_RESAMPLES:
        raise InputError(f"bootstrap = {resamples} is not in 2..{MOST_RESAMPLES:,}")
    weights = resampled(len(fit.runs), resamples, seed=seed, generator=generator)
    design, log_loss = fit.design, np.log(fit.runs.losses)
    theta, settled = [], 0.0
    for low in range(0, resamples, BLOCK):
        part = weights[low : low + BLOCK]
        start = np.repeat(fit.theta[None, :], len(part), axis=0)
        ended = descend(design, log_loss, objective=fit.objective, theta=start, weights=part, near=True)
        theta.append(ended.theta)
        settled += float(ended.settled.sum())
        if progress:
            progress(min(low + BLOCK, resamples) / resamples)
    found = np.concatenate(theta)
    with np.errstate(over="ignore"):
        constants = fit.form.constants(found, fit.means)
    return Bootstrap(
        constants=constants, theta=found, seed=seed, generator=generator, settled=settled / resamples
    )


def floorless(drawn: Bootstrap, fit: Fit) -> float:
    """Return the share of resamples that found no floor: E under a hundredth of the least loss."""
    if "E" not in drawn.constants:
        return 0.0
    return float(np.mean(drawn.constants["E"] < TINY_FLOOR * fit.runs.losses.min()))
