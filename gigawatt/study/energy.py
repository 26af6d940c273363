"""Energy of one job on several chips, at equal work; and what a ratio of datasheets would have said."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gigawatt.catalog.records import Chip, Fact, Machine
from gigawatt.errors import InputError, NothingFeasibleError, UnknownFactError, unknown_name
from gigawatt.study.compare import EQUAL, Part, Refusal, named_machines, part_of, plans_on
from gigawatt.study.plan import Plan
from gigawatt.study.run import peak_flop_per_s
from gigawatt.study.scenario import DTYPES, PLAIN

ON = ("eagle", "superpod-b200", "carina", "tpu-v5p-pod", "trillium-pod", "ironwood-pod", "rainier",
      "cloudmatrix384")  # fmt: skip
NOTHING = "nothing"  # is held equal: whole machines
SHEET = ("bf16", "fp8", "fp4")  # the formats of which datasheets are compared
SIXTEEN = ("bf16", "fp16")
GUESSED = ("assumed", "estimated")
FACTORS = {  # what a ratio of joules a token is made of; together they multiply to it
    "chip": "peak per watt of the chip, 16 bit",
    "format": "number format: its peak over the 16-bit one",
    "use": "MFU",
    "goodput": "goodput",
    "system": "server and network per watt of the chip",
    "load": "draw when training, of nameplate",
    "pue": "PUE of the site",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class EnergyRow:
    """One machine in one number format: its plan, joules a token, and how it stands to the baseline."""

    plan: Plan
    token_j: float  # at the meter, failures and waiting included
    low_j: float  # with the 90th percentile of the step's error and the range of the power figure
    high_j: float
    energy_ratio: float  # baseline's joules a token over this one's: above 1, this takes less
    speed_ratio: float  # tokens a second of a chip over the baseline's
    sheet_ratio: float  # peak per TDP over the baseline's, each at its own format
    factors: Mapping[str, float]  # of energy_ratio


@dataclass(frozen=True, kw_only=True, slots=True)
class Energy:
    """One job on several chips: the baseline, and all rows by joules a token, the least first."""

    baseline: EnergyRow
    rows: tuple[EnergyRow, ...]
    refusals: tuple[Refusal, ...]
    part: Part
    dtypes: tuple[str, ...]
    by: str


def energy(
    model: str = "llama3.1-70b",
    *,
    on: Sequence[str] = ON,
    dtypes: Sequence[str] = ("bf16",),
    against: str | None = None,
    equal: str = "chips",
    amount: str | float | None = None,
    by: str = "time",
    progress: Callable[[float], None] | None = None,
    **job: Any,
) -> Energy:
    """Return joules a token of one training job on several machines, each in every format that it has.

    Each plan is searched. `against` is the baseline of all ratios, the first machine when not given, at the
    first format that it has. `equal` is chips, power, cost or nothing (whole machines), `amount` how much.
    `job` are the words of `plan`: tokens, batch_tokens, batch_sequences, seq_tokens, stack.
    Raises: InputError; NothingFeasibleError when the job cannot be planned on the baseline.
    """
    _refuse(dtypes, equal)
    machines = named_machines(on)
    base = next(iter(machines)) if against is None else against.strip()
    if base not in machines:
        raise unknown_name("against", base, machines)
    held = None if equal == NOTHING else equal
    part = part_of(list(machines.values()), equal=held, amount=amount, by=by)
    plans: list[tuple[str, Plan]] = []
    refusals: list[Refusal] = []
    for i, dtype in enumerate(dtypes):
        able = {name: m for name, m in machines.items() if PLAIN.get(dtype, dtype) in m.chip.dtypes}
        refusals += [_no_format(name, m, dtype) for name, m in machines.items() if name not in able]
        share = None if progress is None else _share(progress, i, len(dtypes))
        for name, machine in able.items():
            found, left = plans_on(
                model, {name: machine}, part=part, by=by, progress=share, **job, dtype=dtype
            )
            plans += [(name, p) for p in found]
            refusals += left
    return _energy(plans, refusals, base=base, part=part, dtypes=tuple(dtypes), by=by)


def _share(progress: Callable[[float], None], done: int, of: int) -> Callable[[float], None]:
    return lambda part: progress((done + part) / of)


def _refuse(dtypes: Sequence[str], equal: str) -> None:
    if equal not in (*EQUAL, NOTHING):
        raise InputError(f"equal = {equal!r} is not one of: {', '.join((*EQUAL, NOTHING))}")
    if not dtypes:
        raise InputError("dtype = '' names no format; write e.g. bf16 or bf16,fp8")
    for dtype in dtypes:
        if dtype not in DTYPES:
            raise InputError(f"dtype = {dtype!r} is not one of: {', '.join(DTYPES)}")
    if len(set(dtypes)) < len(dtypes):
        raise InputError(f"dtype = {','.join(dtypes)!r} names a format twice")


def _no_format(name: str, machine: Machine, dtype: str) -> Refusal:
    chip, has = machine.chip, ", ".join(d for d in DTYPES if PLAIN.get(d, d) in machine.chip.dtypes)
    return Refusal(
        machine=name, why=f"no {PLAIN.get(dtype, dtype)} rate is known for {chip.id!r}; it has: {has}"
    )


def _energy(
    plans: Sequence[tuple[str, Plan]],
    refusals: list[Refusal],
    *,
    base: str,
    part: Part,
    dtypes: tuple[str, ...],
    by: str,
) -> Energy:
    """Return the rows of what could be planned and has a power that is known."""
    able = []
    for name, p in plans:
        lacks = [fact for fact in ("it_power_per_chip_w", "tdp_w") if not _knows(p.scenario.machine, fact)]
        if lacks:
            refusals.append(Refusal(machine=name, why=f"no {' and no '.join(lacks)} is known for {name!r}"))
        else:
            able.append((name, p))
    against = next((p for name, p in able if name == base), None)
    if against is None:
        why = "; ".join(r.why for r in refusals if r.machine == base)
        raise NothingFeasibleError(f"against = {base!r} cannot be the baseline: {why}", {})
    rows = sorted((_row(p, against) for _, p in able), key=lambda row: row.token_j)
    return Energy(
        baseline=next(row for row in rows if row.plan is against),
        rows=tuple(rows),
        refusals=tuple(dict.fromkeys(refusals)),
        part=part,
        dtypes=dtypes,
        by=by,
    )


def _knows(machine: Machine, name: str) -> bool:
    facts = machine.facts if name in machine.facts else machine.chip.facts
    return name in facts and not isinstance(facts[name].value, str)


def token_j(p: Plan) -> float:
    """Return the energy of a token at the meter, with failures, checkpoints and waiting.

    Definition: energy of the run at the meter / tokens of the run.
    """
    return float(p.run.facility_energy_j / p.scenario.tokens)


def factors(p: Plan, base: Plan) -> dict[str, float]:
    r"""Return the factors whose product is the ratio of joules a token, the baseline's over this plan's.

    .. math:: \frac{E_0}{E} = \prod_k \frac{x_k}{x_{k,0}}, \quad E = \frac{f\, P_{drawn}\, PUE}{P\, MFU\, g}

    with x: 16-bit peak / TDP; peak at the job's format / 16-bit peak; MFU; goodput g; TDP / nameplate of the
    machine a chip; nameplate / mean draw; 1 / PUE. f, the flop of a token, is the same and cancels.
    Definition: each term of E as this plan has it over the baseline's.
    """
    mine, theirs = _terms(p), _terms(base)
    return {name: mine[name] / theirs[name] for name in FACTORS}


def _terms(p: Plan) -> dict[str, float]:
    machine, run = p.scenario.machine, p.run
    sixteen, tdp_w = sixteen_bit(machine.chip), machine.chip.tdp_w
    nameplate_w = float(run.it_power_w / machine.chips)
    return {
        "chip": sixteen / tdp_w,
        "format": peak_flop_per_s(machine, p.scenario.job.dtype) / sixteen,
        "use": float(p.use.mfu),
        "goodput": float(run.lost.useful),
        "system": tdp_w / nameplate_w,
        "load": nameplate_w * float(run.chip_s / run.it_energy_j),
        "pue": 1.0 / machine.site.pue,
    }


def sixteen_bit(chip: Chip) -> float:
    """Return a chip's dense 16-bit peak.

    Raises: UnknownFactError when it has none.
    """
    for dtype in SIXTEEN:
        if dtype in chip.dtypes:
            return chip.peak_flop_per_s(dtype)
    raise UnknownFactError(f"no 16-bit peak is known for {chip.id!r}; known: {', '.join(chip.dtypes)}")


def _row(p: Plan, base: Plan) -> EnergyRow:
    found, parts = token_j(p), factors(p, base)
    power = power_fact(p.scenario.machine)
    low, high = power_range(power)
    return EnergyRow(
        plan=p,
        token_j=found,
        low_j=found * low / (1.0 + p.band.p90),
        high_j=found * high / (1.0 - p.band.p90) if p.band.p90 < 1.0 else math.inf,
        energy_ratio=token_j(base) / found,
        speed_ratio=_speed(p) / _speed(base),
        sheet_ratio=parts["chip"] * parts["format"],
        factors=parts,
    )


def _speed(p: Plan) -> float:
    """Return tokens a second of a chip, failures included."""
    return float(p.scenario.tokens / p.run.chip_s)


def power_fact(machine: Machine) -> Fact:
    """Return how the power of a chip with its share of the machine is known."""
    return machine.facts["it_power_per_chip_w"]


def power_range(fact: Fact) -> tuple[float, float]:
    """Return the ends of a fact's range and of its rivals over its value; 1 and 1 where none is known."""
    said = [fact.value, fact.low, fact.high, *(rival.value for rival in fact.rivals)]
    known = [float(one) for one in said if one is not None]
    return min(known) / float(fact.value), max(known) / float(fact.value)


