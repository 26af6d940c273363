"""The published tables of switches and cables, each row from the rule of its design."""

from __future__ import annotations

import csv

import pytest

from gigawatt.catalog.fabrics import design, designs
from gigawatt.errors import FileFormatError, InputError
from gigawatt.fabric import built_chips, built_units

RULES = {  # how a table's rows name the design
    "DGX H100 (RA-11333)": "dgx-h100",
    "DGX B200 (NDR 64-port)": "dgx-b200",
    "DGX B300 Spectrum-X twin-plane": "dgx-b300-spectrum",
    "DGX B300 Quantum-X800 XDR 144-port": "dgx-b300-xdr",
    "DGX GB200 NVL72 (1 SU = 8 racks)": "dgx-gb200",
    "MPFT 8-plane (DeepSeek)": "mpft",
    "FT3 64-port": "ft3",
    "Dragonfly 128-port (paper row)": "dragonfly",
}
COLUMNS = {
    "nodes_or_racks": "nodes",
    "gpus": "chips",
    "leaf": "leaf",
    "spine": "spine",
    "core": "core",
    "cables_node_leaf": "endpoint_cables",
    "cables_leaf_spine": "spine_cables",
    "cables_spine_core": "core_cables",
}
MISPRINTS = {("dgx-b300-xdr", 18, "gpus"): (9216, 10_368)}  # printed, and what the rest of the row says


def rows(shared_facts):
    with (shared_facts / "network" / "superpod_tables.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def found(row):
    rule = design(RULES[row["system"]])
    if row["su_count"]:
        built = built_units(rule, int(row["su_count"]))
        whole = {name: float(getattr(built, field)) for name, field in COLUMNS.items()}
        if rule.rack_nodes:
            whole["nodes_or_racks"] /= rule.rack_nodes
        return whole
    built = built_chips(rule, float(row["gpus"]))
    return {name: float(getattr(built, field)) for name, field in COLUMNS.items()}


def test_every_count_that_a_published_table_prints_follows_from_the_rule(shared_facts):
    printed, misprinted = 0, {}
    for row in rows(shared_facts):
        told = found(row)
        for name in COLUMNS:
            if row[name]:
                printed += 1
                if told[name] != float(row[name]):
                    key = (RULES[row["system"]], int(row["su_count"] or 0), name)
                    misprinted[key] = (int(row[name]), int(told[name]))
    assert printed > 140
    assert misprinted == MISPRINTS


def test_the_one_row_that_differs_contradicts_itself(shared_facts):
    (row,) = (r for r in rows(shared_facts) if r["gpus"] == "9216")
    assert int(row["nodes_or_racks"]) * 8 == int(row["cables_node_leaf"]) == 10_368 != int(row["gpus"])


def test_a_superpod_of_four_units_is_as_worked_by_hand():
    four = built_units(design("dgx-h100"), 4)
    assert (four.nodes, four.chips, four.leaf, four.spine, four.core) == (127, 1016, 32, 16, 0)
    assert (four.endpoint_cables, four.spine_cables) == (127 * 8 + 4, 32 * 32)


def test_a_column_of_sizes_is_its_rows():
    import numpy as np

    sizes = np.array([1, 2, 3, 4, 8, 16, 32, 64])
    many = built_units(design("dgx-b200"), sizes)
    alone = [built_units(design("dgx-b200"), int(n)) for n in sizes]
    assert list(many.leaf) == [float(one.leaf) for one in alone]
    assert list(many.core) == [float(one.core) for one in alone]


def test_every_design_has_a_source_and_a_design_that_is_not_there_is_refused(monkeypatch):
    assert all(found.source and found.where for found in designs().values())
    with pytest.raises(InputError, match="dgx-h100"):
        design("dgx-h10")


def test_a_design_without_a_source_does_not_load(tmp_path, monkeypatch):
    from gigawatt.catalog import fabrics

    (tmp_path / "fabrics.toml").write_text('[x]\nname = "x"\nradix = 64\nnode_chips = 1\nnode_links = 1\n')
    monkeypatch.setattr(fabrics, "DATA", tmp_path)
    with pytest.raises(FileFormatError, match="x: source"):
        fabrics.designs.__wrapped__()
