"""Whatever a file of runs holds, it is a table, a fit, or one sentence."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from gigawatt.errors import GigawattError
from gigawatt.study import fit_scaling, scaling_fit_document
from gigawatt.study.runs_file import read_runs
from tests.fuzz.sentences import is_one_sentence
from tests.scaling.runs import made

CELLS = (
    st.floats().map(str)
    | st.integers(-(10**20), 10**20).map(str)
    | st.text(max_size=6)
    | st.sampled_from(("", "nan", "inf", "1e308", "1e-308", "7B", "1,5"))
)


def number(value):
    """Return whether a leaf of a document is a number that is finite."""
    return not isinstance(value, float) or math.isfinite(value)


def names(error, file):
    """Check that an error starts with the file that it is about."""
    assert str(error).startswith(str(file))


def leaves(value):
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    else:
        yield value


@given(content=st.text(max_size=200) | st.binary(max_size=200))
def test_any_file_is_a_table_or_one_sentence(content, tmp_path_factory):
    file = tmp_path_factory.getbasetemp() / "any_runs.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    try:
        read_runs(file)
    except GigawattError as error:
        is_one_sentence(error)
        names(error, file)


@settings(max_examples=60)
@given(changed=st.dictionaries(st.tuples(st.integers(0, 11), st.integers(0, 2)), CELLS, max_size=5))
def test_a_good_file_with_some_cells_changed(changed, tmp_path_factory):
    rows = [[f"{value!r}" for value in map(float, row)] for row in zip(*made(12, noise=0.01))]
    for (row, column), cell in changed.items():
        rows[row][column] = cell.replace("\n", " ").replace("\r", " ").replace('"', "'")
    file = tmp_path_factory.getbasetemp() / "some_runs.csv"
    text = "\n".join(["params,tokens,loss", *(",".join(row) for row in rows)])
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        found = scaling_fit_document(fit_scaling(file, starts=4, resamples=5, flop=[1e20]))
    except GigawattError as error:
        is_one_sentence(error)
    else:
        assert all(number(leaf) for leaf in leaves(found))


@settings(max_examples=60)
@given(words=st.dictionaries(
    st.sampled_from(("law", "objective", "holdout")), st.text(max_size=12), min_size=1
))  # fmt: skip
def test_any_words_are_a_fit_or_one_sentence(words, tmp_path_factory):
    file = tmp_path_factory.getbasetemp() / "good_runs.csv"
    rows = [",".join(f"{float(value)!r}" for value in row) for row in zip(*made(12))]
    file.write_text("\n".join(["params,tokens,loss", *rows]))
    try:
        fit_scaling(file, starts=2, **words)
    except GigawattError as error:
        is_one_sentence(error)
