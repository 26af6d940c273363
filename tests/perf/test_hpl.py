"""Linpack: parts that add up, limits that hold, and the runs of the list from configuration alone."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawatt.catalog import chip, machine
from gigawatt.cli.main import run
from gigawatt.perf.hpl import (
    chip_rate,
    fp64_peak_flop_per_s,
    hpl_flop,
    hpl_order,
    hpl_run,
    hpl_table,
    hpl_time,
    listed_row,
    nearest_matrix,
)
from gigawatt.study.hpl_rows import predict_hpl, read_hpl_rows

MEASURED = ("rmax_pflops", "rpeak_pflops", "efficiency", "power_kw", "rmax_per_accel_tf", "hpl_time_s",
            "fp64_peak_per_accel_tf")  # fmt: skip
NETWORK = {"nic_bytes_per_s": 5e10, "exposed": 0.4, "pivot_hop_s": 7e-6}
ROW = {"name": "x", "accelerator": "H100", "n_accelerators_est": "1024", "interconnect": "NDR400", "nmax": ""}


@pytest.fixture(scope="module")
def table_file(shared_facts):
    return shared_facts / "network" / "top500_gpu.csv"


@pytest.fixture(scope="module")
def pairs(table_file):
    """Return each unflagged row with what is predicted from its configuration."""
    with table_file.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    blind = [{**row, **dict.fromkeys(MEASURED, "")} for row in rows]
    both = zip(rows, predict_hpl(blind), strict=True)
    return [(row, found) for row, found in both if not row["data_flag"] and found.status == "ok"]


def test_runs_over_10_petaflops_are_right_to_6_percent(pairs):
    found = [(float(r["rmax_pflops"]), p.rmax_pflops) for r, p in pairs if float(r["rmax_pflops"]) > 10]
    errors = np.array([p / r - 1.0 for r, p in found])
    assert len(errors) > 50
    assert np.median(np.abs(errors)) <= 0.06


def test_eagle_is_right_to_8_percent(pairs):
    eagle = next(p for r, p in pairs if r["name"] == "Eagle")
    assert eagle.rmax_pflops == pytest.approx(561.2, rel=0.08)


def test_systems_left_out_are_within_the_promise():
    assert hpl_table()["residuals"]["system left out, over 10 PF"]["median"] <= 0.065


def test_measured_columns_change_no_prediction(table_file, tmp_path):
    with table_file.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:30]
    answers = []
    for filler in ("1", "999"):
        place, out = tmp_path / f"{filler}.csv", tmp_path / f"{filler}.out.csv"
        with place.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows({**row, **dict.fromkeys(MEASURED, filler)} for row in rows)
        assert run(["predict", "--hpl", str(place), "--out", str(out)]) == 0
        answers.append(out.read_text("utf-8"))
    assert answers[0] == answers[1]
    assert not set(MEASURED) & set(read_hpl_rows(table_file)[0])


ORDERS, CHIPS = st.floats(1e4, 5e7), st.floats(16.0, 1e5)


@given(order=ORDERS, chips=CHIPS)
def test_no_run_beats_the_units_of_its_chips(order, chips):
    time = hpl_time(order, chips, chip_flop_per_s=6e13, **NETWORK)
    assert time.total_s == pytest.approx(time.update_s + time.exchange_s + time.pivot_s)
    assert 2.0 / 3.0 * order**3 / time.total_s <= 6e13 * chips


@given(order=ORDERS, chips=CHIPS, more=st.floats(1.0, 10.0))
def test_a_larger_matrix_is_nearer_to_the_peak(order, chips, more):
    rates = [
        hpl_flop(n) / hpl_time(n, chips, chip_flop_per_s=6e13, **NETWORK).total_s
        for n in (order, more * order)
    ]
    assert rates[0] <= rates[1] * (1 + 1e-3)


def test_one_run_is_a_row_of_many():
    orders = np.array([1e6, 2e6, 4e6])
    many = hpl_time(orders, 1000.0, chip_flop_per_s=6e13, **NETWORK).total_s
    alone = [hpl_time(n, 1000.0, chip_flop_per_s=6e13, **NETWORK).total_s for n in orders]
    assert many == pytest.approx(alone)


def test_the_order_fills_the_memory_that_it_says():
    order = hpl_order(100.0, 8e10, fill_fraction=0.9)
    assert 8.0 * order**2 / 100.0 == pytest.approx(0.9 * 8e10)


def test_every_fitted_rate_is_under_the_peak_of_itschip():
    for id in ("h100-sxm", "h200-sxm", "a100-sxm", "mi250x", "mi300a", "v100-sxm2-32gb"):
        part = chip(id)
        rate, origin = chip_rate(part)
        assert "fitted" in origin
        assert 0.2 < rate / fp64_peak_flop_per_s(part) < 1.0


def test_a_chip_without_runs_takes_the_share_of_all_families():
    rate, origin = chip_rate(chip("b200-sxm"))
    assert rate == pytest.approx(hpl_table()["all_families"] * fp64_peak_flop_per_s(chip("b200-sxm")))
    assert "all families" in origin


def test_a_machine_runs_with_the_matrix_that_fills_it():
    eagle = hpl_run(machine("eagle"))
    assert eagle.rate_flop_per_s == pytest.approx(561.2e15, rel=0.1)


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"accelerator": "Abacus 3000"}, "unknown_chip", "accelerator"),
        ({"accelerator": ""}, "incomplete", "accelerator"),
        ({"n_accelerators_est": ""}, "incomplete", "n_accelerators_est"),
        ({"n_accelerators_est": "many"}, "inconsistent", "n_accelerators_est"),
        ({"nmax": "-1"}, "inconsistent", "nmax"),
        ({"accelerator": "MI210", "interconnect": "string"}, "incomplete", "nmax"),
        ({"accelerator": "MI210", "interconnect": "string", "nmax": "1e6"}, "incomplete", "interconnect"),
        ({"accelerator": "TPU v5p"}, "unsupported", "FP64"),
    ],
)
def test_what_cannot_be_predicted_says_what_is_missing(change, status, word):
    found = next(predict_hpl([{**ROW, **change}]))
    assert (found.status, word in found.reason) == (status, True)
    assert np.isnan(found.rmax_pflops)


def test_a_blank_order_is_derived_and_said_so():
    found = next(predict_hpl([ROW]))
    assert found.status == "ok"
    assert "nmax blank" in found.reason


def test_blank_chips_come_from_their_cores():
    cores = {**ROW, "n_accelerators_est": "", "accelerator_cores": str(132 * 1024)}
    assert next(predict_hpl([cores])).rmax_pflops == next(predict_hpl([ROW])).rmax_pflops


def test_the_matrix_tells_boards_of_one_name_apart():
    # 1,310,720^2 x 8 bytes / 400 chips = 34 GB, what a 40 GB board holds; twice the memory, 80 GB
    small = next(
        predict_hpl([{**ROW, "accelerator": "A100", "n_accelerators_est": "400", "nmax": "1310720"}])
    )
    large = next(
        predict_hpl([{**ROW, "accelerator": "A100", "n_accelerators_est": "400", "nmax": "1853638"}])
    )
    rates = [8 * n.nmax**2 / 400 for n in (small, large)]
    assert rates == pytest.approx([34.4e9, 68.7e9], rel=0.01)
    assert listed_row("a100", rates[0])["ids"] == ["a100-sxm-40gb"]
    assert listed_row("a100", rates[1])["ids"] == ["a100-sxm"]
    assert small.rmax_pflops < large.rmax_pflops


def test_a_matrix_beyond_the_memory_of_a_v100_lies_in_its_host():
    inside, beyond = listed_row("v100", 3e10), listed_row("v100", 6e10)
    assert inside["ids"] == ["v100-sxm2-32gb"]
    assert beyond["ids"] == []
    # the chip itself, with its ports, is the same
    row = {
        **ROW,
        "accelerator": "V100",
        "n_accelerators_est": "3168",
        "nmax": "5059584",
        "interconnect": "EDR",
    }
    assert next(predict_hpl([row])).calibration.endswith("6.25 GB/s per chip")


def test_a_name_without_a_matrix_is_its_common_board():
    assert listed_row("h100")["ids"] == ["h100-sxm"]
    assert listed_row("abacus") is None


@given(bytes=st.floats(1e9, 1e13))
def test_the_nearest_matrix_grows_with_the_matrix(bytes):
    usual = {"small": 4e10, "large": 8e10}
    assert nearest_matrix(usual, bytes) == ("small" if bytes <= 4e10 * 2**0.5 else "large")
