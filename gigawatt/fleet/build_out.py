"""Deliveries over time: what stands at a date, what was paid, written off and worked by then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigawatt.cost import written_off_usd
from gigawatt.units import (
    Count,
    Flop,
    FlopPerSecond,
    Joules,
    Real,
    Seconds,
    Usd,
    UsdPerJoule,
    UsdPerSecond,
    Watts,
)

Column = NDArray[Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Deliveries:
    """Deliveries as columns, one row each; times are seconds since 1970."""

    ordered_s: Seconds  # when it is paid
    live_s: Seconds  # when it works
    retired_s: Seconds  # when it goes; infinite when it stays
    chips: Count
    it_w: Watts  # nameplate
    facility_w: Watts  # the same at the meter
    drawn_w: Watts  # mean at the meter
    hardware_usd: Usd
    building_usd: Usd
    hardware_life_s: Seconds
    building_life_s: Seconds
    operations_usd_per_s: UsdPerSecond
    energy_usd_per_j: UsdPerJoule
    useful_flop_per_s: FlopPerSecond  # model flop, failures included

    @property
    def capital_usd(self) -> Usd:
        return self.hardware_usd + self.building_usd


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildOut:
    """A fleet over periods: what stands at the end of each, and what happened in it."""

    chips: Count
    it_w: Watts
    facility_w: Watts
    useful_flop_per_s: FlopPerSecond
    capital_usd: Usd  # paid in the period
    energy_j: Joules  # at the meter, in the period
    energy_usd: Usd
    operations_usd: Usd
    written_off_usd: Usd  # in the period
    book_usd: Usd  # what capital is not written off at the end
    worked_flop: Flop  # since the beginning

    @property
    def running_usd(self) -> Usd:
        """What running the fleet cost in the period, write-off left out."""
        return self.energy_usd + self.operations_usd


def standing(fleet: Deliveries, at_s: Seconds) -> Column:
    """Return which deliveries (rows) work at which dates (columns), 1 or 0.

    Definition: live <= t < retired.
    """
    t = np.atleast_1d(np.asarray(at_s, dtype=float))
    live, gone = _down(fleet.live_s), _down(fleet.retired_s)
    return ((live <= t) & (t < gone)).astype(float)


def total_at(fleet: Deliveries, values: Real, *, at_s: Seconds) -> Column:
    """Return the sum of a column over what works at each date; what is not there counts nothing.

    Definition: sum over deliveries of value x standing.
    """
    there = standing(fleet, at_s)
    found: Column = np.where(there > 0, _down(values), 0.0).sum(axis=0)
    return found


def served_s(fleet: Deliveries, from_s: Seconds, *, to_s: Seconds) -> Column:
    r"""Return how long each delivery (row) worked in each period (column).

    .. math:: \max(0, \min(t_1, t_{retired}) - \max(t_0, t_{live}))

    Definition: the overlap of two spans of time.
    """
    start = np.maximum(np.asarray(from_s, dtype=float), _down(fleet.live_s))
    end = np.minimum(np.asarray(to_s, dtype=float), _down(fleet.retired_s))
    found: Column = np.maximum(end - start, 0.0)
    return found


def last_s(edges_s: Seconds) -> Column:
    """Return the last moment of each period: what comes on the edge belongs to the next.

    Definition: the largest number below the period's end.
    """
    found: Column = np.nextafter(np.asarray(edges_s, dtype=float)[1:], -np.inf)
    return found


def build_out(fleet: Deliveries, edges_s: Column) -> BuildOut:
    """Return the fleet over the periods between edges; the first edge should precede all orders.

    Definition: sums over deliveries of rate x time served, and of capital paid less written off.
    """
    start, end = edges_s[:-1], edges_s[1:]
    served, last = served_s(fleet, start, to_s=end), last_s(edges_s)
    paid, gone = _paid_usd(fleet, edges_s), _gone_usd(fleet, edges_s)
    return BuildOut(
        chips=total_at(fleet, fleet.chips, at_s=last),
        it_w=total_at(fleet, fleet.it_w, at_s=last),
        facility_w=total_at(fleet, fleet.facility_w, at_s=last),
        useful_flop_per_s=total_at(fleet, fleet.useful_flop_per_s, at_s=last),
        capital_usd=np.diff(paid),
        energy_j=_flow(fleet.drawn_w, served),
        energy_usd=_flow(np.asarray(fleet.drawn_w) * fleet.energy_usd_per_j, served),
        operations_usd=_flow(fleet.operations_usd_per_s, served),
        written_off_usd=np.diff(gone),
        book_usd=paid[1:] - gone[1:],
        worked_flop=np.cumsum(_flow(fleet.useful_flop_per_s, served)),
    )


def _flow(rate: Real, served: Column) -> Column:
    """Return the sum of rate x time; a rate that is not known counts only where it was in service."""
    found: Column = np.where(served > 0, _down(rate) * served, 0.0).sum(axis=0)
    return found


def _paid_usd(fleet: Deliveries, at_s: Column) -> Column:
    found: Column = np.where(_down(fleet.ordered_s) < at_s, _down(fleet.capital_usd), 0.0).sum(axis=0)
    return found


def _gone_usd(fleet: Deliveries, at_s: Column) -> Column:
    """Return what is written off by each date; what is left of a retired machine goes with it."""
    age = at_s - _down(fleet.live_s)
    off = written_off_usd(_down(fleet.hardware_usd), age, life_s=_down(fleet.hardware_life_s))
    off = off + written_off_usd(_down(fleet.building_usd), age, life_s=_down(fleet.building_life_s))
    off = np.where(at_s > _down(fleet.retired_s), _down(fleet.capital_usd), off)
    found: Column = np.where(age > 0, off, 0.0).sum(axis=0)
    return found


def done_s(fleet: Deliveries, flop: Flop) -> Column:
    r"""Return the first date at which each amount of work is done, begun with the first delivery.

    .. math:: \min \{ t : \int_0^t \sum_i R_i [live_i \le \tau < retired_i] \, d\tau \ge W \}

    Valid for: work that spreads over all that stands, without loss; infinite where it is never done.
    Definition: the inverse of the work done, which is straight between dates of arrival and retirement.

    >>> two = {name: np.zeros(2) for name in Deliveries.__dataclass_fields__}
    >>> two |= {"live_s": np.array([0.0, 10.0]), "retired_s": np.full(2, np.inf)}
    >>> done_s(Deliveries(**two | {"useful_flop_per_s": np.array([1.0, 3.0])}), 30.0).tolist()
    [15.0]
    """
    work = np.atleast_1d(np.asarray(flop, dtype=float))
    dates = np.unique(np.concatenate([np.atleast_1d(fleet.live_s), np.atleast_1d(fleet.retired_s)]))
    dates = dates[np.isfinite(dates)]
    if not len(dates):
        return np.full(work.shape, np.inf)
    rates = total_at(fleet, fleet.useful_flop_per_s, at_s=dates)
    done = np.concatenate([[0.0], np.cumsum(rates[:-1] * np.diff(dates))])
    i = np.clip(np.searchsorted(done, work, side="left") - 1, 0, len(dates) - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Column = dates[i] + (work - done[i]) / rates[i]
    return np.where(rates[i] > 0, found, np.inf)


def _down(values: Real) -> Column:
    """Return a column with room for dates beside it."""
    return np.atleast_1d(np.asarray(values, dtype=float))[:, None]
