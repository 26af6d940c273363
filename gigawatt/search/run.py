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
    Setting,
    StagePasses,
    StepTime,
    Strategy,
    Verdict,
    memory_use,
    microbatch_passes,
    setting_of,
    step_parts,
    take,
    verdict,
)
from gigawatt.search.space import Space
from gigawatt.units import Seconds

Objective = Callable[[StepTime, Seconds], Any]  # of a step and its total: what is made small


def step_seconds(_: StepTime, total_s: Seconds) -> Seconds:
    """Return the step time: the objective of a search that is given no other.

    Definition: the total itself.

    >>> step_seconds.__name__
    'step_seconds'
    """
    return total_s


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
    priced: int = 1  # candidates of which time and memory were computed; a broken rule settled the others

    @property
    def candidates(self) -> int:
        return sum(self.counts.values())


@dataclass(slots=True)
class _Kept:
    """What the search keeps while it runs."""

    top: int
    candidates: list[Candidate] = field(default_factory=list)
    counts: NDArray[Any] = field(default_factory=lambda: np.zeros(len(Verdict), dtype=np.int64))
    miss: Candidate | None = None
    priced: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Mesh:
    """A mesh of layouts of one strategy, priced: arrays that broadcast to `shape`."""

    layout: Layout
    strategy: Strategy
    step_s: Any
    score: Any
    needed_bytes: Any
    found: NDArray[Any]  # verdicts

    @property
    def shape(self) -> tuple[int, ...]:
        return np.broadcast_shapes(self.found.shape, np.shape(self.score), np.shape(self.needed_bytes))

    def flat(self, values: Any) -> NDArray[Any]:
        return np.broadcast_to(values, self.shape).ravel()

    def candidates(self, rows: NDArray[Any]) -> list[Candidate]:
        """Return some rows of the flattened mesh."""
        at = np.unravel_index(rows, self.shape)

        def column(values: Any) -> list[Any]:
            found: list[Any] = np.broadcast_to(values, self.shape)[at].tolist()
            return found

        names = [f.name for f in dataclasses.fields(Layout)]
        layouts = zip(*(column(getattr(self.layout, name)) for name in names), strict=True)
        priced = zip(column(self.step_s), column(self.score), column(self.needed_bytes), strict=True)
        return [
            Candidate(
                layout=Layout(**dict(zip(names, numbers, strict=True))),
                strategy=self.strategy,
                step_s=step_s,
                score=score,
                memory_bytes=needed,
            )
            for numbers, (step_s, score, needed) in zip(layouts, priced, strict=True)
        ]


def search(
    job: Job,
    space: Space,
    *,
    machine: Machine,
    stack: Stack,
    objective: Objective = step_seconds,
    top: int = 5,
    progress: Callable[[float], None] | None = None,
) -> SearchResult:
    """Return the best layouts of a space.

    Every combination is priced or ruled out; nothing is sampled. Layer times are computed once for all
    strategies that share them, and blocks of triples bound the memory that this takes.
    """
    kept = _Kept(top=top)
    families, stems = space.families(), space.stems()
    for done, family in enumerate(families):
        alive = {s: _viable(kept, job, space, s, machine=machine, stems=stems) for s in family}
        setting = setting_of(job, machine=machine, strategy=family[0], stack=stack)
        for rows in space.blocks(np.flatnonzero(np.logical_or.reduce(list(alive.values())))):
            triples, triple_of = np.unique(stems[rows, :3], axis=0, return_inverse=True)
            uncut = np.c_[triples, np.ones(len(triples), dtype=np.int64)]  # chunks do not change layer times
            passes = microbatch_passes(job, space.mesh(family[0], uncut), setting)
            for strategy in family:
                here = alive[strategy][rows]
                if here.any():
                    layout = space.mesh(strategy, stems[rows[here]])
                    own = dataclasses.replace(setting, strategy=strategy)
                    of_these = take(passes, triple_of[here])
                    _keep(kept, _price(job, layout, own, passes=of_these, objective=objective))
        if progress:
            progress((done + 1) / len(families))
    return _result(kept)


def _viable(
    kept: _Kept, job: Job, space: Space, strategy: Strategy, *, machine: Machine, stems: NDArray[Any]
) -> NDArray[Any]:
    """Return which stems leave some layout alive; count the others under the rule that they break."""
    own = (stems[:, 3] > 1) == (strategy.schedule == "interleaved")
    if not strategy.sequence_parallel and True in space.sequence_parallel:
        own = own & (stems[:, 0] > 1)  # without tensor parallelism it is the same layout
    found = verdict(job, space.outline(stems), machine=machine, strategy=strategy, needed_bytes=0.0)
    dead = found[own & (found != Verdict.OK)]
    kept.counts += space.others(strategy) * np.bincount(dead, minlength=len(Verdict))
    alive: NDArray[Any] = own & (found == Verdict.OK)
    return alive


def _price(job: Job, layout: Layout, setting: Setting, *, passes: StagePasses, objective: Objective) -> _Mesh:
    """Return what every layout of a mesh takes, scores and breaks."""
    step = step_parts(job, layout, setting, passes=passes)
    total = step.total_s
    needed = memory_use(job, layout, strategy=setting.strategy, stack=setting.stack).total_bytes
    found = verdict(job, layout, machine=setting.machine, strategy=setting.strategy, needed_bytes=needed)
    score = objective(step, total)
    return _Mesh(
        layout=layout, strategy=setting.strategy, step_s=total, score=score, needed_bytes=needed, found=found
    )


def _keep(kept: _Kept, mesh: _Mesh) -> None:
    """Keep a mesh's best layouts, its front and its verdicts; while nothing fits, the nearest miss."""
    found = mesh.flat(mesh.found)
    kept.counts += np.bincount(found, minlength=len(Verdict))
    kept.priced += found.size
    fits = np.flatnonzero(found == Verdict.OK)
    if fits.size:
        scores, needed = mesh.flat(mesh.score)[fits], mesh.flat(mesh.needed_bytes)[fits]
        rows = np.union1d(best_rows(scores, kept.top), front_rows(scores, needed))
        kept.candidates.extend(mesh.candidates(fits[rows]))
    elif not kept.candidates:
        over = np.flatnonzero(found == Verdict.MEMORY)
        if over.size:
            (miss,) = mesh.candidates(over[[np.argmin(mesh.flat(mesh.needed_bytes)[over])]])
            if kept.miss is None or miss.memory_bytes < kept.miss.memory_bytes:
                kept.miss = miss


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


def _result(kept: _Kept) -> SearchResult:
    counts = {v: int(kept.counts[v]) for v in Verdict}
    if not kept.candidates:
        return SearchResult(best=(), front=(), counts=counts, nearest_miss=kept.miss, priced=kept.priced)
    scores = np.array([c.score for c in kept.candidates])
    needed = np.array([c.memory_bytes for c in kept.candidates])
    best = tuple(kept.candidates[i] for i in best_rows(scores, kept.top))
    front = tuple(kept.candidates[i] for i in front_rows(scores, needed))
    return SearchResult(best=best, front=front, counts=counts, nearest_miss=None, priced=kept.priced)
