"""What does a fleet hold, draw, cost and get done while its machines arrive?

Takes deliveries as columns, and dates; returns columns over the dates, and when an amount of work is done.
"""

from gigawatt.fleet.build_out import (
    BuildOut,
    Deliveries,
    build_out,
    done_s,
    last_s,
    served_s,
    standing,
    total_at,
)

__all__ = ["BuildOut", "Deliveries", "build_out", "done_s", "last_s", "served_s", "standing", "total_at"]
