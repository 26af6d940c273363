"""How much time do failures take? Closed forms.

Takes failure rates, checkpoint and restart times; returns intervals, fractions of wall time and spares.
"""

from gigawatt.reliability.failures import (
    LostTime,
    best_interval_s,
    daly_interval_s,
    ettr_first_order,
    lost_time,
    mtti_s,
    replica_lost_time,
    spares,
    young_interval_s,
)

__all__ = [
    "LostTime",
    "best_interval_s",
    "daly_interval_s",
    "ettr_first_order",
    "lost_time",
    "mtti_s",
    "replica_lost_time",
    "spares",
    "young_interval_s",
]
