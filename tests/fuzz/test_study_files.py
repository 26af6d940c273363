"""Whatever a study file holds, the answer is a study or one sentence, and nothing is written."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gigawatt.errors import GigawattError
from gigawatt.study.sweep.groups import group_of, group_words, is_laid_out
from gigawatt.study.sweep.parts import Pricer
from gigawatt.study.sweep.study_file import read_study_file, study_of
from tests.fuzz.sentences import is_one_sentence

YAML = """\
name: prices
seed: 7
part_rows: 1000
base:
  model: llama2-7b
  on: superpod-h100
  chips: 64
  tokens: 1T
  layout: {tp: 2, mbs: 1, zero: 1}
sets:
  rents:
    grid:
      machine.rent_usd_per_s: {from: 2 $/h, to: 4 $/h, count: 5, scale: log}
      chips: [32, 64]
  drawn:
    draw:
      machine.restart_s: {published: true}
      machine.failures_per_chip_s: {log_normal: [1, 1.7], of: base}
      step_ratio: {band: true}
      stack: {choices: [modern, nemo-2023], weights: [1, 3]}
    samples: 64
    method: saltelli
outputs: [days, cost_usd]
"""
FIELDS = ("tokens", "chips", "model", "on", "layout.tp", "layout.recompute", "machine.rent_usd_per_s",
          "site.pue", "step_ratio",
          "chip.peak_flop_per_s", "network.bytes_per_s", "stack.jitter", "x")  # fmt: skip
KEYS = (*FIELDS, "name", "seed", "part_rows", "base", "sets", "outputs", "grid", "draw", "samples", "method",
        "from", "to", "count", "scale", "uniform", "triangular", "normal", "log_normal", "choices", "weights",
        "published", "band", "of")  # fmt: skip
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.sampled_from(("2 $/h", "1T", "eos", "llama2-7b", "sobol", "base", "days", "log", "400 Gbit/s"))
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


def study_or_sentence(read):
    """Return the study that is read, its groups resolved, or None after one clear sentence."""
    try:
        found = read()
        words = group_words(found)[:2]
        if is_laid_out(found):
            for group in (group_of(found, one) for one in words):
                for sweep in found.sets:
                    Pricer(found, {}).check_draws(sweep, group)
    except GigawattError as error:
        return is_one_sentence(error)
    assert found.rows >= 1
    return found


def rows():
    """Return the good file as plain values."""
    from ruamel.yaml import YAML as Reader

    return json.loads(json.dumps(Reader(typ="safe").load(YAML)))


@pytest.fixture(scope="module")
def write(tmp_path_factory):
    """Return a function that writes a study file and returns its path."""
    file = tmp_path_factory.mktemp("studies") / "study.yaml"

    def to(text):
        file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        return file

    return to


def test_the_file_to_be_changed_is_good(write):
    found = study_or_sentence(lambda: read_study_file(write(YAML))[1])
    assert [s.rows for s in found.sets] == [10, 64 * 6]


@settings(max_examples=100)
@given(text=st.text(max_size=200) | st.binary(max_size=200))
@example(text="base: &a [*a]")
@example(text="")
@example(text="- 1")
def test_any_text(text, write):
    study_or_sentence(lambda: read_study_file(write(text))[1])


@settings(max_examples=200)
@given(data=st.data())
def test_a_good_file_with_some_letters_changed(data, write):
    start = data.draw(st.integers(0, len(YAML) - 1))
    gone = data.draw(st.integers(0, 12))
    put = data.draw(
        st.text(max_size=6) | st.sampled_from((":", "-", "[", "{", "1e999", "null", "\n  ", ".nan"))
    )
    study_or_sentence(lambda: read_study_file(write(YAML[:start] + put + YAML[start + gone :]))[1])


@settings(max_examples=300)
@given(data=st.data())
def test_a_good_study_with_some_values_changed(data):
    found = rows()
    for _ in range(data.draw(st.integers(1, 3))):
        at = found
        while isinstance(at, dict) and at and data.draw(st.booleans()):
            inner = at[data.draw(st.sampled_from(sorted(at)))]
            if not isinstance(inner, dict):
                break
            at = inner
        at[data.draw(st.sampled_from(KEYS))] = data.draw(VALUES)
    study_or_sentence(lambda: study_of(found, where="x.yaml"))


@given(value=VALUES)
def test_any_values(value):
    study_or_sentence(lambda: study_of(value, where="x.yaml"))
