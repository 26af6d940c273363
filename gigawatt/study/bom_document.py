"""A bill of materials as one JSON-ready document, and as rows of a table."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from gigawatt.catalog.records import Fact, Machine
from gigawatt.study.bom import Bom
from gigawatt.study.bom_cables import Cables, Modules
from gigawatt.study.bom_money import Price
from gigawatt.study.bom_network import Network
from gigawatt.study.document import known, value_text
from gigawatt.study.envelope import digest_of, envelope

SCHEMA = "gigawatt/bom/1"
PUBLISHED = {"facility_w": "facility_power_w", "cost_usd": "cost_usd"}


def bom_document(found: Bom) -> dict[str, Any]:
    """Return the versioned envelope of a bill of materials; null is a number that is not known."""
    inputs = _inputs(found)
    whole: dict[str, Any] = known(
        envelope(
            SCHEMA,
            inputs=inputs,
            provenance={"digest": digest_of(inputs)},
            status="partial" if len(found.missing) > 1 else "ok",
            warnings=[{"code": "not_known", "message": text} for text in found.missing],
            result=_result(found),
        )
    )
    return whole


def _inputs(found: Bom) -> dict[str, Any]:
    machine = found.machine
    return {
        "machine": machine.id,
        "machine_name": machine.name,
        "chip": machine.chip.id,
        "chips": machine.chips,
        "chips_per_node": machine.chips_per_node,
        "fabric": machine.fabric,
        "site": machine.site.id,
        "pue": machine.site.pue,
    }


def _result(found: Bom) -> dict[str, Any]:
    low, middle, high = found.capex_usd
    racks = found.racks
    return {
        "chips": found.machine.chips,
        "nodes": found.nodes,
        "racks": None if racks is None else {
            "chips_per_rack": racks.chips_per_rack, "servers": racks.servers, "network": racks.network,
            "total": racks.total},
        "scale_up": {
            "topology": found.scale_up.topology, "domains": found.scale_up.domains,
            "domain_chips": found.scale_up.domain_chips, "switch": found.scale_up.name,
            "switches": found.scale_up.switches, "links": found.scale_up.links,
            "optical_switches": found.scale_up.optical_switches, "modules": found.scale_up.modules},
        "network": None if found.network is None else _network(found.network),
        "network_told": found.network_told,
        "adapter_ports": found.adapters,
        "switches": found.switches,
        "tiers": [{"name": t.name, "switches": t.switches, "links_below": t.links_below, "below": t.below}
                  for t in found.tiers],
        "cables": [_cables(c) for c in found.cables],
        "cable_m": found.cable_m,
        "strand_m": found.strand_m,
        "power": {
            "parts": [dataclasses.asdict(d) for d in found.draws],
            "total_w": found.power_w, "training_w": found.training_power_w},
        "capex": {
            "parts": [_price(p) for p in found.capex],
            "total": {"low_usd": low, "mid_usd": middle, "high_usd": high},
            "catalogue_usd": _all_in(found.machine)},
        "published": {name: _fact(found, fact) for fact, name in PUBLISHED.items()},
        "missing": list(found.missing),
        "assumptions": [_assumed(f) for f in found.assumptions],
    }  # fmt: skip


def _network(network: Network) -> dict[str, Any]:
    return {
        "kind": network.kind,
        "switch": network.switch.id,
        "switch_name": network.switch.name,
        "radix": network.radix,
        "link_bytes_per_s": network.link_bytes_per_s,
        "links_per_node": network.links_per_node,
        "planes": network.planes,
        "sites": network.sites,
        "oversubscription": network.oversubscription,
        "pod_oversubscription": network.pod_oversubscription,
    }


def _cables(run: Cables) -> dict[str, Any]:
    return {
        "name": run.name,
        "links": run.links,
        "cables": run.cables,
        "length_class": run.length_class,
        "mean_m": run.mean_m,
        "longest_m": run.longest_m,
        "medium": run.medium,
        "strands_per_link": run.strands_per_link if run.medium != "not known" else math.nan,
        "cable_m": run.cable_m,
        "strand_m": run.strand_m if run.medium != "not known" else math.nan,
        "modules": [_modules(m) for m in (run.lower, run.upper) if m is not None],
    }


def _modules(found: Modules) -> dict[str, Any]:
    price = found.price_usd or (math.nan, math.nan, math.nan)
    return {
        "part": found.part,
        "name": found.name,
        "count": found.count,
        "power_w": math.nan if found.power_w is None else found.power_w,
        "low_usd": price[0],
        "mid_usd": price[1],
        "high_usd": price[2],
    }


def _price(found: Price) -> dict[str, Any]:
    low, middle, high = found.usd
    return {"name": found.name, "label": found.label, "low_usd": low, "mid_usd": middle, "high_usd": high,
            "how": found.how, "source": found.source}  # fmt: skip


def _all_in(machine: Machine) -> float | None:
    """Return the catalogue's all-in price of a chip, without the facility, times the chips."""
    fact = machine.facts.get("capex_usd_per_chip")
    return None if fact is None else float(fact.value) * machine.chips


def _fact(found: Bom, name: str) -> dict[str, Any] | None:
    fact = found.machine.facts.get(name) if found.whole else None
    if fact is None:
        return None
    return {"value": float(fact.value), "kind": fact.kind, "source": fact.source, "where": fact.where}


def _assumed(fact: Fact) -> dict[str, Any]:
    return {"name": fact.name, "text": value_text(fact), "kind": fact.kind, "source": fact.source,
            "where": fact.where or fact.note}  # fmt: skip


def bom_rows(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row for each kind of part: count, metres, watts and dollars; empty is not known or none."""
    result, inputs = document["result"], document["inputs"]
    rows = [
        _row("chips", inputs["chip"], count=result["chips"]),
        _row("servers", f"{inputs['chips_per_node']} chips each", count=result["nodes"]),
    ]
    if result["racks"] is not None:
        racks = result["racks"]
        rows += [_row("racks", name, count=racks[name]) for name in ("servers", "network") if racks[name]]
    up = result["scale_up"]
    if up["switches"]:
        rows.append(_row("scale-up switches", up["switch"], count=up["switches"]))
    if up["optical_switches"]:
        rows.append(_row("optical switches", "of the torus", count=up["optical_switches"]))
    if up["modules"]:
        rows.append(_row("scale-up modules", up["switch"], count=up["modules"]))
    if up["links"]:
        rows.append(_row("scale-up links", up["topology"], count=up["links"]))
    if result["adapter_ports"] is not None:
        rows.append(_row("adapter ports", "of all servers", count=result["adapter_ports"]))
    rows += [_row("switches", t["name"], count=t["switches"]) for t in result["tiers"] if t["switches"]]
    for run in result["cables"]:
        rows.append(
            _row("cables", run["name"], count=run["cables"], metres=run["cable_m"], what=run["length_class"])
        )
        for end in run["modules"]:
            rows.append(_row("modules", end["name"], count=end["count"], watts=end["power_w"],
                             usd=end["mid_usd"], what=run["name"]))  # fmt: skip
    return rows


def _row(
    part: str,
    name: str,
    *,
    count: int,
    metres: float | None = None,
    watts: float | None = None,
    usd: float | None = None,
    what: str = "",
) -> dict[str, Any]:
    return {"part": part, "name": name, "of": what, "count": count, "cable_m": metres, "power_w": watts,
            "mid_usd": usd}  # fmt: skip
