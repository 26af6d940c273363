"""A sizing as one JSON-ready document: the terminal, the picture, the page and programs all read this."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from gigawatt.study.designs import Design
from gigawatt.study.envelope import digest_of, envelope
from gigawatt.study.limits import ONE_MORE, Shadow
from gigawatt.study.size import Doubled, Size

SCHEMA = "gigawatt/size/1"


def size_document(found: Size) -> dict[str, Any]:
    """Return the versioned envelope of a sizing."""
    inputs = inputs_of(found)
    return envelope(
        SCHEMA,
        inputs=inputs,
        provenance={"digest": digest_of(inputs), "run": {"search_s": found.search_s}},
        warnings=warnings_of(found),
        result=result(found),
    )


def inputs_of(found: Size) -> dict[str, Any]:
    """Return what was asked, resolved."""
    return {
        "model": found.model,
        "model_name": found.model_name,
        "tokens": found.tokens,
        "by": found.by,
        "price": found.price,
        "limits": {name: found.limits.get(name) for name in ONE_MORE},
    }


def warnings_of(found: Size) -> list[dict[str, str]]:
    """Return what a reader must know before trusting the sizing."""
    told = []
    if found.left_out:
        names = ", ".join(one.machine for one in found.left_out)
        told.append({"code": "left_out", "message": f"{len(found.left_out)} machines are left out: {names}"})
    if not found.chosen.run.loss.in_range:
        told.append({"code": "loss_out_of_range", "message": found.chosen.run.loss.note})
    if found.chosen.run.loss.counted:
        told.append({"code": "loss_params", "message": f"loss: {found.chosen.run.loss.counted}"})
    return told


def result(found: Size) -> dict[str, Any]:
    """Return what was found."""
    return {
        "chosen": design_row(found.chosen),
        "loss_nats": found.loss_nats,
        "front": [design_row(one) for one in found.front],
        "limits": [shadow_row(one) for one in found.shadows],
        "doubled": [doubled_row(one) for one in found.doubled],
        "binds": binds(found),
        "left_out": [dataclasses.asdict(one) for one in found.left_out],
        "assumptions": [dataclasses.asdict(one) for one in found.assumptions],
        "search": {
            **dataclasses.asdict(found.counts),
            "designs": found.designs,
            "machines": found.machines,
            "networks": found.networks,
        },
    }


def binds(found: Size) -> list[str]:
    """Return what holds the choice: limits without which it would be better, parts of the machine."""
    asked = [one.limit for one in found.shadows if one.binds and one.objective == found.shadows[0].objective]
    return [*asked, *(one.what for one in found.doubled if one.binds)]


def design_row(one: Design) -> dict[str, Any]:
    """Return a design as one flat row."""
    layout = one.candidate.layout
    machine = one.scenario.machine
    return {
        "machine": machine.id,
        "machine_name": machine.name,
        "chip": machine.chip.id,
        "chips": machine.chips,
        "stack": one.scenario.stack.id,
        "dtype": one.scenario.job.dtype,
        "batch_sequences": one.scenario.job.batch_sequences,
        "seq_tokens": one.scenario.job.seq_tokens,
        "wall_s": one.wall_s,
        "cost_usd": float(one.cost_usd),
        "facility_power_w": float(one.facility_power_w),
        "facility_energy_j": float(one.energy_j),
        "co2e_kg": float(one.co2e_kg),
        "step_s": one.candidate.step_s,
        "memory_bytes": one.candidate.memory_bytes,
        "layout": {
            **{f.name: int(getattr(layout, f.name)) for f in dataclasses.fields(layout)},
            **dataclasses.asdict(one.candidate.strategy),
        },
    }


def shadow_row(one: Shadow) -> dict[str, Any]:
    """Return the price of a limit; null where no design is to be had."""
    row = {**dataclasses.asdict(one), "binds": one.binds}
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}


def doubled_row(one: Doubled) -> dict[str, Any]:
    """Return what a part doubled would bring; null where no layout divides then."""
    known = math.isfinite(one.step_s)
    return {
        "what": one.what,
        "step_s": one.step_s if known else None,
        "gain": one.gain if known else None,
        "binds": one.binds,
    }
