"""What is asked: a model, a machine, a job, and where each of these came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gigawatt.catalog import machines
from gigawatt.catalog.load import chip_ids
from gigawatt.catalog.machines import find_machine, machine_ids
from gigawatt.catalog.models import find_model, model_ids
from gigawatt.catalog.records import Machine, Model, Stack
from gigawatt.errors import InputError, UnknownFactError
from gigawatt.perf import Job, default_stack, stack
from gigawatt.scaling import DEFAULT_LAW, law
from gigawatt.units import format as fmt

DTYPES = ("bf16", "fp16", "fp8", "mxfp8", "nvfp4", "int8", "tf32", "fp32")
EXAMPLES = {
    "seq_tokens": "--seq 4096",
    "batch_tokens": "--batch 4M",
    "tokens": "--tokens 2T",
    "dtype": "--dtype bf16",
}
MAX_TOKENS = 1e16  # a hundred times all text there is; beyond, a unit was confused
MAX_BATCH_TOKENS = 1e10
MAX_SEQ_TOKENS = 2**24
MAX_CHIPS = 10**8


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
    law: str = DEFAULT_LAW  # of the loss

    @property
    def model(self) -> Model:
        return self.job.model

    @property
    def steps(self) -> float:
        return self.tokens / self.job.batch_tokens


def scenario(
    model: str | Model,
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
    law_id: str = DEFAULT_LAW,
) -> Scenario:
    """Return the resolved question. What is not given comes from the model's published recipe, and is marked.

    Raises: InputError for what cannot be read, or is neither given nor published.
    """
    if batch_tokens is not None and batch_sequences is not None:
        raise InputError(
            f"batch = {number_text(batch_tokens)} tokens and batch_sequences = {batch_sequences} say the "
            "same thing twice; give one of them"
        )
    count = None if chips is None else _whole("chips", chips, MAX_CHIPS)
    arch = named_model(model) if isinstance(model, str) else model
    machine = named_machine(on, chips=count)
    said = {"seq_tokens": seq_tokens, "dtype": dtype, "tokens": tokens}
    said["batch_tokens"] = batch_tokens if batch_sequences is None else -1.0
    values, assumptions = _from_recipe(arch, said)
    seq = _whole("seq", values["seq_tokens"], MAX_SEQ_TOKENS)
    if batch_sequences is None:
        batch_sequences = _sequences(values["batch_tokens"], seq, assumptions=assumptions)
    job = Job(
        model=arch,
        seq_tokens=seq,
        batch_sequences=_whole("batch_sequences", batch_sequences, int(MAX_BATCH_TOKENS)),
        dtype=checked_dtype(str(values["dtype"]), machine)
        if dtype is not None
        else _recipe_dtype(str(values["dtype"]), machine, assumptions),
    )
    software = default_stack(machine.chip) if stack_id is None else stack(stack_id)
    if stack_id is None:
        why = f"not given; {software.name}: the newest one measured on such chips"
        assumptions.append(Assumption(what="stack", value=software.id, why=why))
    return Scenario(
        machine=machine,
        job=job,
        tokens=_tokens(values["tokens"], job),
        stack=software,
        by=by,
        assumptions=tuple(assumptions),
        law=loss_law(law_id),
    )


def loss_law(id: str) -> str:
    """Return the id of a law of the loss.

    Raises: InputError for a law that is not known, or is of another kind.
    """
    found = law(id)
    assert found.surface is not None
    return found.id


FILES = (".toml", ".yaml", ".yml")


def named_machine(name: str, *, chips: int | None) -> Machine:
    """Return a machine by name or file.

    Raises: InputError; for the name of a chip or a model it says so, with machines of that chip.
    """
    key = _named("machine", name).lower()
    if key in chip_ids() and key not in machine_ids():
        made = [id for id in machine_ids() if _chip_of(id) == key]
        there = f"machines of it: {', '.join(made[:5])}" if made else "write a machine file with it"
        raise InputError(f"machine = {name!r} is a chip, not a machine; {there}")
    if key in model_ids() and key not in machine_ids():
        raise InputError(f"machine = {name!r} is a model, not a machine; write: plan {key} --on MACHINE")
    if not key.endswith(FILES) and ("/" in name or Path(name).is_file()):
        raise InputError(
            f"machine = {name!r} looks like a file, and a machine file ends in {', '.join(FILES)}"
        )
    return find_machine(name, chips=chips)


def _chip_of(id: str) -> str:
    try:
        return machines.machine(id).chip.id
    except UnknownFactError:
        return ""


def named_model(name: str) -> Model:
    """Return a model by name or config.json.

    Raises: InputError; for the name of a machine it says so.
    """
    key = _named("model", name).lower()
    if key in machine_ids() and key not in model_ids():
        raise InputError(f"model = {name!r} is a machine, not a model; write: plan MODEL --on {key}")
    return find_model(name)


def _named(field: str, name: Any) -> str:
    if not isinstance(name, str) or not name.strip() or "\0" in name:
        raise InputError(f"{field} = {name!r} is not a name; `gigawatt catalog {field}s` lists them")
    return name.strip()


def number_text(value: Any) -> str:
    """Return a number as people write it.

    >>> number_text(16_777_216), number_text(1e30), number_text("x")
    ('16,777,216', '1e+30', "'x'")
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return repr(value)
    return f"{value:,.0f}" if value == value and abs(value) < 1e15 and value == int(value) else f"{value:g}"


