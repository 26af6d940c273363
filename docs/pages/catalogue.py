"""The pages of the catalogue: chips, machines, models, software stacks, sites, and who says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from docs.pages.markdown import cell, table
from gigawatt import catalog
from gigawatt.catalog import Chip, Fact, Machine
from gigawatt.catalog.load import defaults
from gigawatt.errors import UnknownFactError
from gigawatt.perf import stacks
from gigawatt.study import catalogue
from gigawatt.study.document import value_text
from gigawatt.units import format as fmt
from gigawatt.workload import params

PEAKS = ("bf16", "fp16", "fp8", "fp4", "int8")
STAR = """A star marks an assumed or estimated value; an empty cell is a figure that
nobody is known to have published. Peaks are dense. Rates are of one chip, one direction. The ids in the last
column are explained in [sources](sources.md).
"""
LEVELS = """Levels are written inside out: chips of one unit, at the rate that one chip can send beyond the
level inside, all chips sending at once. The ids in the last column are those of figures of the machine's own,
explained in [sources](sources.md); what has no figure takes its chip's, or a stand-in that every plan marks.
"""
COUNTED = """Counted weight by weight: embeddings are in the total, multi-token-prediction layers are not.
One model: `gigawatt model show ID`. Any other one: give the path of its Hugging Face `config.json`.
The recipe is what was published of the training run; `gigawatt plan` takes from it what is not given, and
says so.
"""
FITTED = """What a framework of an era fuses, overlaps, keeps and costs. Calibration, not facts: values are
written from documentation or fitted to measured runs, one set for all rows of a stack. What a value does is
said in the [glossary](glossary.md#software-stack).
"""


def sources_text(facts: Iterable[Fact]) -> str:
    """Return the ids of all sources of some facts, each once."""
    return ", ".join(sorted({part for fact in facts for part in fact.source.split(";")}))


def starred(facts: Mapping[str, Fact], name: str) -> str:
    """Return the value of a fact as people write it; a star where it is weak."""
    fact = facts.get(name)
    if fact is None:
        return ""
    return value_text(fact) + ("*" if fact.kind in ("assumed", "estimated") else "")


def chips() -> str:
    """Return the page of all chips."""
    found = [catalog.chip(id) for id in catalog.chip_ids()]
    rows = [_chip_row(chip) for chip in found]
    return (
        f"# Chips\n\n{len(rows)} accelerators. One chip fact by fact: `gigawatt chip show ID`. {STAR}\n"
        + table(rows, right=[*PEAKS, "memory", "bandwidth", "scale-up", "network", "power", "price", "rent"])
    )


def _chip_row(chip: Chip) -> dict[str, str]:
    facts = chip.facts
    return {
        "id": f"`{chip.id}`",
        "name": chip.name + ("" if chip.shipping else " (announced)"),
        "family": chip.family,
        **{dtype: starred(facts, f"peak_{dtype}_flop_per_s") for dtype in PEAKS},
        "memory": starred(facts, "hbm_bytes"),
        "bandwidth": starred(facts, "hbm_bytes_per_s"),
        "scale-up": starred(facts, "scale_up_bytes_per_s"),
        "domain": starred(facts, "scale_up_chips"),
        "network": starred(facts, "nic_bytes_per_s"),
        "power": starred(facts, "tdp_w"),
        "price": starred(facts, "price_usd"),
        "rent": starred(facts, "rent_usd_per_s"),
        "sources": sources_text(facts.values()),
    }


def machines() -> str:
    """Return the page of all machines."""
    rows = [_machine_row(id) for id in catalog.machine_ids()]
    return (
        f"# Machines\n\n{len(rows)} machines. One machine fact by fact: `gigawatt machine show ID`.\n\n"
        f"{LEVELS}\n" + table(rows, right=["chips", "bf16 peak", "IT power"])
    )


def _machine_row(id: str) -> dict[str, str]:
    try:
        return _known_machine(catalog.machine(id))
    except UnknownFactError as error:
        told = str(error).split(";")[0]
        blank = ("chip", "chips", "levels", "bf16 peak", "IT power", "fabric", "site", "sources")
        return {"id": f"`{id}`", "name": f"cannot be planned on: {told}", **dict.fromkeys(blank, "")}


def _known_machine(found: Machine) -> dict[str, str]:
    peak = found.chip.facts.get("peak_bf16_flop_per_s")
    levels = [
        f"{level.name} {level.chips:,} at {fmt(level.bytes_per_s, 'byte/s')}"
        + (f" ({level.topology} {'x'.join(map(str, level.dims))})" if level.dims else "")
        for level in found.levels
    ]
    power = found.facts.get("it_power_per_chip_w")
    return {
        "id": f"`{found.id}`",
        "name": found.name + ("" if found.shipping else " (announced)"),
        "chip": f"`{found.chip.id}`",
        "chips": f"{found.chips:,}",
        "levels": "; ".join(levels),
        "bf16 peak": fmt(found.chips * float(peak.value), "flop/s") if peak else "",
        "IT power": fmt(found.chips * float(power.value), "W") if power else "",
        "fabric": found.fabric,
        "site": found.site.id,
        "sources": sources_text(fact for fact in found.facts.values() if _own(fact, found)),
    }


def _own(fact: Fact, machine: Machine) -> bool:
    """Return whether a fact was found for this machine, not for its chip or for all machines."""
    borrowed = (machine.chip.facts.get(fact.name), defaults().get(fact.name))
    return fact not in borrowed and fact.kind not in ("assumed", "derived")


def models() -> str:
    """Return the page of all models."""
    rows = [_model_row(id) for id in catalog.model_ids()]
    return f"# Models\n\n{len(rows)} architectures. {COUNTED}\n" + table(
        rows, right=["parameters", "active", "layers"]
    )


def _model_row(id: str) -> dict[str, str]:
    found = catalog.model(id)
    count = params(found)
    recipe = [f"{name} {value_text(fact)}" for name, fact in sorted(found.recipe.items())]
    return {
        "id": f"`{found.id}`",
        "name": found.name + (" (rumoured)" if found.rumoured else ""),
        "parameters": f"{count.total:,}",
        "active": f"{count.active:,}" if count.active != count.total else "",
        "layers": str(found.layers),
        "hidden": f"{found.hidden:,}",
        "vocabulary": f"{found.vocab:,}",
        "recipe": ", ".join(recipe),
        "sources": sources_text([*found.facts.values(), *found.recipe.values()]),
    }


def stack_page() -> str:
    """Return the page of all software stacks, with every value of each."""
    rows = [{k: f"`{v}`" if k == "id" else v for k, v in row.items()} for row in catalogue("stacks")]
    names = sorted({name for found in stacks().values() for name in found.values})
    values = [
        {"value": f"`{name}`", **{id: _number(found.values, name) for id, found in stacks().items()}}
        for name in names
    ]
    return (
        f"# Software stacks\n\n{len(rows)} stacks. {FITTED}\n"
        + table(rows, right=["year"]) + "\n## Values\n\n" + table(values, right=list(stacks()))
    )  # fmt: skip


def _number(values: Mapping[str, float], name: str) -> str:
    return f"{values[name]:.4g}" if name in values else ""


def sites() -> str:
    """Return the page of all sites."""
    names = {"PUE": "pue", "power price": "usd_per_kwh", "carbon": "kg_co2e_per_kwh", "cooling": "cooling"}
    rows = []
    for id in catalog.site_ids():
        facts = catalog.site(id).facts
        said = {label: starred(facts, name) for label, name in names.items()}
        rows.append({"id": f"`{id}`", **said, "sources": sources_text(facts.values())})
    return f"# Sites\n\n{len(rows)} places. {STAR}\n" + table(rows, right=["PUE", "power price", "carbon"])


def source_page() -> str:
    """Return the bibliography."""
    rows = [
        {
            "id": f"`{found.id}`",
            "producer": found.producer,
            "title": found.title,
            "published": found.published,
            "accessed": found.accessed,
            "note": cell(found.note),
        }
        for found in sorted(catalog.sources().values(), key=lambda s: s.id)
    ]
    return f"# Sources\n\n{len(rows)} sources. A number without one does not load.\n\n" + table(rows)
