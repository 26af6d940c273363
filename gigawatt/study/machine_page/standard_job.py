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
from gigawatt.units import Flop, parse
from gigawatt.workload.params import params

FLOP_PER_PARAM_TOKEN = 6.0  # forward 2, backward 4: enough to choose a rung
MANY = 65_536  # chips
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
    brief: str = ""  # the refusal in a few words
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


def parts(machine: Machine) -> tuple[int, ...]:
    """Return the chip counts on which a standard job is tried: all, and powers of two and three times them.

    Down to half the largest power of two; on more than 65,536 chips, where failures cost most, to a quarter.
    """
    top = 1 << (machine.chips.bit_length() - 1)
    least = top // 4 if machine.chips > MANY else top // 2
    even = (n for power in range(3) for n in (top >> power, 3 * top >> (power + 1)))
    return tuple(
        sorted({machine.chips, *(n for n in even if max(least, 1) <= n <= machine.chips)}, reverse=True)
    )


def planned(machine: Machine, *, on: str) -> Planned:
    """Return the standard job of a machine on the part where it ends soonest, or why there is none."""
    for row in rule()["not_for_training"]:
        if row["chip"] == machine.chip.id:
            told = f"no training is planned on {machine.chip.name}: {row['why']}"
            return Planned(job=None, plan=None, refusal=told, brief=row["brief"], source=row["source"])
    try:
        job = standard_job(machine)
    except UnknownFactError as error:
        return Planned(job=None, plan=None, refusal=str(error), brief=str(error).split(";")[0])
    smaller = [one for one in reversed(rungs()) if training_flop(one) < training_flop(job)]
    first = _soonest(job, machine, on=on)
    found = (_soonest(one, machine, on=on) for one in smaller)
    return first if first.plan is not None else next((one for one in found if one.plan is not None), first)


def _soonest(job: StandardJob, machine: Machine, *, on: str) -> Planned:
    """Return one job on the part of a machine where it ends soonest, or why it cannot run there."""
    found, refusals = {}, []
    for chips in parts(machine):
        try:
            one = plan(job.model, on=on, chips=chips, top=1, **job.given)
        except GigawattError as error:
            refusals.append(str(error))
        else:
            found[one.scenario.machine.chips] = one
    if not found:
        return Planned(job=job, plan=None, refusal=refusals[0], brief=refusals[0].split(":")[0])
    walls = {chips: float(one.run.wall_s) for chips, one in found.items()}
    within = min(walls.values()) * (1.0 + rule()["rule"]["tie"])
    best = min(chips for chips, wall in walls.items() if wall <= within)
    tried = tuple(sorted(walls.items(), reverse=True))
    return Planned(job=job, plan=found[best], refusal="", parts=tried)
