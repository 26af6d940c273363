"""Build-outs: sums of deliveries, against a plain loop over days; and what must hold of any of them."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawatt.cost import written_off_usd
from gigawatt.fleet import BuildOut, Deliveries, build_out, done_s, served_s, standing, total_at

DAY = 86400.0
EDGES = np.arange(0.0, 16.0) * 30.0 * DAY  # 15 periods of 30 days
DAYS = st.integers(0, 400)


@st.composite
def fleets(draw, retire=True):
    """Return deliveries on whole days, so that a loop over days is exact."""
    n = draw(st.integers(1, 6))

    def many(values):
        return np.array(draw(st.lists(values, min_size=n, max_size=n)), dtype=float)

    amounts = st.floats(0.0, 1e6)
    live = many(DAYS)
    stays = many(st.integers(1, 2000)) if retire and draw(st.booleans()) else np.full(n, np.inf)
    found = {f.name: many(amounts) for f in dataclasses.fields(Deliveries)}
    found |= {
        "live_s": live * DAY,
        "ordered_s": np.maximum(live - many(st.integers(0, 400)), 0.0) * DAY,
        "retired_s": (live + stays) * DAY,
        "hardware_life_s": many(st.integers(1, 1500)) * DAY,
        "building_life_s": many(st.integers(1, 3000)) * DAY,
    }
    return Deliveries(**found)


def by_loop(fleet: Deliveries) -> dict[str, list[float]]:
    """Play every day out: an independent and slow way to the same sums."""
    rows = [
        {f.name: getattr(fleet, f.name)[i] for f in dataclasses.fields(fleet)}
        for i in range(len(fleet.live_s))
    ]
    found = {name: [] for name in ("chips", "energy_j", "energy_usd", "operations_usd", "worked_flop")}
    worked = 0.0
    for start, end in itertools.pairwise(EDGES):
        energy = cost = operations = 0.0
        for day in np.arange(start, end, DAY):
            for row in rows:
                if row["live_s"] <= day < row["retired_s"]:
                    energy += row["drawn_w"] * DAY
                    cost += row["drawn_w"] * DAY * row["energy_usd_per_j"]
                    operations += row["operations_usd_per_s"] * DAY
                    worked += row["useful_flop_per_s"] * DAY
        last = end - DAY
        there = [row["chips"] for row in rows if row["live_s"] <= last < row["retired_s"]]
        for name, value in zip(found, (sum(there), energy, cost, operations, worked), strict=True):
            found[name].append(value)
    return found


@settings(max_examples=25)
@given(fleets())
def test_the_sums_are_those_of_a_loop_over_days(fleet):
    found = build_out(fleet, EDGES)
    for name, values in by_loop(fleet).items():
        assert getattr(found, name) == pytest.approx(np.array(values), rel=1e-9, abs=1e-6), name


@given(fleets())
def test_a_fleet_is_the_sum_of_its_deliveries(fleet):
    whole = build_out(fleet, EDGES)
    single = [
        build_out(
            Deliveries(**{f.name: getattr(fleet, f.name)[i : i + 1] for f in dataclasses.fields(fleet)}),
            EDGES,
        )
        for i in range(len(fleet.live_s))
    ]
    for field in dataclasses.fields(BuildOut):
        parts = sum(getattr(one, field.name) for one in single)
        assert getattr(whole, field.name) == pytest.approx(parts, rel=1e-9, abs=1e-3), field.name


@given(fleets(retire=False))
def test_without_retirement_cards_never_fall(fleet):
    assert np.all(np.diff(build_out(fleet, EDGES).chips) >= 0)


@given(fleets())
def test_book_value_is_never_negative_and_with_what_is_written_off_is_what_was_paid(fleet):
    found = build_out(fleet, EDGES)
    paid = np.cumsum(found.capital_usd)
    assert np.all(found.book_usd >= -1e-9 * paid)
    assert found.book_usd + np.cumsum(found.written_off_usd) == pytest.approx(paid, rel=1e-9, abs=1e-6)
    assert np.all(found.written_off_usd >= -1e-6)


@given(fleets(), st.integers(1, 10))
def test_later_deliveries_give_the_same_later(fleet, periods):
    shift = periods * 30.0 * DAY
    moved = dataclasses.replace(
        fleet, **{n: getattr(fleet, n) + shift for n in ("live_s", "ordered_s", "retired_s")}
    )
    here, there = build_out(fleet, EDGES), build_out(moved, EDGES)
    for field in dataclasses.fields(BuildOut):
        before, after = getattr(here, field.name), getattr(there, field.name)
        assert after[periods:] == pytest.approx(before[:-periods], rel=1e-9, abs=1e-3), field.name


@given(fleets(), st.floats(1.0, 1e13))
def test_a_job_is_done_when_the_work_done_reaches_it(fleet, flop):
    at = float(done_s(fleet, flop)[0])
    if np.isinf(at):
        last = np.max(fleet.retired_s)
        done = (
            np.sum(fleet.useful_flop_per_s * served_s(fleet, 0.0, to_s=last)[:, 0]) if last < 1e300 else 0.0
        )
        assert done <= flop * (1 + 1e-9)
    else:
        done = np.sum(fleet.useful_flop_per_s * served_s(fleet, 0.0, to_s=at)[:, 0])
        assert done == pytest.approx(flop, rel=1e-6, abs=1e-3)


@given(fleets(), st.floats(1.0, 1e13), st.floats(1.0, 3.0))
def test_more_work_is_never_done_sooner(fleet, flop, ratio):
    less, more = done_s(fleet, np.array([flop, flop * ratio]))
    assert less <= more


def test_a_machine_is_there_from_its_day_to_the_day_before_it_goes():
    zero = {f.name: np.zeros(1) for f in dataclasses.fields(Deliveries)}
    one = Deliveries(**zero | {"live_s": np.array([10.0]), "retired_s": np.array([20.0])})
    assert standing(one, np.array([9.0, 10.0, 19.0, 20.0])).tolist() == [[0.0, 1.0, 1.0, 0.0]]


def test_what_is_not_known_of_a_machine_that_is_not_there_does_no_harm():
    zero = {f.name: np.zeros(1) for f in dataclasses.fields(Deliveries)}
    one = Deliveries(**zero | {"live_s": np.array([10.0]), "retired_s": np.array([20.0])})
    assert total_at(one, np.array([np.nan]), at_s=np.array([5.0])).tolist() == [0.0]
    assert np.isnan(total_at(one, np.array([np.nan]), at_s=np.array([15.0]))[0])


@given(st.floats(0, 1e12), st.floats(-1e9, 1e9), st.floats(1.0, 1e9))
def test_what_is_written_off_is_between_nothing_and_all(capital, age, life):
    assert 0.0 <= written_off_usd(capital, age, life_s=life) <= capital
