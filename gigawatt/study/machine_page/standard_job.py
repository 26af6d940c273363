"""The job that a machine's page plans: which model, on which part of the machine, or why none."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from gigawatt.catalog import models
from gigawatt.catalog.records import Machine
from gigawatt.errors import GigawattError, UnknownFactError
from gigawatt.study.plan import Plan, plan
from gigawatt.units import Count, Flop, parse
from gigawatt.workload.params import params

FLOP_PER_PARAM_TOKEN = 6.0  # forward 2, backward 4: enough to choose a rung
OF_JOB = ("tokens", "batch_tokens", "seq_tokens", "dtype")


@dataclass(frozen=True, kw_only=True, slots=True)
class StandardJob:
    """A model with what differs from its recipe, and why it is the one."""

    model: str
    given: Mapping[str, Any]
    why: str  # what differs from the recipe; "" for none


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """The standard job of a machine: a plan, or the sentence that says why there is none."""

    job: StandardJob | None
    plan: Plan | None
    refusal: str
    source: str = ""  # who says so, of a refusal
    parts: tuple[tuple[int, float], ...] = ()  # chips that were tried, and the wall time there


@lru_cache(maxsize=1)
def rule() -> dict[str, Any]:
    """Return the rule, the rungs and the chips that are not for training, as the data file has them."""
    found = (files("gigawatt.catalog") / "data" / "standard_jobs.toml").read_text("utf-8")
    return tomllib.loads(found)


@lru_cache(maxsize=1)
def rungs() -> tuple[StandardJob, ...]:
    """Return the standard jobs, smallest first."""
    found = []
    for row in rule()["jobs"]:
        given = {n: parse(row[n], "1") if n == "tokens" else row[n] for n in OF_JOB if n in row}
        found.append(StandardJob(model=row["model"], given=given, why=row.get("why", "")))
    return tuple(sorted(found, key=training_flop))


def training_flop(job: StandardJob) -> Flop:
    """Return about how many flop a job takes.

    Definition: 6 x parameters x tokens.
    """
    arch = models.model(job.model)
    tokens = job.given.get("tokens") or float(arch.recipe["tokens"].value)
    return FLOP_PER_PARAM_TOKEN * params(arch).active * tokens


def standard_job(machine: Machine) -> StandardJob:
    """Return the rung that comes nearest to what a machine does in the rule's time.

    Raises: UnknownFactError for a chip without a 16-bit peak.
    """
    names = [d for d in ("bf16", "fp16") if d in machine.chip.dtypes]
    if not names:
        raise UnknownFactError(
            f"no peak_bf16_flop_per_s is known for {machine.chip.id!r}; known: "
            f"{', '.join(machine.chip.dtypes)}"
        )
    said = rule()["rule"]
    rate = machine.chips * machine.chip.peak_flop_per_s(names[0])
    able = rate * said["mfu"] * parse(said["aim"], "s", field="aim")
    return min(rungs(), key=lambda job: abs(math.log(training_flop(job) / able)))


def parts(machine: Machine) -> tuple[Count, ...]:
    """Return the chip counts on which a standard job is tried: all, and a power of two or three times one.

    Down to a quarter of the largest power of two, and on more than 65,536 chips to an eighth.
    """
    top = 1 << (machine.chips.bit_length() - 1)
    deep = 3 if machine.chips > 65_536 else 2
    even = [top * 3 // 2, *(n for d in range(deep) for n in (top >> d, 3 * top >> (d + 2))), top >> deep]
    found = sorted({machine.chips, *(n for n in even if 0 < n <= machine.chips)}, reverse=True)
    return tuple(found)


def planned(machine: Machine, *, on: str) -> Planned:
    """Return the standard job of a machine, planned on the part where it ends soonest, or why there is none."""
    for row in rule()["not_for_training"]:
        if row["chip"] == machine.chip.id:
            told = f"no training is planned on {machine.chip.name}: {row['why']}"
            return Planned(job=None, plan=None, refusal=told, source=row["source"])
    try:
        job = standard_job(machine)
    except UnknownFactError as error:
        return Planned(job=None, plan=None, refusal=str(error))
    return _soonest(job, machine, on=on)


def _soonest(job: StandardJob, machine: Machine, *, on: str) -> Planned:
    found, refusals = {}, []
    for chips in parts(machine):
        try:
            one = plan(job.model, on=on, chips=chips, top=1, **job.given)
        except GigawattError as error:
            refusals.append(str(error))
        else:
            found[one.scenario.machine.chips] = one
    if not found:
        return Planned(job=job, plan=None, refusal=refusals[0])
    walls = {chips: float(one.run.wall_s) for chips, one in found.items()}
    within = min(walls.values()) * (1.0 + rule()["rule"]["tie"])
    best = min(chips for chips, wall in walls.items() if wall <= within)
    tried = tuple(sorted(walls.items(), reverse=True))
    return Planned(job=job, plan=found[best], refusal="", parts=tried)
