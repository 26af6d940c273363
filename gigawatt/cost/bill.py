"""Dollars of a rented or an owned machine, and the carbon of its energy."""

from __future__ import annotations

from dataclasses import dataclass

from gigawatt.units import (
    Joules,
    Kilograms,
    KilogramsPerJoule,
    Seconds,
    Usd,
    UsdPerJoule,
    UsdPerSecond,
    Watts,
    total,
)

YEAR_S = 365.25 * 86400.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Prices:
    """What an owner pays for one chip with its share of everything."""

    capex_usd_per_chip: Usd
    depreciation_s: Seconds  # over which the chip and its server are written off
    facility_usd_per_w: float  # building and cooling, per watt at the meter
    facility_life_s: Seconds
    operations_per_year: float  # of capital
    capital_per_year: float  # interest, of the mean capital bound


@dataclass(frozen=True, kw_only=True, slots=True)
class Bill:
    """What an owner's chip-time costs. The parts add up to the total."""

    hardware_usd: Usd
    facility_usd: Usd
    operations_usd: Usd
    capital_usd: Usd
    energy_usd: Usd

    @property
    def total_usd(self) -> Usd:
        return total(self)


def rent_usd(chip_s: Seconds, usd_per_s: UsdPerSecond) -> Usd:
    """Return the rent of chip-time.

    Definition: chip-time x price.

    >>> round(rent_usd(3600.0 * 30.84e6, 2.35 / 3600.0) / 1e6, 2)
    72.47
    """
    return chip_s * usd_per_s


def own_usd(
    chip_s: Seconds, prices: Prices, *, facility_w_per_chip: Watts, energy_j: Joules, usd_per_j: UsdPerJoule
) -> Bill:
    r"""Return what an owner's chip-time costs.

    .. math:: t \left( \frac{C}{L} + \frac{p\, u}{L_f} + o C + \frac{r}{2} (C + p\, u) \right) + E\, e

    Straight-line write-off, no resale value; interest on half the capital, its mean over the life.
    Valid for: a machine that is always in use; idle time must be paid by somebody else.
    Source: annual cost of a site as in Barroso 2018, doi:10.2200/S00874ED3V01Y201809CAC046 ch. 6.

    >>> p = Prices(capex_usd_per_chip=5e4, depreciation_s=5 * YEAR_S, facility_usd_per_w=10.0,
    ...     facility_life_s=15 * YEAR_S, operations_per_year=0.08, capital_per_year=0.0)
    >>> bill = own_usd(YEAR_S, p, facility_w_per_chip=1500.0, energy_j=0.0, usd_per_j=0.0)
    >>> round(bill.hardware_usd), round(bill.facility_usd), round(bill.total_usd)
    (10000, 1000, 15000)
    """
    capex, building = prices.capex_usd_per_chip, prices.facility_usd_per_w * facility_w_per_chip
    years = chip_s / YEAR_S
    return Bill(
        hardware_usd=capex * chip_s / prices.depreciation_s,
        facility_usd=building * chip_s / prices.facility_life_s,
        operations_usd=prices.operations_per_year * capex * years,
        capital_usd=prices.capital_per_year * 0.5 * (capex + building) * years,
        energy_usd=energy_j * usd_per_j,
    )


def carbon_kg(energy_j: Joules, kg_per_j: KilogramsPerJoule) -> Kilograms:
    """Return the carbon dioxide equivalent of energy at the meter, location-based.

    Definition: energy x grid intensity.
    Source: method of the Llama 3.1 model card: 30.84 M chip-hours x 0.7 kW x 0.4137 kg/kWh = 8,930 t.

    >>> round(carbon_kg(30.84e6 * 0.7 * 3.6e6, 0.4137 / 3.6e6) / 1e3, -1)
    8930.0
    """
    return energy_j * kg_per_j
