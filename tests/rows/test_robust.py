"""Odd tables and odd cells never crash; measured columns are never read."""

from __future__ import annotations

import csv
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawatt.errors import FileFormatError
from gigawatt.study.rows import CONFIGURATION, predict, read_rows, write_predictions
from tests.rows.examples import HEADER, MEASURED, PLAIN, predicted, row, table

STATUSES = ("ok", "incomplete", "unknown_chip", "unknown_model", "inconsistent", "unsupported")
ODD = (
    "",
    " ",
    "0",
    "-1",
    "1e30",
    "nan",
    "inf",
    "1.5",
    "7",
    "64",
    "1,024",
    "zwei",
    "½",
    "１２",
    "x" * 5000,
    "\N{BOMB}",
)


@given(changes=st.dictionaries(st.sampled_from(CONFIGURATION), st.sampled_from(ODD), max_size=4))
@settings(max_examples=400)
def test_odd_cells_get_a_status_and_a_reason(changes):
    answer = predicted(**changes)
    assert answer.status in STATUSES
    if answer.status == "ok":
        assert 0 < answer.step_time_s < float("inf")
        assert answer.memory_bytes > 0
    else:
        assert answer.reason
        assert answer.step_time_s != answer.step_time_s


@pytest.mark.parametrize("name", ["n_accel", "seq_len", "global_batch_seqs", "precision", "accelerator"])
def test_a_missing_cell_is_named(name):
    assert predicted(**{name: ""}).reason.split()[0] == name


def test_a_table_may_have_blank_lines_more_columns_and_shorter_rows(tmp_path):
    file = tmp_path / "rows.csv"
    text = table(PLAIN, {**PLAIN, "id": "two"}).splitlines()
    file.write_text(
        "\n".join([text[0] + ",more", "", text[1] + ",x,y,z", "", text[2].split(",")[0], ""]), "utf-8"
    )
    first, second = read_rows(file)
    assert first == row()
    assert (second["id"], second["accelerator"]) == ("two", "")


def test_a_column_that_a_table_lacks_is_blank(tmp_path):
    file = tmp_path / "rows.csv"
    names = [name for name in PLAIN if name != "ffn_hidden"]
    file.write_text(",".join(names) + "\n" + ",".join(f'"{PLAIN[name]}"' for name in names) + "\n", "utf-8")
    (answer,) = predict(read_rows(file))
    assert (answer.status, answer.reason) == ("incomplete", "ffn_hidden")


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "id;accelerator\n", "\x00\x01"])
def test_a_file_that_is_no_such_table_is_refused_in_one_sentence(text, tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(FileFormatError, match=r"rows\.csv.*(missing|CSV)"):
        read_rows(file)


def written(rows: list[dict[str, str]], folder) -> bytes:
    """Return the bytes of the predictions of a table with these rows."""
    file, out = folder / "rows.csv", folder / "out.csv"
    file.write_text(table(*rows), "utf-8")
    write_predictions(out, predict(read_rows(file)))
    return out.read_bytes()


def test_measured_columns_change_nothing(tmp_path):
    rows = [
        {**PLAIN, "id": f"r{n}", "n_accel": str(8 * n), "global_batch_seqs": str(32 * n), "dp": ""}
        for n in (1, 2, 4)
    ]
    blind = written(rows, tmp_path)
    for n, one in enumerate(rows):
        one.update({name: str(n + 1) for name in MEASURED})
    assert written(rows, tmp_path) == blind
    assert set(MEASURED) | set(CONFIGURATION) < set(HEADER)


def test_published_rows_are_predicted_alike_when_their_measurements_are_shuffled(shared_facts, tmp_path):
    with open(shared_facts / "training" / "torchtitan.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    seen = written(rows, tmp_path)
    shuffled = random.Random(7).sample(rows, len(rows))
    mixed = [{**mine, **{n: theirs[n] for n in MEASURED}} for mine, theirs in zip(rows, shuffled)]
    blank = [{**mine, **dict.fromkeys(MEASURED, "")} for mine in rows]
    assert written(mixed, tmp_path) == seen
    assert written(blank, tmp_path) == seen
