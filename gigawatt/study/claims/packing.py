"""How full a pool of cards gets when jobs want parts of a card: whole cards against slices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True, slots=True)
class Packed:
    """The share of the cards in use that does work."""

    whole_fraction: float  # a job takes a card, whatever it needs
    sliced_fraction: float  # jobs share cards, cut into equal slices
    cards_whole: int
    cards_sliced: int


def packed(*, jobs: int, mean_need: float, slices: int, seed: int) -> Packed:
    """Return what jobs that need a part of a card fill, one to a card and first-fit onto slices.

    Needs are drawn from a beta distribution of the asked mean and the spread of two draws, and rounded up to
    whole slices; the pool always has jobs that wait, all jobs are there at once, and slices cost nothing: an
    upper bound of what slicing can bring.
    Definition: first-fit decreasing; a model of our own, not a trace of real jobs.

    >>> found = packed(jobs=1000, mean_need=0.4, slices=10, seed=1)
    >>> found.cards_whole, found.sliced_fraction > 2 * found.whole_fraction
    (1000, True)
    """
    rng = np.random.default_rng(seed)
    needs = rng.beta(2.0 * mean_need, 2.0 * (1.0 - mean_need), size=jobs)
    taken = np.maximum(np.ceil(needs * slices - 1e-9), 1.0).astype(int)
    cards = bins_of(np.sort(taken)[::-1], slices)
    work = float(needs.sum())
    return Packed(
        whole_fraction=work / jobs, sliced_fraction=work / cards, cards_whole=jobs, cards_sliced=cards
    )


def bins_of(sizes: np.ndarray[tuple[int], np.dtype[np.int_]], capacity: int) -> int:
    """Return how many bins first-fit takes for sizes in the order given.

    >>> bins_of(np.array([6, 5, 5, 4]), 10), bins_of(np.array([], dtype=int), 10)
    (2, 0)
    """
    free: list[int] = []
    for size in sizes.tolist():
        place = next((i for i, left in enumerate(free) if left >= size), None)
        if place is None:
            free.append(capacity - size)
        else:
            free[place] -= size
    return len(free)
