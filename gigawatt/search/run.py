"""The search: weigh every layout of a space, price those that fit, keep the best, count why others lost."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
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
    microbatch_passes,
    microbatches_of,
    setting_of,
    step_parts,
    take,
)
from gigawatt.perf.memory import stage_memory
from gigawatt.perf.step import data_comm_s, optimizer_s
from gigawatt.perf.verdict import first_broken, rules
from gigawatt.search.kept import Candidate, Kept, SearchResult, best_rows, front_rows
from gigawatt.search.space import BLOCK_LAYOUTS, Mesh, Space
from gigawatt.units import Bytes, Real, Seconds

Objective = Callable[[StepTime, Seconds], Any]  # of a step and its total; never falls when a part grows


def step_seconds(_: StepTime, total_s: Seconds) -> Seconds:
    """Return the step time: the objective of a search that is given no other.

    Definition: the total itself.

    >>> step_seconds.__name__
    'step_seconds'
    """
    return total_s


@dataclass(frozen=True, kw_only=True, slots=True)
class _Task:
    """What is searched, and where what is found goes: one space and one `Kept` per number of chips."""

    job: Job
    machine: Machine
    stack: Stack
    spaces: tuple[Space, ...]  # by rising chips
    joined: Space
    objective: Objective
    beside: Objective | None  # what the front holds against the objective; None: memory
    cut: bool
    kept: tuple[Kept, ...]

    def slots(self, stems: NDArray[Any]) -> Iterator[tuple[Kept, slice]]:
        """Yield, per number of chips that some of the stems have, where its stems lie."""
        edges = np.searchsorted(stems[:, 0], [space.chips for space in self.spaces])
        for kept, first, last in zip(self.kept, edges, (*edges[1:], len(stems)), strict=True):
            if last > first:
                yield kept, slice(int(first), int(last))


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
    task = _Task(
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


def _viable(task: _Task, strategy: Strategy) -> NDArray[Any]:
    """Return the stems that leave some layout alive; count the others under the rule that they break."""
    interleaved = strategy.schedule == "interleaved"
    stems = np.concatenate([space.stems(interleaved=interleaved) for space in task.spaces])
    if not strategy.sequence_parallel and True in task.joined.sequence_parallel:
        stems = stems[stems[:, 1] > 1]  # without tensor parallelism it is the same layout
    chips, tp, cp, pp, chunks = stems.T
    outline = Layout(tp=tp, cp=cp, pp=pp, dp_shard=chips // (tp * cp * pp), chunks=chunks)
    found = first_broken(_rules(task, outline, strategy=strategy))  # with all other degrees 1
    found = np.broadcast_to(found, chips.shape)
    for (kept, rows), space in zip(_every_slot(task, stems), task.spaces, strict=True):
        shared = len(space.recompute) * sum(space.others(zero) for zero in space.zero_stage)
        dead = found[rows][found[rows] != Verdict.OK]
        kept.counts += shared * np.bincount(dead, minlength=len(Verdict))
    return stems[found == Verdict.OK]


def _every_slot(task: _Task, stems: NDArray[Any]) -> Iterator[tuple[Kept, slice]]:
    """Yield, per number of chips, where its stems lie, be there none."""
    edges = np.searchsorted(stems[:, 0], [space.chips for space in task.spaces])
    for kept, first, last in zip(task.kept, edges, (*edges[1:], len(stems)), strict=True):
        yield kept, slice(int(first), int(last))


def _rules(task: _Task, layout: Layout, *, strategy: Strategy) -> dict[Verdict, Any]:
    """Return which layouts break which rule; a stem has the right chips by its making."""
    broken = rules(task.job, layout, machine=task.machine, strategy=strategy)
    return {rule: rows for rule, rows in broken.items() if rule != Verdict.CHIPS}


def _search_family(task: _Task, family: Strategy, stems_of: dict[Any, NDArray[Any]]) -> None:
    """Search all strategies that share layer times, block by block of triples (tp, cp, pp)."""
    every = np.concatenate([stems[:, :4] for stems in stems_of.values()])
    triples = np.unique(every, axis=0)
    triple_of = {s: np.searchsorted(_key(triples), _key(stems)) for s, stems in stems_of.items()}
    most = [np.bincount(of, minlength=len(triples)) for of in triple_of.values()]
    each = len(task.joined.dp_replicate) * task.joined.cells
    block = np.cumsum(np.max(most, axis=0)) * each // BLOCK_LAYOUTS if len(triples) else np.empty(0)
    edges = np.r_[0, np.flatnonzero(np.diff(block)) + 1, len(triples)]
    for first, last in zip(edges[:-1], edges[1:], strict=True):
        here = {}
        for schedule, stems in stems_of.items():
            start, end = np.searchsorted(triple_of[schedule], [first, last])
            if end > start:
                here[schedule] = (stems[start:end], triple_of[schedule][start:end] - first)
        _search_block(task, family, triples[first:last], here)


def _key(stems: NDArray[Any]) -> NDArray[Any]:
    """Return one rising number per row of (chips, tp, cp, pp): degrees lie below 2**14."""
    chips, tp, cp, pp = stems.T[:4]
    found: NDArray[Any] = ((chips << 14 | tp) << 7 | cp) << 14 | pp
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class _Weighed:
    """The layouts of some stems and one strategy by memory: which fit."""

    strategy: Strategy
    stems: NDArray[Any]
    triple_of: NDArray[Any]
    replicas: list[int]
    needed_bytes: NDArray[Any]
    fits: NDArray[Any]

    @property
    def used(self) -> NDArray[Any]:
        """Which stems have a layout that fits."""
        found: NDArray[Any] = self.fits.any(axis=(1, 2, 3, 4))
        return found

    def of(self, rows: NDArray[Any]) -> _Weighed:
        """Return only some stems."""
        if rows.all():
            return self
        return dataclasses.replace(
            self,
            stems=self.stems[rows],
            triple_of=self.triple_of[rows],
            needed_bytes=self.needed_bytes[rows],
            fits=self.fits[rows],
        )


def _search_block(
    task: _Task, family: Strategy, triples: NDArray[Any], here: dict[Any, tuple[NDArray[Any], NDArray[Any]]]
) -> None:
    """Weigh every layout of some triples, time those that fit and are not beaten by their bound."""
    weighed = [w for s, (stems, of) in here.items() for w in _weigh(task, family, s, stems=stems, of=of)]
    used = np.zeros(len(triples), dtype=bool)
    for one in weighed:
        used[one.triple_of[one.used]] = True
    if not used.any():
        return
    mesh = task.joined.mesh(np.c_[triples[used], np.ones(used.sum(), dtype=np.int64)])
    setting = setting_of(task.job, machine=task.machine, strategy=family, stack=task.stack)
    passes = microbatch_passes(task.job, mesh, setting)
    timed = used.copy()
    if task.cut:
        lost = _beaten(task, mesh, setting, passes=passes, stems=triples[used])
        timed[used] = ~lost
        passes = take(passes, ~lost) if timed.any() else passes
    place = np.cumsum(timed) - 1
    for schedule in here:
        mine = [w for w in weighed if w.strategy.schedule == schedule]
        rows = reduce(np.logical_or, (w.used for w in mine), np.zeros(len(here[schedule][0]), dtype=bool))
        rows &= timed[here[schedule][1]]
        for one in mine:
            _count_cut(task, one, rows)
        if rows.any():
            there = [dataclasses.replace(w.of(rows), triple_of=place[w.triple_of[rows]]) for w in mine]
            _time(task, there, setting, passes=passes, triples=triples[timed])


def _weigh(
    task: _Task, family: Strategy, schedule: Any, *, stems: NDArray[Any], of: NDArray[Any]
) -> Iterator[_Weighed]:
    """Yield, per ZeRO stage, what the layouts of some stems need; count those that break a rule."""
    space = task.joined
    strategy = dataclasses.replace(family, schedule=schedule)
    mesh = space.mesh(stems)
    shape = (len(stems), 1, *np.broadcast_shapes(*(np.shape(getattr(mesh, n)) for n in CELL))[2:])
    broken = np.broadcast_to(first_broken(_rules(task, mesh, strategy=strategy)), shape)
    sound = broken == Verdict.OK
    splits = 0
    for zero in space.zero_stage:
        replicas = space.replicas_of(zero)
        whole = mesh.ranks % np.asarray(replicas).reshape(1, -1, 1, 1, 1) == 0
        splits = splits + whole.sum(axis=1).ravel()
        own = dataclasses.replace(strategy, zero_stage=zero)
        split = space.mesh(stems, replicas=replicas)
        needed = fullest_bytes(task.job, split, strategy=own, stack=task.stack)
        alive = sound & whole
        needed = np.broadcast_to(needed, alive.shape)
        fits = alive & (needed <= task.machine.chip.hbm_bytes)
        yield from _counted(
            task,
            _Weighed(
                strategy=own, stems=stems, triple_of=of, replicas=replicas, needed_bytes=needed, fits=fits
            ),
            alive=alive,
        )
    _count_broken(task, stems, broken, splits=splits)


CELL = ("tp", "microbatch_sequences", "ep", "etp")  # one field per axis that rules depend on


def _counted(task: _Task, one: _Weighed, *, alive: NDArray[Any]) -> Iterator[_Weighed]:
    """Count what fits and what does not; yield the strategy's layouts where some fit."""
    for kept, rows in task.slots(one.stems):
        fit, sound = int(np.count_nonzero(one.fits[rows])), int(np.count_nonzero(alive[rows]))
        kept.counts[Verdict.OK] += fit
        kept.counts[Verdict.MEMORY] += sound - fit
        kept.priced += sound
        if sound and not kept.counts[Verdict.OK]:
            _keep_miss(task, kept, one, rows=rows, alive=alive)
    if one.fits.any():
        yield one


