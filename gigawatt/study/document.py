"""A plan as one JSON-ready document: the terminal, the page and programs all read this."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from gigawatt.catalog import load
from gigawatt.catalog.records import Fact
from gigawatt.perf import VERDICT_TEXT, Verdict, microbatches_of
from gigawatt.search import Candidate
from gigawatt.study.envelope import digest_of, envelope
from gigawatt.study.explain import explain
from gigawatt.study.loss import band_of_loss
from gigawatt.study.plan import Plan
from gigawatt.study.run import DAY_S, HOUR_S
from gigawatt.study.scenario import peak_fact
from gigawatt.units import format as fmt

SCHEMA = "gigawatt/plan/1"

STEP_LABELS = {
    "matmul_s": "matrix products",
    "attention_s": "attention",
    "memory_bound_s": "memory-bound operators",
    "launch_s": "waiting for the host",
    "recompute_s": "recompute",
    "tp_comm_s": "tensor-parallel messages, exposed",
    "cp_comm_s": "context-parallel messages, exposed",
    "ep_comm_s": "expert-parallel messages, exposed",
    "pp_comm_s": "pipeline messages, exposed",
    "dp_comm_s": "data-parallel messages, exposed",
    "optimizer_s": "optimizer step",
    "imbalance_s": "uneven stages",
    "bubble_s": "pipeline bubble",
    "straggler_s": "stragglers",
}
MEMORY_LABELS = {
    "weights_bytes": "weights",
    "gradients_bytes": "gradients",
    "optimizer_bytes": "optimizer states",
    "activations_bytes": "activations",
    "logits_bytes": "logits",
    "buffers_bytes": "gathered weights and buffers",
    "reserve_bytes": "framework reserve",
}


def document(plan: Plan) -> dict[str, Any]:
    """Return the versioned envelope of a plan."""
    inputs = inputs_of(plan)
    told = envelope(
        SCHEMA,
        inputs=inputs,
        provenance={
            "digest": digest_of(inputs),
            "stack": plan.scenario.stack.id,
            "run": {"search_s": plan.search_s},
        },
        warnings=warnings_of(plan),
        result=result(plan),
    )
    plain: dict[str, Any] = known(told)
    return plain


def known(value: Any) -> Any:
    """Return plain JSON values, null for what is not known: JSON has no nan."""
    if isinstance(value, dict):
        return {key: known(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [known(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def inputs_of(plan: Plan) -> dict[str, Any]:
    """Return every input of a plan, resolved."""
    asked = plan.scenario
    return {
        "model": asked.model.id,
        "model_name": asked.model.name,
        "machine": asked.machine.id,
        "machine_name": asked.machine.name,
        "chip": asked.machine.chip.id,
        "chips": asked.machine.chips,
        "fabric": asked.machine.fabric,
        "site": asked.machine.site.id,
        "tokens": asked.tokens,
        "seq_tokens": asked.job.seq_tokens,
        "batch_sequences": asked.job.batch_sequences,
        "batch_tokens": asked.job.batch_tokens,
        "dtype": asked.job.dtype,
        "stack": asked.stack.id,
        "by": asked.by,
    }


def warnings_of(plan: Plan) -> list[dict[str, str]]:
    """Return what a reader must know before trusting the plan."""
    asked, found = plan.scenario, []
    if not asked.machine.shipping:
        found.append(
            {"code": "machine_not_shipping", "message": f"{asked.machine.id!r} is announced, not shipping"}
        )
    if asked.model.rumoured:
        found.append(
            {"code": "model_rumoured", "message": f"the architecture of {asked.model.id!r} is a rumour"}
        )
    if asked.model.note:
        found.append({"code": "model_note", "message": f"{asked.model.id}: {asked.model.note}"})
    for name in plan.run.unknowns:
        text = f"no {LABELS.get(name, name)} is known for {asked.machine.id!r} ({asked.machine.chip.id}): "
        text += f"{NEEDED_FOR.get(name, 'what needs it')} left out"
        found.append({"code": "unknown_fact", "message": text})
    lost = float(plan.run.lost.rework) + float(plan.run.lost.restart)
    if lost > LOST_IN_DOUBT:
        text = (
            f"failures take {100 * lost:.0f} % of the time: beyond {100 * LOST_IN_DOUBT:.0f} % such closed "
        )
        text += "forms have been 30 % off, and how a job that fails this often recovers is not published"
        found.append({"code": "failures_in_doubt", "message": text})
    if not plan.run.loss.in_range:
        found.append({"code": "loss_out_of_range", "message": plan.run.loss.note})
    if plan.run.loss.counted:
        found.append({"code": "loss_params", "message": f"loss: {plan.run.loss.counted}"})
    return found


# an analytic renewal model and an event simulation of it agreed to 1.4 % below this share (netcap)
LOST_IN_DOUBT = 0.25

NEEDED_FOR = {
    "rent_usd_per_s": "the rented cost is",
    "capex_usd_per_chip": "the owned cost is",
    "it_power_per_chip_w": "energy, carbon and the owned cost are",
}


def result(plan: Plan) -> dict[str, Any]:
    """Return what was computed."""
    use, run = plan.use, plan.run
    return {
        "mfu": use.mfu,
        "mfu_convention": "causal attention, no recompute, dense datasheet peak at the job's dtype",
        "mfu_full_attention": use.mfu_full_attention,
        "hfu": use.hfu,
        "step_s": float(plan.step.total_s),
        "steps": run.steps,
        "tokens_per_s": use.tokens_per_s,
        "tokens_per_s_per_chip": use.tokens_per_s_per_chip,
        "days": run.wall_s / DAY_S,
        "days_without_failures": run.useful_s / DAY_S,
        "chip_hours": run.chip_s / HOUR_S,
        "it_power_w": run.it_power_w,
        "it_energy_j": run.it_energy_j,
        "facility_energy_j": run.facility_energy_j,
        "cost_usd": run.rent_usd,
        "cost_own_usd": run.own.total_usd,
        "cost_own_parts": dataclasses.asdict(run.own),
        "co2e_kg": run.co2e_kg,
        "interruptions": run.interruptions,
        "mtti_s": run.mtti_s,
        "checkpoint_s": run.checkpoint_s,
        "goodput": float(run.lost.useful),
        "loss_nats": float(run.loss.loss_nats),
        "loss_law": run.loss.law,
        "loss_params": run.loss.params,
        "loss_band": dict(zip(("p10", "p90"), band_of_loss(run.loss, plan.scenario.tokens), strict=True)),
        "layout": layout_of(plan),
        "step_parts": _parts(plan.step, STEP_LABELS, "seconds", float(plan.step.total_s)),
        "memory_parts": _parts(plan.memory, MEMORY_LABELS, "bytes", None),
        "memory": {
            "total_bytes": float(plan.memory.total_bytes),
            "limit_bytes": plan.scenario.machine.chip.hbm_bytes,
        },
        "ledger": [
            {**dataclasses.asdict(e), "chip_hours": e.fraction * run.chip_s / HOUR_S} for e in plan.ledger
        ],
        "bounds": {"step_s": use.bound_s},
        "band": dataclasses.asdict(plan.band),
        "search": search_of(plan),
        "assumptions": assumptions_of(plan),
        "facts": [_fact_row(owner, f) for owner, f in facts_of(plan)],
        "sources": sources_of(plan),
        "explain": explanations(plan),
    }


def explanations(plan: Plan) -> dict[str, Any]:
    """Return the explanations, the peak rate under the name of its fact."""
    names = {"peak_flop_per_s": peak_name(plan)}
    labels = {**STEP_LABELS, **MEMORY_LABELS}
    found = {}
    for key, told in explain(plan).items():
        parts = [
            {**p, "label": labels.get(p["label"], p["label"].removesuffix("_usd"))} for p in told["parts"]
        ]
        found[key] = {**told, "facts": [names.get(name, name) for name in told["facts"]], "parts": parts}
    return found


def _parts(record: Any, labels: dict[str, str], unit: str, total: float | None) -> list[dict[str, Any]]:
    rows = []
    for name, label in labels.items():
        value = float(getattr(record, name))
        row: dict[str, Any] = {"name": name, "label": label, unit: value}
        if total:
            row["share"] = value / total
        rows.append(row)
    return rows


def layout_of(plan: Plan) -> dict[str, Any]:
    """Return the chosen layout as one flat table."""
    numbers = {f.name: int(getattr(plan.layout, f.name)) for f in dataclasses.fields(plan.layout)}
    kinds = dataclasses.asdict(plan.strategy)
    return {**numbers, "microbatches": int(microbatches_of(plan.scenario.job, plan.layout)), **kinds}


def search_of(plan: Plan) -> dict[str, Any]:
    """Return what the search saw."""
    found = plan.search
    return {
        "candidates": found.candidates,
        "priced": found.priced,
        "fit": found.counts[Verdict.OK],
        "seconds": plan.search_s,
        "verdicts": {VERDICT_TEXT[v]: n for v, n in found.counts.items()},
        "front": [_candidate_row(plan, c) for c in found.front],
        "alternatives": [_candidate_row(plan, c) for c in found.best[1:]],
    }


def _candidate_row(plan: Plan, candidate: Candidate) -> dict[str, Any]:
    numbers = {f.name: int(getattr(candidate.layout, f.name)) for f in dataclasses.fields(candidate.layout)}
    slower = candidate.step_s / float(plan.step.total_s)
    return {
        **numbers,
        **dataclasses.asdict(candidate.strategy),
        "step_s": candidate.step_s,
        "memory_bytes": candidate.memory_bytes,
        "mfu": plan.use.mfu / slower,
        "cost_usd": plan.run.rent_usd * slower,
        "it_energy_j": plan.run.it_energy_j * slower,
    }


def facts_of(plan: Plan) -> list[tuple[str, Fact]]:
    """Return every fact of the machine, its chip, its site and the model's recipe, with its owner."""
    asked = plan.scenario
    owners = [
        (asked.machine.chip.id, asked.machine.chip.facts),
        (asked.machine.id, asked.machine.facts),
        (asked.machine.site.id, asked.machine.site.facts),
        (asked.model.id, {**asked.model.facts, **asked.model.recipe}),
    ]
    machine_own = {n: f for n, f in asked.machine.facts.items() if asked.machine.chip.facts.get(n) != f}
    owners[1] = (asked.machine.id, machine_own)
    return [(owner, fact) for owner, facts in owners for _, fact in sorted(facts.items())]


