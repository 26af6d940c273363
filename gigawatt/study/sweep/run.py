"""From a study file to a full folder: what is there already is kept, what is missing is computed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gigawatt.errors import InputError, NothingFeasibleError
from gigawatt.study.extras import extra_module
from gigawatt.study.sweep.groups import (
    Group,
    group_of,
    group_words,
    is_laid_out,
    key_of,
    searched,
    why_broken_layout,
)
from gigawatt.study.sweep.local import run_local
from gigawatt.study.sweep.on_ray import run_on_ray
from gigawatt.study.sweep.parts import WHAT, Part, Pricer, parts_of
from gigawatt.study.sweep.store import (
    MANIFEST,
    digest_of,
    locked,
    missing_parts,
    read_manifest,
    write_manifest,
)
from gigawatt.study.sweep.study_file import Study, read_study_file

ENGINES = ("local", "ray")
Progress = Callable[[float], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """What a run of a study did."""

    folder: Path
    study: Study
    digest: str
    parts: int
    kept: int  # parts that an earlier run had done


def run_study(
    file: str | Path,
    *,
    folder: str | Path | None = None,
    workers: int | None = None,
    engine: str = "local",
    progress: Progress | None = None,
    done: Callable[[Part], None] | None = None,
) -> Ran:
    """Compute what a study's folder lacks. The same file and seed give the same bytes, whoever computes them.

    The folder is the file's name with `.study` for its ending, when none is given; `done` is told of each
    part when its file is safe on disk, `progress` the share of the rows.
    Raises: InputError for what cannot be read, or a folder of another study; NothingFeasibleError when no
    layout of any scenario fits; MissingExtraError.
    """
    if engine not in ENGINES:
        raise InputError(f"engine = {engine!r} is not one of: {', '.join(ENGINES)}")
    if workers is not None and (isinstance(workers, bool) or not 1 <= workers <= 1024):
        raise InputError(f"workers = {workers!r} is not a whole number in 1 .. 1024")
    rows, study = read_study_file(file)
    extra_module("pyarrow.parquet", extra="study", what=WHAT)
    place = Path(folder) if folder is not None else Path(f"{Path(file).stem}.study")
    digest = digest_of(rows)
    _refuse_folder(place, digest)
    held = _prepared(place, study, rows=rows, digest=digest) if not (place / MANIFEST).is_file() else None
    with locked(place):
        if held is not None:
            write_manifest(place, rows, digest=digest, layouts=held)
        return _completed(place, study, digest, workers=workers, engine=engine, progress=progress, done=done)


def _refuse_folder(place: Path, digest: str) -> None:
    """Refuse a place that holds something else.

    Raises: InputError that says what.
    """
    if "\0" in str(place) or not str(place).strip():
        raise InputError(f"folder = {str(place)!r} is not the name of a folder")
    if place.is_file():
        raise InputError(f"folder = {str(place)!r} is a file; give --out another name")
    if not (place / MANIFEST).is_file():
        others = [p.name for p in place.iterdir() if p.name != ".lock"] if place.is_dir() else []
        if others and not all(name.startswith(".unfinished-") for name in others):
            raise InputError(
                f"folder = {str(place)!r} holds other files, e.g. {others[0]!r}; give --out a new one"
            )
        return
    if read_manifest(place)["digest"] != digest:
        raise InputError(
            f"folder = {str(place)!r} holds another study, or an earlier version of this one; give --out a "
            "new folder, or remove this one"
        )


def _prepared(place: Path, study: Study, *, rows: Any, digest: str) -> dict[str, Any]:
    """Return the layouts of a study's groups, every scenario checked before the first is priced.

    Raises: InputError; NothingFeasibleError when nothing fits anywhere.
    """
    layouts: dict[str, Any] = {}
    groups: list[Group] = []
    for words in group_words(study):
        if is_laid_out(study):
            groups.append(group_of(study, words))
        else:
            asked = group_of(study, words, held={"why": ""}).asked
            layouts[key_of(words)] = found = searched(study, asked)
            groups.append(group_of(study, words, held=found))
    _refuse_hopeless(study, groups)
    pricer = Pricer(study, layouts)
    for sweep in study.sets:  # a draw that a scenario has no range for is found before, not in the middle
        for group in groups:
            pricer.check_draws(sweep, group)
    return layouts


def _refuse_hopeless(study: Study, groups: list[Group]) -> None:
    degrees = any(n.startswith("layout.") for s in study.sets for n in (*s.grid, *s.draw))
    chips = any(n.startswith("chip.") for s in study.sets for n in (*s.grid, *s.draw))
    why = ""
    for group in groups:
        why = group.why if group.strategy is None else "" if degrees or chips else why_broken_layout(group)
        if not why:
            return
    raise NothingFeasibleError(why, {})


def _completed(
    place: Path,
    study: Study,
    digest: str,
    *,
    workers: int | None,
    engine: str,
    progress: Progress | None,
    done: Callable[[Part], None] | None,
) -> Ran:
    missing = missing_parts(place, study)
    total = sum(1 for _ in parts_of(study))
    ready = study.rows - sum(part.rows for part in missing)

    def told(part: Part) -> None:
        nonlocal ready
        ready += part.rows
        if done:
            done(part)
        if progress:
            progress(ready / study.rows)

    if progress:
        progress(ready / study.rows)
    if missing and engine == "ray":
        run_on_ray(place, missing, digest=digest, workers=workers, done=told)
    elif missing:
        run_local(place, missing, workers=workers or len(os.sched_getaffinity(0)), done=told)
    return Ran(folder=place, study=study, digest=digest, parts=total, kept=total - len(missing))
