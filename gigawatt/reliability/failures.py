"""Failures, checkpoints and restarts of a synchronous job, in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import lambertw, pdtr

from gigawatt.units import Count, Fraction, PerSecond, Real, Seconds, total


@dataclass(frozen=True, kw_only=True, slots=True)
class LostTime:
    """Where wall time goes, as fractions. They add up to 1."""

    useful: Fraction
    checkpoint: Fraction
    rework: Fraction  # work done since the last checkpoint, done again
    restart: Fraction

    @property
    def total(self) -> Fraction:
        return total(self)


def mtti_s(chips: Count, failures_per_chip_s: PerSecond) -> Seconds:
    r"""Return the mean time to interruption of a job that any of its chips can stop.

    .. math:: M = 1 / (n \lambda)

    Valid for: independent failures at constant rates; causes add.
    Source: Kokolis 2024, arXiv:2410.21680 sec. 3; Llama 3, arXiv:2407.21783 Table 5 (19.73 per 10^6
    chip-hours).

    >>> round(mtti_s(16384, 19.73e-6 / 3600.0) / 3600.0, 2)
    3.09
    """
    return 1.0 / (chips * failures_per_chip_s)


def young_interval_s(checkpoint_s: Seconds, mtti_s: Seconds) -> Seconds:
    r"""Return Young's checkpoint interval.

    .. math:: \tau = \sqrt{2 \delta M}

    Valid for: checkpoints far shorter than the time between failures.
    Source: Young 1974, doi:10.1145/361147.361115.

    >>> float(young_interval_s(5.0, 1440.0))
    120.0
    """
    interval: Seconds = np.sqrt(2.0 * checkpoint_s * mtti_s)
    return interval


def daly_interval_s(checkpoint_s: Seconds, mtti_s: Seconds) -> Seconds:
    r"""Return Daly's higher-order checkpoint interval.

    .. math:: \tau = \sqrt{2 \delta M} \left[ 1 + \tfrac13 \sqrt{\tfrac{\delta}{2M}}
        + \tfrac19 \tfrac{\delta}{2M} \right] - \delta

    Valid for: delta < 2 M; M beyond.
    Source: Daly 2006, doi:10.1016/j.future.2004.11.016 eq. 37.

    >>> round(float(daly_interval_s(5.0, 1440.0)), 3)
    116.69
    """
    ratio = checkpoint_s / (2.0 * mtti_s)
    series = young_interval_s(checkpoint_s, mtti_s) * (1.0 + np.sqrt(ratio) / 3.0 + ratio / 9.0)
    return np.where(np.asarray(ratio) < 1.0, series - checkpoint_s, mtti_s)


def best_interval_s(checkpoint_s: Seconds, mtti_s: Seconds) -> Seconds:
    r"""Return the checkpoint interval that makes wall time least.

    .. math:: \tau = M \left( 1 + W_0(-e^{-1 - \delta / M}) \right)

    Valid for: exponential failures, also during checkpoint and restart; independent of the restart time.
    Source: stationary point of Daly 2006, doi:10.1016/j.future.2004.11.016 eq. 13.

    >>> round(float(best_interval_s(60.0, 60.0)), 3)
    50.484
    """
    delta, m = np.asarray(checkpoint_s, dtype=float), np.asarray(mtti_s, dtype=float)
    exact = m * (1.0 + np.real(lambertw(-np.exp(-1.0 - delta / m), 0)))
    # W loses digits at the branch point; there Young's interval is exact to first order
    return np.where(delta / m > 1e-10, exact, young_interval_s(delta, m))


def lost_time(
    *, mtti_s: Seconds, checkpoint_s: Seconds, restart_s: Seconds, interval_s: Seconds | None = None
) -> LostTime:
    r"""Return where wall time goes; at the best checkpoint interval when none is given.

    .. math:: \frac{T_{wall}}{\tau} = \frac{M}{\tau} e^{R/M} \left( e^{(\tau + \delta)/M} - 1 \right)

    Restarts take 1 - e^{-R/M} of the wall time, for each failure begins one that the next may cut short; what
    is left after useful time and checkpoints is rework.
    Valid for: exponential failures, also during checkpoint and restart; blocking checkpoints.
    Source: Daly 2006, doi:10.1016/j.future.2004.11.016 eq. 13.

    >>> round(float(lost_time(mtti_s=1440.0, checkpoint_s=5.0, restart_s=10.0).useful), 5)
    0.91261
    """
    interval = (
        best_interval_s(checkpoint_s, mtti_s) if interval_s is None else np.asarray(interval_s, dtype=float)
    )
    wall = mtti_s * np.exp(restart_s / mtti_s) * np.expm1((interval + checkpoint_s) / mtti_s)
    useful, checkpoint = interval / wall, checkpoint_s / wall
    restart = -np.expm1(-np.asarray(restart_s) / mtti_s)
    rework = np.maximum(1.0 - useful - checkpoint - restart, 0.0)
    return LostTime(
        useful=useful, checkpoint=checkpoint, rework=rework, restart=1.0 - useful - checkpoint - rework
    )


def replica_lost_time(
    *, mtti_s: Seconds, restart_s: Seconds, regroup_s: Seconds, replicas: Count, step_s: Seconds = 0.0
) -> LostTime:
    r"""Return where chip time goes when a failure stops one replica group of a job and not the job.

    .. math:: u = e^{-R / (k M)} \, e^{-g / M} \, (1 - s / 2 M)_+

    The k groups hold the same weights and optimizer states. When a chip fails, all wait g until the others
    have formed a smaller group, the step that was under way (half of one on average) is done again, and its
    own group is away for R; what it lacks it copies from a neighbour, so nothing is read from a checkpoint.
    A group that fails while it restarts begins anew, as the whole job does in `lost_time`: with one group
    and no wait the two agree. A step with fewer groups does less work in the same time.
    Valid for: two groups or more; (1 - e^{-R / kM})^k far below 1, for a state that no group has is lost.
    Source: torchft, replica groups as the failure domain; lost_time applied to one group of k, M to k M.

    >>> found = replica_lost_time(mtti_s=360.0, restart_s=600.0, regroup_s=60.0, replicas=8)
    >>> round(float(found.useful), 3), round(float(found.restart), 3)
    (0.687, 0.313)
    """
    M, R, g, k = mtti_s, restart_s, regroup_s, replicas
    up = np.exp(-R / (k * M)) * np.exp(-g / M)
    rework = up * np.minimum(step_s / (2.0 * M), 1.0)
    none = np.zeros_like(up)
    return LostTime(useful=up - rework, checkpoint=none, rework=rework, restart=1.0 - up)


def ettr_first_order(
    *, mtti_s: Seconds, interval_s: Seconds, checkpoint_s: Seconds, restart_s: Seconds
) -> Fraction:
    r"""Return the expected effective training time ratio in first order.

    .. math:: \frac{1 - (u_0 + \tau / 2) / M}{1 + w / \tau}

    Valid for: (u_0 + tau / 2) well below M; negative beyond. `lost_time` has no such limit.
    Source: Kokolis 2024, arXiv:2410.21680 sec. 4.

    >>> rate = 2000 * 6.50e-3 / 86400.0
    >>> round(ettr_first_order(mtti_s=1 / rate, interval_s=3600.0, checkpoint_s=0.0, restart_s=300.0), 3)
    0.684
    """
    return (1.0 - (restart_s + interval_s / 2.0) / mtti_s) / (1.0 + checkpoint_s / interval_s)


def spares(mean_in_repair: Real, *, confidence: float = 0.99) -> Count:
    r"""Return how many spares cover repairs with a given confidence.

    .. math:: \min \{ k : P(X \le k) \ge c \}, \quad X \sim Poisson(N \lambda T_{repair})

    Valid for: independent failures, repairs in parallel (M/G/infinity).
    Source: Palm 1943; worked number: 2,048 nodes, 3.79e-3 failures a day, one day of repair.

    >>> int(spares(2048 * 3.79e-3))
    15
    """
    mean = np.asarray(mean_in_repair, dtype=float)
    top = int(np.max(mean + 12.0 * np.sqrt(mean) + 20.0))
    counts = np.arange(top + 1)
    covered: Count = np.argmax(pdtr(counts, mean[..., None]) >= confidence, axis=-1)
    return covered