LABELS = {  # of facts, for people: the unit is with the value
    "hbm_bytes": "memory", "scale_up_bytes_per_s": "scale-up rate", "nic_bytes_per_s": "network rate",
    "it_power_per_chip_w": "IT power per chip", "rent_usd_per_s": "rent of a chip",
    "capex_usd_per_chip": "all-in price of a chip", "failures_per_chip_s": "failures of a chip",
    "restart_s": "restart after a failure", "regroup_s": "regrouping after a failure",
    "storage_bytes_per_s": "storage rate", "pue": "PUE",
    "usd_per_kwh": "electricity", "kg_co2e_per_kwh": "grid carbon", "depreciation_s": "depreciation",
    "facility_usd_per_w": "facility, $/W", "facility_life_s": "life of the facility",
    "operations_per_year": "operations, of capital", "capital_per_year": "cost of capital",
}  # fmt: skip
OF_JOB = {"seq_tokens": "sequence", "batch_tokens": "batch", "tokens": "tokens", "dtype": "format",
          "batch_sequences": "sequences a step"}  # fmt: skip


def assumptions_of(plan: Plan) -> list[dict[str, str]]:
    """Return what the user did not say: recipe, defaults, and the assumed facts behind the headline."""
    said = [
        {
            **dataclasses.asdict(a),
            "of": "recipe" if a.what in plan.scenario.model.recipe else "default",
            "label": OF_JOB.get(a.what, a.what),
        }
        for a in plan.scenario.assumptions
    ]
    return sorted(said, key=lambda a: a["of"], reverse=True) + assumed_facts(plan)


