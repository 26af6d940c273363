"""Published figures of scaling laws: they agree, or the miss is explained; and a wrong one fails."""

from __future__ import annotations

import csv
import dataclasses
import json

import jsonschema
import pytest

from gigawatt.cli.main import run
from gigawatt.errors import InputError
from gigawatt.scaling import law
from gigawatt.study import scaling_validation, schema, validate_scaling
from gigawatt.study.runs_file import SHIPPED
from gigawatt.study.scaling_cases_fits import ONE_EPOCH, RELEASED
from gigawatt.study.scaling_checks import RunFiles, ScalingCase, check, check_all
from gigawatt.study.scaling_validation import scaling_cases

CASE = ScalingCase(
    id="T0.pi", what="pi", published=3.14, unit="1", where="a school book", why="two digits",
    compute=lambda runs: 3.1416, absolute=0.005,
)  # fmt: skip


def changed(**fields):
    return dataclasses.replace(CASE, **fields)


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({}, "agrees"),
        ({"absolute": 0.001}, "fails"),
        ({"absolute": 0.001, "relative": 0.01}, "agrees"),
        ({"absolute": 0.001, "explains": "rounded down"}, "explained"),
        ({"sense": "at most", "absolute": 0.0}, "fails"),
        ({"sense": "at least", "absolute": 0.0}, "agrees"),
        ({"compute": lambda runs: float("nan")}, "fails"),
        ({"needs": ("no-such-file.csv",)}, "not run"),
    ],
)
def test_verdicts(fields, verdict):
    assert check(changed(**fields), RunFiles()).verdict == verdict


def test_a_case_that_is_not_run_says_what_it_needs():
    assert check(changed(needs=("no-such-file.csv",)), RunFiles()).note == "needs no-such-file.csv"


def test_an_error_of_the_computation_fails_with_its_sentence():
    def refuse(runs):
        raise InputError("no such thing")

    found = check(changed(compute=refuse, explains="known"), RunFiles())
    assert (found.verdict, found.note) == ("fails", "no such thing")


def test_two_cases_of_one_name_are_refused():
    with pytest.raises(InputError, match=r"T0\.pi' is given twice"):
        check_all([CASE, CASE], RunFiles())


def test_every_case_says_where_why_and_has_a_name_of_its_own():
    cases = scaling_cases()
    assert len({case.id for case in cases}) == len(cases) > 100
    for case in cases:
        assert case.where, case.id
        assert case.why, case.id
        assert (
            case.relative or case.absolute or case.sense != "near" or case.published == int(case.published)
        ), case.id


def test_without_a_folder_the_shipped_files_are_enough_for_some_and_the_others_say_so():
    document = validate_scaling()
    counts = document["result"]["counts"]
    assert counts["fails"] == 0
    assert counts["agrees"] > 40
    rows = document["result"]["cases"]
    assert all(row["note"].startswith("needs ") for row in rows if row["verdict"] == "not run")
    jsonschema.validate(document, json.loads(schema("scaling-validation")), jsonschema.Draft202012Validator)


def test_with_all_run_files_every_case_agrees_or_is_explained(shared_facts):
    document = validate_scaling(str(shared_facts / "scaling"))
    rows = document["result"]["cases"]
    assert [row["id"] for row in rows if row["verdict"] in ("fails", "not run")] == []
    assert sum(row["verdict"] == "explained" for row in rows) < 0.2 * len(rows)


def test_what_repetition_cost_is_measured_in_the_released_runs_and_computed_by_the_law(shared_facts):
    with (shared_facts / "scaling" / "datablations_contour_229.csv").open(encoding="utf-8") as file:
        runs = [{name: float(row[name]) for name in ("num_params", "tokens_seen", "unique_tokens", "loss")}
                for row in csv.DictReader(file)]  # fmt: skip
    asked = [run for run in runs if (run["num_params"], run["tokens_seen"]) == (2.81e9, ONE_EPOCH)]
    losses = {run["unique_tokens"]: run["loss"] for run in asked}
    assert {unique: round(losses[unique], 4) for unique in RELEASED} == RELEASED
    four = next(case for case in scaling_cases() if case.id == "T15.cost-of-4-epochs")
    assert four.published == pytest.approx(losses[1.4e10] - losses[5.5e10], abs=1e-4)
    assert four.compute(RunFiles()) == pytest.approx(2.37709 - 2.35440, abs=1e-5)  # by hand, of the law


def test_no_row_of_a_table_is_checked_by_the_law_that_is_drawn_through_it():
    anchored = law("hoffmann-2022-a1").constants
    for case in scaling_cases():
        if case.id.startswith("T3.params."):
            assert case.published != anchored["params_at"], case.id


def test_a_file_that_was_changed_makes_cases_and_the_command_fail(tmp_path, capsys, monkeypatch):
    name = "olmo_ladder_final_30.csv"
    text = (SHIPPED / name).read_text("utf-8")
    (tmp_path / name).write_text(text.replace("3.747479", "3.947479"))
    monkeypatch.setattr(scaling_validation, "scaling_cases",
                        lambda: [case for case in scaling_cases() if name in case.needs])  # fmt: skip
    assert run(["validate", "--scaling", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert "no explanation" in out
    assert "cases fail without an explanation" in err


def test_the_table_shows_published_computed_and_verdict(capsys):
    assert run(["validate", "--scaling"]) == 0
    out, _ = capsys.readouterr()
    assert "not run: needs chinchilla_epoch_245.csv" in out
    assert "published" in out
    assert run(["validate", "--scaling", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "gigawatt/scaling-validation/1"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name a CSV of measured runs, or give --scaling"),
        (["--scaling", "/no/such/folder"], "is not a folder of run files"),
        (["--scaling", ".", "rows.csv"], "does not go with --scaling"),
        (["--png", "x.png", "--scaling"], "does not go with --scaling"),
    ],
)
def test_mistakes_are_answered_in_one_sentence(words, said, capsys):
    assert run(["validate", *words]) == 2
    assert said in capsys.readouterr().err
