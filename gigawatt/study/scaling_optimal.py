"""The best size and tokens for a compute by each law side by side, under constraints, with a recipe."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gigawatt.errors import InputError
from gigawatt.scaling import (
    DEFAULT_LAW,
    Law,
    Split,
    band,
    draws_of,
    effective_params,
    effective_tokens,
    equal_flop,
    frontier_nats,
    law,
    laws_of,
    loss_nats,
    optimal_split,
    outside,
    params_for_tokens,
    point_of,
    power_law,
    published_split,
    repeated_nats,
    repeating_split,
    served_split,
)
from gigawatt.study.scaling_compute import (
    MAX_FLOP,
    MIN_FLOP,
    Compute,
    Wish,
    batches,
    cheapest_machine,
    given_compute,
    machine_compute,
)
from gigawatt.study.scenario import loss_law

Band = tuple[float, float]
FEW_EPOCHS, MANY_EPOCHS = 4.0, 10.0  # nearly as good as new; beyond what the law of repetition was fitted for
MOST = 1e30  # of parameters or tokens: beyond, a unit was confused


@dataclass(frozen=True, kw_only=True, slots=True)
class ByLaw:
    """The best split by one law; a band of None is not published."""

    law: Law
    split: Split
    loss_nats: float  # nan where the law gives none
    params_band: Band | None
    tokens_band: Band | None
    ratio_band: Band | None
    loss_band: Band | None
    orders: float  # beyond its runs; nan where they are not known
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Fixed:
    """A size that was given, at the compute."""

    split: Split
    loss_nats: float
    over_nats: float  # above the best loss
    best_flop: float  # with which the best size reaches the same loss


@dataclass(frozen=True, kw_only=True, slots=True)
class Repeated:
    """The best split where only so many tokens are different."""

    unique_tokens: float
    split: Split
    epochs: float
    worth_tokens: float
    worth_params: float
    loss_nats: float
    over_nats: float  # above the best loss with new tokens


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """The split with the loss of the compute-optimal one and the least flop of training and serving."""

    inference_tokens: float
    split: Split
    loss_nats: float
    total_flop: float
    optimal_total_flop: float  # of the compute-optimal model, served as much

    @property
    def saved(self) -> float:
        return 1.0 - self.total_flop / self.optimal_total_flop


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """A learning rate, or a batch in tokens, by one law."""

    law: Law
    value: float
    orders: float  # beyond its runs; nan where they are not known
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Optimal:
    """The answer: the compute, the best split by each law, and what constraints make of the chosen one."""

    law: Law
    compute: Compute
    rows: tuple[ByLaw, ...]  # the chosen law first
    fixed: Fixed | None
    repeated: Repeated | None
    served: Served | None
    rates: tuple[Recipe, ...]
    batches: tuple[Recipe, ...]

    @property
    def best(self) -> ByLaw:
        return self.rows[0]


def optimal(
    *,
    compute_flop: float | None = None,
    on: str | None = None,
    chips: int | None = None,
    days: float | None = None,
    budget_usd: float | None = None,
    mfu: float | None = None,
    dtype: str | None = None,
    batch_tokens: float | None = None,
    by: str = DEFAULT_LAW,
    params: float | None = None,
    unique_tokens: float | None = None,
    inference_tokens: float | None = None,
) -> Optimal:
    """Return the best size and tokens for a compute: given, or what a machine does in some days or for money.

    Raises: InputError for what cannot be read; UnknownFactError where the machine's rent or failures are not
    known; NothingFeasibleError when no model fits the machine.
    """
    chosen = law(loss_law(by))
    refuse_mixture(chosen)
    wish = Wish(days=days, budget_usd=budget_usd, mfu=mfu, dtype=dtype, batch_tokens=batch_tokens)
    _refuse(compute_flop, on, wish, chips=chips)
    _refuse_amounts(params=params, unique_tokens=unique_tokens, inference_tokens=inference_tokens)
    if compute_flop is not None:
        compute = given_compute(compute_flop)
    else:
        machine = on if on is not None else cheapest_machine(budget_usd or 0.0)
        compute = machine_compute(machine, wish, by=chosen, chips=chips)
    flop = compute.flop
    best = by_law(chosen, flop)
    size, tokens = float(best.split.params), float(best.split.tokens)
    others = [one for one in laws_of("loss", "frontier").values() if one.id != chosen.id and _splits(one)]
    return Optimal(
        law=chosen,
        compute=compute,
        rows=(best, *(by_law(one, flop) for one in others)),
        fixed=None if params is None else _fixed(params, flop, by=chosen),
        repeated=None if unique_tokens is None else _repeated(unique_tokens, flop, by=chosen),
        served=None if inference_tokens is None else _served(inference_tokens, best),
        rates=_recipes(
            {
                id: float(power_law(one, params=size, tokens=tokens, compute_flop=flop))
                for id, one in laws_of("rate").items()
            },
            size,
            tokens,
        ),
        batches=_recipes(batches(size, tokens, loss=best.loss_nats), size, tokens),
    )


def _splits(one: Law) -> bool:
    """Return whether a law counts compute by the parameters that it counts."""
    return one.flop in ("6ND", "MD")


def refuse_mixture(one: Law) -> None:
    """Refuse a law whose C is not 6ND of its own N.

    Raises: InputError.
    """
    if not _splits(one):
        raise InputError(
            f"law = {one.id!r} counts all parameters of a mixture of experts, so C is not 6ND; "
            "choose a dense law"
        )


def _refuse(flop: float | None, on: str | None, wish: Wish, *, chips: int | None) -> None:
    given = {"compute": flop, "days": wish.days, "budget": wish.budget_usd}
    for name, value in {**given, "mfu": wish.mfu, "batch": wish.batch_tokens}.items():
        if value is not None and not (value > 0 and math.isfinite(value)):
            raise InputError(f"{name} = {value!r} is not a number above 0")
    if flop is not None:
        extra = {**given, "on": on, "chips": chips, "mfu": wish.mfu, "compute": None}
        more = [name for name, value in extra.items() if value is not None]
        if more:
            raise InputError(f"compute says how much there is already; leave out --{more[0]}")
        if not MIN_FLOP <= flop <= MAX_FLOP:
            raise InputError(
                f"compute = {flop:g} is not in {MIN_FLOP:g} .. {MAX_FLOP:g} flop; write e.g. 1e26"
            )
    elif wish.days is None and wish.budget_usd is None:
        raise InputError("give --compute 1e26, --on MACHINE --days 90, or --budget 1B$")
    elif on is None and wish.budget_usd is None:
        raise InputError(f"days = {wish.days:g} is of a machine; give --on MACHINE with it")
    elif on is None and (chips is not None or wish.days is not None):
        raise InputError("--budget without a machine takes neither --days nor --chips; give --on MACHINE")
    if wish.mfu is not None and wish.mfu >= 1:
        raise InputError(f"mfu = {wish.mfu:g} is not a fraction below 1; write e.g. 0.4")


def _refuse_amounts(**given: float | None) -> None:
    for name, value in given.items():
        if value is not None and not 1 <= value <= MOST:
            raise InputError(f"{name} = {value!r} is not a count of 1 to {MOST:g}")


def by_law(one: Law, flop: float) -> ByLaw:
    """Return the best split of a compute by a law of the loss or of the frontier."""
    draws = draws_of(one)
    split = optimal_split(flop, by=one) if one.kind == "loss" else published_split(one, flop)
    spread = None if draws is None else optimal_split(flop, by=draws)
    far = outside(one, **{**point_of(float(split.params), float(split.tokens)), "flop": flop})
    return ByLaw(
        law=one,
        split=split,
        loss_nats=float(frontier_nats(flop, by=one)) if one.kind == "loss" else math.nan,
        params_band=None if spread is None else band(spread.params),
        tokens_band=None if spread is None else band(spread.tokens),
        ratio_band=None if spread is None else band(spread.tokens_per_param),
        loss_band=None if draws is None else band(frontier_nats(flop, by=draws)),
        orders=far.orders if one.box else math.nan,
        note=far.text,
    )


def _fixed(params: float, flop: float, *, by: Law) -> Fixed:
    if flop / 6.0 / params < 1:
        raise InputError(f"params = {params:g} leaves {flop:.3g} flop less than one token; write e.g. 70B")
    loss, best_flop = equal_flop(params, flop, by=by)
    return Fixed(
        split=Split(params=params, tokens=flop / 6.0 / params),
        loss_nats=loss,
        over_nats=loss - float(frontier_nats(flop, by=by)),
        best_flop=best_flop,
    )


def _repeated(unique: float, flop: float, *, by: Law) -> Repeated:
    split = repeating_split(flop, unique, by=by)
    loss = float(repeated_nats(split, unique, by=by))
    return Repeated(
        unique_tokens=unique,
        split=split,
        epochs=max(float(split.tokens) / unique, 1.0),
        worth_tokens=float(effective_tokens(split.tokens, unique)),
        worth_params=float(effective_params(split.params, params_for_tokens(unique, by=by))),
        loss_nats=loss,
        over_nats=loss - float(frontier_nats(flop, by=by)),
    )


def _served(tokens: float, best: ByLaw) -> Served:
    split = served_split(best.loss_nats, tokens, by=best.law)

    def total(one: Split) -> float:
        return float(one.compute_flop + 2.0 * one.params * tokens)

    return Served(
        inference_tokens=tokens,
        split=split,
        loss_nats=float(loss_nats(split.params, split.tokens, by=best.law)),
        total_flop=total(split),
        optimal_total_flop=total(best.split),
    )


def _recipes(values: dict[str, float], params: float, tokens: float) -> tuple[Recipe, ...]:
    point, found = point_of(params, tokens), []
    for id, value in values.items():
        one = law(id)
        far = outside(one, **point)
        found.append(Recipe(law=one, value=value, orders=far.orders if one.box else math.nan, note=far.text))
    return tuple(found)
