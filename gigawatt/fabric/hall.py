"""Where racks stand, and how long the cables between them are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gigawatt.units import Count, Fraction, Metres

CLASSES = ("in rack", "in row", "in hall", "between halls")


@dataclass(frozen=True, kw_only=True, slots=True)
class Hall:
    """How racks stand: rows in halls, halls side by side; cables run in trays above the racks."""

    rack_pitch_m: Metres
    row_pitch_m: Metres
    racks_per_row: Count
    racks_per_hall: Count
    hall_gap_m: Metres
    rise_m: Metres  # from a port to the tray, at each end
    slack_fraction: Fraction
    in_rack_m: Metres


def length_class(racks: Count, hall: Hall) -> Any:
    """Return the place in CLASSES of cables between the racks of a block and its middle.

    Valid for: a block of racks side by side.
    Definition: the smallest of rack, row and hall that holds the block.
    """
    n = np.asarray(racks)
    return np.select([n <= 1, n <= hall.racks_per_row, n <= hall.racks_per_hall], [0, 1, 2], default=3)


def across_m(racks: Count, hall: Hall) -> Metres:
    r"""Return how far the racks of a block are from its middle at most, along the trays.

    .. math:: \tfrac{1}{2} n\, p, \quad \sqrt{n\, p\, w}, \quad
              \sqrt{n / N} \left( \sqrt{N\, p\, w} + g \right)

    A block within a row is a line; in a hall it is a square of its area, whose corner is half its side away
    in each direction; more than a hall's N racks fill several halls, a gap g apart, in a square.
    Valid for: trays along and across the rows; switches in the middle of what they join.
    Definition: geometry of a line and of squares.

    >>> h = Hall(rack_pitch_m=0.75, row_pitch_m=3.0, racks_per_row=10, racks_per_hall=400, hall_gap_m=20.0,
    ...          rise_m=2.0, slack_fraction=0.1, in_rack_m=2.0)
    >>> [float(across_m(n, h)) for n in (8, 400, 1600)]
    [3.0, 30.0, 100.0]
    """
    n = np.asarray(racks, dtype=float)
    area_m2 = hall.rack_pitch_m * hall.row_pitch_m
    halls = np.sqrt(n / hall.racks_per_hall) * (np.sqrt(hall.racks_per_hall * area_m2) + hall.hall_gap_m)
    place = length_class(n, hall)
    return np.select(
        [place == 0, place == 1, place == 2],
        [0.0 * n, n * hall.rack_pitch_m / 2.0, np.sqrt(n * area_m2)],
        default=halls,
    )


def mean_cable_m(racks: Count, hall: Hall) -> Metres:
    r"""Return the mean length of the cables from the racks of a block to its middle.

    .. math:: (1 + s) \left( 2 z + \tfrac{1}{2} x \right)

    The racks of a line and of a square are on average half as far from the middle as the farthest one, x.
    Valid for: racks that are spread evenly; within one rack the length is what is assumed for it.
    Definition: geometry of a line and of squares.

    >>> h = Hall(rack_pitch_m=0.75, row_pitch_m=3.0, racks_per_row=10, racks_per_hall=400, hall_gap_m=20.0,
    ...          rise_m=2.0, slack_fraction=0.1, in_rack_m=2.0)
    >>> [round(float(mean_cable_m(n, h)), 2) for n in (1, 8, 400)]
    [2.0, 6.05, 20.9]
    """
    run = (1.0 + hall.slack_fraction) * (2.0 * hall.rise_m + across_m(racks, hall) / 2.0)
    return np.where(length_class(racks, hall) == 0, hall.in_rack_m, run)


def longest_cable_m(racks: Count, hall: Hall) -> Metres:
    r"""Return the length of the cable to the farthest rack of a block: it decides which module is needed.

    .. math:: (1 + s) (2 z + x)

    Valid for: racks that are spread evenly.
    Definition: geometry of a line and of squares.

    >>> h = Hall(rack_pitch_m=0.75, row_pitch_m=3.0, racks_per_row=10, racks_per_hall=400, hall_gap_m=20.0,
    ...          rise_m=2.0, slack_fraction=0.1, in_rack_m=2.0)
    >>> [round(float(longest_cable_m(n, h)), 2) for n in (1, 8, 400)]
    [2.0, 7.7, 37.4]
    """
    run = (1.0 + hall.slack_fraction) * (2.0 * hall.rise_m + across_m(racks, hall))
    return np.where(length_class(racks, hall) == 0, hall.in_rack_m, run)
