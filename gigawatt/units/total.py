"""The total of a result: the sum of its named parts."""

from __future__ import annotations

import dataclasses
from typing import Any

from gigawatt.units.aliases import Real


def total(record: Any) -> Real:
    """Return the sum of a record's fields: parts of one unit that never overlap.

    Definition: field + field + ...; each a number, or a column, and all broadcast together.

    >>> from dataclasses import make_dataclass
    >>> total(make_dataclass("Parts", ["compute_s", "bubble_s"])(2.0, 0.5))
    2.5
    """
    found: Real = sum(getattr(record, field.name) for field in dataclasses.fields(record))
    return found
