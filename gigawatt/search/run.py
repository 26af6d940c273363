"""The search: weigh every layout of a space, price those that fit, keep the best, count why others lost."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
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
from gigawatt.perf.memory import activations_bytes, stage_memory
from gigawatt.perf.step import data_comm_s, data_messages_s, optimizer_s
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
        kept.considered += shared * (rows.stop - rows.start)
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
    """Search all strategies that share layer times, some triples (tp, cp, pp) at a time.

    When branches may be cut, the triples of the least bound come first, and what is beaten by then is left.
    """
    every = np.concatenate([stems[:, :4] for stems in stems_of.values()])
    triples, place = np.unique(every, axis=0, return_inverse=True)
    ends = np.cumsum([len(stems) for stems in stems_of.values()])[:-1]
    triple_of = dict(zip(stems_of, np.split(place, ends), strict=True))
    held = {s: np.bincount(of, minlength=len(triples)) for s, of in triple_of.items()}
    order, bounds = np.arange(len(triples)), None
    if task.cut and len(triples):
        bounds = _bounds(task, family, triples)
        least = bounds[0].reshape(len(triples), -1).min(axis=1)
        order = order[np.lexsort((least, triples[:, 0]))]
        starts = np.searchsorted(triples[order, 0], triples[order, 0])
        order = order[np.argsort(np.arange(len(order)) - starts, kind="stable")]  # the best of each size first
    weights = np.max(list(held.values()), axis=0) * len(task.joined.dp_replicate) * task.joined.cells
    layouts = sum(n * _strategies(task) for n in held.values())
    for some in _batches(order, weights):
        here = np.sort(some)
        if bounds is not None:
            lost = _beaten(task, triples[here], *(bound[here] for bound in bounds))
            for kept, rows in task.slots(triples[here]):
                kept.cut += int(np.sum(layouts[here][rows][lost[rows]]))
            here = here[~lost]
        if here.size:
            _search_block(task, family, triples[here], _of_triples(stems_of, triple_of, here))


def _strategies(task: _Task) -> int:
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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Weighed:
    """The layouts of some stems and one strategy by memory: which fit."""

    strategy: Strategy
    stems: NDArray[Any]
    triple_of: NDArray[Any]
    replicas: list[int]
    needed_bytes: NDArray[Any]
    fits: NDArray[Any]


def _search_block(
    task: _Task, family: Strategy, triples: NDArray[Any], here: dict[Any, tuple[NDArray[Any], NDArray[Any]]]
) -> None:
    """Weigh every layout of some triples, and time those that fit."""
    weighed = [w for s, (stems, of) in here.items() for w in _weigh(task, family, s, stems=stems, of=of)]
    if not weighed:
        return
    used = np.zeros(len(triples), dtype=bool)
    for one in weighed:
        used[one.triple_of] = True
    mesh = task.joined.mesh(np.c_[triples[used], np.ones(used.sum(), dtype=np.int64)])
    setting = setting_of(task.job, machine=task.machine, strategy=family, stack=task.stack)
    passes = microbatch_passes(task.job, mesh, setting)
    sent = _Sent(task=task, triples=triples[used], setting=setting, passes=passes)
    place = np.cumsum(used) - 1
    for schedule in here:
        mine = [w for w in weighed if w.strategy.schedule == schedule]
        if mine:
            _time(task, mine, sent, rows=place[mine[0].triple_of])


def _weigh(
    task: _Task, family: Strategy, schedule: Any, *, stems: NDArray[Any], of: NDArray[Any]
) -> list[_Weighed]:
    """Return, per ZeRO stage, what the layouts of some stems need; count those that break a rule or miss.

    A stem of which no layout fits with its states cut over all ranks has none that fits with replicas.
    """
    space, strategy = task.joined, dataclasses.replace(family, schedule=schedule)
    mesh = space.mesh(stems)
    shape = (len(stems), 1, *(len(getattr(space, name)) for name in ("microbatch_sequences", "ep", "etp")))
    broken = np.broadcast_to(first_broken(_rules(task, mesh, strategy=strategy)), shape)
    splits = {zero: mesh.ranks % _column(space.replicas_of(zero)) == 0 for zero in space.zero_stage}
    _count_broken(task, stems, broken, splits=splits)
    sound = broken == Verdict.OK
    kept = [
        activations_bytes(task.job, mesh, strategy=strategy, stack=task.stack, last=last)
        for last in (False, True)
    ]
    hopeful = np.zeros(len(stems), dtype=bool)
    for zero in space.zero_stage:
        own = dataclasses.replace(strategy, zero_stage=zero)
        needed = fullest_bytes(task.job, mesh, strategy=own, stack=task.stack, activations=kept)
        needed = np.broadcast_to(needed, shape)
        hopeful |= (sound & (needed <= task.machine.chip.hbm_bytes)).any(axis=(1, 2, 3, 4))
        _keep_miss(task, own, stems=stems, needed=needed, sound=sound)
    return _weigh_hopeful(task, strategy, stems, of=of, hopeful=hopeful, sound=sound, splits=splits, kept=kept)


def _column(replicas: list[int]) -> NDArray[Any]:
    return np.asarray(replicas).reshape(1, -1, 1, 1, 1)


def _weigh_hopeful(
    task: _Task,
    strategy: Strategy,
    stems: NDArray[Any],
    *,
    of: NDArray[Any],
    hopeful: NDArray[Any],
    sound: NDArray[Any],
    splits: dict[int, NDArray[Any]],
    kept: list[Any],
) -> list[_Weighed]:
    """Return what every split of the ranks needs, for stems that may have room; count what fits and what not."""
    found, all_of = [], bool(hopeful.all())
    few = stems if all_of else stems[hopeful]
    held = kept if all_of else [values[hopeful] if len(values) > 1 else values for values in kept]
    for zero, whole in splits.items():
        replicas = task.joined.replicas_of(zero)
        own = dataclasses.replace(strategy, zero_stage=zero)
        alive = (sound if all_of else sound[hopeful]) & (whole if all_of else whole[hopeful])
        mesh = task.joined.mesh(few, replicas=replicas)
        needed = fullest_bytes(task.job, mesh, strategy=own, stack=task.stack, activations=held)
        needed = np.broadcast_to(needed, alive.shape)
        fits = alive & (needed <= task.machine.chip.hbm_bytes)
        _count_fits(task, stems, few, sound=sound, whole=whole, fits=fits)
        found.append(
            _Weighed(
                strategy=own,
                stems=few,
                triple_of=of if all_of else of[hopeful],
                replicas=replicas,
                needed_bytes=needed,
                fits=fits,
            )
        )
    return found if len(few) else []


def _count_fits(
    task: _Task,
    stems: NDArray[Any],
    few: NDArray[Any],
    *,
    sound: NDArray[Any],
    whole: NDArray[Any],
    fits: NDArray[Any],
) -> None:
    """Count the layouts that break no rule: those that fit, and the others under memory."""
    for kept, rows in task.slots(stems):
        cells = sound[rows].reshape(rows.stop - rows.start, -1).sum(axis=1)
        alive = int(np.sum(cells * whole[rows].reshape(len(cells), -1).sum(axis=1)))
        kept.counts[Verdict.MEMORY] += alive
        kept.priced += alive
    for kept, rows in task.slots(few):
        fit = int(np.count_nonzero(fits[rows]))
        kept.counts[Verdict.OK] += fit
        kept.counts[Verdict.MEMORY] -= fit


def _count_broken(
    task: _Task, stems: NDArray[Any], broken: NDArray[Any], *, splits: dict[int, NDArray[Any]]
) -> None:
    """Count layouts that break a rule: as often as their ranks split; those that do not split break CHIPS."""
    cells, tried = task.joined.cells, sum(whole.shape[1] for whole in splits.values())
    ways = sum(whole.sum(axis=1).ravel() for whole in splits.values())
    for kept, rows in task.slots(stems):
        weights = np.repeat(ways[rows], cells)
        found = np.bincount(broken[rows].ravel(), weights=weights, minlength=len(Verdict))
        found[Verdict.OK] = 0.0
        found[Verdict.CHIPS] += float(np.sum(tried - ways[rows])) * cells
        kept.counts += found.astype(np.int64)


def _keep_miss(
    task: _Task, strategy: Strategy, *, stems: NDArray[Any], needed: NDArray[Any], sound: NDArray[Any]
) -> None:
    """Keep the layout that misses memory by least, where nothing fits so far."""
    for kept, rows in task.slots(stems):
        if kept.counts[Verdict.OK]:
            continue
        missing = np.where(sound[rows], needed[rows], np.inf)
        if missing.min() < (np.inf if kept.miss is None else kept.miss.memory_bytes):
            nothing, best = np.broadcast_to(np.inf, missing.shape), np.array([np.argmin(missing)])
            columns = (nothing, nothing, missing, missing)
            (kept.miss,) = _candidates(task.joined.mesh(stems[rows]), strategy, best, columns=columns)


def fullest_bytes(
    job: Job, layout: Layout, *, strategy: Strategy, stack: Stack, activations: Sequence[Bytes]
) -> Bytes:
    """Return the memory of the fullest chip: `memory_use` without its parts.

    `activations` are those of the first and of the last stage.
    Definition: the larger of the first stage's and the last stage's total; the last's where they are one.
    """
    first, last = (
        lean_total(stage_memory(job, layout, strategy=strategy, stack=stack, last=end, activations=kept))
        for end, kept in zip((False, True), activations, strict=True)
    )
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


def _bounds(task: _Task, family: Strategy, triples: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return, per triple, microbatch, ep and etp, what both objectives are at least."""
    assert task.beside is not None
    setting = setting_of(task.job, machine=task.machine, strategy=family, stack=task.stack)
    found: tuple[list[Any], list[Any]] = ([], [])
    for some in _batches(np.arange(len(triples)), np.full(len(triples), task.joined.cells)):
        mesh = task.joined.mesh(np.c_[triples[some], np.ones(len(some), dtype=np.int64)])
        passes = microbatch_passes(task.job, mesh, setting)
        step, total = lower_bound(task.job, mesh, setting, passes=passes)
        shape = np.shape(total)
        for bounds, objective in zip(found, (task.objective, task.beside), strict=True):
            bounds.append(np.broadcast_to(objective(step, total), shape))
    return np.concatenate(found[0]), np.concatenate(found[1])


