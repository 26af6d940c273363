"""The frontier: closed forms against brute force, published points, and what constraints must cost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawatt.errors import InputError
from gigawatt.scaling import (
    Split,
    effective_params,
    effective_tokens,
    equal_flop,
    frontier_exponents,
    frontier_flop,
    frontier_nats,
    law,
    laws_of,
    loss_nats,
    nats_per_decade,
    optimal_split,
    overtraining_ratio,
    params_for_tokens,
    power_nats,
    precision_fraction,
    published_split,
    repeated_nats,
    repeating_split,
    routed_params,
    served_split,
    sized_flop,
)

LOSSES = sorted(laws_of("loss"))
FLOP = st.floats(18.0, 30.0).map(lambda x: 10.0**x)
BESIROGLU = law("besiroglu-2024")


@pytest.mark.parametrize("by", LOSSES)
@pytest.mark.parametrize("flop", [1e20, 5.76e23, 1e26])
def test_no_split_of_a_grid_beats_the_closed_form(by: str, flop: float) -> None:
    best = optimal_split(flop, by=law(by))
    tried = np.geomspace(best.params / 30, best.params * 30, 4001)
    losses = loss_nats(tried, flop / 6 / tried, by=law(by))
    assert loss_nats(best.params, best.tokens, by=law(by)) <= losses.min() + 1e-12
    assert tried[np.argmin(losses)] == pytest.approx(best.params, rel=2e-3)


@pytest.mark.parametrize("by", LOSSES)
@given(flop=FLOP)
def test_the_frontier_spends_its_compute_and_inverts(by: str, flop: float) -> None:
    best = optimal_split(flop, by=law(by))
    assert best.compute_flop == pytest.approx(flop, rel=1e-9)
    assert sized_flop(best.params, by=law(by)) == pytest.approx(flop, rel=1e-6)
    assert frontier_flop(float(frontier_nats(flop, by=law(by))), by=law(by)) == pytest.approx(flop, rel=1e-3)
    assert sum(frontier_exponents(law(by))) == pytest.approx(1.0)
    assert params_for_tokens(float(best.tokens), by=law(by)) == pytest.approx(best.params, rel=1e-6)


@pytest.mark.parametrize("by", LOSSES)
def test_the_slope_is_the_difference_quotient(by: str) -> None:
    flop, step = 1e24, 1e-4
    ends = [frontier_nats(flop * 10**s, by=law(by)) for s in (-step, step)]
    assert nats_per_decade(flop, by=law(by)) == pytest.approx((ends[1] - ends[0]) / (2 * step), rel=1e-5)


@given(flop=FLOP, more=st.floats(1.01, 1e3))
def test_more_compute_lowers_the_loss_and_buys_less_each_time(flop: float, more: float) -> None:
    assert frontier_nats(more * flop, by=BESIROGLU) < frontier_nats(flop, by=BESIROGLU)
    assert nats_per_decade(flop, by=BESIROGLU) < nats_per_decade(more * flop, by=BESIROGLU) < 0


@given(flop=FLOP, smaller=st.floats(0.3, 3.0))
def test_another_size_never_needs_less_compute_for_the_same_loss(flop: float, smaller: float) -> None:
    assert overtraining_ratio(smaller, flop, by=BESIROGLU) >= 1 - 1e-9
    params = float(optimal_split(flop, by=BESIROGLU).params) / smaller
    loss, needed = equal_flop(params, flop, by=BESIROGLU)
    assert loss >= frontier_nats(flop, by=BESIROGLU) - 1e-12
    assert needed <= flop * (1 + 1e-9)


@settings(max_examples=30)
@given(flop=st.floats(22.0, 27.0).map(lambda x: 10.0**x), served=st.floats(10.0, 14.0).map(lambda x: 10.0**x))
def test_serving_makes_the_best_model_smaller_and_no_grid_beats_it(flop: float, served: float) -> None:
    loss = float(frontier_nats(flop, by=BESIROGLU))
    free, best = optimal_split(flop, by=BESIROGLU), served_split(loss, served, by=BESIROGLU)
    assert best.params <= free.params * (1 + 1e-9)
    assert loss_nats(best.params, best.tokens, by=BESIROGLU) == pytest.approx(loss, rel=1e-9)

    def total(split: Split) -> float:
        return float(split.compute_flop + 2 * split.params * served)

    tried = np.geomspace(free.params / 50, free.params, 2001)
    left = loss - BESIROGLU.surface.E - BESIROGLU.surface.A * tried**-BESIROGLU.surface.alpha
    tokens = (BESIROGLU.surface.B / left[left > 0]) ** (1 / BESIROGLU.surface.beta)
    grid = 6 * tried[left > 0] * tokens + 2 * tried[left > 0] * served
    assert total(best) <= grid.min() * (1 + 1e-9)
    assert total(best) <= total(free) * (1 + 1e-9)


def test_without_serving_the_best_model_is_the_compute_optimal_one() -> None:
    loss = float(frontier_nats(1e24, by=BESIROGLU))
    best = served_split(loss, 1.0, by=BESIROGLU)
    assert best.params == pytest.approx(optimal_split(1e24, by=BESIROGLU).params, rel=1e-3)


def test_a_loss_below_the_entropy_of_text_cannot_be_served() -> None:
    with pytest.raises(InputError, match="out of reach"):
        served_split(1.8, 1e12, by=BESIROGLU)


@settings(max_examples=30)
@given(flop=st.floats(21.0, 27.0).map(lambda x: 10.0**x), share=st.floats(0.05, 2.0))
def test_no_grid_beats_the_split_over_repeated_data(flop: float, share: float) -> None:
    free = optimal_split(flop, by=BESIROGLU)
    unique = float(share * free.tokens)
    best = repeating_split(flop, unique, by=BESIROGLU)
    here = float(repeated_nats(best, unique, by=BESIROGLU))
    tried = free.params * np.geomspace(1e-2, 1e2, 4001)
    grid = repeated_nats(Split(params=tried, tokens=flop / 6 / tried), unique, by=BESIROGLU)
    assert here <= grid.min() + 1e-9
    assert here >= frontier_nats(flop, by=BESIROGLU) - 1e-9
    if share >= 1:
        assert best.params == pytest.approx(free.params, rel=1e-3)


@given(tokens=st.floats(9.0, 14.0).map(lambda x: 10.0**x), unique=st.floats(9.0, 14.0).map(lambda x: 10.0**x))
def test_repeated_tokens_are_worth_less_than_new_ones_and_never_more_than_a_bound(
    tokens: float, unique: float
) -> None:
    worth = effective_tokens(tokens, unique)
    assert min(tokens, unique) * (1 - 1e-12) <= worth <= tokens * (1 + 1e-12)
    assert worth <= unique * 16.387757  # 1 + R_D
    assert effective_params(tokens, unique) <= tokens * (1 + 1e-12)


def test_the_published_points_of_repeated_data() -> None:
    by = law("muennighoff-2023")
    assert effective_tokens(55e9, 1.25e9) == pytest.approx(1.931e10, rel=5e-4)
    found = repeated_nats(Split(params=2.8e9, tokens=55e9), 1.25e9, by=by)
    assert found == pytest.approx(2.70121, abs=2e-5)


@given(bits=st.floats(2.0, 15.0), more=st.floats(0.1, 8.0))
def test_more_bits_count_more_and_never_all(bits: float, more: float) -> None:
    few, many = precision_fraction(weight_bits=bits), precision_fraction(weight_bits=bits + more)
    assert 0 < few < many < 1
    assert precision_fraction() == 1.0


@given(params=st.floats(1.7e7, 1.3e9), experts=st.floats(1.01, 511.0), more=st.floats(1.01, 2.0))
def test_more_experts_are_worth_more_parameters_inside_the_runs(
    params: float, experts: float, more: float
) -> None:
    assert params < routed_params(params, experts) < routed_params(params, experts * more)


def test_one_expert_is_the_dense_model_and_the_gain_is_gone_at_the_cut_off() -> None:
    k = law("clark-2022").constants
    cut = 10 ** (-k["b"] / k["c"])
    assert routed_params(3e8, 1.0) == pytest.approx(3e8)
    assert 7e11 < cut < 9e11  # the paper says about 900 billion
    assert routed_params(cut, 64.0) == pytest.approx(cut, rel=1e-9)


def test_clarks_law_meets_its_released_losses(shared_facts) -> None:  # type: ignore[no-untyped-def]
    import csv

    with (shared_facts / "scaling" / "routing_clark2022_final.csv").open() as file:
        rows = [
            r
            for r in csv.DictReader(file)
            if (r["router_type"], r["k"], r["seed"], r["routing_frequency"]) == ("S-Base", "1", "42", "0.5")
        ]
    k = law("clark-2022").constants
    N, E, loss = (
        np.array([float(r[name]) for r in rows])
        for name in ("dense_parameter_count", "num_experts", "loss_validation")
    )
    dense = k["a"] + k["c"] * np.log10(k["E_start"])
    free = k["d"] + k["b"] * np.log10(k["E_start"])
    found = 10 ** (dense * np.log10(routed_params(N, E)) + free)  # a dense model of the effective size
    assert len(rows) > 40
    assert np.sqrt(np.mean(np.log10(found / loss) ** 2)) < 0.004


def test_the_printed_frontiers_meet_their_tables() -> None:
    table_3 = (
        (0.4e9, 1.92e19, 8.0e9),
        (1e9, 1.21e20, 20.2e9),
        (67e9, 5.76e23, 1.5e12),
        (1e12, 1.27e26, 21.2e12),
    )
    for params, flop, tokens in table_3:
        found = published_split(law("hoffmann-2022-a1"), flop)
        assert found.params == pytest.approx(params, rel=0.05)
        assert found.tokens == pytest.approx(tokens, rel=0.07)
    deepseek = published_split(law("deepseek-2024"), 1e24)
    assert deepseek.compute_flop == pytest.approx(1e24, rel=1e-3)


def test_a_law_of_the_loss_is_no_frontier() -> None:
    with pytest.raises(InputError, match="not of the frontier"):
        published_split(BESIROGLU, 1e24)


def test_losses_of_compute_fall() -> None:
    for by in laws_of("loss_of_compute").values():
        losses = [power_nats(by, c) for c in (1e18, 1e20, 1e22)]
        assert losses == sorted(losses, reverse=True)
