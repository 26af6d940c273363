"""The best split of a compute as one JSON-ready document."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gigawatt.scaling import law
from gigawatt.study.document import known
from gigawatt.study.envelope import digest_of, envelope
from gigawatt.study.scaling_compute import MOST_DAYS, Compute, Rate, dense_models
from gigawatt.study.scaling_optimal import (
    FEW_EPOCHS,
    MANY_EPOCHS,
    Band,
    ByLaw,
    Optimal,
    Recipe,
)

SCHEMA = "gigawatt/scaling-optimal/1"
NEAR = 1.3  # times the size: within it, the planned model stands for the best one


def optimal_document(found: Optimal) -> dict[str, Any]:
    """Return the versioned envelope of a best split; null is what is not known or not published."""
    inputs = {
        "law": found.law.id,
        "compute_flop": found.compute.flop,
        "how": found.compute.how,
        "machine": found.compute.rate.machine.id if found.compute.rate else None,
        "params": float(found.fixed.split.params) if found.fixed else None,
        "unique_tokens": found.repeated.unique_tokens if found.repeated else None,
        "inference_tokens": found.served.inference_tokens if found.served else None,
    }
    told = envelope(
        SCHEMA,
        inputs=inputs,
        provenance={"digest": digest_of(inputs)},
        warnings=_warnings(found),
        result={
            "compute": compute_of(found.compute),
            "laws": [_law_row(row, found) for row in found.rows],
            "fixed": _fixed(found),
            "repeated": _repeated(found),
            "served": _served(found),
            "rates": _recipes(found.rates, note=_disagreement()),
            "batches": _recipes(found.batches, note=""),
        },
    )
    plain: dict[str, Any] = known(told)
    return plain


def compute_of(compute: Compute) -> dict[str, Any]:
    """Return how much compute there is, and the run behind it."""
    rate = compute.rate
    return {
        "flop": compute.flop,
        "how": compute.how,
        "days": compute.days,
        "cost_usd": compute.cost_usd,
        "run": None if rate is None else rate_of(rate),
    }


def rate_of(rate: Rate) -> dict[str, Any]:
    """Return what a machine does, and by the plan of which model."""
    return {
        "machine": rate.machine.id,
        "machine_name": rate.machine.name,
        "chip": rate.machine.chip.id,
        "chips": rate.machine.chips,
        "of_chips": rate.of_chips,
        "dtype": rate.dtype,
        "model": rate.model or None,
        "model_params": rate.params,
        "batch_tokens": rate.batch_tokens,
        "mfu": rate.mfu,
        "mfu_convention": "6ND over the dense datasheet peak, failures not counted",
        "goodput": rate.goodput,
        "flop_per_s": rate.flop_per_s,
        "facility_w": rate.facility_w,
        "usd_per_s": rate.usd_per_s,
    }


def _ends(found: Band | None) -> dict[str, float] | None:
    return None if found is None else {"p10": found[0], "p90": found[1]}


def _law_row(row: ByLaw, found: Optimal) -> dict[str, Any]:
    return {
        "id": row.law.id,
        "name": row.law.name,
        "kind": row.law.kind,
        "params_counted": row.law.params,
        "flop_counted": row.law.flop,
        "text": row.law.text,
        "same_text": row.law.text == found.law.text,
        "status": row.law.status,
        "params": float(row.split.params),
        "tokens": float(row.split.tokens),
        "tokens_per_param": float(row.split.tokens_per_param),
        "loss_nats": row.loss_nats,
        "params_band": _ends(row.params_band),
        "tokens_band": _ends(row.tokens_band),
        "tokens_per_param_band": _ends(row.ratio_band),
        "loss_band": _ends(row.loss_band),
        "orders_outside": row.orders,
        "note": row.note,
    }


def _fixed(found: Optimal) -> dict[str, Any] | None:
    one = found.fixed
    return None if one is None else {
        "params": float(one.split.params),
        "tokens": float(one.split.tokens),
        "tokens_per_param": float(one.split.tokens_per_param),
        "loss_nats": one.loss_nats,
        "over_nats": one.over_nats,
        "best_flop": one.best_flop,
        "flop_over_best": found.compute.flop / one.best_flop,
    }  # fmt: skip


def _repeated(found: Optimal) -> dict[str, Any] | None:
    one = found.repeated
    return None if one is None else {
        "unique_tokens": one.unique_tokens,
        "params": float(one.split.params),
        "tokens": float(one.split.tokens),
        "epochs": one.epochs,
        "worth_tokens": one.worth_tokens,
        "worth_params": one.worth_params,
        "loss_nats": one.loss_nats,
        "over_nats": one.over_nats,
    }  # fmt: skip


def _served(found: Optimal) -> dict[str, Any] | None:
    one = found.served
    return None if one is None else {
        "inference_tokens": one.inference_tokens,
        "params": float(one.split.params),
        "tokens": float(one.split.tokens),
        "tokens_per_param": float(one.split.tokens_per_param),
        "loss_nats": one.loss_nats,
        "training_flop": float(one.split.compute_flop),
        "total_flop": one.total_flop,
        "optimal_total_flop": one.optimal_total_flop,
        "saved": one.saved,
    }  # fmt: skip


def _disagreement() -> str:
    """Return what is published of learning rates and not computed."""
    one = law("bjorck-2024")
    return f"{one.name} is not computed: {one.note}"


def _recipes(found: Sequence[Recipe], *, note: str) -> dict[str, Any]:
    values = [one.value for one in found]
    return {
        "by_law": [
            {
                "id": one.law.id,
                "name": one.law.name,
                "kind": one.law.kind,
                "value": one.value,
                "orders_outside": one.orders,
                "note": one.note,
            }
            for one in found
        ],
        "spread": max(values) / min(values),
        "note": note,
    }


def _warnings(found: Optimal) -> list[dict[str, str]]:
    told = []
    if found.best.note:
        told.append({"code": "outside_runs", "message": found.best.note})
    if found.best.params_band is None:
        told.append({"code": "no_band", "message": f"no band is published for {found.law.name}"})
    rate = found.compute.rate
    if rate is not None:
        told += _machine_warnings(rate, float(found.best.split.params))
    if found.compute.days > MOST_DAYS:
        message = f"the run lasts {found.compute.days:,.0f} days; a larger machine spends the same sooner"
        told.append({"code": "long_run", "message": message})
    given = {"params": found.fixed, "unique tokens": found.repeated, "inference tokens": found.served}
    apart = [name for name, one in given.items() if one is not None]
    if len(apart) > 1:
        message = f"{', '.join(apart)}: each is taken alone, the others as if they were not given"
        told.append({"code": "taken_alone", "message": message})
    repeated = found.repeated
    if repeated is not None and repeated.epochs > FEW_EPOCHS:
        many = repeated.epochs > MANY_EPOCHS
        tail = (
            f": beyond about {MANY_EPOCHS:.0f} real runs overfit, and this law cannot; take it as a bound"
            if many
            else f": up to about {FEW_EPOCHS:.0f} are nearly as good as new tokens"
        )
        told.append({"code": "epochs", "message": f"each token is seen {repeated.epochs:.1f} times{tail}"})
    return told


def _machine_warnings(rate: Rate, params: float) -> list[dict[str, str]]:
    told = []
    if not rate.machine.shipping:
        message = f"{rate.machine.id!r} is announced, not shipping"
        told.append({"code": "machine_not_shipping", "message": message})
    if rate.machine.chips < rate.of_chips:
        message = (
            f"{rate.machine.chips:,} of the {rate.of_chips:,} chips are used, and paid for: with this batch "
            "and these failures more would do no more, or no layout divides them"
        )
        told.append({"code": "part_of_machine", "message": message})
    if rate.model and abs(math.log(rate.params / params)) > math.log(NEAR):
        largest = max(dense_models().values())
        why = "the largest dense one of the catalogue" if rate.params == largest else "the nearest that fits"
        message = (
            f"the layout is that of {rate.model}, {rate.params / 1e9:,.0f} billion parameters, {why}; the "
            f"best size is {params / rate.params:.2g} times that"
        )
        told.append({"code": "other_size", "message": message})
    return told
