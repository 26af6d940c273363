"""The search: weigh every layout of a space, price those that fit, keep the best, count why others lost."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigawatt.catalog.records import Machine, Stack
from gigawatt.perf import (
    Job,
    Layout,
    StagePasses,
    StepTime,
    Strategy,
    Verdict,
    microbatch_passes,
    setting_of,
    take,
)
from gigawatt.perf.verdict import first_broken
from gigawatt.search.kept import Kept, SearchResult
from gigawatt.search.space import BLOCK_LAYOUTS, Space
from gigawatt.search.task import Objective, Task, broken_rules, every_slot
from gigawatt.search.timing import Sent, lower_bound, time_layouts
from gigawatt.search.weigh import weigh
from gigawatt.units import Seconds


def step_seconds(_: StepTime, total_s: Seconds) -> Seconds:
    """Return the step time: the objective of a search that is given no other.

    Definition: the total itself.

    >>> step_seconds.__name__
    'step_seconds'
    """
    return total_s


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
    """Return the best layouts of a space, and the front of the objective against memory.

    Every combination is priced or ruled out; nothing is sampled.
    """
    more = {"machine": machine, "stack": stack, "objective": objective, "top": top, "progress": progress}
    (found,) = search_sizes(job, (space,), **more)  # type: ignore[arg-type]
    return found


def search_sizes(
    job: Job,
    spaces: Sequence[Space],
    *,
    machine: Machine,
    stack: Stack,
    objective: Objective = step_seconds,
    beside: Objective | None = None,
    top: int = 1,
    cut: bool = False,
    progress: Callable[[float], None] | None = None,
) -> tuple[SearchResult, ...]:
    """Return the best layouts and the front of each of several spaces, of different chips of one machine.

    Rules that a whole family breaks come first, then memory, then the time of what fits. With `cut`, which
    needs a second objective `beside`, layouts whose bound in both objectives is beaten are not timed.
    Meshes hold stems of several sizes at once; blocks of them bound the memory that this takes.
    """
    spaces = tuple(sorted(spaces, key=lambda space: space.chips))
    task = Task(
        job=job,
        machine=machine,
        stack=stack,
        spaces=spaces,
        joined=reduce(Space.joined, spaces),
        objective=objective,
        beside=beside,
        cut=cut and beside is not None,
        kept=tuple(Kept(top=top) for _ in spaces),
    )
    families = task.joined.families()
    alive: dict[tuple[bool, str], NDArray[Any]] = {}
    for done, family in enumerate(families):
        parallel = family.sequence_parallel
        for schedule in task.joined.schedule:
            if (parallel, schedule) not in alive:
                alive[parallel, schedule] = _viable(task, dataclasses.replace(family, schedule=schedule))
        _search_family(task, family, {s: alive[parallel, s] for s in task.joined.schedule})
        if progress:
            progress((done + 1) / len(families))
    return tuple(kept.result() for kept in task.kept)


def _viable(task: Task, strategy: Strategy) -> NDArray[Any]:
    """Return the stems that leave some layout alive; count the others under the rule that they break."""
    interleaved = strategy.schedule == "interleaved"
    stems = np.concatenate([space.stems(interleaved=interleaved) for space in task.spaces])
    if not strategy.sequence_parallel and True in task.joined.sequence_parallel:
        stems = stems[stems[:, 1] > 1]  # without tensor parallelism it is the same layout
    chips, tp, cp, pp, chunks = stems.T
    outline = Layout(tp=tp, cp=cp, pp=pp, dp_shard=chips // (tp * cp * pp), chunks=chunks)
    found = first_broken(broken_rules(task, outline, strategy=strategy))  # with all other degrees 1
    found = np.broadcast_to(found, chips.shape)
    for (kept, rows), space in zip(every_slot(task, stems), task.spaces, strict=True):
        shared = len(space.recompute) * sum(space.others(zero) for zero in space.zero_stage)
        kept.considered += shared * (rows.stop - rows.start)
        dead = found[rows][found[rows] != Verdict.OK]
        kept.counts += shared * np.bincount(dead, minlength=len(Verdict))
    alive: NDArray[Any] = stems[found == Verdict.OK]
    return alive


def _search_family(task: Task, family: Strategy, stems_of: dict[Any, NDArray[Any]]) -> None:
    """Search all strategies that share layer times, some triples (tp, cp, pp) at a time.

    When branches may be cut, the triples of the least bound come first, and what is beaten by then is left.
    """
    every = np.concatenate([stems[:, :4] for stems in stems_of.values()])
    triples, place = _distinct(every)
    ends = np.cumsum([len(stems) for stems in stems_of.values()])[:-1]
    triple_of = dict(zip(stems_of, np.split(place, ends), strict=True))
    held = {s: np.bincount(of, minlength=len(triples)) for s, of in triple_of.items()}
    order, bounds, passes = np.arange(len(triples)), None, None
    if task.cut and len(triples):
        bounds, passes = _bounds(task, family, triples)
        least = bounds[0].reshape(len(triples), -1).min(axis=1)
        order = order[np.lexsort((least, triples[:, 0]))]
        starts = np.searchsorted(triples[order, 0], triples[order, 0])
        order = order[
            np.argsort(np.arange(len(order)) - starts, kind="stable")
        ]  # the best of each size first
    weights = np.max(list(held.values()), axis=0) * len(task.joined.dp_replicate) * task.joined.cells
    layouts = np.sum(list(held.values()), axis=0) * _strategies(task)
    for some in _batches(order, weights):
        here = np.sort(some)
        if bounds is not None:
            lost = _beaten(task, triples[here], *(bound[here] for bound in bounds))
            for kept, rows in task.slots(triples[here]):
                kept.cut += int(np.sum(layouts[here][rows][lost[rows]]))
            here = here[~lost]
        if here.size:
            known = None if passes is None else take(passes, here)
            _search_block(task, family, triples[here], _of_triples(stems_of, triple_of, here), passes=known)


def _distinct(rows: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the different rows, sorted, and the place among them of each row given."""
    key = np.zeros(len(rows), dtype=np.int64)
    for column in rows.T:
        values, ranks = np.unique(column, return_inverse=True)
        key = key * len(values) + ranks
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    return rows[first], place


