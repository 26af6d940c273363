"""Memory before time: what layouts need, which fit, and the count of those that do not."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigawatt.catalog.records import Stack
from gigawatt.perf import Job, Layout, Strategy, Verdict
from gigawatt.perf.memory import activations_bytes, stage_memory
from gigawatt.perf.verdict import first_broken
from gigawatt.search.task import Task, broken_rules, candidates_of, lean_total
from gigawatt.units import Bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Weighed:
    """The layouts of some stems and one strategy by memory: which fit."""

    strategy: Strategy
    stems: NDArray[Any]
    triple_of: NDArray[Any]
    replicas: list[int]
    needed_bytes: NDArray[Any]
    fits: NDArray[Any]


def weigh(
    task: Task, family: Strategy, *, schedule: Any, stems: NDArray[Any], of: NDArray[Any]
) -> list[Weighed]:
    """Return, per ZeRO stage, what the layouts of some stems need; count those that break a rule or miss.

    A stem of which no layout fits with its states cut over all ranks has none that fits with replicas.
    """
    space, strategy = task.joined, dataclasses.replace(family, schedule=schedule)
    mesh = space.mesh(stems)
    shape = (len(stems), 1, *(len(getattr(space, name)) for name in ("microbatch_sequences", "ep", "etp")))
    broken = np.broadcast_to(first_broken(broken_rules(task, mesh, strategy=strategy)), shape)
    splits = {zero: mesh.ranks % _column(space.replicas_of(zero)) == 0 for zero in space.zero_stage}
    _count_broken(task, stems, broken, splits=splits)
    sound = broken == Verdict.OK
    kept = [
        activations_bytes(task.job, mesh, strategy=strategy, stack=task.stack, last=last)
        for last in (False, True)
    ]
    hopeful, alone = np.zeros(len(stems), dtype=bool), {}
    for zero in space.zero_stage:
        own = dataclasses.replace(strategy, zero_stage=zero)
        needed = fullest_bytes(task.job, mesh, strategy=own, stack=task.stack, held_bytes=kept)
        alone[zero] = needed = np.broadcast_to(needed, shape)
        hopeful |= (sound & (needed <= task.machine.chip.hbm_bytes)).any(axis=(1, 2, 3, 4))
        _keep_miss(task, own, stems=stems, needed=needed, sound=sound)
    return _weigh_hopeful(
        task, strategy, stems, of=of, hopeful=hopeful, sound=sound, splits=splits, kept=kept, alone=alone
    )


def _column(replicas: list[int]) -> NDArray[Any]:
    return np.asarray(replicas).reshape(1, -1, 1, 1, 1)


def _weigh_hopeful(
    task: Task,
    strategy: Strategy,
    stems: NDArray[Any],
    *,
    of: NDArray[Any],
    hopeful: NDArray[Any],
    sound: NDArray[Any],
    splits: dict[int, NDArray[Any]],
    kept: list[Any],
    alone: dict[int, NDArray[Any]],
) -> list[Weighed]:
    """Return what every split of the ranks needs, for stems that may have room; count what fits.

    `alone` is what they need without replicas: known already.
    """
    found, all_of = [], bool(hopeful.all())
    few = stems if all_of else stems[hopeful]
    held = kept if all_of else [values[hopeful] if len(values) > 1 else values for values in kept]
    for zero, whole in splits.items():
        replicas = task.joined.replicas_of(zero)
        own = dataclasses.replace(strategy, zero_stage=zero)
        alive = (sound if all_of else sound[hopeful]) & (whole if all_of else whole[hopeful])
        if replicas == [1]:
            needed = alone[zero] if all_of else alone[zero][hopeful]
        else:
            mesh = task.joined.mesh(few, replicas=replicas)
            needed = fullest_bytes(task.job, mesh, strategy=own, stack=task.stack, held_bytes=held)
        needed = np.broadcast_to(needed, alive.shape)
        fits = alive & (needed <= task.machine.chip.hbm_bytes)
        _count_fits(task, stems, few, sound=sound, whole=whole, fits=fits)
        found.append(
            Weighed(
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
    task: Task,
    stems: NDArray[Any],
    few: NDArray[Any],
    *,
    sound: NDArray[Any],
    whole: NDArray[Any],
    fits: NDArray[Any],
) -> None:
    """Count the layouts that break no rule: those that fit, and the others under memory."""
    each = sound.reshape(len(sound), -1).sum(axis=1) * whole.reshape(len(whole), -1).sum(axis=1)
    for kept, rows in task.slots(stems):
        alive = int(each[rows].sum())
        kept.counts[Verdict.MEMORY] += alive
        kept.priced += alive
    for kept, rows in task.slots(few):
        fit = int(np.count_nonzero(fits[rows]))
        kept.counts[Verdict.OK] += fit
        kept.counts[Verdict.MEMORY] -= fit


def _count_broken(
    task: Task, stems: NDArray[Any], broken: NDArray[Any], *, splits: dict[int, NDArray[Any]]
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
    task: Task, strategy: Strategy, *, stems: NDArray[Any], needed: NDArray[Any], sound: NDArray[Any]
) -> None:
    """Keep the layout that misses memory by least, where nothing fits so far."""
    for kept, rows in task.slots(stems):
        if task.cut or kept.counts[Verdict.OK]:  # sizes are many: nobody asks each for its miss
            continue
        missing = np.where(sound[rows], needed[rows], np.inf)
        if missing.min() < (np.inf if kept.miss is None else kept.miss.memory_bytes):
            nothing, best = np.broadcast_to(np.inf, missing.shape), np.array([np.argmin(missing)])
            columns = (nothing, nothing, missing, missing)
            (kept.miss,) = candidates_of(task.joined.mesh(stems[rows]), strategy, rows=best, columns=columns)


def fullest_bytes(
    job: Job, layout: Layout, *, strategy: Strategy, stack: Stack, held_bytes: Sequence[Bytes]
) -> Bytes:
    """Return the memory of the fullest chip: `memory_use` without its parts.

    `held_bytes` are the activations of the first and of the last stage.
    Definition: the larger of the first stage's and the last stage's total; the last's where they are one.
    """
    first, last = (
        lean_total(stage_memory(job, layout, strategy=strategy, stack=stack, last=end, held_bytes=kept))
        for end, kept in zip((False, True), held_bytes, strict=True)
    )
    return np.where(np.asarray(layout.pp) == 1, last, np.maximum(first, last))