def _sequences(batch_tokens: Any, seq: int, *, assumptions: list[Assumption]) -> int:
    """Return the sequences of a batch given in tokens, rounded to what divides well, and say so."""
    tokens = _amount("batch", batch_tokens, MAX_BATCH_TOKENS)
    if tokens < seq:
        raise InputError(
            f"batch = {number_text(tokens)} tokens is less than one sequence of {seq:,}; the least is "
            f"--batch {seq}"
        )
    found = even_batch(tokens / seq)
    if found != tokens / seq:
        why = (
            f"{tokens / seq:,.1f} rounded by at most {100 * BATCH_ROUNDING:g} % to what divides well; "
            "see --batch-sequences"
        )
        assumptions.append(Assumption(what="batch_sequences", value=f"{found:,}", why=why))
    return found


def _tokens(value: Any, job: Job) -> float:
    """Return the tokens of the run: one step at least."""
    tokens = _amount("tokens", value, MAX_TOKENS)
    if tokens < job.batch_tokens:
        raise InputError(
            f"tokens = {number_text(tokens)} is less than one batch of {job.batch_tokens:,} tokens; "
            f"a run has one step at least"
        )
    return tokens


BATCH_ROUNDING = 0.02


def even_batch(sequences: float) -> int:
    """Return the nearest batch with the most factors of two within 2 %.

    >>> even_batch(1562.5), even_batch(2048.0), even_batch(3.0)
    (1536, 2048, 3)
    """
    for power in range(24, -1, -1):
        step = 1 << power
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
        value = fact.value if isinstance(fact.value, str) else _readable(fact.value)
        how = "published" if fact.kind != "assumed" else "assumed"
        why = f"{how}: {fact.source}, {fact.where}".rstrip(", ")
        assumptions.append(Assumption(what=name, value=value, why=why))
    return values, assumptions


def _readable(value: float) -> str:
    return fmt(value, "1") if value >= 1e9 else f"{value:,.0f}"


def _amount(name: str, value: Any, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        limit = f"{most:,.0f}" if most < 1e10 else fmt(most, "1", digits=2)
        raise InputError(f"{name} = {number_text(value)} is not in 1 .. {limit}")
    return float(value)


def _whole(name: str, value: Any, most: int) -> int:
    number = _amount(name, value, most)
    if number != int(number):
        raise InputError(f"{name} = {value!r} is not a whole number; the nearest is {max(round(number), 1)}")
    return int(number)


SPELLINGS = {"bfloat16": "bf16", "float16": "fp16", "half": "fp16", "float32": "fp32", "e4m3": "fp8"}
PLAIN = {"mxfp8": "fp8", "nvfp4": "fp4"}  # the peak at which a scaled format runs


def peak_fact(dtype: str) -> str:
    """Return the name of the fact of the peak rate that a format runs at.

    >>> peak_fact("mxfp8")
    'peak_fp8_flop_per_s'
    """
    return f"peak_{PLAIN.get(dtype, dtype)}_flop_per_s"


def checked_dtype(name: str, machine: Machine) -> str:
    """Return a dtype that the machine's chip computes in.

    Raises: InputError that names what the chip has.
    """
    asked = name
    name = SPELLINGS.get(name.lower(), name.lower())
    if name not in DTYPES:
        raise InputError(f"dtype = {asked!r} is not one of: {', '.join(DTYPES)}")
    if PLAIN.get(name, name) not in machine.chip.dtypes:
        known = ", ".join(d for d in DTYPES if PLAIN.get(d, d) in machine.chip.dtypes)
        raise InputError(
            f"dtype = {name!r}: {machine.chip.id!r} of {machine.id!r} has no {PLAIN.get(name, name)} rate; "
            f"it has: {known}"
        )
    return name


def _recipe_dtype(name: str, machine: Machine, assumptions: list[Assumption]) -> str:
    """Return the recipe's dtype, or the 16-bit one that the chip has, and say so."""
    if PLAIN.get(name, name) in machine.chip.dtypes:
        return checked_dtype(name, machine)
    for other in ("bf16", "fp16"):
        if other in machine.chip.dtypes:
            why = f"the recipe's {name} is not a format of {machine.chip.id!r}"
            assumptions[:] = [a for a in assumptions if a.what != "dtype"]
            assumptions.append(Assumption(what="dtype", value=other, why=why))
            return other
    return checked_dtype(name, machine)
