"""The loss of a model of the catalogue: which parameters a law counts, and what a mixture counts as."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from gigawatt.catalog.records import Model
from gigawatt.scaling import (
    Law,
    LossEstimate,
    law,
    loss_band,
    outside,
    predict_loss,
    routed_params,
    tokens_for_loss,
)
from gigawatt.units import Count
from gigawatt.units import format as fmt
from gigawatt.workload.params import ParamCount, params

ROUTING = "clark-2022"
OF_MIXTURES = "krajewski-2024"  # the one law of the loss whose runs are mixtures of experts


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """The N that a law is given for a model, and what was assumed on the way."""

    params: float
    note: str  # empty where nothing was


def counted_params(model: Model, by: Law) -> Counted:
    """Return the parameters of a model as a law counts them.

    A mixture of experts counts as the dense model that Clark's law says it equals, where that law's runs
    are; elsewhere as a dense model of its active parameters, and the note says both figures.
    """
    parts = params(model)
    if by.id == OF_MIXTURES:
        told = f"{by.name} is of 64 experts at granularity 1 and counts all parameters"
        dense = "" if parts.inactive else ", and this model is dense"
        return Counted(params=_of(parts, by, active=False), note=told + dense)
    active = _of(parts, by, active=True)
    if not parts.inactive:
        return Counted(params=active, note="")
    experts = parts.routed_experts / (parts.routed_experts - parts.inactive)
    worth = float(routed_params(active, experts))
    far = outside(law(ROUTING), params=active, experts=experts)
    what = f"a mixture of {fmt(active, '1')} active parameters, one in {experts:.3g} experts chosen"
    if far.orders == 0:
        told = f"{what}, counts as {fmt(worth, '1')} dense ones by {law(ROUTING).name}, an assumption"
        return Counted(params=worth, note=told)
    told = f"{what}, counts as a dense model of the active ones, which is too pessimistic: {far.text}"
    return Counted(params=active, note=f"{told}; there it would count as {fmt(worth, '1')}")


def _of(parts: ParamCount, by: Law, *, active: bool) -> float:
    """Return total or active parameters less those that a law leaves out."""
    left_out = {
        "non-embedding": parts.embedding + parts.head + parts.position,
        "head": parts.position + (parts.embedding if parts.head else 0),
    }
    return float((parts.active if active else parts.total) - left_out.get(by.params, 0))


def model_loss(model: Model, tokens: Count, *, by: str) -> LossEstimate:
    """Return the loss of a model by a law, with the parameters that it counts.

    Raises: InputError for a law that is not of the loss.
    """
    counted = counted_params(model, law(by))
    found = predict_loss(counted.params, tokens, by=by)
    return dataclasses.replace(found, params=counted.params, counted=counted.note)


def model_tokens(model: Model, loss_nats: float, *, by: str) -> float:
    """Return the tokens at which a model reaches a loss; infinite where it never does."""
    return tokens_for_loss(loss_nats, counted_params(model, law(by)).params, by=by)


def band_of_loss(found: LossEstimate, tokens: float) -> tuple[float, float]:
    """Return the 80 % band of a loss; nan where none is published."""
    return loss_band(found.params, tokens, by=law(found.law)) or (math.nan, math.nan)
