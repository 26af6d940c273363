"""Power between idle and nameplate; energy is power times time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawatt.power import IDLE_SHARE, TRAINING_SHARE, energy_j, training_power_w

WATTS = st.floats(1.0, 1e9)
SHARE = st.floats(0.0, 1.0)


@given(nameplate=WATTS, busy=SHARE, more=SHARE)
def test_busier_chips_draw_more_and_never_beyond_the_nameplate(
    nameplate: float, busy: float, more: float
) -> None:
    less, most = sorted((busy, more))
    low, high = (training_power_w(nameplate, busy_fraction=b) for b in (less, most))
    assert IDLE_SHARE * nameplate <= low * (1 + 1e-12)
    assert low <= high * (1 + 1e-12) <= TRAINING_SHARE * nameplate * (1 + 2e-12)
    assert TRAINING_SHARE < 1


@given(power=WATTS, first=st.floats(0, 1e8), second=st.floats(0, 1e8))
def test_energy_adds_up_over_time(power: float, first: float, second: float) -> None:
    parts = energy_j(power, first) + energy_j(power, second)
    assert energy_j(power, first + second) == pytest.approx(parts)
