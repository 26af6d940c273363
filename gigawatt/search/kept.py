"""What a search keeps while it runs: the best layouts, the front, and why the others lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigawatt.perf import Layout, Strategy, Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """One layout that fits, and what it scores."""

    layout: Layout
    strategy: Strategy
    step_s: float
    score: float
    memory_bytes: float
    beside: float = 0.0  # what the front holds against the score: memory, or a second objective


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchResult:
    """The best layouts first, the front of score against what is beside it, and every candidate's fate."""

    best: tuple[Candidate, ...]
    front: tuple[Candidate, ...]
    counts: dict[Verdict, int]
    nearest_miss: Candidate | None  # the layout that misses memory by least, when nothing fits
    candidates: int = 1
    priced: int = 1  # candidates that break no rule: memory computed for all, time where the stem fits
    cut: int = 0  # candidates that were never weighed, for what is known beats their bound


class Kept:
    """What a search keeps of one number of chips; it changes while the search runs."""

    def __init__(self, top: int) -> None:
        self.top = top
        self.candidates: list[Candidate] = []
        self.counts: NDArray[Any] = np.zeros(len(Verdict), dtype=np.int64)
        self.miss: Candidate | None = None
        self.considered = 0
        self.priced = 0
        self.cut = 0
        self.worst = np.inf  # the last score that is among the best
        self.scores: NDArray[Any] = np.empty(0)  # of the front, rising
        self.besides: NDArray[Any] = np.empty(0)  # of the front, falling

    def hopeful(self, scores: NDArray[Any], besides: NDArray[Any], *, fits: NDArray[Any]) -> NDArray[Any]:
        """Return the rows that fit and would join the best or the front, others of their own kind aside."""
        if not self.candidates:
            return np.flatnonzero(fits)
        rows = np.flatnonzero(fits & ((scores < self.worst) | (besides < self.besides[0])))
        joins = (scores[rows] < self.worst) | ~self.beaten(scores[rows], besides[rows])
        found: NDArray[Any] = rows[joins]
        return found

    def beaten(self, scores: NDArray[Any], besides: NDArray[Any]) -> NDArray[Any]:
        """Return which rows some member of the front is at least as good as in both ways."""
        if not self.scores.size:
            return np.zeros(np.shape(scores), dtype=bool)
        last = np.searchsorted(self.scores, scores, side="right") - 1
        lost: NDArray[Any] = (last >= 0) & (self.besides[last] <= besides)
        return lost

    def add(self, found: list[Candidate]) -> None:
        """Take new candidates in; those that are neither among the best nor on the front go."""
        everyone = [*self.candidates, *found]
        scores = np.array([c.score for c in everyone])
        besides = np.array([c.beside for c in everyone])
        best, front = best_rows(scores, self.top), front_rows(scores, besides)
        stay = np.union1d(best, front)
        self.candidates = [everyone[i] for i in stay]
        self.scores, self.besides = scores[front], besides[front]
        self.worst = float(scores[best[-1]]) if best.size == self.top else np.inf

    def result(self) -> SearchResult:
        """Return what was found."""
        counts = {v: int(self.counts[v]) for v in Verdict}
        blank = SearchResult(
            best=(),
            front=(),
            counts=counts,
            nearest_miss=self.miss,
            candidates=self.considered,
            priced=self.priced,
            cut=self.cut,
        )
        if not self.candidates:
            return blank
        scores = np.array([c.score for c in self.candidates])
        besides = np.array([c.beside for c in self.candidates])
        best = tuple(self.candidates[i] for i in best_rows(scores, self.top))
        front = tuple(self.candidates[i] for i in front_rows(scores, besides))
        return replace(blank, best=best, front=front, nearest_miss=None)


def best_rows(scores: NDArray[Any], top: int) -> NDArray[Any]:
    """Return the rows of the `top` smallest scores.

    >>> best_rows(np.array([3.0, 1.0, 2.0]), 2).tolist()
    [1, 2]
    """
    if scores.size <= top:
        return np.argsort(scores, kind="stable")
    near = np.flatnonzero(scores <= np.partition(scores, top - 1)[top - 1])
    return near[np.argsort(scores[near], kind="stable")][:top]


def front_rows(first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    """Return the rows that no other row beats in both columns, by the first column.

    >>> front_rows(np.array([1.0, 2.0, 3.0]), np.array([5.0, 6.0, 4.0])).tolist()
    [0, 2]
    """
    lean = second <= second[np.argmin(first)]  # what needs more than the best never joins the front
    rows = np.flatnonzero(lean)
    order = rows[np.lexsort((second[rows], first[rows]))]
    lowest = np.minimum.accumulate(second[order])
    new = np.r_[True, lowest[1:] < lowest[:-1]]
    return order[new]
