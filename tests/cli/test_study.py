"""`gigawatt study` and `gigawatt compare` as typed: what they print, and what bad study files are told."""

from __future__ import annotations

import json

import pytest

GOOD = """\
seed: 1
base: {model: llama2-7b, on: superpod-h100, chips: 64, tokens: 1T, layout: {tp: 2}}
sets:
  rents:
    grid: {chips: [32, 64]}
    draw: {machine.rent_usd_per_s: {uniform: [2 $/h, 4 $/h]}}
    samples: 100
"""


@pytest.fixture
def file(folder):
    """Return a function that writes study.yaml, some text of the good one replaced."""

    def write(old="", new=""):
        assert old in GOOD
        (folder / "study.yaml").write_text(GOOD.replace(old, new))
        return "study.yaml"

    return write


def test_a_study_is_run_shown_and_asked(file, told, folder):
    ran = told("study", file())
    assert ran.code == 0, ran.err
    assert "200 rows in study.study; 1 parts" in ran.err
    assert "p10 / p50 / p90" in ran.out
    again = told("study", "run", "study.yaml")
    assert "1 of 1 parts were there already" in again.err
    assert told("study", "show", "study.study").out == ran.out == again.out
    document = json.loads(told("study", "show", "study.study", "--json").out)
    assert (document["schema"], document["status"], document["result"]["rows"]) == (
        "gigawatt/study/1",
        "ok",
        200,
    )
    sql = "select chips, count(*) as n from rents group by 1 order by 1"
    assert told("study", "query", "study.study", sql).out.split() == ["chips", "n", "32", "100", "64", "100"]
    answer = json.loads(told("study", "query", "study.study", sql, "--json").out)
    assert answer["rows"] == [[32, 100], [64, 100]]
    wrong = told("study", "query", "study.study", "select nothing from rents")
    assert wrong.code == 2
    assert "the tables are: rents (200 rows)" in wrong.err


def test_sensitivities_are_shown(file, told):
    file("samples: 100", "method: tornado")
    assert told("study", "study.yaml", "--out", "t").code == 0
    said = told("study", "sensitivity", "t", "--of", "cost_usd")
    assert "machine.rent_usd_per_s" in said.out
    assert "█" in said.out
    file("samples: 100", "{samples: 64, method: saltelli}".strip("{}").replace(", ", "\n    "))
    assert told("study", "study.yaml", "--out", "s").code == 0
    assert "first-order" in told("study", "sensitivity", "s", "--of", "cost_usd").out


BAD = {  # what is replaced, by what: words that must be said
    ("sets:", "setz:"): ("sets is missing",),
    ("seed: 1", "sead: 1"): ("study.yaml:1:1", "sead", "did you mean 'seed'?"),
    ("seed: 1", "seed: -1"): ("seed = -1",),
    ("llama2-7b", "lama2-7b"): ("model = 'lama2-7b'", "'llama2-7b'"),
    ("{tp: 2}", "{tp: 3}"): ("layout.tp = 3", "32 attention heads"),
    ("{tp: 2}", "{tpp: 2}"): (":2:", "field = 'layout.tpp'", "'layout.tp'"),
    ("tokens: 1T", "tokens: 1TB"): ("base.tokens = '1TB'",),
    ("tokens: 1T", "tokens: 1"): ("tokens = 1", "one batch"),
    ("2 $/h", "2 $"): (":6:", "machine.rent_usd_per_s", "did you mean '2 $/h'?"),
    ("2 $/h", "5 $/h"): ("rising order",),
    ("uniform", "unifrom"): ("'uniform'",),
    ("rent_usd_per_s: {uniform: [2 $/h, 4 $/h]}", "storage_bytes_per_s: {published: true}"): (
        "no published range",
    ),
    ("uniform: [2 $/h, 4 $/h]", "band: true"): ("step_ratio",),
    ("rent_usd_per_s", "rent"): ("field = 'machine.rent'", "'machine.rent_usd_per_s'"),
    ("samples: 100", "samples: 0"): ("samples is missing",),
    ("samples: 100", "method: sobol\n    samples: 100"): ("power of two", "64 or 128"),
    ("samples: 100", "samples: 100000000000"): ("samples",),
    ("[32, 64]", "[]"): ("neither a list of values",),
    ("[32, 64]", "[32, 32]"): ("a value twice",),
    ("[32, 64]", "[32, 99999]"): ("chips = 99999",),
    ("{chips: [32, 64]}", "{machine.rent_usd_per_s: [2 $/h]}"): ("also an axis",),
    ("rents:", "Rents-1:"): ("a set's name",),
    ("sets:", "outputs: [dayz]\nsets:"): ("output = 'dayz'", "'days'"),
}


@pytest.mark.parametrize("change", BAD, ids=lambda change: change[1][:30])
def test_a_bad_study_file_is_told_in_one_sentence_and_nothing_is_written(change, file, told, folder):
    said = told("study", file(*change))
    assert said.code in (2, 3, 4), said.err
    assert said.err.startswith("error: ")
    assert [word for word in BAD[change] if word not in said.err] == [], said.err
    assert len(said.err.splitlines()) == 1
    assert [p.name for p in folder.iterdir()] == ["study.yaml"]


def test_a_comparison_is_printed_and_fits_its_terminal(told, monkeypatch):
    line = ["compare", "llama2-13b", "--on", "superpod-h100,superpod-a100,google-l4", "--tokens", "1T",
            "--batch-sequences", "512", "--fixed", "schedule=1f1b,zero=1", "--equal", "chips"]  # fmt: skip
    for width in (60, 80, 120):
        monkeypatch.setenv("COLUMNS", str(width))
        said = told(*line)
        assert said.code == 0, said.err
        assert max(map(len, said.out.splitlines())) <= width
        assert "…" not in said.out
    assert "superpod-h100 is" in said.out
    assert "useful model flop" in said.out
    assert "google-l4 is left out" in said.out or "google-l4 " in said.out
    document = json.loads(told(*line, "--json").out)
    assert document["schema"] == "gigawatt/compare/1"
