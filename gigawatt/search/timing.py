"""The time of layouts that fit: what schedules and ZeRO stages share is made once."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigawatt.perf import Job, Layout, Setting, StagePasses, StepTime, microbatches_of, step_parts, take
from gigawatt.perf.sharded import data_messages_s
from gigawatt.perf.step import data_comm_s, optimizer_s
from gigawatt.search.kept import best_rows, front_rows
from gigawatt.search.task import Task, candidates_of, lean_total
from gigawatt.search.weigh import Weighed
from gigawatt.units import Real, Seconds

SENDS = {0: "whole", 1: "shards", 2: "shards", 3: "units"}  # ZeRO stages that send alike


def lower_bound(job: Job, mesh: Layout, *, setting: Setting, passes: StagePasses) -> tuple[StepTime, Seconds]:
    """Return a step, and its total, that no layout with these degrees is below, part by part.

    Layer passes and stage-to-stage messages without chunks; no data-parallel message, no optimizer step, no
    bubble and no waits: these are what schedule, ZeRO stage, chunks and replicas can still change.
    Source: every part of `step_parts` is at least 0, and pipeline messages grow with the chunks.
    """
    step = step_parts(job, mesh, setting, passes=passes, dp_comm_s=0.0)
    none = dict.fromkeys(("optimizer_s", "imbalance_s", "bubble_s", "straggler_s"), 0.0)
    least = dataclasses.replace(step, **none)
    return least, lean_total(least)


class Sent:
    """Some triples with their layer passes, and what all schedules share of each ZeRO stage, made once."""

    def __init__(self, task: Task, triples: NDArray[Any], *, setting: Setting, passes: StagePasses) -> None:
        self.task, self.triples = task, triples
        self.setting, self.passes = setting, passes
        self.messages: dict[tuple[str, bool], Any] = {}
        self.parts: dict[tuple[int, bool], tuple[Seconds, Seconds, Seconds]] = {}

    def of(self, one: Weighed) -> tuple[Seconds, Seconds, Seconds]:
        """Return the exposed data-parallel messages, the optimizer step, and both together."""
        zero, twice = one.strategy.zero_stage, one.strategy.schedule == "dualpipe"
        if (zero, twice) not in self.parts:
            job, own = self.task.job, dataclasses.replace(self.setting, strategy=one.strategy)
            uncut = np.c_[self.triples, np.ones(len(self.triples), dtype=np.int64)]
            mesh = self.task.joined.mesh(uncut, replicas=one.replicas)
            sends = SENDS[zero], twice
            if sends not in self.messages:
                self.messages[sends] = data_messages_s(job, mesh, setting=own)
            exposed = data_comm_s(
                job,
                mesh,
                own,
                passes=self.passes,
                microbatches=microbatches_of(job, mesh),
                messages=self.messages[sends],
            )
            update = optimizer_s(job, mesh, own)
            self.parts[zero, twice] = (exposed, update, np.add(exposed, update))
        return self.parts[zero, twice]


def time_layouts(task: Task, weighed: list[Weighed], *, sent: Sent, rows: NDArray[Any]) -> None:
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


def _keep(task: Task, one: Weighed, step: StepTime, total: Any) -> None:
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
            kept.add(candidates_of(mesh, one.strategy, rows=rows, columns=columns))
