"""Small functions, small classes, small files."""

from __future__ import annotations

import statistics

from tests.architecture import ratchet, rules
from tests.architecture.source import functions

MEDIAN, P90 = 8, 25


def test_the_middle_function_has_at_most_8_lines_and_nine_in_ten_at_most_25():
    lines = sorted(f.body_lines for f in functions())
    assert statistics.median(lines) <= MEDIAN
    assert lines[int(0.9 * len(lines))] <= P90


def test_no_function_has_more_than_60_lines():
    ratchet.check("long_functions", rules.long_functions(), advice="split what is over 60 lines")


def test_no_class_has_more_than_200_lines():
    ratchet.check("long_classes", rules.long_classes(), advice="split what is over 200 lines")


def test_no_file_has_more_than_500_lines():
    ratchet.check("long_files", rules.long_files(), advice="split what is over 500 lines")
