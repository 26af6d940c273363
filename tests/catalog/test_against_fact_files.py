"""The catalogue beside the published figures that it was brought in from, where those are at hand."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from gigawatt.catalog.load import chip_by_alias
from gigawatt.catalog.machines import machine, machine_ids
from gigawatt.catalog.records import Fact, Machine

NUMBERS = {  # column: fact, and what one unit of the column is
    "fp64_tflops": ("peak_fp64_flop_per_s", 1e12),
    "fp64_matrix_tflops": ("peak_fp64_matrix_flop_per_s", 1e12),
    "fp32_tflops": ("peak_fp32_flop_per_s", 1e12),
    "tf32_tflops": ("peak_tf32_flop_per_s", 1e12),
    "bf16_tflops": ("peak_bf16_flop_per_s", 1e12),
    "fp16_tflops": ("peak_fp16_flop_per_s", 1e12),
    "fp8_tflops": ("peak_fp8_flop_per_s", 1e12),
    "int8_tops": ("peak_int8_flop_per_s", 1e12),
    "fp4_tflops": ("peak_fp4_flop_per_s", 1e12),
    "mem_gb": ("hbm_bytes", 1e9),  # or 2**30: makers print GB and mean binary ones
    "mem_tbps": ("hbm_bytes_per_s", 1e12),
    "tdp_w": ("tdp_w", 1.0),
    "scaleup_gbps_per_dir": ("scale_up_bytes_per_s", 1e9),
    "scaleup_domain": ("scale_up_chips", 1.0),
    "ref_nic_gbps_per_accel": ("nic_bytes_per_s", 1e9 / 8),
}
DENSE = "dense"
NOT_YET = "announced|plan|projected|report 20|mid-2026 target"  # words of a system that does not stand
UNLIKE = {"colossus2-full", "colossus1-200k", "colossus1-230k", "perlmutter"}  # two chips, counted as one
SYSTEMS = {  # id in the file: id here, where they differ
    "ms-5eagle": "five-eagles",
    "ms-whale": "blue-whale",
    "colossus1-100k": "colossus",
    "colossus1-200k": "colossus-200k",
    "colossus1-230k": "colossus-230k",
    "xai-300k-b200": "colossus-300k-b200",
    "colossus2": "colossus-2",
    "colossus2-full": "colossus-2-full",
    "stargate-2024": "stargate",
    "stargate-abilene-b1": "stargate-abilene-1",
    "fairwater-atl": "fairwater-atlanta",
    "ms-gb300-4608": "azure-gb300-4608",
    "google-tpuv4-pod": "tpu-v4-pod",
    "google-okl-v4": "tpu-v4-oklahoma",
    "google-v5p-pod": "tpu-v5p-pod",
    "google-v5e-50k": "tpu-v5e-50k",
    "google-v6e-pod": "trillium-pod",
    "google-ironwood-pod": "ironwood-pod",
    "google-8t-pod": "tpu-8t-pod",
    "meta-roce": "meta-roce-24k",
    "meta-ib": "meta-ib-24k",
    "llama3-16k": "meta-llama3-16k",
    "tesla-cortex": "cortex",
    "trn1-uc": "trn1-ultracluster",
    "trn2-ultra": "trn2-ultraserver",
    "trn3-ultra2": "trn3-ultraserver",
    "cm384": "cloudmatrix384",
    "scnet-zz": "scnet-zhengzhou",
    "nvl72-gb200": "gb200-nvl72",
    "nvl72-gb300": "gb300-nvl72",
    "eos": "eos-top500",
    "eos-576": "eos",
    "elcap": "el-capitan",
}


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "hardware" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def holds(fact: Fact, value: float) -> bool:
    """Return whether a fact is a figure, or keeps it as a rival."""
    figures = [float(f.value) for f in (fact, *fact.rivals) if not isinstance(f.value, str)]
    return any(abs(figure - value) <= 1e-3 * value for figure in figures)


def test_every_accelerator_is_a_chip_with_its_published_figures(shared_facts: Path) -> None:
    rows = table(shared_facts, "accelerators.csv")
    assert len(rows) >= 49
    for row in rows:
        part = chip_by_alias(row["name"])
        for column, (name, unit) in NUMBERS.items():
            if row[column] and (row["peaks_are"] in (DENSE, "") or not name.startswith("peak_")):
                figure = float(row[column])
                near = [figure * unit, figure * 2**30 if column == "mem_gb" else figure * unit]
                assert any(holds(part.facts[name], value) for value in near), f"{part.id}: {name}"
        assert part.shipping != ("announced" in row["status"]), part.id
        assert part.facts["release_date"].value == row["release_date"], part.id


def test_prices_hold_the_published_range(shared_facts: Path) -> None:
    for row in table(shared_facts, "accelerators.csv"):
        if row["price_usd_low"]:
            price = chip_by_alias(row["name"]).facts["price_usd"]
            low, high = float(row["price_usd_low"]), float(row["price_usd_high"])
            assert (price.low or price.value, price.high or price.value) == (low, high), row["name"]


def test_a_figure_that_the_file_only_recalls_is_assumed_here(shared_facts: Path) -> None:
    for row in table(shared_facts, "accelerators.csv"):
        part = chip_by_alias(row["name"])
        recalled = [NUMBERS[c][0] for c in row["recalled_fields"].split(";") if c in NUMBERS]
        known = [part.facts[name] for name in recalled if name in part.facts]
        assert all(fact.kind in ("assumed", "estimated") for fact in known), part.id


def test_every_system_is_a_machine(shared_facts: Path) -> None:
    rows = table(shared_facts, "systems.csv")
    assert len(rows) >= 73
    missing = {row["id"] for row in rows} - {row["id"] for row in rows if here(row["id"]) in machine_ids()}
    assert missing == set()


def here(id: str) -> str:
    return SYSTEMS.get(id, id)


def test_a_system_has_its_published_chip_count_nodes_and_domain(shared_facts: Path) -> None:
    for row in table(shared_facts, "systems.csv"):
        found = machine(here(row["id"]))
        if row["accel_count"] and row["id"] not in UNLIKE:
            assert found.chips == int(row["accel_count"]), row["id"]
            assert not row["nodes"] or -(-found.chips // found.chips_per_node) == int(row["nodes"]), row["id"]
        if row["accelerator"] and row["id"] != "scnet-zz":
            assert found.chip is chip_by_alias(row["accelerator"]), row["id"]
        if row["scaleup_domain"].isdigit():
            assert found.scale_up.chips == int(row["scaleup_domain"]), row["id"]
        assert found.shipping != bool(re.match(NOT_YET, row["status"])), row["id"]


FIGURES = {
    "facility_mw": ("facility_w", 1e6),
    "cost_usd_m": ("cost_usd", 1e6),
    "hpl_rmax_pf": ("hpl_rmax_flop_per_s", 1e15),
    "hpl_rpeak_pf": ("hpl_rpeak_flop_per_s", 1e15),
    "hpl_power_kw": ("hpl_power_w", 1e3),
}


@pytest.mark.parametrize("column", FIGURES)
def test_a_system_has_its_published_figures(shared_facts: Path, column: str) -> None:
    name, unit = FIGURES[column]
    rows = [row for row in table(shared_facts, "systems.csv") if row[column]]
    assert len(rows) >= 10
    for row in rows:
        assert holds(machine(here(row["id"])).facts[name], float(row[column]) * unit), row["id"]


def test_a_system_has_its_published_power(shared_facts: Path) -> None:
    for row in table(shared_facts, "systems.csv"):
        if row["it_mw"]:
            found = machine(here(row["id"]))
            assert holds(per_chip_power(found), float(row["it_mw"]) * 1e6 / found.chips), row["id"]


def per_chip_power(found: Machine) -> Fact:
    return found.facts["it_power_per_chip_w"]
