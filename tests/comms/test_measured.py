"""Collectives against published measurements, predicted from the configuration alone."""

from __future__ import annotations

import csv
import tomllib
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawatt.cli.main import run
from gigawatt.comms.constants import NAMES, classes, table
from gigawatt.study.collective_rows import predict_collectives, read_collective_rows
from gigawatt.study.network_words import machine_in_words, network_bytes_per_s
from gigawatt.study.row_cells import RowError

GIB, MIB = 2.0**30, 2.0**20
MEASURED = ("algbw_GBps", "busbw_GBps", "time_us", "notes")
TOLD = ("NOISY", "anomal")  # notes of rows that their source calls disturbed


@pytest.fixture(scope="module")
def table_file(shared_facts):
    return shared_facts / "network" / "nccl_measurements.csv"


@pytest.fixture(scope="module")
def pairs(table_file):
    """Return each undisturbed row with what is predicted when its notes and measurements are blank."""
    with table_file.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    blind = [{**row, **dict.fromkeys(MEASURED, "")} for row in rows]
    both = zip(rows, predict_collectives(blind), strict=True)
    return [(row, found) for row, found in both if not any(word in row["notes"] for word in TOLD)]


def errors(pairs, name, least, most, domains=None):
    found = [
        float(p.time_us) / float(row["time_us"]) - 1.0
        for row, p in pairs
        if row["time_us"] and name in row["collective"] and least <= float(row["size_bytes"]) < most
        if domains is None or (" + " in p.calibration) == (domains > 1)
    ]
    assert len(found) > 5, "there is something to compare"
    return np.array(found)


def test_every_row_is_predicted(pairs):
    assert {found.status for _, found in pairs} == {"ok"}


def test_long_all_reduces_are_right_to_5_percent(pairs):
    assert np.median(np.abs(errors(pairs, "all_reduce", GIB, np.inf))) <= 0.05


def test_middling_all_reduces_are_right_to_12_percent(pairs):
    assert np.median(np.abs(errors(pairs, "all_reduce", MIB, GIB))) <= 0.12


def test_expert_exchanges_across_servers_are_right_to_15_percent(pairs):
    assert np.median(np.abs(errors(pairs, "moe_", 1.0, np.inf, domains=2))) <= 0.15


def test_no_measurement_beats_the_bound(pairs):
    beaten = [
        (row["system"], row["size_bytes"])
        for row, found in pairs
        if row["time_us"] and float(row["time_us"]) < found.bound_us
    ]
    assert beaten == []


def test_no_prediction_beats_the_bound(pairs):
    assert all(not found.time_us < found.bound_us for _, found in pairs)


def test_shipped_residuals_of_systems_left_out_are_within_the_promise():
    text = (files("gigawatt.catalog") / "data" / "calibration" / "network_residuals.toml").read_text("utf-8")
    left = tomllib.loads(text)["left_out"]["published"]
    promise = {
        "all_reduce of 1 GiB and more": 0.05,
        "all_reduce of 1 MiB to 1 GiB": 0.12,
        "all_to_all across domains": 0.15,
    }
    assert {regime: left[regime]["median"] <= most for regime, most in promise.items()} == dict.fromkeys(
        promise, True
    )


def test_measured_columns_change_no_prediction(table_file, tmp_path):
    with table_file.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:40]
    answers = []
    for factor in (1.0, 7.0):
        place, out = tmp_path / f"{factor}.csv", tmp_path / f"{factor}.out.csv"
        with place.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            for row in rows:
                writer.writerow({**row, **{n: factor * float(row[n]) for n in MEASURED[:3]}})
        assert run(["predict", "--collectives", str(place), "--out", str(out)]) == 0
        answers.append(out.read_text("utf-8"))
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("system", "chips", "chip", "domain", "gbytes", "fabric"),
    [
        ("2x8xH100 OCI, 16x200G RoCE, NCCL 2.21.5", 16, "h100-sxm", 8, 50.0, "RoCE"),
        ("4x8xH100 HGX (VM), 8x CX-7 NDR400 IB", 32, "h100-sxm", 8, 50.0, "InfiniBand"),
        ("2x8xA100-80G p4de.24xlarge, 4x100G EFA", 16, "a100-sxm", 8, 6.25, "EFA"),
        ("3x8xA100-40G, 4x HDR200 IB", 24, "a100-sxm-40gb", 8, 12.5, "InfiniBand"),
        ("GB200 NVL72 two racks + NDR400 IB", 128, "gb200", 64, 50.0, "InfiniBand"),
        ("GB200 2 racks x 16 nodes x 4 GPU (BM.GPU.GB200-v3.4)", 128, "gb200", 64, 50.0, "RoCE"),
        ("16xB300 two nodes, 8x 800G", 16, "b300-sxm", 8, 100.0, "InfiniBand"),
        ("p5.48xlarge x 8 nodes", 64, "h100-sxm", 8, 50.0, "EFA"),
    ],
)
def test_a_line_of_text_tells_the_machine(system, chips, chip, domain, gbytes, fabric):
    found = machine_in_words(system, chips)
    assert (found.chip.id, found.levels[0].chips, found.fabric) == (chip, domain, fabric)
    assert found.levels[1].bytes_per_s == pytest.approx(gbytes * 1e9)


