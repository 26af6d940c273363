"""One search in progress: what is asked, and where what is found goes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigawatt.catalog.records import Machine, Stack
from gigawatt.perf import Job, Layout, StepTime, Strategy, Verdict
from gigawatt.perf.verdict import rules
from gigawatt.search.kept import Candidate, Kept
from gigawatt.search.space import Mesh, Space
from gigawatt.units import Real, Seconds

Objective = Callable[[StepTime, Seconds], Any]  # of a step and its total; never falls when a part grows


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
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
        """Return, per number of chips that some of the stems have, where its stems lie."""
        return ((kept, rows) for kept, rows in every_slot(self, stems) if rows.stop > rows.start)


def every_slot(task: Task, stems: NDArray[Any]) -> Iterator[tuple[Kept, slice]]:
    """Yield, per number of chips, where its stems lie, be there none."""
    edges = np.searchsorted(stems[:, 0], [space.chips for space in task.spaces])
    for kept, first, last in zip(task.kept, edges, (*edges[1:], len(stems)), strict=True):
        yield kept, slice(int(first), int(last))


def broken_rules(task: Task, layout: Layout, *, strategy: Strategy) -> dict[Verdict, Any]:
    """Return which layouts break which rule; a stem has the right chips by its making."""
    broken = rules(task.job, layout, machine=task.machine, strategy=strategy)
    return {rule: rows for rule, rows in broken.items() if rule != Verdict.CHIPS}


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


def candidates_of(
    mesh: Mesh, strategy: Strategy, *, rows: NDArray[Any], columns: tuple[NDArray[Any], ...]
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
