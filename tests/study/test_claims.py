"""Claims: every figure is computed when the file is run, and every verdict follows from figures."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from importlib.resources import files
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawatt.catalog import load, machines
from gigawatt.study import Claims, claim_files, claims, claims_document, schema
from gigawatt.study.claims import asked
from gigawatt.study.claims.file import claim_file_of, find_claim_file
from gigawatt.study.claims.packing import bins_of, packed
from gigawatt.study.claims.page import page
from gigawatt.study.claims.run import computed
from gigawatt.study.claims.verdict import FAILED, FAILS, HOLDS, OPINION, PARTLY, VERDICTS

NAME = "ai-black-hole-2024"
ARTICLE = [str(n) for n in range(1, 28)]
TEASERS = [f"T{n}" for n in range(1, 16)]


@pytest.fixture(scope="module")
def found() -> Claims:
    return claims(NAME)


@pytest.fixture(scope="module")
def document(found: Claims) -> dict[str, Any]:
    return json.loads(json.dumps(claims_document(found), allow_nan=False))


def file_of(**claim: Any) -> dict[str, Any]:
    """Return a file of one claim."""
    return {"title": "t", "claims": [{"id": "1", "who": "w", "claim": "c", **claim}]}


def one(**claim: Any) -> Any:
    """Return the only claim of a file, computed."""
    (checked,) = computed(claim_file_of(file_of(**claim), name="f.yaml", where="f.yaml")).checked
    return checked


def value(found: Claims, id: str, figure: str) -> float:
    return next(c for c in found.checked if c.id == id).figures[figure].value  # type: ignore[return-value]


def test_the_built_in_file_has_all_claims_and_all_teasers(found):
    assert [c.id for c in found.checked] == ARTICLE + TEASERS
    assert claim_files()[NAME] == found.file.rows.title


def test_every_claim_is_computed_and_every_picture_drawn(found):
    assert [(c.id, c.error) for c in found.checked if c.verdict == FAILED] == []
    assert found.undrawn == ()
    assert len(found.pictures) == len(found.file.rows.pictures)


def test_what_is_tested_is_computed_and_what_is_not_says_why(found):
    for checked in found.checked:
        assert bool(checked.readings) != bool(checked.claim.rows.opinion)
        assert (checked.verdict == OPINION) == (not checked.readings)


# The figures of the article by another way: arithmetic of the printed facts, typed here.
@pytest.mark.parametrize(
    ("id", "figure", "expected"),
    [
        ("3", "peak", 100_000 * 989e12),
        ("3", "nodes", 12_500),
        ("5", "bandwidth", 3.35 / 2.039),
        ("5", "compute", 989 / 312),
        ("7", "peak", 300_000 * 2250e12),
        ("8", "bf16", 2250 / 989),
        ("8", "fp4_fp8", 9000 / 1979),
        ("8", "measured", 1745 / 794.5),
        ("9", "fp4", 72 * 10e15),
        ("9", "fp4_sparse", 2 * 72 * 10e15),
        ("9", "fp8", 72 * 5e15),
        ("9", "bf16", 72 * 2.5e15),
        ("10", "tdp", (2250 / 1000) / (989 / 700)),
        ("11", "exapod", 3000 * 362e12),
        ("12", "efficiency", 561.2 / 846.8352),
        ("12", "per_card", 561.2e15 / 14_400),
        ("13", "cores_before", 1800 * (96 + 8 * 66)),
        ("13", "cores_after", 1800 * (96 + 8 * 132)),
        ("13", "eos_cores", 485_888),
        ("14", "days_32", 2.15e25 / (25_000 * 312e12 * 0.32)),
        ("14", "days_36", 2.15e25 / (25_000 * 312e12 * 0.36)),
        ("15", "h100_hardware", 2e6),
        ("19", "cards", 72_000),
        ("19", "fp64", 5 * 561.2e15),
        ("19", "bf16", 72_000 * 989e12),
        ("20", "per_link_2", 200_375e3 / (2 * 432_000)),
        ("21", "compute", 918 / 197),
        ("26", "cards_100", 100 * 24_576 * 312 / 989),  # the plan of GPT-4 uses 24,576 of the 25,000 A100
        ("25", "a3", 26_000 * 989e12),
        ("27", "trn1_ratio", 190 / 989),
        ("27", "rainier", 500_000 * 667e12),
        ("T2", "pair_power", 1.72e6),
        ("T2", "pair_peak", 630e15),
        ("T3", "peak", 384 * 780e12),
        ("T8", "two_way_5", 1.8e12),
    ],
)
def test_figures_are_what_the_printed_facts_give(found, id, figure, expected):
    assert value(found, id, figure) == pytest.approx(expected, rel=2e-3)


# Published figures that no fact of the catalogue states: the model must come near them.
@pytest.mark.parametrize(
    ("id", "figure", "low", "high"),
    [
        ("6", "h100_cards", 550_000, 715_000),  # cards of a gigawatt, by overhead
        ("7", "site_power", 0.6e9, 0.8e9),
        ("12", "model", 0.9 * 561.2e15, 1.1 * 561.2e15),
        ("14", "days", 90 * 86_400, 100 * 86_400),
        ("15", "gw_least", 1.0, 1.2),
        ("15", "gw_most", 2.8, 2.9),
        ("17", "days", 0.85 * 14.8 * 86_400, 1.15 * 14.8 * 86_400),
        ("20", "per_link", 150, 235),
        ("20", "per_strand", 19, 29),
        ("26", "gain_25", 0.04, 0.06),
        ("14", "mfu_whole", 0.32, 0.38),
        ("T3", "modules", 18, 18),
        ("T10", "modules_w", 100_000 * (8 + 2.5 * 16) * 0.9, 100_000 * (8 + 2.5 * 16) * 1.1),
    ],
)
def test_figures_come_near_what_is_published(found, id, figure, low, high):
    assert low <= value(found, id, figure) <= high


def test_verdicts_are_those_of_the_evidence(found):
    """What independent evidence says, written down before the file was."""
    told = {c.id: c.verdict for c in found.checked}
    for id in ("3", "12"):
        assert told[id] == HOLDS
    for id in ("4", "10", "14"):
        assert told[id] == FAILS
    for id in ("5", "7", "8", "9", "13", "15", "17", "19", "20", "24", "27", "T2"):
        assert told[id] == PARTLY
    for id in ("1", "16", "18", "23", "T5", "T7", "T9"):
        assert told[id] == OPINION


def test_every_figure_of_a_machine_has_a_source(found):
    for checked in found.checked:
        for figure in checked.figures.values():
            if figure.by.startswith("gigawatt machine show"):
                assert figure.sources, (checked.id, figure.name)


def test_no_verdict_is_stored_in_the_file():
    text = (files("gigawatt.catalog") / "data" / "claims" / f"{NAME}.toml").read_text("utf-8")
    rows = tomllib.loads(text)

    def words(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [*map(str, value), *(w for inner in value.values() for w in words(inner))]
        return [w for inner in value for w in words(inner)] if isinstance(value, list) else [str(value)]

    assert set(words(rows)) & {"verdict", *VERDICTS} == set()


@pytest.mark.parametrize("where", [(), ("readings", 0), ("readings", 0, "tests", 0), ("said", "a")])
def test_a_file_that_writes_its_verdict_is_refused(where):
    rows = file_of(
        said={"a": {"value": 1}},
        figures={"a": {"expr": "1", "unit": "1"}},
        readings=[{"label": "l", "tests": [{"figure": "a", "is": "same"}]}],
    )
    at = rows["claims"][0]
    for key in where:
        at = at[key]
    at["verdict"] = "holds"
    with pytest.raises(Exception, match="a verdict is computed"):
        claim_file_of(rows, name="f", where="f")


def test_another_fact_of_the_catalogue_gives_another_figure_and_another_verdict(found, monkeypatch):
    """Half of the cards: the figure halves, and the claim no longer holds."""
    real = machines.machine("colossus")
    half = dataclasses.replace(real, chips=50_000)
    monkeypatch.setattr("gigawatt.catalog.machines.machine", lambda id: half if id == "colossus" else real)
    (checked,) = claims(NAME, only="3").checked
    assert checked.figures["peak"].value == pytest.approx(value(found, "3", "peak") / 2)
    assert checked.verdict == FAILS


def test_another_peak_moves_every_figure_that_is_made_of_it(found, monkeypatch):
    real = load.chip("b200-sxm")
    fact = dataclasses.replace(real.facts["peak_bf16_flop_per_s"], value=4 * 989e12)
    strong = dataclasses.replace(real, facts={**real.facts, "peak_bf16_flop_per_s": fact})
    chip = load.chip
    monkeypatch.setattr(asked, "chip", lambda id: strong if id == "b200-sxm" else chip(id))
    (checked,) = claims(NAME, only="8").checked
    assert checked.figures["bf16"].value == pytest.approx(4.0)
    assert checked.figures["fp8"].value == pytest.approx(value(found, "8", "fp8"))


# -------------------------------------------------------------------------- verdicts and failures


READING = {"said": {"a": {"value": 100}}, "figures": {"a": {"expr": "98", "unit": "1"}}}


@pytest.mark.parametrize(
    ("rules", "verdict"),
    [
        (["5 %", "3 %"], HOLDS),
        (["5 %", "1 %"], PARTLY),
        (["1 %", "0.5 %"], FAILS),
    ],
)
def test_all_some_or_none_of_the_readings_hold(rules, verdict):
    readings = [{"label": r, "tests": [{"figure": "a", "is": "within", "by": r}]} for r in rules]
    assert one(**READING, readings=readings).verdict == verdict


@pytest.mark.parametrize(
    ("test", "holds"),
    [
        ({"figure": "a", "is": "at_most"}, True),
        ({"figure": "a", "is": "at_least"}, False),
        ({"figure": "a", "is": "at_least", "by": "2 %"}, True),
        ({"figure": "a", "is": "same"}, False),
        ({"figure": "a", "is": "at_least", "value": 98}, True),
        ({"figure": "a", "is": "at_least", "value": 98.1}, False),
        ({"when": "a < said_a and said_a / a < 1.03"}, True),
        ({"when": "a > said_a"}, False),
    ],
)
def test_rules_are_what_their_names_say(test, holds):
    checked = one(**READING, readings=[{"label": "l", "tests": [test]}])
    assert checked.verdict == (HOLDS if holds else FAILS)


@pytest.mark.parametrize(
    ("said", "is_so", "holds"),
    [
        ("2022", {"is": "same"}, True),
        ("2022-09", {"is": "same"}, True),
        ("2022-10", {"is": "same"}, False),
        ("2022-10", {"is": "within", "by": 20}, True),
        ("2022-10", {"is": "within", "by": 5}, False),
        ("2022-10-01", {"is": "at_most"}, True),
    ],
)
def test_dates_are_as_exact_as_they_are_written(said, is_so, holds):
    """The H100 of the catalogue shipped on 2022-09-20."""
    checked = one(
        said={"d": {"value": said, "unit": "date"}},
        figures={"d": {"query": "chip", "of": "h100-sxm", "fact": "release_date"}},
        readings=[{"label": "l", "tests": [{"figure": "d", **is_so}]}],
    )
    assert checked.verdict == (HOLDS if holds else FAILS)


def test_a_range_that_is_said_holds_what_lies_in_it():
    said = {"a": {"value": {"low": 90, "high": 97}}}
    figures = {"a": {"expr": "98", "unit": "1"}}
    tests = [{"figure": "a", "is": "within", "by": "2 %"}]
    assert one(said=said, figures=figures, readings=[{"label": "l", "tests": tests}]).verdict == HOLDS
    tests = [{"figure": "a", "is": "within", "by": "1 %"}]
    assert one(said=said, figures=figures, readings=[{"label": "l", "tests": tests}]).verdict == FAILS


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        ({"query": "chip", "of": "h100-sxn", "fact": "tdp_w"}, "h100-sxm"),
        ({"query": "chip", "of": "h100-sxm", "fact": "tdp"}, "tdp_w"),
        ({"query": "peak", "of": "h100-sxm", "dtype": "fp4"}, "no peak_fp4_flop_per_s"),
        ({"query": "plan", "model": "llama3.1-405b", "on": "google-l4", "get": "mfu"}, "fit"),
        ({"expr": "1 / (2 - 2)", "unit": "1"}, "no value"),
    ],
)
def test_a_claim_that_cannot_be_computed_is_failed_with_its_sentence(figure, words):
    said = {"a": {"value": 1}}
    checked = one(
        said=said, figures={"a": figure}, readings=[{"label": "l", "tests": [{"figure": "a", "is": "same"}]}]
    )
    assert checked.verdict == FAILED
    assert "figure 'a'" in checked.error
    assert words in checked.error


def test_watts_are_not_compared_with_dollars():
    said = {"a": {"value": "700 $", "unit": "USD"}}
    figures = {"a": {"query": "chip", "of": "h100-sxm", "fact": "tdp_w"}}
    for test in ({"is": "same"}, {"is": "within", "by": "1 %"}, {"is": "at_least"}):
        checked = one(
            said=said, figures=figures, readings=[{"label": "l", "tests": [{"figure": "a", **test}]}]
        )
        assert checked.verdict == FAILED
        assert "give both one unit" in checked.error


# --------------------------------------------------------------------------------------- packing


@given(sizes=st.lists(st.integers(1, 10), max_size=60))
def test_first_fit_is_between_its_bounds(sizes):
    """No fewer bins than all sizes fill, and never two bins that one could hold."""
    bins = bins_of(np.array(sizes, dtype=int), 10)
    assert sum(sizes) / 10 <= bins <= len(sizes)
    assert bins <= 2 * sum(sizes) / 10 + 1


@given(mean=st.floats(0.1, 0.9), slices=st.integers(1, 100), seed=st.integers(0, 5))
def test_shared_cards_are_used_no_less_than_whole_ones(mean, slices, seed):
    found = packed(jobs=200, mean_need=mean, slices=slices, seed=seed)
    assert found.whole_fraction <= found.sliced_fraction <= 1.0
    assert found == packed(jobs=200, mean_need=mean, slices=slices, seed=seed)


def test_a_card_that_is_not_cut_is_a_whole_card():
    found = packed(jobs=300, mean_need=0.4, slices=1, seed=3)
    assert found.cards_sliced == found.cards_whole


# ------------------------------------------------------------------------------- document and page


def test_the_document_keeps_its_schema(document):
    rules = json.loads(schema("claims"))
    jsonschema.validate(document, rules, jsonschema.Draft202012Validator)
    document = json.loads(json.dumps(document))
    del document["result"]["claims"][0]["verdict"]
    with pytest.raises(jsonschema.ValidationError, match="verdict"):
        jsonschema.validate(document, rules, jsonschema.Draft202012Validator)


def test_every_figure_says_how_it_is_known_and_by_which_command(document):
    for row in document["result"]["claims"]:
        for figure in row["figures"]:
            assert figure["by"].startswith("gigawatt ")
            assert figure["kind"] in ("assumed", "estimated", "predicted", "derived", "spec", "measured")


def test_every_source_that_is_cited_is_in_the_bibliography(document):
    told = {source["id"] for source in document["provenance"]["sources"]}
    assert {source for row in document["result"]["claims"] for source in row["sources"]} == told


def test_the_page_needs_no_network_and_is_the_same_twice(document):
    drawn = page(document)
    assert drawn == page(json.loads(json.dumps(claims_document(claims(NAME)))))
    for word in ("http:", "https:", "src=", "@import", "url(", "<script", "<link"):
        assert word not in drawn
    for row in document["result"]["claims"]:
        assert f"id='c{row['id']}'" in drawn


def test_the_words_of_a_file_are_text_on_the_page_and_not_marks():
    rows = file_of(opinion="<script>alert(1)</script>", note="a & b")
    drawn = page(claims_document(computed(claim_file_of(rows, name="<b>", where="f"))))
    assert "<script>" not in drawn
    assert "&lt;script&gt;" in drawn
    assert "<b>.</p>" not in drawn


def test_the_built_in_file_names_queries_and_no_results():
    """A datum of the file has a source; what has none is computed."""
    file = find_claim_file(NAME)
    wanted = [*file.shared.values(), *(w for claim in file.claims for w in claim.figures.values())]
    assert all(w.sources and w.kind for w in wanted if w.datum is not None)
    assert sum(w.datum is None for w in wanted) > 5 * sum(w.datum is not None for w in wanted)
