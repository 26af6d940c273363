"""`gigawatt fleet growth` on the command line: the tables, the documents, the pictures, and bad input."""

from __future__ import annotations

import importlib.util
import json

import pytest

FILE = """\
title: A small fleet
work: {mfu: 40 %, goodput: 90 %}
jobs: [{name: a small model, flop: 1e23 flop}]
deliveries:
  - {what: pods, machine: superpod-h100, count: 2, from: 2024-05, to: 2024-08, lead: 60 d}
"""


@pytest.fixture
def small(folder):
    (folder / "small.yaml").write_text(FILE)
    return "small.yaml"


def test_without_a_name_the_names_are_listed(told):
    assert told("fleet", "growth").out.split() == [
        "colossus",
        "five-eagles",
        "stargate-2024",
        "stargate-abilene",
    ]


@pytest.mark.parametrize("name", ["colossus", "five-eagles", "stargate-abilene"])
def test_the_tables_of_a_named_build_out_fit_a_page(told, name):
    out = told("fleet", "growth", name).out
    assert max(map(len, out.splitlines())) <= 110
    assert "…" not in out
    for word in ("deliveries", "what stands", "what it costs", "what can be trained by when", "book value"):
        assert word in out, word


def test_rows_of_several_months_sum_what_flows_and_show_the_last_state(told, small):
    document = json.loads(told("fleet", "growth", small, "--until", "2028-12", "--json").out)
    months = document["result"]["months"]
    assert document["schema"] == "gigawatt/growth/1"
    assert sum(m["capital_usd"] for m in months) == pytest.approx(months[-1]["capital_so_far_usd"])
    out = told("fleet", "growth", small, "--until", "2028-12").out
    assert "each 3 months" in out
    assert "MFU 40.0 % and goodput 90.0 %, as stated" in out


def test_a_row_of_what_stands_is_of_a_month_with_cards(told):
    out = told("fleet", "growth", "stargate-abilene").out
    stands = out.split("what stands")[1].split("what it costs")[0].splitlines()
    rows = [line.split() for line in stands if line.startswith("20")]
    assert rows[0][:2] == ["2025-06", "50,040"]
    assert all(row[1] != "0" for row in rows)


@pytest.mark.skipif(importlib.util.find_spec("vl_convert") is None, reason="needs the extra 'report'")
def test_the_pictures_are_written_and_fetch_nothing(told, small, folder):
    words = ("--png", "a.png", "--svg", "a.svg", "--html", "a.html")
    assert told("fleet", "growth", small, *words).code == 0
    assert (folder / "a.png").read_bytes()[:4] == b"\x89PNG"
    assert "thousand cards" in (folder / "a.svg").read_text("utf-8")
    page = (folder / "a.html").read_text("utf-8")
    assert "<svg" in page
    assert "http" not in page.replace("http://www.w3.org/", "")


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        ("six-eagles", "five-eagles", 2),
        ("nowhere.yaml", "cannot be read", 3),
        ("five-eagles --until soon", "is not a month", 2),
        ("five-eagles -o no/where.txt", "no folder", 2),
    ],
)
def test_bad_input_is_one_sentence(told, words, said, code):
    found = told("fleet", "growth", *words.split())
    assert (found.code, found.out) == (code, "")
    assert said in found.err
    assert len(found.err.strip().splitlines()) == 1