def _strategies(task: Task) -> int:
    """Return how many layouts share a stem, a schedule and a family."""
    return sum(task.joined.others(zero) for zero in task.joined.zero_stage)


def _batches(order: NDArray[Any], weights: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Yield the order in pieces of at most about `BLOCK_LAYOUTS` layouts a strategy."""
    block = np.cumsum(weights[order]) // BLOCK_LAYOUTS
    edges = np.flatnonzero(np.diff(block)) + 1
    yield from np.split(order, edges)


def _of_triples(
    stems_of: dict[Any, NDArray[Any]], triple_of: dict[Any, NDArray[Any]], here: NDArray[Any]
) -> dict[Any, tuple[NDArray[Any], NDArray[Any]]]:
    """Return, per schedule, the stems of some triples and the place of each one's triple among these."""
    found = {}
    for schedule, of in triple_of.items():
        first, last = np.searchsorted(of, here), np.searchsorted(of, here, side="right")
        place = np.repeat(np.arange(len(here)), last - first)
        rows = np.arange(len(place)) + np.repeat(first - np.r_[0, np.cumsum(last - first)[:-1]], last - first)
        if rows.size:
            found[schedule] = (stems_of[schedule][rows], place)
    return found


def _search_block(
    task: Task,
    family: Strategy,
    triples: NDArray[Any],
    here: dict[Any, tuple[NDArray[Any], NDArray[Any]]],
    *,
    passes: StagePasses | None,
) -> None:
    """Weigh every layout of some triples, and time those that fit; `passes` where they are known already."""
    weighed = [
        w for s, (stems, of) in here.items() for w in weigh(task, family, schedule=s, stems=stems, of=of)
    ]
    if not weighed:
        return
    used = np.zeros(len(triples), dtype=bool)
    for one in weighed:
        used[one.triple_of] = True
    mesh = task.joined.mesh(np.c_[triples[used], np.ones(used.sum(), dtype=np.int64)])
    setting = setting_of(task.job, machine=task.machine, strategy=family, stack=task.stack)
    passes = microbatch_passes(task.job, mesh, setting) if passes is None else take(passes, used)
    sent = Sent(task, triples[used], setting=setting, passes=passes)
    place = np.cumsum(used) - 1
    for schedule in here:
        mine = [w for w in weighed if w.strategy.schedule == schedule]
        if mine:
            time_layouts(task, mine, sent=sent, rows=place[mine[0].triple_of])


def _bounds(
    task: Task, family: Strategy, triples: NDArray[Any]
) -> tuple[tuple[NDArray[Any], NDArray[Any]], StagePasses | None]:
    """Return, per triple, microbatch, ep and etp, what both objectives are at least; passes where few."""
    assert task.beside is not None
    setting = setting_of(task.job, machine=task.machine, strategy=family, stack=task.stack)
    found: tuple[list[Any], list[Any]] = ([], [])
    batches = list(_batches(np.arange(len(triples)), np.full(len(triples), task.joined.cells)))
    for some in batches:
        mesh = task.joined.mesh(np.c_[triples[some], np.ones(len(some), dtype=np.int64)])
        passes = microbatch_passes(task.job, mesh, setting)
        step, total = lower_bound(task.job, mesh, setting=setting, passes=passes)
        for bounds, objective in zip(found, (task.objective, task.beside), strict=True):
            bounds.append(np.broadcast_to(objective(step, total), np.shape(total)))
    both = (np.concatenate(found[0]), np.concatenate(found[1]))
    return both, passes if len(batches) == 1 else None


def _beaten(task: Task, triples: NDArray[Any], first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    """Return the triples of which every layout is beaten in both objectives by one that is known."""
    lost = np.zeros(len(triples), dtype=bool)
    for kept, rows in task.slots(triples):
        lost[rows] = kept.beaten(first[rows], second[rows]).reshape(rows.stop - rows.start, -1).all(axis=1)
    return lost
