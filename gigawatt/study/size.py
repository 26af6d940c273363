"""What must be bought: machines x sizes x layouts searched, the front of time, money, power and carbon."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gigawatt.errors import InputError, NothingFeasibleError, UnknownFactError
from gigawatt.perf import Verdict
from gigawatt.scaling import DEFAULT_LAW, critical_batch_tokens
from gigawatt.search import full_space, search
from gigawatt.study.designs import (
    Answer,
    Design,
    LeftOut,
    Question,
    all_answered,
    check_price,
    designs_of,
    fact_named_in,
    machines_of,
    network_key,
    sizes_of,
    unknown_of,
)
from gigawatt.study.limits import EXAMPLES, HOLDS, OBJECTIVE, Columns, Shadow, shadows
from gigawatt.study.loss import model_loss, model_tokens
from gigawatt.study.scenario import MAX_CHIPS, MAX_TOKENS, Assumption, Scenario, named_model, scenario
from gigawatt.units import figures
from gigawatt.units import format as fmt

CHIPS = (8, 131_072)
FLOAT = "float"  # the batch that may be chosen
FLOAT_STEPS = 4  # batches tried: the largest power of two within the critical batch, and halves of it
DOUBLED = ("memory", "network", "batch")
HOLDS_BACK = 0.01  # of the step: what doubling must bring to be said to bind


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """The fate of every layout: the last four of the first five add up to the first."""

    considered: int
    shared: int  # of a machine whose network and chips another one has: searched there
    ruled_out: int  # break a rule: degrees, batch, layers, schedule
    cut: int  # not weighed: something known beats their bound in time and in energy
    priced: int  # memory computed for all, time where it fits
    fit: int  # of these


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubled:
    """What a machine's part doubled would bring to the chosen design's step, searched anew."""

    what: str
    step_s: float  # the best layout's step then; infinite where none divides
    gain: float  # of the step, per unit of work

    @property
    def binds(self) -> bool:
        return self.gain >= HOLDS_BACK


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """The answer: the best design within the limits, the front, what binds, and what was looked at."""

    model: str
    model_name: str
    tokens: float
    loss_nats: float
    by: str
    price: str
    limits: dict[str, float]
    chosen: Design
    front: tuple[Design, ...]
    shadows: tuple[Shadow, ...]
    doubled: tuple[Doubled, ...]
    left_out: tuple[LeftOut, ...]
    assumptions: tuple[Assumption, ...]
    counts: Counts
    designs: int
    machines: int
    networks: int
    search_s: float


def size(
    model: str,
    *,
    tokens: float | None = None,
    loss: float | None = None,
    deadline_s: float | None = None,
    power_w: float | None = None,
    budget_usd: float | None = None,
    among: Sequence[str] | None = None,
    by: str = "cost",
    price: str = "rent",
    chips: tuple[int, int] = CHIPS,
    batch_tokens: float | str | None = None,
    seq_tokens: int | None = None,
    dtype: str | None = None,
    stack: str | None = None,
    workers: int = 1,
    progress: Callable[[float], None] | None = None,
) -> Size:
    """Return the best machine, size and layout for a training run within limits, and the front around it.

    The deadline is wall time with failures, the power what the chips' share of the site draws at nameplate,
    the budget the rent (or the owner's cost) of the run. `batch_tokens` may be "float": then batches within
    the critical batch are tried. With several workers, a script needs the `__main__` guard of processes.
    Raises: InputError for what cannot be read; NothingFeasibleError when no design meets the limits.
    """
    if by not in OBJECTIVE:
        raise InputError(f"by = {by!r} is not one of: {', '.join(OBJECTIVE)}")
    check_price(price)
    low, high = _chips(chips)
    limits = _limits(deadline=deadline_s, power=power_w, budget=budget_usd)
    arch = named_model(model)
    tokens, assumed = _tokens_of(arch, tokens, loss)
    more = {"tokens": tokens, "seq_tokens": seq_tokens, "dtype": dtype, "stack_id": stack, "by": by}
    asked, left = _scenarios(model, among, batch=batch_tokens, price=price, low=low, more=more)
    started = time.perf_counter()
    questions = [_question(one, low, high) for one in asked]
    unique = {network_key(q): q for q in sorted(questions, key=lambda q: len(q.sizes))}  # the longest stays
    answers = dict(
        zip(unique, all_answered(list(unique.values()), workers=workers, progress=progress), strict=True)
    )
    designs = [
        design
        for one, question in zip(asked, questions, strict=True)
        for design in designs_of(one, answers[network_key(question)], sizes=question.sizes, price=price)
    ]
    columns = Columns.of(designs)
    row = columns.best(OBJECTIVE[by], limits)
    if row is None:
        raise NothingFeasibleError(_why_none(columns, limits, arch.id), {})
    chosen = designs[row]
    objectives = dict.fromkeys((OBJECTIVE[by], "wall_s"))
    return Size(
        model=arch.id,
        model_name=arch.name,
        tokens=chosen.scenario.tokens,
        loss_nats=float(chosen.run.loss.loss_nats),
        by=by,
        price=price,
        limits=limits,
        chosen=chosen,
        front=tuple(designs[i] for i in columns.front(limits)),
        shadows=tuple(s for o in objectives for s in shadows(columns, limits, objective=o)),
        doubled=tuple(_doubled(chosen, what) for what in DOUBLED),
        left_out=tuple(sorted(left, key=lambda one: one.machine)),
        assumptions=(*assumed, *chosen.scenario.assumptions),
        counts=_counts(questions, answers),
        designs=len(designs),
        machines=len({one.machine.id for one in asked}),
        networks=len(unique),
        search_s=time.perf_counter() - started,
    )


def _limits(**given: float | None) -> dict[str, float]:
    for name, value in given.items():
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, int | float) or not value > 0
        ):
            raise InputError(f"{name} = {value!r} is not a quantity above 0; write e.g. {EXAMPLES[name]}")
    return {name: float(value) for name, value in given.items() if value is not None}


def _chips(chips: tuple[int, int]) -> tuple[int, int]:
    low, high = chips
    if not 1 <= low <= high <= MAX_CHIPS:
        raise InputError(
            f"chips = {low}..{high} is not a range within 1..{MAX_CHIPS:,}; write e.g. 8..131072"
        )
    return low, high


def _tokens_of(arch: Any, tokens: float | None, loss: float | None) -> tuple[float | None, list[Assumption]]:
    """Return the tokens of the run: as given, or as many as a loss takes.

    Raises: InputError for a loss that is out of reach, or that the tokens do not reach.
    """
    if loss is None:
        return tokens, []
    if isinstance(loss, bool) or not isinstance(loss, int | float) or not 0 < loss < 20:
        raise InputError(f"loss = {loss!r} is not a loss in nats per token; write e.g. 1.9")
    law = DEFAULT_LAW
    needed = model_tokens(arch, loss, by=law)
    if needed > MAX_TOKENS:
        least = float(model_loss(arch, MAX_TOKENS, by=law).loss_nats)
        raise InputError(
            f"loss = {loss:g} is out of reach of {arch.id!r} by {law}, whatever the tokens; the least is "
            f"some {figures(least, 4)}"
        )
    if tokens is None:
        why = f"as many as a loss of {loss:g} takes by {law}"
        return needed, [Assumption(what="tokens", value=fmt(needed, "1"), why=why)]
    reached = float(model_loss(arch, tokens, by=law).loss_nats)
    if reached > loss:
        raise InputError(
            f"loss = {loss:g} is not reached with tokens = {fmt(tokens, '1')}: {figures(reached, 4)} by "
            f"{law}; it takes --tokens {needed / 1e12:.3g}T"
        )
    return tokens, []


def _scenarios(
    model: str,
    among: Sequence[str] | None,
    *,
    batch: float | str | None,
    price: str,
    low: int,
    more: dict[str, Any],
) -> tuple[list[Scenario], list[LeftOut]]:
    """Return one scenario per machine (and batch that may float), and the machines left out."""
    machines, left = machines_of(among)
    asked: list[Scenario] = []
    for name, machine in machines.items():
        missing = unknown_of(machine, price)
        if missing is None and machine.chips < low:
            why = f"has {machine.chips:,} chips, fewer than {low:,}"
            missing = LeftOut(machine=machine.id, fact="", why=why)
        try:
            if missing is None:
                asked += _of_machine(model, name, batch=batch, more=more)
        except UnknownFactError as error:
            missing = LeftOut(machine=machine.id, fact=fact_named_in(str(error)), why=str(error))
        if missing is not None:
            left.append(missing)
    if not asked:
        told = "; ".join(f"{one.machine}: {one.why}" for one in left[:5])
        raise UnknownFactError(f"no machine can be sized: {told}")
    return asked, left


def _of_machine(model: str, on: str, *, batch: float | str | None, more: dict[str, Any]) -> list[Scenario]:
    """Return the scenario of a machine, or one for each batch that may be chosen."""
    if batch != FLOAT:
        if isinstance(batch, str):
            raise InputError(f"batch = {batch!r} is neither tokens nor {FLOAT!r}; write e.g. 16M or {FLOAT}")
        return [scenario(model, on=on, batch_tokens=batch, **more)]
    one = scenario(model, on=on, batch_sequences=1, **more)
    loss = float(model_loss(one.model, one.tokens, by=one.law).loss_nats)
    most = max(int(critical_batch_tokens(loss) // one.job.seq_tokens), 1).bit_length() - 1
    sequences = [1 << power for power in range(most, max(most - FLOAT_STEPS, -1), -1)]
    why = f"chosen from {sequences[-1]:,} to {sequences[0]:,}; the critical batch by Kaplan 2020 is the most"
    return [
        dataclasses.replace(
            one,
            job=dataclasses.replace(one.job, batch_sequences=n),
            assumptions=(*one.assumptions, Assumption(what="batch_sequences", value=f"{n:,}", why=why)),
        )
        for n in sequences
    ]


def _question(asked: Scenario, low: int, high: int) -> Question:
    sizes = sizes_of(asked.machine, low=low, high=high)
    return Question(job=asked.job, machine=asked.machine, stack=asked.stack, sizes=sizes)


def _counts(questions: Sequence[Question], answers: dict[tuple[object, ...], Answer]) -> Counts:
    """Return the fate of every layout of all machines at all sizes."""
    considered = 0
    for question in questions:
        answer = answers[network_key(question)]
        seen = dict(zip(answer.sizes, answer.found, strict=True))
        considered += sum(seen[n].candidates for n in question.sizes)
    every = [one for answer in answers.values() for one in answer.found]
    own, cut, priced = (sum(getattr(one, name) for one in every) for name in ("candidates", "cut", "priced"))
    return Counts(
        considered=considered,
        shared=considered - own,
        ruled_out=own - cut - priced,
        cut=cut,
        priced=priced,
        fit=sum(one.counts[Verdict.OK] for one in every),
    )


def _doubled(design: Design, what: str) -> Doubled:
    """Return the step of the chosen design with twice the memory, network or batch, searched anew."""
    asked = design.scenario
    job, machine = asked.job, asked.machine
    if what == "memory":
        memory = dataclasses.replace(machine.chip.facts["hbm_bytes"], value=2.0 * machine.chip.hbm_bytes)
        chip = dataclasses.replace(machine.chip, facts={**machine.chip.facts, "hbm_bytes": memory})
        machine = dataclasses.replace(machine, chip=chip)
    elif what == "network":
        levels = tuple(
            dataclasses.replace(level, bytes_per_s=2.0 * level.bytes_per_s) for level in machine.levels
        )
        machine = dataclasses.replace(machine, levels=levels)
    else:
        job = dataclasses.replace(job, batch_sequences=2 * job.batch_sequences)
    space = full_space(job, machine, stack=asked.stack)
    found = search(job, space, machine=machine, stack=asked.stack, top=1)
    step = found.best[0].step_s if found.best else float("inf")
    work = job.batch_sequences / asked.job.batch_sequences
    return Doubled(what=what, step_s=step, gain=1.0 - step / work / design.candidate.step_s)


def _why_none(columns: Columns, limits: dict[str, float], model: str) -> str:
    """Return which limit is how far off when no design meets all."""
    if not columns.values["wall_s"].size:
        return (
            f"{model!r} fits on none of the machines at any of the sizes; try --chips 8..1000000 or --among"
        )
    told = []
    for name in limits:
        others = {k: v for k, v in limits.items() if k != name}
        least = columns.least(HOLDS[name], others)
        if least < float("inf"):
            told.append(f"--{name} {_written(name, least)} in place of {_written(name, limits[name])}")
    fix = f"it would take {', or '.join(told)}" if told else "relax two of the limits"
    return f"no design for {model!r} meets all limits ({', '.join(limits)}); {fix}"


def _written(limit: str, value: float) -> str:
    """Return a limit as it is typed, rounded up so that it is enough.

    >>> _written("deadline", 86400.0 * 91.02), _written("power", 1.501e8), _written("budget", 4.2e8)
    ('91.1d', '150.1MW', '420M$')
    """
    scale, unit = {"deadline": (86400.0, "d"), "power": (1e6, "MW"), "budget": (1e6, "M$")}[limit]
    up = -(-value / scale * 10 // 1) / 10
    return f"{up:.10g}{unit}"
