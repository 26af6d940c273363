"""How much compute a machine gives: the planner's own search of a dense model of about the best size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import median

from gigawatt.catalog.machines import machine_ids
from gigawatt.catalog.models import find_model, model_ids
from gigawatt.catalog.records import Machine
from gigawatt.errors import InputError, NothingFeasibleError, UnknownFactError
from gigawatt.scaling import (
    Law,
    critical_batch_tokens,
    laws_of,
    loss_nats,
    optimal_split,
    power_law,
)
from gigawatt.study.plan import Plan, plan
from gigawatt.study.run import DAY_S, goodput_of, peak_flop_per_s
from gigawatt.study.scenario import MAX_TOKENS, checked_dtype, named_machine
from gigawatt.workload.params import params

FIRST_MFU = 0.4  # only where the search for the size starts
ROUNDS = 5  # of size, layout, compute, size; two or three are the rule
DTYPES = ("bf16", "fp16")  # the first that the chip computes in, where none is said
SEQ_TOKENS = 4096  # where no recipe of the model is published
USUAL_DAYS, MOST_DAYS = 90.0, 365.0
MIN_FLOP, MAX_FLOP = 1e12, 1e35
LONGEST_DAYS = 36525.0  # a century: beyond, a unit was confused


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """What a machine does for training, failures counted, in 6ND flop a second; and what it takes."""

    machine: Machine  # the part of it that is used
    of_chips: int  # of the whole machine
    model: str  # the dense model that was planned; empty when the MFU was given
    params: float  # its size
    batch_tokens: float
    dtype: str
    mfu: float  # 6ND over the dense peak, without failures
    goodput: float
    flop_per_s: float  # 6ND, goodput counted
    usd_per_s: float  # rent; nan where it is not known
    facility_w: float  # at the meter while training; nameplate when the MFU was given


@dataclass(frozen=True, kw_only=True, slots=True)
class Compute:
    """How much compute there is, and where from."""

    flop: float
    how: str  # given, machine or budget
    rate: Rate | None
    days: float  # nan when the compute was given
    cost_usd: float


def given_compute(flop: float) -> Compute:
    """Return a compute that the user said."""
    return Compute(flop=flop, how="given", rate=None, days=math.nan, cost_usd=math.nan)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What is said of the run on a machine; None is not said."""

    days: float | None = None
    budget_usd: float | None = None
    mfu: float | None = None
    dtype: str | None = None
    batch_tokens: float | None = None


def machine_compute(on: str, wish: Wish, *, by: Law, chips: int | None = None) -> Compute:
    """Return what a machine computes in some days, or for some money; the size of the model follows it.

    With days and money, as many chips are taken as the money pays for. Where a machine is larger than its
    batch and its failures let it use, the part is taken that does most: halves are tried until one does less.
    Raises: InputError; UnknownFactError where the rent is not known and money is asked; NothingFeasibleError.
    """
    machine = named_machine(on, chips=chips)
    rent = rent_usd_per_s(machine)
    if wish.budget_usd is not None and math.isnan(rent):
        raise UnknownFactError(f"no rent of a chip is known for {machine.id!r}; give --days, not --budget")
    if wish.days is not None and wish.budget_usd is not None:
        machine = _paid_part(on, machine, chips=wish.budget_usd / (rent * wish.days * DAY_S))
    _refuse_span(on, _wall_s(wish, machine) / DAY_S, wish=wish)
    flop: float = (
        FIRST_MFU * machine.chips * peak_flop_per_s(machine, _dtype(wish, machine)) * _wall_s(wish, machine)
    )
    seen: set[object] = set()
    for _ in range(ROUNDS):
        rate = _rate_for(flop, on=on, machine=machine, wish=wish, by=by)
        used_s = _wall_s(wish, rate.machine)
        flop = rate.flop_per_s * used_s
        key = (rate.model, rate.machine.chips, rate.batch_tokens, round(rate.goodput, 6))
        if key in seen:
            break
        seen.add(key)
    if not MIN_FLOP <= flop <= MAX_FLOP:
        raise InputError(f"{on!r} would do {flop:.2g} flop, which is not in {MIN_FLOP:g} .. {MAX_FLOP:g}")
    how = "budget" if wish.budget_usd is not None else "machine"
    return Compute(flop=flop, how=how, rate=rate, days=used_s / DAY_S, cost_usd=rate.usd_per_s * used_s)