def assumed_facts(plan: Plan) -> list[dict[str, str]]:
    """Return the facts behind the headline numbers that are assumed or estimated."""
    return [
        {
            "what": f"{owner} {fact.name}",
            "value": value_text(fact),
            "why": f"{fact.kind}: {fact.note or fact.where}",
            "of": owner,
            "label": LABELS.get(fact.name, fact.name),
        }
        for owner, fact in facts_of(plan)
        if (fact.name in LABELS or fact.name == peak_name(plan))
        and fact.kind in ("assumed", "estimated")
        and not isinstance(fact.value, str)
    ]


def peak_name(plan: Plan) -> str:
    """Return the name of the fact of the peak rate that a plan uses."""
    return peak_fact(plan.scenario.job.dtype)


def value_text(fact: Fact) -> str:
    """Return a fact's value as people write it."""
    if isinstance(fact.value, str):
        return fact.value
    if fact.unit in PER_HOUR:
        factor, unit = PER_HOUR[fact.unit]
        return f"{fact.value * factor:.4g} {unit}"
    return fmt(fact.value, fact.unit) if fact.unit != "1" else _number(fact.value)


def _number(value: float) -> str:
    if value < 1e4:
        return f"{value:.4g}"
    return f"{value:,.0f}" if value == int(value) and value < 1e9 else fmt(value, "1")


PER_HOUR = {
    "USD/s": (3600.0, "$/h"),
    "1/s": (3600.0, "/h"),
    "USD/J": (3.6e6, "$/kWh"),
    "kg/J": (3.6e6, "kg/kWh"),
}


def _fact_row(owner: str, fact: Fact) -> dict[str, Any]:
    return {
        "owner": owner,
        "name": fact.name,
        "value": fact.value,
        "unit": fact.unit,
        "text": value_text(fact),
        "kind": fact.kind,
        "source": fact.source,
        "where": fact.where,
    }


def sources_of(plan: Plan) -> list[dict[str, str]]:
    """Return the bibliography of a plan."""
    known = load.sources()
    ids = sorted({part for _, f in facts_of(plan) for part in f.source.split(";")})
    return [dataclasses.asdict(known[i]) for i in ids if i in known]
