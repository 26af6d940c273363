"""An owner's bill by its parts, and against the annuity of a loan worked year by year."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawatt.cost import Bill, Prices, carbon_kg, own_usd, rent_usd

YEAR_S = 365.25 * 86400.0
PRICES = st.builds(
    Prices,
    capex_usd_per_chip=st.floats(1e3, 1e5),
    depreciation_s=st.floats(YEAR_S, 10 * YEAR_S),
    facility_usd_per_w=st.floats(1.0, 30.0),
    facility_life_s=st.floats(5 * YEAR_S, 30 * YEAR_S),
    operations_per_year=st.floats(0.0, 0.2),
    capital_per_year=st.floats(0.0, 0.2),
)


@given(prices=PRICES, chip_s=st.floats(1.0, 1e12), watts=st.floats(100.0, 5e3))
def test_a_bill_is_the_sum_of_parts_that_cost_something(prices: Prices, chip_s: float, watts: float) -> None:
    bill = own_usd(chip_s, prices, facility_w_per_chip=watts, energy_j=chip_s * watts, usd_per_j=2e-8)
    parts = [getattr(bill, f.name) for f in dataclasses.fields(Bill)]
    assert min(parts) >= 0
    assert sum(parts) == pytest.approx(bill.total_usd)


@given(prices=PRICES, chip_s=st.floats(1.0, 1e12))
def test_twice_the_time_costs_twice_as_much(prices: Prices, chip_s: float) -> None:
    once, twice = (
        own_usd(t, prices, facility_w_per_chip=1e3, energy_j=1e3 * t, usd_per_j=2e-8)
        for t in (chip_s, 2 * chip_s)
    )
    assert twice.total_usd == pytest.approx(2 * once.total_usd)


def test_a_chip_kept_for_its_whole_life_costs_its_price_and_the_interest_on_what_is_left_of_it() -> None:
    prices = Prices(
        capex_usd_per_chip=40_000.0,
        depreciation_s=5 * YEAR_S,
        facility_usd_per_w=0.0,
        facility_life_s=15 * YEAR_S,
        operations_per_year=0.0,
        capital_per_year=0.06,
    )
    bill = own_usd(5 * YEAR_S, prices, facility_w_per_chip=0.0, energy_j=0.0, usd_per_j=0.0)
    months = 60
    owed = [40_000.0 * (1 - (m + 0.5) / months) for m in range(months)]  # written off evenly, mid-month
    assert bill.hardware_usd == pytest.approx(40_000.0)
    assert bill.capital_usd == pytest.approx(sum(0.06 / 12 * left for left in owed))


def test_rent_and_carbon_of_a_published_run() -> None:
    # Llama 3.1 model card: 30.84 M chip-hours at 700 W, 8,930 t location-based; 0.4137 kg/kWh follows
    hours = 30.84e6
    assert rent_usd(hours * 3600, 2.0 / 3600) == pytest.approx(61.68e6)
    assert carbon_kg(hours * 3600 * 700.0, 0.4137 / 3.6e6) / 1e3 == pytest.approx(8_930, rel=1e-3)
