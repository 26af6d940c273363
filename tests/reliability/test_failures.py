"""Closed forms of failures against failures drawn at random, and against one another."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import poisson

from gigawatt.reliability import (
    best_interval_s,
    daly_interval_s,
    ettr_first_order,
    lost_time,
    mtti_s,
    replica_lost_time,
    spares,
    young_interval_s,
)

MTTI = st.floats(60.0, 1e7)
DELTA = st.floats(0.1, 3600.0)
RESTART = st.floats(0.0, 3600.0)


def wall_of_segment_s(
    rng: np.random.Generator,
    *,
    mtti: float,
    checkpoint: float,
    restart: float,
    interval: float,
    segments: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the wall time of each of many segments of work that fail at random, and what of it is restarts.

    A segment is an interval of work and its checkpoint; a failure throws it away and a restart begins, which
    may fail itself. Nothing is taken from the closed form.
    """
    wall, restarting = np.zeros(segments), np.zeros(segments)
    todo = np.arange(segments)
    while todo.size:
        fails = rng.exponential(mtti, todo.size)
        done = fails >= interval + checkpoint
        wall[todo] += np.where(done, interval + checkpoint, fails)
        todo = todo[~done]
        down = todo
        while down.size:
            again = rng.exponential(mtti, down.size)
            up = again >= restart
            spent = np.where(up, restart, again)
            wall[down] += spent
            restarting[down] += spent
            down = down[~up]
    return wall, restarting


@pytest.mark.parametrize(
    ("mtti", "checkpoint", "restart", "interval"),
    [(11_124.0, 30.0, 600.0, 800.0), (3_600.0, 120.0, 300.0, 1_800.0), (600.0, 60.0, 300.0, 200.0)],
    ids=["16,384 chips", "long intervals", "failing all the time"],
)
def test_lost_time_is_what_random_failures_cost(
    mtti: float, checkpoint: float, restart: float, interval: float
) -> None:
    n = 200_000
    wall, restarting = wall_of_segment_s(
        np.random.default_rng(7),
        mtti=mtti,
        checkpoint=checkpoint,
        restart=restart,
        interval=interval,
        segments=n,
    )
    found = lost_time(mtti_s=mtti, checkpoint_s=checkpoint, restart_s=restart, interval_s=interval)
    mean, sigma = wall.mean(), wall.std() / math.sqrt(n)
    # 4 standard errors of the mean: a right formula fails once in 16,000 seeds
    assert interval / float(found.useful) == pytest.approx(mean, abs=4 * sigma)
    ratio = restarting.mean() / mean
    error = np.std(restarting - ratio * wall) / mean / math.sqrt(n)
    assert float(found.restart) == pytest.approx(ratio, abs=4 * error)


@given(mtti=MTTI, checkpoint=DELTA, restart=RESTART, interval=st.floats(1.0, 1e5))
def test_fractions_of_wall_time_add_up_and_none_is_negative(
    mtti: float, checkpoint: float, restart: float, interval: float
) -> None:
    found = lost_time(
        mtti_s=mtti, checkpoint_s=checkpoint, restart_s=restart, interval_s=min(interval, 100 * mtti)
    )
    parts = [float(getattr(found, f.name)) for f in dataclasses.fields(found)]
    assert sum(parts) == pytest.approx(1.0, abs=1e-12)
    assert min(parts) >= -1e-9


@given(mtti=MTTI, checkpoint=DELTA, restart=RESTART, other=st.floats(0.05, 20.0))
def test_no_interval_beats_the_best_one(mtti: float, checkpoint: float, restart: float, other: float) -> None:
    asked = {"mtti_s": mtti, "checkpoint_s": checkpoint, "restart_s": restart}
    best = float(best_interval_s(checkpoint, mtti))
    at_best = float(lost_time(**asked).useful)
    assert float(lost_time(**asked, interval_s=min(other * best, 50 * mtti)).useful) <= at_best * (1 + 1e-9)


@pytest.mark.parametrize(("checkpoint", "mtti"), [(1.0, 1e6), (60.0, 11_124.0), (300.0, 900.0)])
def test_the_best_interval_is_the_minimum_that_a_search_finds(checkpoint: float, mtti: float) -> None:
    def wall(interval: float) -> float:
        asked = {"mtti_s": mtti, "checkpoint_s": checkpoint, "restart_s": 0.0}
        return 1.0 / float(lost_time(**asked, interval_s=interval).useful)

    found = minimize_scalar(
        wall, bounds=(1e-3 * checkpoint, 20 * mtti), method="bounded", options={"xatol": 1e-6}
    )
    assert float(best_interval_s(checkpoint, mtti)) == pytest.approx(found.x, rel=2e-3)


@given(checkpoint=st.floats(0.01, 10.0), mtti=st.floats(1e5, 1e8))
def test_young_and_daly_are_the_best_interval_where_checkpoints_are_short(
    checkpoint: float, mtti: float
) -> None:
    best = float(best_interval_s(checkpoint, mtti))
    small = math.sqrt(checkpoint / mtti)
    assert float(young_interval_s(checkpoint, mtti)) == pytest.approx(best, rel=small)
    # the exact root loses digits where M (1 + W) is small against M: 1e-8 at these ratios
    assert float(daly_interval_s(checkpoint, mtti)) == pytest.approx(best, rel=small**2 + 1e-5)