def test_switches_add_up_unless_the_text_says_no():
    assert machine_in_words("8xH100 node", 8).scale_up.reduces_in_network
    assert not machine_in_words("8xH100 node, SHARP disabled", 8).scale_up.reduces_in_network
    assert not machine_in_words("8xA100 node", 8).scale_up.reduces_in_network


def test_a_rate_without_a_count_is_one_port_a_chip():
    assert network_bytes_per_s("H800 + CX7 400G IB", 8) == 50e9
    assert network_bytes_per_s("8xH100 node", 8) is None


ROW = {"source": "s", "system": "8xH100 node", "n_gpus": "8", "collective": "all_reduce", "size_bytes": "1e9"}


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"system": "8x Cray-1"}, "unknown_chip", "system"),
        ({"n_gpus": ""}, "incomplete", "n_gpus"),
        ({"n_gpus": "1"}, "inconsistent", "n_gpus"),
        ({"size_bytes": ""}, "incomplete", "size_bytes"),
        ({"size_bytes": "-3"}, "inconsistent", "size_bytes"),
        ({"collective": "gossip"}, "unsupported", "collective"),
        ({"collective": ""}, "incomplete", "collective"),
    ],
)
def test_what_cannot_be_predicted_says_what_is_missing(change, status, word):
    found = next(predict_collectives([{**ROW, **change}]))
    assert found.status == status
    assert word in found.reason
    assert np.isnan(found.time_us)


WORDS = st.sampled_from(
    (
        "8xH100",
        "0x8xB200",
        "GB200",
        "NVL72",
        "0 nodes",
        "two racks",
        "NDR",
        "0x200G",
        "EFA",
        "MI300X",
        "p4d",
        "TPU v5p",
        "²",
    )
)


@given(words=st.lists(WORDS | st.text(max_size=12), max_size=6), chips=st.integers(0, 10**6))
def test_no_text_crashes(words, chips):
    found = next(predict_collectives([{**ROW, "system": " ".join(words), "n_gpus": str(chips)}]))
    assert found.status in ("ok", "incomplete", "unknown_chip", "unsupported", "inconsistent")
    assert (found.time_us > 0) == (found.status == "ok")


def test_a_chip_that_nobody_names_is_refused():
    with pytest.raises(RowError):
        machine_in_words("a big cluster", 8)


def test_a_forced_ring_is_no_faster_than_the_best():
    system = "2x8xH100 HGX, 8x NDR400 IB"
    rows = [{**ROW, "system": s, "n_gpus": "16"} for s in (system, f"{system}, NCCL_ALGO=Ring")]
    best, ring = predict_collectives(rows)
    assert best.time_us < ring.time_us


def test_every_class_has_every_constant_and_every_name_leads_to_one():
    kinds = table("network_kinds")
    named = {*kinds["scale_up"].values(), *kinds["scale_up_chip"].values(), *kinds["fabric_words"].values()}
    named |= {*kinds["between_racks"].values(), *(row["class"] for row in kinds["narrow"].values())}
    assert named <= set(classes())
    for found in classes().values():
        shares = [getattr(found, n) for n in NAMES if n.endswith("_fraction")]
        assert all(0.0 < share <= 1.0 for share in shares)


def test_the_table_is_read_without_its_measurements(table_file):
    assert not set(MEASURED[:3]) & set(read_collective_rows(table_file)[0])
