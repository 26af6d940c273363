"""What is asked: a model, a machine, a job, and where each of these came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gigawatt.catalog.machines import find_machine
from gigawatt.catalog.models import find_model
from gigawatt.catalog.records import Machine, Model, Stack
from gigawatt.errors import InputError
from gigawatt.perf import Job, stack

DTYPES = ("bf16", "fp16", "fp8", "mxfp8", "nvfp4", "int8", "tf32", "fp32")
DEFAULT_STACK = "modern"
EXAMPLES = {
    "seq_tokens": "--seq 4096",
    "batch_tokens": "--batch 4M",
    "tokens": "--tokens 2T",
    "dtype": "--dtype bf16",
}
MAX_TOKENS = 1e17  # a thousand times all text there is; beyond, a unit was confused
MAX_BATCH_TOKENS = 1e10
MAX_SEQ_TOKENS = 2**24


@dataclass(frozen=True, kw_only=True, slots=True)
class Assumption:
    """Something that the user did not say."""

    what: str
    value: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """One question, fully resolved."""

    machine: Machine
    job: Job
    tokens: float
    stack: Stack
    by: str
    assumptions: tuple[Assumption, ...]

    @property
    def model(self) -> Model:
        return self.job.model

    @property
    def steps(self) -> float:
        return self.tokens / self.job.batch_tokens


def scenario(
    model: str,
    *,
    on: str,
    chips: int | None = None,
    tokens: float | None = None,
    batch_tokens: float | None = None,
    batch_sequences: int | None = None,
    seq_tokens: int | None = None,
    dtype: str | None = None,
    stack_id: str | None = None,
    by: str = "time",
) -> Scenario:
    """Return the resolved question. What is not given comes from the model's published recipe, and is marked.

    Raises: InputError for what cannot be read, or is neither given nor published.
    """
    machine = find_machine(on, chips=chips)
    arch = find_model(model)
    said = {"seq_tokens": seq_tokens, "dtype": dtype, "tokens": tokens}
    said["batch_tokens"] = batch_tokens if batch_sequences is None else -1.0
    values, assumptions = _from_recipe(arch, said)
    seq = _whole("seq", values["seq_tokens"], MAX_SEQ_TOKENS)
    if batch_sequences is None:
        asked = _amount("batch", values["batch_tokens"], MAX_BATCH_TOKENS) / seq
        batch_sequences = even_batch(asked)
        if batch_sequences != asked:
            why = f"{asked:,.1f} rounded by at most {100 * BATCH_ROUNDING:g} % to what divides well; see --batch-sequences"
            assumptions.append(Assumption(what="batch_sequences", value=f"{batch_sequences:,}", why=why))
    job = Job(
        model=arch,
        seq_tokens=seq,
        batch_sequences=_whole("batch_sequences", batch_sequences, int(MAX_BATCH_TOKENS)),
        dtype=_dtype(str(values["dtype"]), machine)
        if dtype
        else _recipe_dtype(str(values["dtype"]), machine, assumptions),
    )
    if stack_id is None:
        assumptions.append(
            Assumption(what="stack", value=DEFAULT_STACK, why="not given; a fused, overlapped stack")
        )
    return Scenario(
        machine=machine,
        job=job,
        tokens=_amount("tokens", values["tokens"], MAX_TOKENS),
        stack=stack(stack_id or DEFAULT_STACK),
        by=by,
        assumptions=tuple(assumptions),
    )


BATCH_ROUNDING = 0.02


def even_batch(sequences: float) -> int:
    """Return the nearest batch with the most factors of two within 2 %.

    >>> even_batch(1562.5), even_batch(2048.0), even_batch(3.0)
    (1536, 2048, 3)
    """
    for step in (2**i for i in range(24, -1, -1)):
        near = max(round(sequences / step) * step, step)
        if abs(near - sequences) <= BATCH_ROUNDING * sequences:
            return near
    return max(round(sequences), 1)


OPTION = {"seq_tokens": "--seq", "batch_tokens": "--batch"}


def _from_recipe(arch: Model, said: Mapping[str, Any]) -> tuple[dict[str, Any], list[Assumption]]:
    values, assumptions = dict(said), []
    for name, given in said.items():
        if given is not None:
            continue
        fact = arch.recipe.get(name)
        if fact is None:
            option = OPTION.get(name, f"--{name}")
            raise InputError(
                f"{option} is not given, and none is published for {arch.id!r}; e.g. {EXAMPLES[name]}"
            )
        values[name] = fact.value
        value = f"{fact.value:,.0f}" if not isinstance(fact.value, str) else fact.value
        how = "published recipe" if fact.kind != "assumed" else "assumed"
        assumptions.append(
            Assumption(what=name, value=value, why=f"{how} ({fact.source}) {fact.where}".strip())
        )
    return values, assumptions


def _amount(name: str, value: Any, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < float(value) <= most:
        raise InputError(f"{name} = {value!r} is not between 1 and {most:g}")
    return float(value)


def _whole(name: str, value: Any, most: int) -> int:
    number = _amount(name, value, most)
    if number != int(number):
        raise InputError(f"{name} = {value!r} is not a whole number; the nearest is {round(number)}")
    return int(number)


PLAIN = {"mxfp8": "fp8", "nvfp4": "fp4"}  # the peak at which a scaled format runs


def _dtype(name: str, machine: Machine) -> str:
    """Return a dtype that the machine's chip computes in.

    Raises: InputError that names what the chip has.
    """
    if name not in DTYPES:
        raise InputError(f"dtype = {name!r} is not one of: {', '.join(DTYPES)}")
    if PLAIN.get(name, name) not in machine.chip.dtypes:
        known = ", ".join(d for d in DTYPES if PLAIN.get(d, d) in machine.chip.dtypes)
        raise InputError(
            f"dtype = {name!r}: {machine.chip.id!r} of {machine.id!r} has no {PLAIN.get(name, name)} rate; it has: {known}"
        )
    return name


def _recipe_dtype(name: str, machine: Machine, assumptions: list[Assumption]) -> str:
    """Return the recipe's dtype, or the 16-bit one that the chip has, and say so."""
    if PLAIN.get(name, name) in machine.chip.dtypes:
        return _dtype(name, machine)
    for other in ("bf16", "fp16"):
        if other in machine.chip.dtypes:
            why = f"the recipe's {name} is not a format of {machine.chip.id!r}"
            assumptions[:] = [a for a in assumptions if a.what != "dtype"]
            assumptions.append(Assumption(what="dtype", value=other, why=why))
            return other
    return _dtype(name, machine)
