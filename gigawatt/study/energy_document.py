"""Energy at equal work as one JSON-ready document: rows, their factors, datasheets, and a sentence each."""

from __future__ import annotations

import math
from typing import Any

from gigawatt.study.compare_document import JOB
from gigawatt.study.document import inputs_of, known, layout_of, warnings_of
from gigawatt.study.energy import FACTORS, GUESSED, Energy, EnergyRow, power_basis, power_fact, sheet
from gigawatt.study.envelope import envelope
from gigawatt.study.run import DAY_S, HOUR_S
from gigawatt.units import figures

SCHEMA = "gigawatt/energy/1"
CLOSE = 1.02  # a factor nearer to 1 than this is not told
TOLD = 3


def energy_document(found: Energy) -> dict[str, Any]:
    """Return the versioned envelope of energy at equal work; null is a number that is not known."""
    inputs = inputs_of(found.baseline.plan)
    chips = {row.plan.scenario.machine.chip.id: row.plan.scenario.machine.chip for row in found.rows}
    told = envelope(
        SCHEMA,
        inputs={
            **{name: inputs[name] for name in JOB},
            "equal": found.part.equal,
            "amount": found.part.amount,
            "dtypes": list(found.dtypes),
            "baseline": inputs["machine"],
            "baseline_dtype": inputs["dtype"],
        },
        provenance={},
        status="partial" if found.refusals else "ok",
        warnings=[w for row in found.rows for w in _warnings(row)],
        result={
            "rows": [_row(row) for row in found.rows],
            "factors": dict(FACTORS),
            "sheet": sheet(chips, inputs["chip"]),
            "why": [sentence(row, found.baseline) for row in found.rows if row is not found.baseline],
            "refused": [{"machine": r.machine, "why": r.why} for r in found.refusals],
        },
    )
    plain: dict[str, Any] = known(told)
    return plain


def _warnings(row: EnergyRow) -> list[dict[str, str]]:
    machine = row.plan.scenario.machine
    found = [w for w in warnings_of(row.plan) if w["code"] == "machine_not_shipping"]
    if power_basis(machine) in GUESSED and machine.chip.facts["tdp_w"].kind in GUESSED:
        message = f"the TDP of {machine.chip.id!r} is a third party's estimate, and the chip's share of the "
        message += f"machine is {power_fact(machine).kind}"
        found.append({"code": "power_estimated", "message": message})
    return [{"machine": machine.id, **warning} for warning in found]


def _row(row: EnergyRow) -> dict[str, Any]:
    p, machine, run = row.plan, row.plan.scenario.machine, row.plan.run
    power = power_fact(machine)
    return {
        "machine": machine.id,
        "chip": machine.chip.id,
        "chips": machine.chips,
        "dtype": p.scenario.job.dtype,
        "stack": p.scenario.stack.id,
        "layout": layout_of(p),
        "token_j": row.token_j,
        "token_low_j": row.low_j,
        "token_high_j": row.high_j,
        "facility_energy_j": run.facility_energy_j,
        "tokens_per_j": 1.0 / row.token_j,
        "tokens_per_s_per_chip": p.scenario.tokens / run.chip_s,
        "mean_facility_power_w": run.facility_energy_j / run.wall_s,
        "mfu": float(p.use.mfu),
        "goodput": float(run.lost.useful),
        "chip_hours": run.chip_s / HOUR_S,
        "days": run.wall_s / DAY_S,
        "cost_usd": run.rent_usd,
        "cost_own_usd": run.own.total_usd,
        "tdp_w": machine.chip.tdp_w,
        "tdp_kind": machine.chip.facts["tdp_w"].kind,
        "it_power_per_chip_w": run.it_power_w / machine.chips,
        "power_kind": power.kind,
        "power_where": "; ".join(text for text in (power.where, power.note) if text),
        "power_source": power.source,
        "power_basis": power_basis(machine),
        "pue": machine.site.pue,
        "band": {"p50": p.band.p50, "p90": p.band.p90, "like": p.band.like, "kernels": p.band.calibration},
        "energy_ratio": row.energy_ratio,
        "speed_ratio": row.speed_ratio,
        "sheet_ratio": row.sheet_ratio,
        "factors": dict(row.factors),
    }


def sentence(row: EnergyRow, base: EnergyRow) -> str:
    """Return how a row stands to the baseline, what makes the ratio, and what the datasheets say."""
    ratio, a, b = row.energy_ratio, name_of(row), name_of(base)
    if max(ratio, 1 / ratio) < CLOSE:
        head = f"{a} takes as much energy a token as {b}"
    else:
        head = f"{a} takes {_times(ratio)} energy a token than {b}"
    weight = {name: math.log(value) for name, value in row.factors.items()}
    most = sorted((n for n in weight if abs(weight[n]) > math.log(CLOSE)), key=lambda n: -abs(weight[n]))
    parts = ", ".join(f"{SHORT[n]} {figures(row.factors[n])}" for n in most[:TOLD])
    says = f"datasheets (peak per TDP) say {figures(row.sheet_ratio)}"
    if overlap(row, base):
        says += "; the two ranges overlap"
    return f"{head}: {parts}; {says}." if parts else f"{head}; {says}."


def overlap(row: EnergyRow, base: EnergyRow) -> bool:
    """Return whether two rows could be equal within the error of both."""
    return row.low_j < base.high_j and base.low_j < row.high_j


def name_of(row: EnergyRow) -> str:
    """Return a row's machine and format."""
    return f"{row.plan.scenario.machine.id} in {row.plan.scenario.job.dtype}"


SHORT = {
    "chip": "peak per watt of the chip x",
    "format": "number format x",
    "use": "MFU x",
    "goodput": "goodput x",
    "system": "server and network x",
    "load": "draw when training x",
    "pue": "PUE x",
}


def _times(ratio: float) -> str:
    if 0.5 < ratio < 2:
        return f"{100 * abs(1 - 1 / ratio):.0f} % {'less' if ratio > 1 else 'more'}"
    return f"{figures(ratio)} times less" if ratio > 1 else f"{figures(1 / ratio)} times more"
