"""A comparison as one JSON-ready document: job, results and ledgers, and why the best machine wins."""

from __future__ import annotations

from typing import Any

from gigawatt.study.compare import Comparison
from gigawatt.study.document import inputs_of, known, layout_of, warnings_of
from gigawatt.study.envelope import envelope
from gigawatt.study.plan import Plan
from gigawatt.study.run import DAY_S, HOUR_S
from gigawatt.study.why import why

SCHEMA = "gigawatt/compare/1"
JOB = ("model", "model_name", "tokens", "seq_tokens", "batch_sequences", "batch_tokens", "by")


def compare_document(found: Comparison) -> dict[str, Any]:
    """Return the versioned envelope of a comparison; null is a number that is not known."""
    inputs = inputs_of(found.plans[0])
    told = envelope(
        SCHEMA,
        inputs={
            **{name: inputs[name] for name in JOB},
            "equal": found.equal,
            "amount": found.amount,
            "priced_by": found.priced_by,
        },
        provenance={},
        status="partial" if found.refusals else "ok",
        warnings=[
            {"machine": p.scenario.machine.id, **warning}
            for p in found.plans
            for warning in warnings_of(p)
            if warning["code"].startswith(("machine", "unknown"))
        ],
        result={
            "machines": [_row(p) for p in found.plans],
            "refused": [{"machine": r.machine, "why": r.why} for r in found.refusals],
            "why": why(found),
        },
    )
    plain: dict[str, Any] = known(told)
    return plain


def _row(p: Plan) -> dict[str, Any]:
    machine, run, use = p.scenario.machine, p.run, p.use
    return {
        "machine": machine.id,
        "machine_name": machine.name,
        "chip": machine.chip.id,
        "chips": machine.chips,
        "dtype": p.scenario.job.dtype,
        "stack": p.scenario.stack.id,
        "facility_power_w": run.it_power_w * machine.site.pue,
        "rent_usd_per_h": run.rent_usd / run.chip_s * machine.chips * HOUR_S,
        "layout": layout_of(p),
        "days": run.wall_s / DAY_S,
        "step_s": float(p.step.total_s),
        "mfu": use.mfu,
        "goodput": float(run.lost.useful),
        "interruptions": run.interruptions,
        "chip_hours": run.chip_s / HOUR_S,
        "cost_usd": run.rent_usd,
        "cost_own_usd": run.own.total_usd,
        "facility_energy_j": run.facility_energy_j,
        "co2e_kg": run.co2e_kg,
        "memory": {"total_bytes": float(p.memory.total_bytes), "limit_bytes": machine.chip.hbm_bytes},
        "band": {"p50": p.band.p50, "p90": p.band.p90},
        "ledger": [{"name": e.name, "label": e.label, "fraction": e.fraction} for e in p.ledger],
    }
