"""Priced designs: every machine at every size with the layouts that trade time against energy."""

from __future__ import annotations

import dataclasses
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gigawatt.catalog.machines import find_machine, machine_ids
from gigawatt.catalog.records import Machine, Stack
from gigawatt.comms.constants import class_name
from gigawatt.errors import InputError, UnknownFactError
from gigawatt.perf import Job, StepTime, step_time
from gigawatt.power import training_power_w
from gigawatt.search import Candidate, SearchResult, full_space, search_sizes
from gigawatt.study.run import Run, busy_s, plain, run_of
from gigawatt.study.scenario import Scenario
from gigawatt.units import Seconds, Usd, Watts

PRICES = {"rent": "rent_usd_per_s", "own": "capex_usd_per_chip"}  # how chips are paid: the fact that it needs


def energy_over_nameplate_s(step: StepTime, total_s: Seconds) -> Seconds:
    """Return a step's IT energy per watt of nameplate: the second objective of a sizing.

    Definition: training power of one watt x time; never falls when a part of the step grows.
    """
    return total_s * training_power_w(1.0, busy_fraction=busy_s(step) / total_s)


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is searched in one go: a job on some parts of one machine, by chips."""

    job: Job
    machine: Machine
    stack: Stack
    sizes: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """Per number of chips what the search saw, and its front with each layout's step."""

    sizes: tuple[int, ...]
    found: tuple[SearchResult, ...]
    steps: tuple[tuple[StepTime, ...], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Design:
    """One machine at one size with one layout, priced for the whole run."""

    scenario: Scenario
    candidate: Candidate
    step: StepTime
    run: Run
    cost_usd: Usd
    facility_power_w: Watts

    @property
    def wall_s(self) -> float:
        return float(self.run.wall_s)

    @property
    def energy_j(self) -> float:
        return float(self.run.facility_energy_j)

    @property
    def co2e_kg(self) -> float:
        return float(self.run.co2e_kg)


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """A machine that is not sized, and why."""

    machine: str
    fact: str  # the name of the missing fact; "" for another reason
    why: str


def sizes_of(machine: Machine, *, low: int, high: int) -> tuple[int, ...]:
    """Return the numbers of chips that are tried of a machine: powers of two and three times such.

    >>> from gigawatt.catalog import machine
    >>> sizes_of(machine("selene"), low=1024, high=4096)
    (1024, 1536, 2048, 3072, 4096)
    """
    most = min(high, machine.chips)
    tried = {base << power for base in (1, 3) for power in range(most.bit_length())}
    return tuple(sorted(n for n in tried if low <= n <= most))


def network_key(question: Question) -> tuple[object, ...]:
    """Return what the layouts' times depend on: machines that share it are searched once.

    The outermost level counts without its chips where it is a switch: a part of a machine may be of any size.
    """
    machine = question.machine
    last = machine.levels[-1]
    outermost = dataclasses.replace(last, chips=0) if last.topology == "switch" else last
    kinds = tuple(class_name(machine, i) for i in range(len(machine.levels)))
    levels = tuple(dataclasses.replace(level, name="") for level in (*machine.levels[:-1], outermost))
    return (machine.chip.id, machine.chips_per_node, levels, kinds, question.stack.id, question.job)


def answered(question: Question) -> Answer:
    """Return the answer to a question: a module's function, so that a process can be asked."""
    job, machine, stack = question.job, question.machine, question.stack
    spaces = [full_space(job, machine.take(n), stack=stack) for n in question.sizes]
    found = search_sizes(job, spaces, machine=machine, stack=stack, beside=energy_over_nameplate_s, cut=True)
    steps = tuple(
        tuple(
            step_time(job, c.layout, machine=machine.take(n), strategy=c.strategy, stack=stack)
            for c in one.front
        )
        for n, one in zip(question.sizes, found, strict=True)
    )
    return Answer(sizes=question.sizes, found=found, steps=steps)


def all_answered(
    questions: Sequence[Question], *, workers: int, progress: Callable[[float], None] | None
) -> list[Answer]:
    """Return the answers in the order of the questions, whoever works on them."""
    found: list[Answer] = []
    for answer in _answers(questions, workers=min(workers, len(questions))):
        found.append(answer)
        if progress:
            progress(len(found) / len(questions))
    return found


def _answers(questions: Sequence[Question], *, workers: int) -> Iterator[Answer]:
    if workers <= 1:
        yield from map(answered, questions)
        return
    with multiprocessing.get_context("spawn").Pool(workers, initializer=_leave_interrupts) as pool:
        yield from pool.imap(answered, questions)


def _leave_interrupts() -> None:
    """An interrupt from the keyboard is the parent's to handle: it ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def machines_of(among: Sequence[str] | None) -> tuple[dict[str, Machine], list[LeftOut]]:
    """Return the machines to size by name: those named, else all that exist; and those left out, with why.

    Raises: InputError for a name that is not known.
    """
    if among is not None:
        return {name: find_machine(name) for name in among}, []
    found: dict[str, Machine] = {}
    left: list[LeftOut] = []
    for name in machine_ids():
        try:
            machine = find_machine(name)
        except UnknownFactError as error:
            left.append(LeftOut(machine=name, fact=fact_named_in(str(error)), why=str(error)))
            continue
        if machine.shipping:
            found[name] = machine
        else:
            left.append(LeftOut(machine=name, fact="", why="announced, not shipping; name it with --among"))
    return found, left


def fact_named_in(message: str) -> str:
    """Return the fact that an error about an unknown one names.

    >>> fact_named_in("no nic_bytes_per_s is known for 'x'"), fact_named_in("else")
    ('nic_bytes_per_s', '')
    """
    words = message.split()
    return words[1] if words[:1] == ["no"] and len(words) > 1 else ""


def unknown_of(machine: Machine, price: str) -> LeftOut | None:
    """Return which fact a sizing needs and a machine does not have."""
    for name in ("it_power_per_chip_w", PRICES[price]):
        if name not in machine.facts:
            return LeftOut(machine=machine.id, fact=name, why=f"no {name} is known for {machine.chip.id!r}")
    return None


def designs_of(asked: Scenario, answer: Answer, *, sizes: Sequence[int], price: str) -> list[Design]:
    """Return the designs of one machine from the answer that it shares with others of its network."""
    found = []
    for chips, steps, one in zip(answer.sizes, answer.steps, answer.found, strict=True):
        if chips in sizes:
            part = dataclasses.replace(asked, machine=asked.machine.take(chips))
            for candidate, step in zip(one.front, steps, strict=True):
                run = run_of(part, step, replicas=plain(candidate.layout.dp_replicate))
                found.append(
                    Design(
                        scenario=part,
                        candidate=candidate,
                        step=step,
                        run=run,
                        cost_usd=run.rent_usd if price == "rent" else float(run.own.total_usd),
                        facility_power_w=run.it_power_w * part.machine.site.pue,
                    )
                )
    return found


def check_price(price: str) -> None:
    """Raise InputError for a way to pay that is not one."""
    if price not in PRICES:
        raise InputError(f"price = {price!r} is not one of: {', '.join(PRICES)}")
