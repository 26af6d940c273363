"""The search: price every layout of a space, keep the best, count why the others lost."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigawatt.catalog.records import Machine, Stack
from gigawatt.perf import (
    Job,
    Layout,
    MemoryUse,
    StepTime,
    Strategy,
    Verdict,
    memory_use,
    microbatch_passes,
    setting_of,
    step_parts,
    verdict,
)
from gigawatt.search.space import Space

Objective = Callable[[StepTime], Any]  # what is made small: seconds, dollars or joules of one step


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """One layout that fits, and what it scores."""

    layout: Layout
    strategy: Strategy
    step_s: float
    score: float
    memory_bytes: float


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchResult:
    """The best layouts first, the front of score against memory, and the fate of every candidate."""

    best: tuple[Candidate, ...]
    front: tuple[Candidate, ...]
    counts: dict[Verdict, int]
    nearest_miss: Candidate | None  # the layout that misses memory by least, when nothing fits

    @property
    def candidates(self) -> int:
        return sum(self.counts.values())


@dataclass(slots=True)
class _Kept:
    """What the search keeps while it runs."""

    candidates: list[Candidate] = field(default_factory=list)
    counts: NDArray[Any] = field(default_factory=lambda: np.zeros(len(Verdict), dtype=np.int64))
    miss: Candidate | None = None


def search(
    job: Job,
    space: Space,
    *,
    machine: Machine,
    stack: Stack,
    objective: Objective | None = None,
    top: int = 5,
    progress: Callable[[float], None] | None = None,
) -> SearchResult:
    """Return the best layouts of a space.

    Every combination is priced or ruled out; nothing is sampled. Layer times are computed once for all
    kinds that share them.
    """
    kept = _Kept()
    score = objective or (lambda step: step.total_s)
    strategies, triples = space.strategies(), space.triples()
    shared: dict[tuple[bool, str, bytes], Any] = {}
    for done, strategy in enumerate(strategies):
        alive = _viable(kept, job, space, strategy, machine=machine, triples=triples)
        if progress:
            progress((done + 1) / len(strategies))
        if not alive.any():
            continue
        layout = space.mesh(strategy, triples[alive])
        setting = setting_of(job, machine=machine, strategy=strategy, stack=stack)
        key = (strategy.sequence_parallel, strategy.recompute, alive.tobytes())  # all that passes depend on
        if key not in shared:
            shared = {key: microbatch_passes(job, layout, setting)}
        step = step_parts(job, layout, setting, passes=shared[key])
        memory = memory_use(job, layout, strategy=strategy, stack=stack)
        _keep(
            kept, job, layout, strategy, machine=machine, step=step, memory=memory, score=score(step), top=top
        )
    return _result(kept, top)


def _viable(
    kept: _Kept, job: Job, space: Space, strategy: Strategy, *, machine: Machine, triples: NDArray[Any]
) -> NDArray[Any]:
    """Return which triples leave some layout alive; count the others under the rule that they break."""
    chunks = space.chunks_of(strategy.schedule)
    if not chunks or not len(triples):
        return np.zeros(len(triples), dtype=bool)
    outline = space.outline(strategy, triples)
    found = verdict(job, outline, machine=machine, strategy=strategy, needed_bytes=0.0)
    found = np.broadcast_to(found, (len(triples), len(chunks)))
    alive = np.asarray((found == Verdict.OK).any(axis=1))
    others = (
        len(space.replicas_of(strategy.zero_stage))
        * len(space.microbatch_sequences)
        * len(space.ep)
        * len(space.etp)
    )
    kept.counts += others * np.bincount(found[~alive].ravel(), minlength=len(Verdict))
    return alive


def _keep(
    kept: _Kept,
    job: Job,
    layout: Layout,
    strategy: Strategy,
    *,
    machine: Machine,
    step: StepTime,
    memory: MemoryUse,
    score: Any,
    top: int,
) -> None:
    needed = memory.total_bytes
    found = verdict(job, layout, machine=machine, strategy=strategy, needed_bytes=needed)
    shape = np.broadcast_shapes(found.shape, np.shape(score))
    found = np.broadcast_to(found, shape).ravel()
    kept.counts += np.bincount(found, minlength=len(Verdict))
    fits = np.flatnonzero(found == Verdict.OK)

    def candidate(row: int) -> Candidate:
        at = np.unravel_index(row, shape)
        return Candidate(
            layout=Layout(
                **{f.name: int(_at(getattr(layout, f.name), at)) for f in dataclasses.fields(layout)}
            ),
            strategy=strategy,
            step_s=float(_at(step.total_s, at)),
            score=float(_at(score, at)),
            memory_bytes=float(_at(needed, at)),
        )

    if fits.size:
        scores = np.broadcast_to(score, shape).ravel()[fits]
        bytes_needed = np.broadcast_to(needed, shape).ravel()[fits]
        rows = np.union1d(best_rows(scores, top), front_rows(scores, bytes_needed))
        kept.candidates.extend(candidate(int(r)) for r in fits[rows])
    elif not kept.candidates:
        over = np.flatnonzero(found == Verdict.MEMORY)
        if over.size:
            row = over[np.argmin(np.broadcast_to(needed, shape).ravel()[over])]
            miss = candidate(int(row))
            if kept.miss is None or miss.memory_bytes < kept.miss.memory_bytes:
                kept.miss = miss


def _at(values: Any, at: tuple[Any, ...]) -> Any:
    """Return one element of an array that broadcasts to a larger shape."""
    array = np.asarray(values)
    if array.ndim == 0:
        return array
    return array[tuple(0 if size == 1 else i for size, i in zip(array.shape, at, strict=True))]


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
    lean = second <= second[np.argmin(first)]  # what needs more memory than the best never joins the front
    rows = np.flatnonzero(lean)
    order = rows[np.lexsort((second[rows], first[rows]))]
    lowest = np.minimum.accumulate(second[order])
    new = np.r_[True, lowest[1:] < lowest[:-1]]
    return order[new]


def _result(kept: _Kept, top: int) -> SearchResult:
    counts = {v: int(kept.counts[v]) for v in Verdict}
    if not kept.candidates:
        return SearchResult(best=(), front=(), counts=counts, nearest_miss=kept.miss)
    scores = np.array([c.score for c in kept.candidates])
    needed = np.array([c.memory_bytes for c in kept.candidates])
    best = tuple(kept.candidates[i] for i in best_rows(scores, top))
    front = tuple(kept.candidates[i] for i in front_rows(scores, needed))
    return SearchResult(best=best, front=front, counts=counts, nearest_miss=None)
