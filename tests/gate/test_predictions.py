"""No number of the planner moves unseen."""

from __future__ import annotations

import pytest

from tests.gate.differences import differences, table
from tests.gate.predictions import NUMBERS, predictions, stored

ROW = {"id": "a", "status": "ok", "layout": "tp=8", **dict.fromkeys(NUMBERS, "2.0")}
REFUSED = {"id": "a", "status": "NothingFeasibleError", "layout": "", **dict.fromkeys(NUMBERS, "")}


@pytest.mark.parametrize(
    ("old", "new", "kinds"),
    [
        ({"a": ROW}, {"a": ROW}, []),
        ({"a": REFUSED}, {"a": REFUSED}, []),
        ({"a": ROW}, {"a": ROW | {"step_s": "2.0001"}}, []),
        ({"a": ROW}, {"a": ROW | {"step_s": "2.0003"}}, ["DRIFT"]),
        ({"a": ROW}, {"a": ROW | {"rent_usd": "nan"}}, ["DRIFT"]),
        ({"a": ROW}, {"a": REFUSED}, ["REGRESSION"]),
        ({"a": REFUSED}, {"a": ROW}, ["GAIN"]),
        ({"a": ROW}, {"b": ROW | {"id": "b"}}, ["ROWS", "ROWS"]),
        ({"a": ROW, "b": ROW | {"id": "b"}}, {"a": REFUSED}, ["REGRESSION", "ROWS"]),
    ],
)
def test_a_difference_is_told_by_its_kind(old, new, kinds):
    assert [d.kind for d in differences(old, new)] == kinds


def test_predictions_are_those_in_git():
    """A wanted change: `python -m tests.gate`, and a line in changes/ that says why."""
    found = differences(stored(), predictions())
    assert not found, f"{table(found)}\nif this is wanted: python -m tests.gate, and say why in changes/"


def test_the_grid_is_mostly_answered():
    """A grid of refusals would guard nothing."""
    rows = list(stored().values())
    assert len(rows) >= 100
    assert sum(row["status"] == "ok" for row in rows) >= 0.7 * len(rows)
