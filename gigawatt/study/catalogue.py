"""What the catalogue holds, as tables for the faces."""

from __future__ import annotations

from typing import Any

from gigawatt.catalog import load, machines, models
from gigawatt.catalog.records import Chip, Fact, Level
from gigawatt.errors import UnknownFactError
from gigawatt.perf import stacks
from gigawatt.study.document import value_text
from gigawatt.units import format as fmt
from gigawatt.workload.params import params

KINDS = ("machines", "chips", "models", "stacks")


def catalogue(kind: str) -> list[dict[str, str]]:
    """Return one row for each entry of a kind: machines, chips, models or stacks."""
    return {"machines": _machines, "chips": _chips, "models": _models, "stacks": _stacks}[kind]()


def _machines() -> list[dict[str, str]]:
    rows = []
    for id in machines.machine_ids():
        try:
            found = machines.machine(id)
        except UnknownFactError as error:
            rows.append(
                {
                    "id": id,
                    "name": str(error).split(";")[0],
                    "chip": "",
                    "chips": "",
                    "bf16 peak": "",
                    "status": "figure missing",
                }
            )
            continue
        rows.append(
            {
                "id": id,
                "name": found.name,
                "chip": found.chip.id,
                "chips": f"{found.chips:,}",
                "bf16 peak": _peak(found.chip, found.chips),
                "status": "shipping" if found.shipping else "announced",
            }
        )
    return rows


def _peak(chip: Chip, count: int) -> str:
    name = next((d for d in ("bf16", "fp16", "fp8", "fp4") if d in chip.dtypes), None)
    if name is None:
        return ""
    text = fmt(count * chip.peak_flop_per_s(name), "flop/s")
    return text if name == "bf16" else f"{text} ({name})"


def _chips() -> list[dict[str, str]]:
    rows = []
    for id in load.chip_ids():
        chip = load.chip(id)
        facts = chip.facts
        rows.append(
            {
                "id": id,
                "name": chip.name,
                "bf16 peak": _peak(chip, 1),
                "memory": _value(facts.get("hbm_bytes")),
                "bandwidth": _value(facts.get("hbm_bytes_per_s")),
                "scale-up": _value(facts.get("scale_up_bytes_per_s")),
                "power": _value(facts.get("tdp_w")),
                "price": _value(facts.get("price_usd")),
                "status": "shipping" if chip.shipping else "announced",
            }
        )
    return rows


def _value(fact: Fact | None) -> str:
    if fact is None:
        return ""
    return value_text(fact) + ("*" if fact.kind in ("assumed", "estimated") else "")


def _models() -> list[dict[str, str]]:
    rows = []
    for id in models.model_ids():
        found = models.model(id)
        count = params(found)
        rows.append(
            {
                "id": id,
                "name": found.name,
                "parameters": fmt(count.total, "1"),
                "active": fmt(count.active, "1") if count.active != count.total else "",
                "layers": str(found.layers),
                "recipe": ", ".join(sorted(found.recipe)),
                "status": "rumoured" if found.rumoured else "",
            }
        )
    return rows


def _stacks() -> list[dict[str, str]]:
    return [{"id": s.id, "name": s.name, "year": str(s.year)} for s in stacks().values()]


def show(kind: str, id: str) -> dict[str, Any]:
    """Return everything that is known of one chip, machine or model, fact by fact.

    Raises: InputError for a name that is not known.
    """
    return {"chip": _show_chip, "machine": _show_machine, "model": _show_model}[kind](id)


def _fact_rows(facts: dict[str, Fact]) -> list[dict[str, str]]:
    rows = []
    for name in sorted(facts):
        fact = facts[name]
        rows.append(_fact_line(fact))
        rows += [{**_fact_line(rival), "fact": f"  not {name}"} for rival in fact.rivals]
    return rows


def _fact_line(fact: Fact) -> dict[str, str]:
    about = "; ".join(part for part in (fact.where, fact.note) if part)
    return {
        "fact": fact.name,
        "value": value_text(fact),
        "kind": fact.kind,
        "source": fact.source,
        "where": about,
    }


def _show_chip(id: str) -> dict[str, Any]:
    chip = load.chip(id)
    summary = {
        "vendor": chip.vendor,
        "family": chip.family,
        "status": "shipping" if chip.shipping else "announced",
    }
    return {"title": chip.name, "summary": summary, "note": chip.note, "facts": _fact_rows(dict(chip.facts))}


def _level_told(level: Level) -> str:
    dims = f" {'x'.join(map(str, level.dims))}" if level.dims else ""
    return f"{level.chips:,} chips at {fmt(level.bytes_per_s, 'byte/s')} each way, {level.topology}{dims}"


def _show_machine(id: str) -> dict[str, Any]:
    found = machines.find_machine(id)
    levels = {f"level {level.name}": _level_told(level) for level in found.levels}
    summary = {
        "owner": found.owner,
        "chips": f"{found.chips:,} x {found.chip.id}, {found.chips_per_node} a server",
        "peak": _peak(found.chip, found.chips),
        "memory": fmt(found.chips * found.chip.hbm_bytes, "byte"),
        "fabric": found.fabric,
        **levels,
        "site": f"{found.site.id}: PUE {found.site.pue:g}, {found.site.usd_per_kwh:.4g} $/kWh, "
        f"{found.site.kg_co2e_per_kwh:.3g} kg/kWh, {found.site.cooling or 'cooling unknown'}",
    }
    facts = {**found.facts, **found.site.facts}
    return {"title": found.name, "summary": summary, "note": found.note, "facts": _fact_rows(facts)}


def _show_model(id: str) -> dict[str, Any]:
    found = models.find_model(id)
    count = params(found)
    block = found.blocks[-1]
    core = block.mixer.core
    summary = {
        "parameters": f"{count.total:,} ({count.active:,} active a token)",
        "layers": str(found.layers),
        "hidden": f"{found.hidden:,}",
        "attention": f"{core.heads} heads, {core.kv_heads} key-value heads, {core.span}",
        "experts": f"{block.moe.topk} of {block.moe.experts}" if block.moe else "none",
        "vocabulary": f"{found.vocab:,}, {'tied' if found.tied_embedding else 'untied'}",
    }
    return {
        "title": found.name,
        "summary": summary,
        "note": found.note,
        "facts": _fact_rows({**found.facts, **found.recipe}),
    }