def _refuse_span(on: str, days: float, *, wish: Wish) -> None:
    if days <= LONGEST_DAYS:
        return
    what = f"days = {days:g}"
    if wish.days is None:
        what = f"budget = {wish.budget_usd:g} USD rents {on!r} for {days:.2g} days, which"
    raise InputError(f"{what} is over {LONGEST_DAYS:g}, a century; write less, e.g. --days 90")


def _dtype(wish: Wish, machine: Machine) -> str:
    return usual_dtype(machine) if wish.dtype is None else checked_dtype(wish.dtype, machine)


def usual_dtype(machine: Machine) -> str:
    """Return the 16-bit format that a machine's chips compute in; bf16 where they do in neither."""
    return next((name for name in DTYPES if name in machine.chip.dtypes), DTYPES[0])


def _wall_s(wish: Wish, machine: Machine) -> float:
    if wish.days is not None:
        return wish.days * DAY_S
    return (wish.budget_usd or 0.0) / (rent_usd_per_s(machine) * machine.chips)


def _paid_part(on: str, machine: Machine, *, chips: float) -> Machine:
    """Return the whole servers of a machine that a number of chips pays for; all where it pays for more."""
    if chips >= machine.chips:
        return machine
    node = machine.chips_per_node
    if chips < node:
        raise InputError(f"budget pays for {chips:.2g} chips of {on!r} over the days; one server has {node}")
    return named_machine(on, chips=int(chips // node * node))


def _rate_for(flop: float, *, on: str, machine: Machine, wish: Wish, by: Law) -> Rate:
    """Return the rate for the size of model that is best for a compute."""
    best = optimal_split(flop, by=by)
    size, tokens = float(best.params), min(float(best.tokens), MAX_TOKENS)
    batch = wish.batch_tokens or middle_batch(size, tokens, by=by)
    dtype = _dtype(wish, machine)
    if wish.mfu is not None:
        return _given_rate(
            machine, mfu=wish.mfu, params=size, dtype=_dtype(wish, machine), batch_tokens=batch
        )
    return best_part(on, machine.chips, params=size, batch_tokens=batch, dtype=dtype)


MORE = 0.02  # what a smaller part must do more to be taken: below, rounding of layouts decides


def best_part(on: str, chips: int, *, params: float, batch_tokens: float, dtype: str) -> Rate:
    """Return the rate of all chips, or of the round number of them below that does more.

    Round are powers of two and three times such; three in a row that do less end the search.
    """
    best = planned_rate(on, chips, params=params, batch_tokens=batch_tokens, dtype=dtype)
    worse = 0
    for fewer in _round_below(best.machine.chips):
        try:
            part = planned_rate(on, fewer, params=params, batch_tokens=batch_tokens, dtype=dtype)
        except NothingFeasibleError:
            break
        better = part.flop_per_s > best.flop_per_s * (1.0 + MORE)
        best, worse = (part, 0) if better else (best, worse + 1)
        if worse == 3:
            break
    return best


def _round_below(chips: int) -> list[int]:
    """Return the round numbers of chips below a number, down to 1,024, the largest first.

    >>> _round_below(5000)
    [4096, 3072, 2048, 1536, 1024]
    """
    powers = [1 << k for k in range(9, chips.bit_length())]
    found = {n for p in powers for n in (2 * p, 3 * p)}
    return sorted((n for n in found if 1024 <= n < chips), reverse=True)


def middle_batch(params: float, tokens: float, *, by: Law) -> float:
    """Return the median of the batches that published laws give for a run, in tokens.

    Definition: the median over the laws of kind `batch` and `critical_batch`.
    """
    return median(batches(params, tokens, loss=float(loss_nats(params, tokens, by=by))).values())


def batches(params: float, tokens: float, *, loss: float) -> dict[str, float]:
    """Return the batch in tokens by each law that gives one."""
    flop = 6.0 * params * tokens
    return {
        id: float(
            critical_batch_tokens(loss)
            if one.form == "of_loss"
            else power_law(one, params=params, tokens=tokens, compute_flop=flop)
        )
        for id, one in laws_of("batch", "critical_batch").items()
    }


@lru_cache(maxsize=1)
def dense_models() -> dict[str, float]:
    """Return the total parameters of the catalogue's dense models by id."""
    models = {id: params(find_model(id)) for id in model_ids()}
    return {id: float(parts.total) for id, parts in models.items() if not parts.inactive}


def nearest_models(size: float) -> list[str]:
    """Return the dense models of the catalogue, the nearest in ratio of size first."""
    models = dense_models()
    return sorted(models, key=lambda id: (abs(math.log(models[id] / size)), id))


def planned_rate(on: str, chips: int, *, params: float, batch_tokens: float, dtype: str) -> Rate:
    """Return what the planner's best layout of the nearest dense model does on a part of a machine.

    A model that does not fit gives way to the next smaller one.
    Raises: NothingFeasibleError where none does.
    """
    nearest = nearest_models(params)[0]
    smaller = [id for id, size in sorted(dense_models().items(), key=lambda x: -x[1])
               if size < dense_models()[nearest]]  # fmt: skip
    for id in (nearest, *smaller[::4]):
        try:
            return _rate_of(_planned(id, on=on, chips=chips, batch_tokens=batch_tokens, dtype=dtype), on)
        except NothingFeasibleError as error:
            last = error
        except InputError as error:  # a recipe that is not published
            last = NothingFeasibleError(str(error), {})
    raise last


@lru_cache(maxsize=256)
def _planned(model: str, *, on: str, chips: int, batch_tokens: float, dtype: str) -> Plan:
    recipe = find_model(model).recipe
    seq = int(float(recipe["seq_tokens"].value)) if "seq_tokens" in recipe else SEQ_TOKENS
    sequences = 2 ** max(round(math.log2(batch_tokens / seq)), 0)
    return plan(
        model,
        on=on,
        chips=chips,
        tokens=max(1e12, float(sequences * seq)),
        seq_tokens=seq,
        batch_sequences=sequences,
        dtype=dtype,
        top=1,
    )


def _rate_of(found: Plan, on: str) -> Rate:
    machine, size = found.scenario.machine, float(params(found.scenario.model).total)
    plain = 6.0 * size * found.use.tokens_per_s
    goodput = float(found.run.lost.useful)
    return Rate(
        machine=machine,
        of_chips=named_machine(on, chips=None).chips,
        model=found.scenario.model.id,
        params=size,
        batch_tokens=float(found.scenario.job.batch_tokens),
        dtype=found.scenario.job.dtype,
        mfu=plain / (machine.chips * peak_flop_per_s(machine, found.scenario.job.dtype)),
        goodput=goodput,
        flop_per_s=plain * goodput,
        usd_per_s=rent_usd_per_s(machine) * machine.chips,
        facility_w=found.run.facility_energy_j / found.run.wall_s,
    )


def _given_rate(machine: Machine, *, mfu: float, params: float, dtype: str, batch_tokens: float) -> Rate:
    peak = machine.chips * peak_flop_per_s(machine, dtype)
    goodput = goodput_of(machine, params)
    if math.isnan(goodput):
        raise UnknownFactError(f"the failures of {machine.id!r} are not known, so its goodput is not")
    power = machine.facts.get("it_power_per_chip_w")
    watts = math.nan if power is None or isinstance(power.value, str) else power.value
    return Rate(
        machine=machine,
        of_chips=machine.chips,
        model="",
        params=params,
        batch_tokens=batch_tokens,
        dtype=dtype,
        mfu=mfu,
        goodput=goodput,
        flop_per_s=peak * mfu * goodput,
        usd_per_s=rent_usd_per_s(machine) * machine.chips,
        facility_w=watts * machine.chips * machine.site.pue,
    )


def rent_usd_per_s(machine: Machine) -> float:
    """Return the rent of one chip; nan where it is not known."""
    fact = machine.facts.get("rent_usd_per_s")
    return math.nan if fact is None or isinstance(fact.value, str) else float(fact.value)


def cheapest_machine(budget_usd: float) -> str:
    """Return the machine with the least rent for its datasheet peak that uses the money within a year.

    Of machines of equal price, the one on which the money lasts nearest to 90 days.
    Raises: UnknownFactError when the money lasts longer on all whose rent is known.
    """
    known: dict[str, tuple[float, float]] = {}
    for id in machine_ids():
        try:
            found = named_machine(id, chips=None)
            price = rent_usd_per_s(found) / peak_flop_per_s(found, usual_dtype(found))
        except (InputError, UnknownFactError):
            continue
        days = budget_usd / (rent_usd_per_s(found) * found.chips * DAY_S)
        if found.shipping and days <= MOST_DAYS:  # neither holds for an unknown rent
            known[id] = (price, abs(math.log(days / USUAL_DAYS)))
    if not known:
        raise UnknownFactError("no machine with a known rent uses the budget in a year; give --on")
    least = min(price for price, _ in known.values()) * (1.0 + 1e-9)
    return min((id for id in known if known[id][0] <= least), key=lambda id: known[id][1])
