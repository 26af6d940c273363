"""The registry of laws as documents: the list, and one law with all that is known of it."""

from __future__ import annotations

import dataclasses
from typing import Any

from gigawatt.catalog.load import sources
from gigawatt.scaling import KINDS, Law, draws_of, frontier_exponents, law, laws, laws_of
from gigawatt.study.envelope import envelope

SCHEMA = "gigawatt/scaling-laws/1"
LAW_KINDS = KINDS


def laws_document(id: str | None = None, *, kind: str | None = None) -> dict[str, Any]:
    """Return the versioned envelope of all laws, of one kind, or of one law.

    Raises: InputError for an id that is not known.
    """
    found = [law(id)] if id is not None else list((laws_of(kind) if kind is not None else laws()).values())
    return envelope(
        SCHEMA,
        inputs={"law": id, "kind": kind},
        provenance={},
        warnings=[],
        result={"laws": [_row(one) for one in found]},
    )


def _row(one: Law) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "kind": one.kind,
        "form": one.form,
        "constants": dict(one.constants),
        "standard_errors": dict(one.errors),
        "exponent_bands": {name: list(ends) for name, ends in one.exponent_bands.items()},
        "frontier_exponents": _exponents(one),
        "draws": 0 if (kept := draws_of(one)) is None else len(kept.A),  # type: ignore[arg-type]
        "params_counted": one.params,
        "flop_counted": one.flop,
        "unit": one.unit,
        "text": one.text,
        "runs": {name: list(ends) for name, ends in one.box.items()},
        "runs_where": one.box_where,
        "where": one.where,
        "status": one.status,
        "note": one.note,
        "sources": [dataclasses.asdict(sources()[id]) for id in one.source.split(";")],
    }


def _exponents(one: Law) -> dict[str, float] | None:
    if one.kind != "loss":
        return None
    a, b = frontier_exponents(one)
    return {"params": float(a), "tokens": float(b)}
