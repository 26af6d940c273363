"""Loss laws: worked numbers of their papers, and what holds for each of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawatt.errors import InputError
from gigawatt.scaling import law, laws, loss_nats, predict_loss

IDS = sorted(laws())
PARAMS = st.floats(1e7, 1e13)
TOKENS = st.floats(1e9, 1e14)
PUBLISHED = (  # Hoffmann 2022, arXiv:2203.15556: eq. 10 at the two models of its table 1
    ("hoffmann-2022", 70e9, 1.4e12, 1.69 + 406.4 * 70e9**-0.34 + 410.7 * 1.4e12**-0.28),
    ("hoffmann-2022", 280e9, 300e9, 1.993),
    # Besiroglu 2024, arXiv:2404.10102 eq. 4, Chinchilla's own point
    ("besiroglu-2024", 70e9, 1.4e12, 1.8172 + 482.01 * 70e9**-0.3478 + 2085.43 * 1.4e12**-0.3658),
)


@pytest.mark.parametrize(("by", "params", "tokens", "loss"), PUBLISHED)
def test_a_law_gives_the_loss_of_its_paper(by: str, params: float, tokens: float, loss: float) -> None:
    assert loss_nats(params, tokens, by=law(by)) == pytest.approx(loss, abs=5e-4)


@pytest.mark.parametrize("by", IDS)
@given(params=PARAMS, tokens=TOKENS, more=st.floats(1.01, 100.0))
def test_more_parameters_or_tokens_lower_the_loss_towards_the_entropy_of_text(
    by: str, params: float, tokens: float, more: float
) -> None:
    here = loss_nats(params, tokens, by=law(by))
    assert law(by).E < loss_nats(more * params, tokens, by=law(by)) < here
    assert law(by).E < loss_nats(params, more * tokens, by=law(by)) < here


@pytest.mark.parametrize("by", IDS)
@pytest.mark.parametrize("flop", [1e20, 5.76e23, 1e26])
def test_the_best_split_of_compute_is_where_the_closed_form_says(by: str, flop: float) -> None:
    # stationary point of L(N, C / 6N): N = G (C/6)^(b/(a+b)), G = (a A / b B)^(1/(a+b)); Hoffmann 2022 eq. 4
    w = law(by)
    best = (w.alpha * w.A / (w.beta * w.B)) ** (1 / (w.alpha + w.beta)) * (flop / 6) ** (
        w.beta / (w.alpha + w.beta)
    )
    tried = best * np.geomspace(0.2, 5.0, 401)
    losses = loss_nats(tried, flop / 6 / tried, by=w)
    assert tried[np.argmin(losses)] == pytest.approx(best, rel=1e-9)


def test_the_refit_of_chinchilla_asks_for_twenty_tokens_a_parameter() -> None:
    # Besiroglu 2024: the refit agrees with about 20 tokens a parameter at Chinchilla's budget of 5.76e23 flop
    w, flop = law("besiroglu-2024"), 5.76e23
    best = (w.alpha * w.A / (w.beta * w.B)) ** (1 / (w.alpha + w.beta)) * (flop / 6) ** (
        w.beta / (w.alpha + w.beta)
    )
    assert 15 < flop / 6 / best / best < 25


def test_an_estimate_says_when_it_leaves_the_runs_behind_it() -> None:
    assert predict_loss(1e9, 2e10).in_range
    far = predict_loss(405e9, 15.6e12)
    assert not far.in_range
    assert "extrapolation" in far.note
    assert math.isfinite(far.loss_nats)


def test_an_unknown_law_offers_the_nearest() -> None:
    with pytest.raises(InputError, match="hoffmann-2022"):
        law("hofmann-2022")
