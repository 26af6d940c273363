"""Files of runs: columns found or named, cells read or refused by line, texts kept apart."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from gigawatt.errors import FileFormatError, InputError, MissingExtraError
from gigawatt.study import extras
from gigawatt.study.runs_file import SHIPPED, read_runs
from tests.scaling.runs import as_csv, made

HEAD = "params,tokens,loss,dataset\n"


def written(folder, text, name="runs.csv"):
    path = folder / name
    path.write_text(text)
    return path


def test_usual_names_are_found_and_others_are_given(tmp_path):
    path = written(tmp_path, "size,D,val\n1e9,2e10,2.5\n2e9,3e10,2.4\n")
    with pytest.raises(FileFormatError, match=r"runs\.csv:1: no column is known to be params"):
        read_runs(path)
    table = read_runs(path, columns={"params": "size", "loss": "val"})
    assert table.columns == {"params": "size", "loss": "val", "tokens": "D"}
    assert table.runs.params.tolist() == [1e9, 2e9]


def test_tokens_come_of_compute_where_they_are_not_there(tmp_path):
    table = read_runs(written(tmp_path, "N,C,L\n1000000000,120000000000000000000,2.5\n"))
    assert table.imputed == "tokens"
    assert table.runs.tokens.tolist() == [2e10]
    assert table.flop_ratio == 1.0


def test_losses_of_two_texts_are_refused_until_one_is_chosen(tmp_path):
    path = written(tmp_path, HEAD + "1e9,2e10,2.5,c4\n1e9,2e10,2.4,pile\n")
    with pytest.raises(FileFormatError, match=r"2 different texts.*holds c4, pile.*--where dataset=c4"):
        read_runs(path)
    table = read_runs(path, where=["dataset=pile"])
    assert (table.text, table.rows, table.dropped) == ("pile", 2, 1)
    assert len(read_runs(path, columns={"text": "-"}).runs) == 2


def test_conditions_compare_numbers_as_numbers_and_words_as_words(tmp_path):
    path = written(tmp_path, HEAD + "1e9,2e10,2.5,c4\n2e9,2e10,2.4,c4\n")
    assert len(read_runs(path, where=["params<1500000000"]).runs) == 1
    assert len(read_runs(path, where=["params=2000000000"]).runs) == 1
    assert len(read_runs(path, drop=["loss>2.45"]).runs) == 1
    assert len(read_runs(path, where=["dataset!=pile"]).runs) == 2
    with pytest.raises(FileFormatError, match="leave none"):
        read_runs(path, where=["loss>3"])
    with pytest.raises(InputError, match="--drop 'loss' is not a condition"):
        read_runs(path, drop=["loss"])
    with pytest.raises(FileFormatError, match="did you mean 'loss'"):
        read_runs(path, drop=["los>3"])


@pytest.mark.parametrize("cell", ["abc", "-1", "0", "nan", "inf", "1e999", "", "7B"])
def test_a_bad_cell_is_answered_with_line_column_value_and_what_is_allowed(tmp_path, cell):
    path = written(tmp_path, HEAD + f"1e9,2e10,2.5,c4\n{cell},2e10,2.4,c4\n")
    with pytest.raises(
        FileFormatError, match=r"runs\.csv:3: params .*takes a number of 1e-06 to 1e\+18"
    ) as told:
        read_runs(path)
    assert f"--drop 'params={cell}'" in str(told.value)
    if cell != "nan":  # which equals nothing
        assert len(read_runs(path, drop=[f"params={cell}"]).runs) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", r"runs\.csv:1: there is no line of column names"),
        ("params,params,loss\n", "column 'params' is there twice"),
        (HEAD, "there are no rows"),
        (HEAD + "1e9,2e10\n", r"runs\.csv:2: the row has 2 cells, the head 4"),
        ('params,loss\n"1e9,2\n', "is not CSV"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, text, told):
    with pytest.raises(FileFormatError, match=told):
        read_runs(written(tmp_path, text))


def test_places_that_cannot_be_read_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(FileFormatError, match="cannot be read"):
            read_runs(path)
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileFormatError, match="is not UTF-8 text"):
        read_runs(tmp_path / "bytes.csv")


def test_parquet_reads_as_the_same_runs(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    arrow = pytest.importorskip("pyarrow")
    params, tokens, losses = made(20)
    parquet.write_table(
        arrow.table({"params": params, "tokens": tokens, "loss": losses}), tmp_path / "runs.parquet"
    )
    same = read_runs(as_csv(tmp_path / "runs.csv", params, tokens, losses))
    assert np.array_equal(read_runs(tmp_path / "runs.parquet").runs.losses, same.runs.losses)
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(FileFormatError, match="cannot be read as Parquet"):
        read_runs(tmp_path / "bad.parquet")


def test_without_the_extra_parquet_is_refused_with_the_way_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    assert extras  # the module that says it
    with pytest.raises(MissingExtraError, match=r"pip install 'gigawatt\[study\]'"):
        read_runs(tmp_path / "runs.parquet")


def test_files_that_come_with_gigawatt_are_read_by_their_bare_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(read_runs("olmo_ladder_final_30.csv", columns={"loss": "ce_c4_en"}).runs) == 30
    as_csv(tmp_path / "olmo_ladder_final_30.csv", *made(7))  # a file that is there comes first
    assert len(read_runs("olmo_ladder_final_30.csv").runs) == 7


def test_what_is_shipped_has_its_source_and_licence_noted():
    told = (SHIPPED / "README.md").read_text("utf-8")
    names = [path.name for path in SHIPPED.iterdir() if path.name.endswith(".csv")]
    for name in names:
        line = next(line for line in told.splitlines() if f"`{name}`" in line)
        assert "Apache-2.0" in line or "MIT" in line
        assert "github.com" in line
    assert "misfitting" not in (SHIPPED / "isoflop_llama3_marin.csv").read_text("utf-8")


def test_of_runs_of_equal_size_the_best_is_kept(tmp_path):
    text = HEAD + "1e9,2e10,2.6,c4\n1e9,2e10,2.4,c4\n2e9,2e10,2.3,c4\n1e9,2e10,2.5,c4\n"
    table = read_runs(written(tmp_path, text), best=True)
    assert table.runs.losses.tolist() == [2.4, 2.3]
    assert (table.rows, table.dropped, table.cells["loss"]) == (4, 2, ["2.4", "2.3"])
