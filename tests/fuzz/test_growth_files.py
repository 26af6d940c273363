"""Whatever a growth file holds, the answer is a build-out or one sentence."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gigawatt.errors import GigawattError
from gigawatt.study.growth import growth_of_file
from gigawatt.study.growth_file import (
    DeliveryRows,
    GrowthRows,
    JobRows,
    WorkRows,
    growth_of,
    read_growth_file,
)
from tests.fuzz.sentences import is_one_sentence

YAML = """\
title: two lines
until: 2026-01
busy: 90 %
write_off: {hardware: 4 y, building: 20 y}
work: {mfu: 40 %, goodput: 90 %}
jobs:
  - {name: big, flop: 1e25 flop}
  - {model: llama2-7b, tokens: 1T, batch: 4M}
deliveries:
  - {what: pods, machine: superpod-h100, count: 2, from: 2024-05, to: 2024-08, lead: 60 d, place: here}
  - {chip: h100-sxm, chips: 64, network: 400 Gbit/s, site: abilene, date: 2024-09-02, retire_after: 3 y,
     facility_power: 90 kW, hardware_cost: 3 M$, building_cost: 1 M$, status: announced, kind: estimated,
     source: epxai, where: row 1}
"""
KEYS = sorted(
    {info.alias or name for record in (GrowthRows, DeliveryRows, JobRows, WorkRows)
     for name, info in record.model_fields.items()} | {"hardware", "building", "x"}
)  # fmt: skip
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.sampled_from(
        ("2024-05", "2025-02-28", "1 y", "60 d", "eos", "h100-sxm", "40 %", "1 M$", "90 kW", "abilene")
    )
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


def build_out_or_sentence(read):
    """Return the build-out that is read and computed, or None after one clear sentence."""
    try:
        found = growth_of_file(read())
    except GigawattError as error:
        return is_one_sentence(error)
    assert len(found.totals.chips) == len(found.months)
    return found


@pytest.fixture(scope="module")
def write(tmp_path_factory):
    """Return a function that writes a growth file and returns its path."""
    file = tmp_path_factory.mktemp("growth") / "growth.yaml"

    def to(text):
        file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        return file

    return to


def rows():
    """Return the good file as plain values."""
    from ruamel.yaml import YAML as Reader

    return json.loads(json.dumps(Reader(typ="safe").load(YAML), default=str))


def test_the_file_to_be_changed_is_good(write):
    found = build_out_or_sentence(lambda: read_growth_file(write(YAML)))
    assert found.totals.chips[-1] == 4 * 2 * 1016 + 64
    assert len(found.months) == 23


@settings(max_examples=100)
@given(text=st.text(max_size=200) | st.binary(max_size=200))
@example(text="deliveries: &a [*a]")
@example(text="")
@example(text="- 1")
def test_any_text(text, write):
    build_out_or_sentence(lambda: read_growth_file(write(text)))


@settings(max_examples=150)
@given(data=st.data())
def test_a_good_file_with_some_letters_changed(data, write):
    start = data.draw(st.integers(0, len(YAML) - 1))
    gone = data.draw(st.integers(0, 12))
    put = data.draw(
        st.text(max_size=6) | st.sampled_from((":", "-", "[", "{", "1e999", "null", "\n  ", ".nan"))
    )
    build_out_or_sentence(lambda: read_growth_file(write(YAML[:start] + put + YAML[start + gone :])))


@settings(max_examples=200)
@given(data=st.data())
def test_a_good_build_out_with_some_values_changed(data):
    found = rows()
    for _ in range(data.draw(st.integers(1, 3))):
        part = data.draw(st.sampled_from(("", "work", "write_off", "deliveries", "jobs")))
        at = found if not part else found[part]
        at = at[data.draw(st.integers(0, len(at) - 1))] if isinstance(at, list) else at
        if not isinstance(at, dict):
            break
        at[data.draw(st.sampled_from(KEYS))] = data.draw(VALUES)
        if not all(isinstance(found.get(key), kind) for key, kind in KINDS.items()):
            break
    build_out_or_sentence(lambda: growth_of(found, where="x.yaml"))


KINDS = {"work": dict, "write_off": dict, "deliveries": list, "jobs": list}


@given(value=VALUES)
def test_any_values(value):
    build_out_or_sentence(lambda: growth_of(value, where="x.yaml"))