def _count_broken(task: _Task, stems: NDArray[Any], broken: NDArray[Any], *, splits: Any) -> None:
    """Count layouts that break a rule: as often as their ranks split; those that do not split break CHIPS."""
    cells = task.joined.cells
    tried = sum(len(task.joined.replicas_of(zero)) for zero in task.joined.zero_stage)
    for kept, rows in task.slots(stems):
        weights = np.repeat(splits[rows], cells)
        found = np.bincount(broken[rows].ravel(), weights=weights, minlength=len(Verdict))
        found[Verdict.OK] = 0.0
        found[Verdict.CHIPS] += float(np.sum(tried - splits[rows])) * cells
        kept.counts += found.astype(np.int64)


def _count_cut(task: _Task, one: _Weighed, rows: NDArray[Any]) -> None:
    """Count what fits and is not timed."""
    if task.cut and not rows.all():
        for kept, here in task.slots(one.stems):
            lost = int(np.count_nonzero(one.fits[here][~rows[here]]))
            kept.cut += lost
            kept.priced -= lost


def _keep_miss(task: _Task, kept: Kept, one: _Weighed, *, rows: slice, alive: NDArray[Any]) -> None:
    """Keep the layout that misses memory by least."""
    needed = np.where(alive[rows], one.needed_bytes[rows], np.inf)
    if kept.miss is None or needed.min() < kept.miss.memory_bytes:
        mesh = task.joined.mesh(one.stems[rows], replicas=one.replicas)
        nothing = np.broadcast_to(np.inf, needed.shape)
        best = np.array([np.argmin(needed)])
        (kept.miss,) = _candidates(mesh, one.strategy, best, columns=(nothing, nothing, needed, needed))


