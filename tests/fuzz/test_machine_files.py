"""Whatever a machine file holds, the answer is a machine or one sentence."""

from __future__ import annotations

import math
import tomllib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gigawatt.catalog.keyed_text import read_keys
from gigawatt.catalog.machine_file import machine_file_of
from gigawatt.catalog.machines import compose, load_machine_file
from gigawatt.errors import GigawattError
from tests.fuzz.sentences import is_one_sentence

YAML = """\
id: my-cluster
name: My cluster
chip: h100-sxm
chips: 1024
chips_per_node: 8
network:
  - name: rail
    chips: 256
    per_chip: 400 Gbit/s
    latency: 3 us
  - per_chip: 400 Gbit/s
    oversubscription: 2
scale_up: {chips: 8, per_chip: 450 GB/s, topology: switch}
site: {pue: 1.2, power_price: 0.07 $/kWh, carbon: 0.38 kg/kWh}
facts:
  rent_usd_per_s: {value: 2.5 $/h, low: 2 $/h, high: 3 $/h, kind: estimated}
  restart_s: 10 min
"""
TOML = """\
chip = "h100-sxm"
chips = 1024
network = "400 Gbit/s"
site = "us-average"
[scale_up]
chips = 8
[facts]
restart_s = "10 min"
[facts.rent_usd_per_s]
value = "2.5 $/h"
"""
KEYS = ("id", "chip", "chips", "chips_per_node", "network", "scale_up", "site", "facts", "source",
        "per_chip", "latency", "dims", "topology", "pue", "power_price", "carbon",
        "rent_usd_per_s", "value", "x")  # fmt: skip
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.sampled_from(
        ("h100-sxm", "tpu-v5p", "us-average", "400 Gbit/s", "2.5 $/h", "torus", "switch", "user")
    )
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


def machine_or_sentence(read):
    """Return the machine that is read, or None after one clear sentence."""
    try:
        found = read()
    except GigawattError as error:
        return is_one_sentence(error)
    assert found.chips >= 1
    assert all(math.isfinite(level.bytes_per_s) and level.bytes_per_s > 0 for level in found.levels)
    assert found.levels[-1].chips >= found.chips
    return found


@pytest.fixture(scope="module")
def write(tmp_path_factory):
    """Return a function that writes a file and returns its path."""
    folder = tmp_path_factory.mktemp("machines")

    def to(name, text):
        (folder / name).write_bytes(
            text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        )
        return folder / name

    return to


@pytest.mark.parametrize(("name", "text"), [("good.yaml", YAML), ("good.toml", TOML)])
def test_the_files_to_be_changed_are_good(name, text, write):
    assert machine_or_sentence(lambda: load_machine_file(write(name, text))).chips == 1024


@settings(max_examples=150)
@given(text=st.text(max_size=200) | st.binary(max_size=200))
@example(text="!!int x")
@example(text="a: !!timestamp 2001-99-99")
@example(text="? [a]\n: b")
@example(text="chip: &c h100-sxm\nchips: *d")
@example(text="<<: 5")
@example(text="chips: 0o9")
@example(text="%YAML 9.9\n---\n")
def test_any_yaml_text(text, write):
    machine_or_sentence(lambda: load_machine_file(write("any.yaml", text)))


@settings(max_examples=150)
@given(text=st.text(max_size=200) | st.binary(max_size=200))
def test_any_toml_text(text, write):
    machine_or_sentence(lambda: load_machine_file(write("any.toml", text)))


@settings(max_examples=200)
@given(data=st.data(), source=st.sampled_from(("changed.yaml", "changed.toml")))
def test_a_good_file_with_some_letters_changed(data, source, write):
    text = YAML if source.endswith("yaml") else TOML
    start = data.draw(st.integers(0, len(text) - 1))
    gone = data.draw(st.integers(0, 12))
    put = data.draw(
        st.text(max_size=6) | st.sampled_from((":", "-", "[", "{", "'", "\t", "1e999", "null", "\n  "))
    )
    machine_or_sentence(lambda: load_machine_file(write(source, text[:start] + put + text[start + gone :])))


@settings(max_examples=200)
@given(data=st.data())
def test_a_good_machine_with_some_values_changed(data):
    rows = tomllib.loads(TOML)
    for name in data.draw(st.lists(st.sampled_from(KEYS), max_size=3)):
        rows[name] = data.draw(VALUES)
    machine_or_sentence(lambda: compose(machine_file_of(rows, where="x"), where="x"))


@given(rows=VALUES)
def test_any_values(rows):
    machine_or_sentence(lambda: compose(machine_file_of(rows, where="x"), where="x"))


def test_yaml_and_toml_say_the_same(write):
    as_yaml = "chip: h100-sxm\nchips: 64\nnetwork: 400 Gbit/s\nscale_up: {chips: 8}\n"
    as_toml = 'chip = "h100-sxm"\nchips = 64\nnetwork = "400 Gbit/s"\nscale_up = {chips = 8}\n'
    assert read_keys(write("a.yaml", as_yaml))[0] == read_keys(write("a.toml", as_toml))[0]
