"""What moved between two sets of predictions, and of which kind the move is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from tests.gate.predictions import NUMBERS, Row

TOLERANCE = 1e-4  # below, a platform's rounding; above, a change of the model

Kind = Literal["REGRESSION", "DRIFT", "GAIN", "ROWS"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One row that is not what it was."""

    kind: Kind
    id: str
    what: str


def differences(old: dict[str, Row], new: dict[str, Row]) -> list[Difference]:
    """Return what moved, the worst kind first."""
    found = [Difference(kind="ROWS", id=id, what="is gone") for id in old if id not in new]
    found += [Difference(kind="ROWS", id=id, what="is new") for id in new if id not in old]
    found += [d for id in old if id in new for d in _moved(old[id], new[id])]
    order = ("REGRESSION", "DRIFT", "GAIN", "ROWS")
    return sorted(found, key=lambda d: (order.index(d.kind), d.id))


def _moved(old: Row, new: Row) -> list[Difference]:
    if old["status"] != new["status"]:
        kind: Kind = "GAIN" if new["status"] == "ok" else "REGRESSION" if old["status"] == "ok" else "DRIFT"
        return [Difference(kind=kind, id=old["id"], what=f"{old['status']} -> {new['status']}")]
    ratios = {name: _ratio(old[name], new[name]) for name in NUMBERS}
    told = [f"{name} x {ratio:.5g}" for name, ratio in ratios.items() if not abs(ratio - 1.0) <= TOLERANCE]
    if told and old["layout"] != new["layout"]:
        told.append(f"{old['layout']} -> {new['layout']}")
    return [Difference(kind="DRIFT", id=old["id"], what=", ".join(told))] if told else []


def _ratio(old: str, new: str) -> float:
    """Return new over old; what is unknown in both has not moved."""
    if old == new:
        return 1.0
    before, after = float(old or "nan"), float(new or "nan")
    return after / before if before else math.inf


def table(found: list[Difference]) -> str:
    """Return the differences as text, with the counts of each kind on top."""
    kinds = [d.kind for d in found]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    return "\n".join([counts, *(f"{d.kind:<10} {d.id}: {d.what}" for d in found)])