def test_the_first_order_ratio_agrees_where_failures_are_rare() -> None:
    asked = {"mtti_s": 1e6, "interval_s": 2_000.0, "checkpoint_s": 2.0, "restart_s": 300.0}
    assert float(ettr_first_order(**asked)) == pytest.approx(float(lost_time(**asked).useful), abs=1e-5)


@given(chips=st.integers(1, 10**6), rate=st.floats(1e-12, 1e-6), more=st.integers(2, 10))
def test_more_chips_fail_sooner_and_waste_more(chips: int, rate: float, more: int) -> None:
    few, many = (float(mtti_s(n, rate)) for n in (chips, more * chips))
    assert many == pytest.approx(few / more)
    few_useful, many_useful = (
        float(lost_time(mtti_s=m, checkpoint_s=10.0, restart_s=min(60.0, 100 * m)).useful)
        for m in (few, many)
    )
    assert many_useful <= few_useful


@given(mean=st.floats(0.0, 500.0), confidence=st.sampled_from((0.5, 0.9, 0.99, 0.999)))
def test_spares_are_the_quantile_of_those_in_repair(mean: float, confidence: float) -> None:
    assert int(spares(mean, confidence=confidence)) == int(poisson.ppf(confidence, mean))


def test_a_machine_without_failures_loses_only_its_checkpoints() -> None:
    found = lost_time(mtti_s=1e15, checkpoint_s=10.0, restart_s=600.0, interval_s=990.0)
    assert float(found.checkpoint) == pytest.approx(0.01, rel=1e-6)
    assert float(found.rework + found.restart) == pytest.approx(0.0, abs=1e-9)


def played_with_groups(
    rng: np.random.Generator, *, mtti: float, restart: float, regroup: float, k: int
) -> float:
    """Return the share of chip time that k groups use over 2,000 times the mean time to a failure.

    Each chip fails on its own, up or down; its group is away until it has had a whole restart in peace, and
    every failure of a group that is up makes the others wait.
    """
    end, away, waits, used, now = 2_000.0 * mtti, np.zeros(k), 0.0, 0.0, 0.0
    while now < end:
        after = now + rng.exponential(mtti)
        edges = np.clip(np.maximum(away, waits), now, after)  # when each group works again
        used += float(np.sum(after - edges))
        group, now = int(rng.integers(k)), after
        if away[group] <= now:
            waits = now + regroup
        away[group] = now + restart
    return used / (k * now)


@pytest.mark.parametrize(
    ("mtti", "restart", "regroup", "k"),
    [(360.0, 600.0, 60.0, 8), (700.0, 600.0, 60.0, 4), (2_000.0, 600.0, 30.0, 2), (278.0, 600.0, 60.0, 16)],
)
def test_replica_groups_use_what_they_do_when_failures_are_played(
    mtti: float, restart: float, regroup: float, k: int
) -> None:
    rng = np.random.default_rng(11)
    played = np.mean(
        [played_with_groups(rng, mtti=mtti, restart=restart, regroup=regroup, k=k) for _ in range(8)]
    )
    found = replica_lost_time(mtti_s=mtti, restart_s=restart, regroup_s=regroup, replicas=k)
    # the closed form lets a group that is away make the others wait too, so it is on the safe side
    assert played - 0.005 <= float(found.useful) + 0.03
    assert float(found.useful) <= played + 0.005


@given(mtti=MTTI, restart=RESTART)
def test_one_group_that_need_not_regroup_is_the_whole_job(mtti: float, restart: float) -> None:
    alone = replica_lost_time(mtti_s=mtti, restart_s=restart, regroup_s=0.0, replicas=1)
    whole = lost_time(mtti_s=mtti, restart_s=restart, checkpoint_s=1e-9 * mtti, interval_s=1e-6 * mtti)
    assert float(alone.restart) == pytest.approx(float(whole.restart), abs=1e-9)
    assert float(alone.useful) == pytest.approx(float(whole.useful), rel=3e-3)


@given(
    mtti=MTTI, restart=RESTART, regroup=st.floats(0.0, 300.0), k=st.integers(2, 512), step=st.floats(0, 60)
)
def test_more_groups_lose_less_and_the_parts_add_up(
    mtti: float, restart: float, regroup: float, k: int, step: float
) -> None:
    asked = {"mtti_s": mtti, "restart_s": restart, "regroup_s": regroup, "step_s": step}
    few, many = replica_lost_time(**asked, replicas=k), replica_lost_time(**asked, replicas=2 * k)
    assert float(many.useful) >= float(few.useful)
    assert float(few.total) == pytest.approx(1.0, abs=1e-12)
    assert min(float(getattr(few, f.name)) for f in dataclasses.fields(few)) >= 0.0
