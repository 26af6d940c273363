"""Published figures of scaling laws, each beside what is computed here: the record, and how a list is run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gigawatt.errors import GigawattError, InputError
from gigawatt.study.envelope import envelope
from gigawatt.study.runs_file import SHIPPED

SCHEMA = "gigawatt/scaling-validation/1"
Verdict = Literal["agrees", "explained", "fails", "not run"]
Sense = Literal["near", "at most", "at least"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFiles:
    """Where run files are looked for: a folder of the user's, then those that come with the package."""

    folder: Path | None = None

    def find(self, name: str) -> Path | None:
        """Return the path of a run file, None where there is none."""
        places = [] if self.folder is None else [self.folder / name]
        places.append(Path(str(SHIPPED / name)))
        return next((place for place in places if place.is_file()), None)

    def __getitem__(self, name: str) -> Path:
        found = self.find(name)
        if found is None:
            raise InputError(f"there is no run file {name!r} in {self.folder or 'the package'}")
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class ScalingCase:
    """One published figure, where it is printed, and the function that computes it anew.

    `sense` is "near" for a figure to be met within `relative` or `absolute` (the looser of the two where both
    are given), "at most" or "at least" for a bound. `needs` names the run files that `compute` reads from the
    `RunFiles` that it is given; a formula case needs none and ignores them. `explains` says why a miss is
    known, and makes the verdict of a miss "explained".
    """

    id: str  # dotted, from the general to the special: "T1.hoffmann-printed.params"
    what: str
    published: float
    unit: str  # "1" where there is none
    where: str  # the paper and the place in it
    why: str  # the reason of the tolerance
    compute: Callable[[RunFiles], float]
    relative: float = 0.0
    absolute: float = 0.0
    sense: Sense = "near"
    needs: tuple[str, ...] = ()
    explains: str = ""

    @property
    def slack(self) -> float:
        """How far from what is published the computed figure may be."""
        return max(self.relative * abs(self.published), self.absolute)


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """A case with what came out; `computed` is nan where nothing did, `note` says why."""

    case: ScalingCase
    computed: float
    verdict: Verdict
    note: str

    @property
    def error(self) -> float:
        """Computed less published, over published where that is not 0."""
        published = self.case.published
        return (self.computed - published) / (abs(published) or 1.0)


def check(case: ScalingCase, runs: RunFiles) -> Checked:
    """Return one case with its verdict.

    >>> case = ScalingCase(id="T0.two", what="two", published=2.0, unit="1", where="here", why="exact",
    ...                    compute=lambda runs: 2.0)
    >>> check(case, RunFiles()).verdict
    'agrees'
    """
    absent = [name for name in case.needs if runs.find(name) is None]
    if absent:
        return Checked(case=case, computed=math.nan, verdict="not run", note=f"needs {', '.join(absent)}")
    try:
        computed = float(case.compute(runs))
    except GigawattError as error:
        return Checked(case=case, computed=math.nan, verdict="fails", note=str(error))
    if _within(case, computed):
        return Checked(case=case, computed=computed, verdict="agrees", note="")
    verdict: Verdict = "explained" if case.explains else "fails"
    return Checked(case=case, computed=computed, verdict=verdict, note=case.explains)


def _within(case: ScalingCase, computed: float) -> bool:
    if not math.isfinite(computed):
        return False
    over = computed - case.published
    edge = case.slack * (1 + 1e-9)
    return {"near": abs(over) <= edge, "at most": over <= edge, "at least": -over <= edge}[case.sense]


def check_all(
    cases: Iterable[ScalingCase],
    runs: RunFiles,
    *,
    progress: Callable[[float], None] | None = None,
) -> list[Checked]:
    """Return every case with its verdict, in the order given.

    Raises: InputError when two cases have the same id.
    """
    listed = list(cases)
    twice = {case.id for case in listed if sum(other.id == case.id for other in listed) > 1}
    if twice:
        raise InputError(f"case id {min(twice)!r} is given twice")
    found = []
    for done, case in enumerate(listed, 1):
        found.append(check(case, runs))
        if progress:
            progress(done / len(listed))
    return found


def checks_document(found: Sequence[Checked], *, folder: str | None) -> dict[str, Any]:
    """Return the versioned envelope of all cases; null is a figure that was not computed."""
    counts = {name: sum(one.verdict == name for one in found)
              for name in ("agrees", "explained", "fails", "not run")}  # fmt: skip
    return envelope(
        SCHEMA,
        inputs={"folder": folder},
        provenance={},
        status="ok" if not counts["fails"] else "failed",
        warnings=[],
        result={"counts": counts, "cases": [_row(one) for one in found]},
    )


def _row(one: Checked) -> dict[str, Any]:
    case, known = one.case, math.isfinite(one.computed)
    return {
        "id": case.id,
        "what": case.what,
        "unit": case.unit,
        "published": case.published,
        "computed": one.computed if known else None,
        "error": one.error if known else None,
        "sense": case.sense,
        "tolerance": case.slack,
        "tolerance_relative": case.relative or None,
        "tolerance_why": case.why,
        "where": case.where,
        "needs": list(case.needs),
        "verdict": one.verdict,
        "note": one.note,
    }
