"""Power of a chip with its share of server, network and storage, by what it is doing."""

from __future__ import annotations

from gigawatt.units import Fraction, Joules, Seconds, Watts

# An 8-chip H100 server at near-full utilisation drew 8.4 kW of 10.2 rated (Latif 2024, arXiv:2412.08602).
TRAINING_SHARE = 8.4 / 10.2
IDLE_SHARE = 0.35  # of nameplate; illustrative default of a public cost model, not a measurement


def training_power_w(nameplate_w: Watts, *, busy_fraction: Fraction) -> Watts:
    r"""Return the mean IT power while a job runs.

    .. math:: P = P_{name} \left( i + (t - i)\, b \right)

    t is the measured share at full work, i the share when waiting. A chip that spins in a collective draws
    more than an idle one; b should count such time as busy to half: ignored, worth below 5 % at b > 0.8.
    Valid for: servers of 8 chips; the split at rack scale is not measured.
    Source: Latif 2024, arXiv:2412.08602 (t = 0.82).

    >>> round(training_power_w(1275.0, busy_fraction=1.0))
    1050
    """
    return nameplate_w * (IDLE_SHARE + (TRAINING_SHARE - IDLE_SHARE) * busy_fraction)


def energy_j(power_w: Watts, duration_s: Seconds) -> Joules:
    """Return the energy of a constant power.

    Definition: power x time.

    >>> energy_j(1000.0, 3600.0) / 3.6e6
    1.0
    """
    return power_w * duration_s