def fullest_bytes(job: Job, layout: Layout, *, strategy: Strategy, stack: Stack) -> Bytes:
    """Return the memory of the fullest chip: `memory_use` without its parts.

    Definition: the larger of the first stage's and the last stage's total; the last's where they are one.
    """
    ends = (stage_memory(job, layout, strategy=strategy, stack=stack, last=last) for last in (False, True))
    first, last = (lean_total(end) for end in ends)
    return np.where(np.asarray(layout.pp) == 1, last, np.maximum(first, last))


def lean_total(record: Any) -> Real:
    """Return the sum of a record's fields, small arrays first: few additions at the size of the result.

    >>> from dataclasses import make_dataclass
    >>> parts = make_dataclass("Parts", ["a_s", "b_s"])(np.array([[1.0], [2.0]]), 0.5)
    >>> lean_total(parts).tolist()
    [[1.5], [2.5]]
    """
    values = [getattr(record, f.name) for f in dataclasses.fields(record)]
    found: Real = reduce(np.add, sorted(values, key=np.size))
    return found


def lower_bound(job: Job, mesh: Mesh, setting: Setting, *, passes: StagePasses) -> tuple[StepTime, Seconds]:
    """Return a step, and its total, that no layout with these degrees is below, part by part.

    Layer passes and stage-to-stage messages without chunks; no data-parallel message, no optimizer step, no
    bubble and no waits: these are what schedule, ZeRO stage, chunks and replicas can still change.
    Source: every part of `step_parts` is at least 0, and pipeline messages grow with the chunks.
    """
    step = step_parts(job, mesh, setting, passes=passes, dp_comm_s=0.0)
    none = dict.fromkeys(("optimizer_s", "imbalance_s", "bubble_s", "straggler_s"), 0.0)
    least = dataclasses.replace(step, **none)
    return least, lean_total(least)


