"""Errors on measured rows stay at what was accepted, and no prediction is under its physical bound."""

import pytest

from validation.errors import document_of, errors_by_source, measured_files, stored, worse


@pytest.fixture(scope="module")
def document():
    files = measured_files()
    if not files:
        pytest.skip("the measured tables are not at hand")
    return document_of(files)


def test_no_median_is_worse_than_accepted(document):
    """Where one is, `python -m validation --accept REASON` stores it with its reason."""
    assert worse(errors_by_source(document), stored()) == []


def test_no_prediction_is_under_its_bound(document):
    under = [row["id"] for row in document["result"]["rows_compared"] if row["predicted_s"] < row["bound_s"]]
    assert under == []


def test_rows_that_ran_are_said_to_fit(document):
    result = document["result"]
    assert result["said_not_to_fit"] <= 0.02 * result["compared"]


def test_printed_peak_memory_is_near(document):
    of_all = document["result"]["peak_memory"][-1]
    assert of_all["rows"] >= 40
    assert of_all["median"] < 0.08


def test_a_worse_median_is_told():
    before = {
        "a": {"rows": 3.0, "median": 0.05},
        "b": {"rows": 2.0, "median": 0.05},
        "c": {"rows": 2.0, "median": 0.1},
    }
    now = {
        "a": {"rows": 3, "median": 0.06},
        "b": {"rows": 1, "median": 0.01},
        "c": {"rows": 2, "median": 0.1},
    }
    assert [d.source for d in worse(now, before)] == ["a", "b"]