def power_basis(machine: Machine) -> str:
    """Return how a machine's power is known: the weaker kind of its own figure and its chip's TDP."""
    kinds = (power_fact(machine).kind, machine.chip.facts["tdp_w"].kind)
    order = ("assumed", "estimated", "derived", "spec", "measured")
    return min(kinds, key=order.index)


def sheet(chips: Mapping[str, Chip], base: str) -> list[dict[str, Any]]:
    """Return what datasheets say: dense peak a watt of TDP by format, and its ratio to the baseline's."""
    return [_sheet_row(chip, chips[base]) for chip in chips.values()]


def _sheet_row(chip: Chip, base: Chip) -> dict[str, Any]:
    own, theirs = _per_watt(chip), _per_watt(base)
    return {
        "chip": chip.id,
        "tdp_w": chip.tdp_w,
        "tdp_kind": chip.facts["tdp_w"].kind,
        "flop_per_j": own,
        "ratio": {d: own[d] / theirs[d] if own[d] and theirs[d] else None for d in SHEET},
        "best_ratio": max(filter(None, own.values())) / max(filter(None, theirs.values())),
    }


def _per_watt(chip: Chip) -> dict[str, Any]:
    found: dict[str, Any] = {d: None for d in SHEET}
    found |= {d: chip.peak_flop_per_s(d) / chip.tdp_w for d in SHEET if d in chip.dtypes}
    return found if found["bf16"] else {**found, "bf16": sixteen_bit(chip) / chip.tdp_w}