def _beaten(
    task: _Task, triples: NDArray[Any], first: NDArray[Any], second: NDArray[Any]
) -> NDArray[Any]:
    """Return the triples of which every layout is beaten in both objectives by one that is known."""
    lost = np.zeros(len(triples), dtype=bool)
    for kept, rows in task.slots(triples):
        lost[rows] = kept.beaten(first[rows], second[rows]).reshape(rows.stop - rows.start, -1).all(axis=1)
    return lost


@dataclass(slots=True)
class _Sent:
    """Some triples with their layer passes, and what all schedules share of each ZeRO stage, made once."""

    task: _Task
    triples: NDArray[Any]
    setting: Setting
    passes: StagePasses
    messages: dict[tuple[bool, bool], Any] = field(default_factory=dict)
    parts: dict[tuple[int, bool], tuple[Seconds, Seconds, Seconds]] = field(default_factory=dict)

    def of(self, one: _Weighed) -> tuple[Seconds, Seconds, Seconds]:
        """Return the exposed data-parallel messages, the optimizer step, and both together."""
        zero, twice = one.strategy.zero_stage, one.strategy.schedule == "dualpipe"
        if (zero, twice) not in self.parts:
            job, own = self.task.job, dataclasses.replace(self.setting, strategy=one.strategy)
            uncut = np.c_[self.triples, np.ones(len(self.triples), dtype=np.int64)]
            mesh = self.task.joined.mesh(uncut, replicas=one.replicas)
            if (zero > 0, twice) not in self.messages:
                self.messages[zero > 0, twice] = data_messages_s(job, mesh, own)
            exposed = data_comm_s(
                job,
                mesh,
                own,
                passes=self.passes,
                microbatches=microbatches_of(job, mesh),
                messages=self.messages[zero > 0, twice],
            )
            update = optimizer_s(job, mesh, own)
            self.parts[zero, twice] = (exposed, update, np.add(exposed, update))
        return self.parts[zero, twice]


def _time(task: _Task, weighed: list[_Weighed], sent: _Sent, *, rows: NDArray[Any]) -> None:
    """Time the layouts of some stems: once what all ZeRO stages share, then each one's messages."""
    own = dataclasses.replace(sent.setting, strategy=weighed[0].strategy)
    alone = len(rows) == len(sent.triples) and bool((np.diff(rows) == 1).all())
    passes = sent.passes if alone else take(sent.passes, rows)
    base = step_parts(task.job, task.joined.mesh(weighed[0].stems), own, passes=passes, dp_comm_s=0.0)
    shared = lean_total(dataclasses.replace(base, optimizer_s=0.0))
    for one in weighed:
        if one.fits.any():
            exposed, update, both = (_spread(part, rows, alone=alone) for part in sent.of(one))
            step = dataclasses.replace(base, dp_comm_s=exposed, optimizer_s=update)
            _keep(task, one, step, shared + both)


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
