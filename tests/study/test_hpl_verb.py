"""Linpack on machines: Eagle within its bar, sites for themselves, nothing measured in, errors said."""

from __future__ import annotations

import dataclasses
import json

import jsonschema
import pytest

from gigawatt.catalog import machine
from gigawatt.cli.main import run
from gigawatt.errors import InputError, UnknownFactError
from gigawatt.study import hpl, hpl_document, schema

LARGE = ("eagle", "selene", "el-capitan", "frontier", "aurora", "lumi", "voyager", "abci3")
SHARED = ("alps", "jupiter", "isambard-ai")  # the host's memory holds part of the matrix


def test_eagle_is_right_to_8_percent_with_the_order_of_its_run_and_without():
    for order in (11_796_480, None):
        found = hpl("eagle", order=order)
        assert found.rate_flop_per_s == pytest.approx(561.2e15, rel=0.08)
        assert found.error == pytest.approx(found.rate_flop_per_s / 561.2e15 - 1.0)


@pytest.mark.parametrize("id", LARGE + SHARED)
def test_large_machines_of_the_catalogue_are_within_the_band_that_is_told(id):
    found = hpl(id)
    assert abs(found.error) <= found.band.p90


def test_what_was_measured_is_no_input():
    eagle = machine("eagle")
    without = {n: f for n, f in eagle.facts.items() if not n.startswith("hpl_")}
    assert hpl(dataclasses.replace(eagle, facts=without)).run == hpl(eagle).run


def test_parts_of_the_time_add_up_and_no_run_is_over_the_peak():
    found = hpl("eagle")
    time = found.run.time
    assert time.total_s == pytest.approx(time.update_s + time.exchange_s + time.pivot_s)
    assert 0.3 < found.efficiency < 1.0
    assert found.energy_j == pytest.approx(found.power_w * time.total_s)


def test_five_eagles_are_five_runs():
    five, one = hpl("five-eagles"), hpl("eagle")
    assert five.sites == 5
    assert five.rate_flop_per_s == pytest.approx(5 * one.rate_flop_per_s)
    assert five.run.order == one.run.order


def test_a_matrix_may_lie_in_the_memory_of_the_hosts_where_chips_share_it():
    alps = hpl("alps")
    assert alps.fill_fraction > 1.2
    assert abs(alps.error) < 0.08
    assert [w["code"] for w in hpl_document(alps)["warnings"]] == ["host_memory"]
    codes = [w["code"] for w in hpl_document(hpl("eagle", order=3e7))["warnings"]]
    assert codes == ["does_not_fit"]


def test_a_part_of_a_machine_is_not_compared_with_the_whole():
    assert hpl("eagle", chips=1024).measured_flop_per_s is None


def test_a_chip_without_fp64_is_refused_by_name_and_an_order_that_is_none():
    with pytest.raises(UnknownFactError, match="FP64"):
        hpl("ironwood-pod")
    with pytest.raises(InputError, match="order"):
        hpl("eagle", order=0.5)


def test_the_document_keeps_its_schema_and_the_terminal_says_the_error(capsys):
    document = json.loads(json.dumps(hpl_document(hpl("eagle")), allow_nan=False))
    jsonschema.validate(document, json.loads(schema("hpl")), jsonschema.Draft202012Validator)
    assert run(["machine", "hpl", "eagle"]) == 0
    assert "predicted is" in capsys.readouterr().out
