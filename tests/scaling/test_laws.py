"""The registry of laws: worked numbers of their papers, what holds for each, and what a wrong entry says."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawatt.catalog.load import sources
from gigawatt.errors import FileFormatError, InputError
from gigawatt.scaling import (
    draws_of,
    granular,
    law,
    laws,
    laws_of,
    loss_band,
    loss_nats,
    outside,
    point_of,
    power_nats,
    predict_loss,
    tokens_for_loss,
)
from gigawatt.scaling.laws import _law_of

LOSSES = sorted(laws_of("loss"))
PARAMS = st.floats(1e7, 1e13)
TOKENS = st.floats(1e9, 1e14)
PUBLISHED = (
    ("hoffmann-2022", 70e9, 1.4e12, 1.69 + 406.4 * 70e9**-0.34 + 410.7 * 1.4e12**-0.28),
    ("hoffmann-2022-tex", 280e9, 300e9, 1.9672),
    ("hoffmann-2022-tex", 70e9, 1.4e12, 1.9208),
    ("besiroglu-2024", 70e9, 1.4e12, 1.9739),
    ("besiroglu-2024", 175e9, 300e9, 2.0085),
    ("muennighoff-2023", 2.8e9, 55e9, 2.35440),
    # Kaplan 2020, arXiv:2001.08361 eq. 1.5 by hand
    ("kaplan-2020", 1e9, 1e10, ((6.4e13 / 1e9) ** (0.076 / 0.103) + 1.8e13 / 1e10) ** 0.103),
)


@pytest.mark.parametrize(("by", "params", "tokens", "loss"), PUBLISHED)
def test_a_law_gives_the_loss_of_its_paper(by: str, params: float, tokens: float, loss: float) -> None:
    assert loss_nats(params, tokens, by=law(by)) == pytest.approx(loss, abs=5e-5)


@pytest.mark.parametrize("by", LOSSES)
@given(params=PARAMS, tokens=TOKENS, more=st.floats(1.01, 100.0))
def test_more_parameters_or_tokens_lower_the_loss_towards_the_entropy_of_text(
    by: str, params: float, tokens: float, more: float
) -> None:
    here, least = loss_nats(params, tokens, by=law(by)), law(by).surface.E
    assert least < loss_nats(more * params, tokens, by=law(by)) < here
    assert least < loss_nats(params, more * tokens, by=law(by)) < here


@pytest.mark.parametrize("by", LOSSES)
@given(params=PARAMS, tokens=TOKENS)
def test_the_tokens_for_a_loss_give_that_loss(by: str, params: float, tokens: float) -> None:
    loss = float(loss_nats(params, tokens, by=law(by)))
    assert loss_nats(params, tokens_for_loss(loss, params, by=by), by=law(by)) == pytest.approx(
        loss, rel=1e-9
    )


def test_a_loss_that_a_size_never_reaches_takes_infinite_tokens() -> None:
    assert tokens_for_loss(1.7, 1e9) == math.inf
    assert tokens_for_loss(1.82, 1e9) == math.inf


def test_every_law_cites_the_bibliography_and_says_what_it_counts() -> None:
    for found in laws().values():
        assert set(found.source.split(";")) <= set(sources()), found.id
        assert found.where, found.id
        if found.kind in ("loss", "frontier", "loss_of_compute"):
            assert found.params, found.id
            assert found.flop, found.id
        if found.kind in ("loss", "loss_of_compute"):
            assert (found.unit, bool(found.text)) == ("nat/token", True), found.id
        assert bool(found.box) == bool(found.box_where), found.id
        assert all(low < high for low, high in found.box.values()), found.id


def test_the_laws_that_are_cited_and_not_computed_say_why() -> None:
    assert set(laws_of("named")) == {"bjorck-2024", "ludziejewski-2025"}
    assert all("computed" in found.note for found in laws_of("named").values())


def test_unrounded_constants_are_those_of_the_logarithms_they_come_from() -> None:
    tex, c4 = law("hoffmann-2022-tex").constants, law("muennighoff-2023").constants
    logs = ((tex, (6.0073404, 6.0179186, 0.5267228)), (c4, (6.255414, 7.3049974, 0.6254804)))
    for constants, values in logs:
        found = [math.log(constants[name]) for name in ("A", "B", "E")]
        assert found == pytest.approx(values, abs=1e-7)


def test_finer_experts_lower_the_loss_of_a_mixture() -> None:
    constants = law("krajewski-2024").constants
    losses = [loss_nats(1e11, 1e11, by=granular(constants, g)) for g in (1.0, 4.0, 16.0)]
    assert losses == sorted(losses, reverse=True)


def test_the_draws_spread_as_the_published_standard_errors_say() -> None:
    # Besiroglu 2024 prints 124.58 and 1293.23 for A and B, and rounds the others to 0.02 and 0.03
    by = law("besiroglu-2024")
    draws = draws_of(by)
    assert draws is not None
    spread = {name: float(np.std(getattr(draws, name))) for name in by.constants}
    for name in ("A", "B"):
        assert spread[name] == pytest.approx(by.errors[name], rel=0.05)
    for name in ("E", "alpha", "beta"):
        assert spread[name] == pytest.approx(by.errors[name], abs=5e-3)
    # and their published 95 % interval of beta is (0.331, 0.415), of alpha (0.317, 0.373)
    assert np.percentile(draws.beta, (2.5, 97.5)) == pytest.approx((0.331, 0.415), abs=3e-3)
    assert np.percentile(draws.alpha, (2.5, 97.5)) == pytest.approx((0.317, 0.373), abs=3e-3)


def test_a_band_holds_its_loss_and_grows_away_from_the_runs() -> None:
    by = law("besiroglu-2024")
    widths = []
    for params, tokens in ((1e9, 2e10), (1e12, 2e13), (1e14, 2e15)):
        found = loss_band(params, tokens, by=by)
        assert found is not None
        assert found[0] < loss_nats(params, tokens, by=by) < found[1]
        widths.append(found[1] - found[0])
    assert widths == sorted(widths)


def test_a_law_without_published_draws_has_no_band() -> None:
    assert loss_band(1e9, 2e10, by=law("hoffmann-2022")) is None


def test_an_estimate_says_how_far_it_leaves_the_runs_behind_it() -> None:
    assert predict_loss(1e9, 2e10).in_range
    far = predict_loss(405e9, 15.6e12)
    assert not far.in_range
    assert "extrapolated by 3.5 orders of magnitude in flop" in far.note
    small = predict_loss(1e7, 2e10)
    assert "extrapolated by a factor of 5.7 in parameters (10.0M, runs from 57.3M)" in small.note


def test_the_range_of_a_fit_is_that_of_the_runs_it_used(shared_facts: Path) -> None:
    with (shared_facts / "scaling" / "chinchilla_epoch_245.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    used = [row for row in rows if row["excluded_in_epoch_fit"] != "1"]
    columns = {"params": "params", "tokens": "tokens", "flop": "train_flop"}
    for id, runs in (("besiroglu-2024", used), ("epoch-huber", used), ("hoffmann-2022", rows)):
        for name, column in columns.items():
            values = [float(row[column]) for row in runs]
            assert law(id).box[name] == pytest.approx((min(values), max(values)), rel=5e-4), (id, name)


def test_the_loss_of_compute_by_porian_is_near_its_optima_in_its_range_and_not_beyond(
    shared_facts: Path,
) -> None:
    with (shared_facts / "scaling" / "porian_optimal_pairs.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    asked = {
        "dataset": "rw",
        "hparams": "tuned",
        "decay": "const",
        "param_count": "standard",
        "loss_kind": "val",
    }
    optima = {
        float(row["flops"]): float(row["loss"]) for row in rows if row["n"] and asked.items() <= row.items()
    }
    by = law("porian-2024-loss")
    low, high = by.box["flop"]
    off = {flop: float(power_nats(by, flop)) - loss for flop, loss in optima.items()}
    assert len(off) == 12
    assert all(abs(found) < 0.007 for flop, found in off.items() if low <= flop <= high)
    assert off[max(off)] == pytest.approx(0.045, abs=5e-4)  # as its note says


def test_a_column_of_tokens_is_in_range_when_all_of_it_is() -> None:
    assert predict_loss(1e9, np.array([1e9, 2e10])).in_range
    assert not predict_loss(1e9, np.array([1e7, 2e10])).in_range


def test_a_law_whose_runs_are_not_known_says_so() -> None:
    far = predict_loss(1e9, 2e10, by="krajewski-2024-dense")
    assert not far.in_range
    assert "not known" in far.note


@given(orders=st.floats(0.01, 6.0))
def test_the_orders_of_magnitude_are_those_beyond_the_edge(orders: float) -> None:
    by = law("besiroglu-2024")
    low, high = by.box["params"]
    assert outside(by, params=high * 10**orders).orders == pytest.approx(orders)
    assert outside(by, params=low / 10**orders).orders == pytest.approx(orders)


def test_the_flop_of_a_point_do_not_overflow() -> None:
    # 6 N D of integers passes int64 above 9.2e18
    assert point_of(70e9, 1.4e12)["flop"] == pytest.approx(5.88e23)


def test_an_unknown_law_offers_the_nearest() -> None:
    with pytest.raises(InputError, match="hoffmann-2022"):
        law("hofmann-2022")


def test_a_law_of_another_kind_is_not_a_loss() -> None:
    with pytest.raises(InputError, match="not a loss of N and D"):
        predict_loss(1e9, 2e10, by="llama-3")


ROW = {
    "name": "x",
    "kind": "rate",
    "form": "of_flop",
    "constants": {"k": 1.0, "c": 1.0},
    "source": "kaplan2020",
    "where": "eq. 1",
    "status": "read in paper",
}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"source": "hearsay"}, "hearsay"),
        ({"kind": "rumour"}, "rumour"),
        ({"status": "guessed"}, "status"),
        ({"constants": {"k": 1.0}}, "constants"),
        ({"constants": {"k": 1.0, "c": math.nan}}, "finite"),
        ({"params": "some"}, "params"),
    ],
)
def test_a_wrong_entry_does_not_load_and_says_why(wrong: dict[str, object], told: str) -> None:
    assert _law_of("x", ROW).id == "x"
    with pytest.raises(FileFormatError, match=told):
        _law_of("x", {**ROW, **wrong})
