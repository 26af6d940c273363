"""Every published row is read, and nearly every complete one understood."""

from __future__ import annotations

from collections import Counter

import pytest

from gigawatt.study.row_cells import RowError
from gigawatt.study.row_layout import question
from gigawatt.study.rows import read_rows
from tests.rows.examples import COMPLETE

OTHER = ("accelerator_alias.csv", "sanity_flags.csv", "runs.csv")
REFUSALS = ("incomplete", "unknown_chip", "unknown_model", "inconsistent", "unsupported")


@pytest.fixture(scope="module")
def read(shared_facts):
    """Return, for every published row, its file, whether it is complete, and its question or refusal."""
    found = []
    for file in sorted((shared_facts / "training").glob("*.csv")):
        for row in read_rows(file) if file.name not in OTHER else []:
            complete = all(row[name] for name in COMPLETE)
            try:
                found.append((file.name, complete, question(row)))
            except RowError as error:
                found.append((file.name, complete, error))
    return found


def test_every_row_is_understood_or_refused_with_a_reason(read):
    refused = [answer for _, _, answer in read if isinstance(answer, RowError)]
    assert all(error.status in REFUSALS and error.reason for error in refused)


def test_at_least_95_of_100_complete_rows_are_understood(read):
    complete = [answer for _, whole, answer in read if whole]
    understood = [answer for answer in complete if not isinstance(answer, RowError)]
    assert len(complete) > 1000
    assert len(understood) >= 0.95 * len(complete)


def test_no_source_is_left_out(read):
    complete, understood = Counter(), Counter()
    for file, whole, answer in read:
        complete[file] += whole
        understood[file] += whole and not isinstance(answer, RowError)
    assert {f: n for f, n in understood.items() if n < 0.9 * complete[f]} == {}


def test_every_layout_uses_every_chip_and_every_sequence(read):
    for _, _, answer in read:
        if not isinstance(answer, RowError):
            layout, batch = answer.layout, answer.job.batch_sequences
            assert layout.chips == answer.machine.chips
            assert batch % (layout.dp * layout.microbatch_sequences) == 0
            assert layout.tp * layout.cp * layout.dp % (layout.ep * layout.etp) == 0