def _beaten(
    task: _Task, mesh: Mesh, setting: Setting, *, passes: StagePasses, stems: NDArray[Any]
) -> NDArray[Any]:
    """Return the stems of which every layout is beaten in both objectives by one that is known."""
    assert task.beside is not None
    step, total = lower_bound(task.job, mesh, setting, passes=passes)
    first, second = np.broadcast_arrays(task.objective(step, total), task.beside(step, total))
    lost = np.zeros(len(stems), dtype=bool)
    for kept, rows in task.slots(stems):
        lost[rows] = kept.beaten(first[rows], second[rows]).all(axis=(1, 2, 3, 4))
    return lost


def _time(
    task: _Task, weighed: list[_Weighed], setting: Setting, *, passes: StagePasses, triples: NDArray[Any]
) -> None:
    """Time the layouts of some stems: once what all ZeRO stages share, then each one's messages."""
    stems, of = weighed[0].stems, weighed[0].triple_of
    own = dataclasses.replace(setting, strategy=weighed[0].strategy)
    mesh, alone = task.joined.mesh(stems), len(stems) == len(triples) and bool((np.diff(of) == 1).all())
    base = step_parts(task.job, mesh, own, passes=passes if alone else take(passes, of), dp_comm_s=0.0)
    shared = lean_total(dataclasses.replace(base, optimizer_s=0.0))
    there = np.unique(of)
    uncut = np.c_[triples[there], np.ones(len(there), dtype=np.int64)]
    whole = len(there) == len(triples)
    back = of if whole else np.searchsorted(there, of)
    for one in weighed:
        if not one.fits.any():
            continue
        own = dataclasses.replace(setting, strategy=one.strategy)
        few = task.joined.mesh(uncut, replicas=one.replicas)
        m = microbatches_of(task.job, few)
        sent = passes if whole else take(passes, there)
        exposed = data_comm_s(task.job, few, own, passes=sent, microbatches=m)
        update = optimizer_s(task.job, few, own)
        step = dataclasses.replace(
            base, dp_comm_s=_spread(exposed, back, alone=alone), optimizer_s=_spread(update, back, alone=alone)
        )
        total = shared + _spread(np.add(exposed, update), back, alone=alone)
        _keep(task, one, step, total)


def _spread(values: Real, rows: NDArray[Any], *, alone: bool) -> Real:
    """Return values of triples for the stems that they are of."""
    same = alone or np.ndim(values) == 0 or np.shape(values)[0] == 1
    return values if same else np.asarray(values)[rows]


def _keep(task: _Task, one: _Weighed, step: StepTime, total: Any) -> None:
    """Keep what joins the best or the front of its number of chips."""
    shape = one.fits.shape
    total = np.broadcast_to(total, shape)
    score = np.broadcast_to(task.objective(step, total), shape)
    beside = one.needed_bytes if task.beside is None else np.broadcast_to(task.beside(step, total), shape)
    for kept, here in task.slots(one.stems):
        scores, besides = score[here].ravel(), beside[here].ravel()
        rows = kept.hopeful(scores, besides, fits=one.fits[here].ravel())
        if rows.size:
            best = best_rows(scores[rows], kept.top)
            rows = rows[np.union1d(best, front_rows(scores[rows], besides[rows]))]
            mesh = task.joined.mesh(one.stems[here], replicas=one.replicas)
            columns = (total[here], score[here], one.needed_bytes[here], beside[here])
            kept.add(_candidates(mesh, one.strategy, rows, columns=columns))


def _candidates(
    mesh: Mesh, strategy: Strategy, rows: NDArray[Any], *, columns: tuple[NDArray[Any], ...]
) -> list[Candidate]:
    """Return some rows of a flattened mesh as candidates; columns: step, score, memory, beside."""
    shape = columns[0].shape
    at = np.unravel_index(rows, shape)
    names = [f.name for f in dataclasses.fields(Layout)]
    numbers = [np.broadcast_to(getattr(mesh, name), shape)[at].tolist() for name in names]
    told = [column[at].tolist() for column in columns]
    return [
        Candidate(
            layout=Layout(**dict(zip(names, layout, strict=True))),
            strategy=strategy,
            step_s=step_s,
            score=score,
            memory_bytes=needed,
            beside=beside,
        )
        for layout, (step_s, score, needed, beside) in zip(
            zip(*numbers, strict=True), zip(*told, strict=True), strict=True
        )
    ]
