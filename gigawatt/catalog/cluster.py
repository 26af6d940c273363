"""A machine that is known only by its chip, its size and its network: one row of a table."""

from __future__ import annotations

import dataclasses
import math

from gigawatt.catalog.load import defaults, site
from gigawatt.catalog.records import Chip, Level, Machine
from gigawatt.units import BytesPerSecond

SERVER_CHIPS = 8  # a scale-up domain of no more lies inside one server; a larger one is a rack of them


def cluster(
    chip: Chip,
    *,
    chips: int,
    chips_per_node: int | None = None,
    network_bytes_per_s: BytesPerSecond | None = None,
    fabric: str = "",
) -> Machine:
    """Return a plain machine: the chip's scale-up domain, and one non-blocking network over all.

    A domain inside a server ends where a smaller server does. The network's rate per chip is the chip's
    reference rate when none is given.
    Raises: UnknownFactError when a rate that is needed is not known.
    """
    inner = _scale_up(chip, chips, chips_per_node=chips_per_node)
    levels = [inner]
    if inner.chips < chips:
        rate = network_bytes_per_s or chip.number("nic_bytes_per_s")
        latency = float(defaults()["network_latency_s"].value)
        levels.append(Level(name="fabric", chips=chips, bytes_per_s=float(rate), latency_s=latency))
    return Machine(
        id="cluster",
        name=f"{chips} x {chip.name}",
        owner="",
        shipping=chip.shipping,
        chip=chip,
        chips=chips,
        chips_per_node=min(chips_per_node or 8, chips),
        levels=tuple(levels),
        site=site("us-average"),
        fabric=fabric,
    )


def _scale_up(chip: Chip, chips: int, *, chips_per_node: int | None) -> Level:
    """Return the scale-up domain; of a torus the slice that holds the chips, as near to a cube as may be."""
    facts = chip.facts
    domain = int(chip.number("scale_up_chips"))
    if chips_per_node and domain <= SERVER_CHIPS:
        domain = min(domain, chips_per_node)
    topology = str(facts["scale_up_topology"].value) if "scale_up_topology" in facts else "switch"
    level = Level(
        name="scale_up",
        chips=min(domain, chips),
        bytes_per_s=chip.number("scale_up_bytes_per_s"),
        latency_s=float(defaults()["scale_up_latency_s"].value),
        topology=topology,  # type: ignore[arg-type]
        reduces_in_network="scale_up_reduces_in_switch" in facts,
    )
    if topology == "mesh" and chips < domain:  # links of a full mesh go to all peers, used or not
        return dataclasses.replace(level, chips=domain)
    if topology != "torus":
        return level
    axes = len(str(facts["scale_up_dims"].value).split("x"))
    return dataclasses.replace(level, dims=slice_dims(level.chips, axes))


def slice_dims(chips: int, axes: int) -> tuple[int, ...]:
    """Return the axes of a torus slice, as equal as the factors of its size allow, largest last.

    >>> slice_dims(256, 3), slice_dims(256, 2), slice_dims(6, 2)
    ((4, 8, 8), (16, 16), (2, 3))
    """
    found, left = [], chips
    for axis in range(axes, 0, -1):
        want = left ** (1.0 / axis)
        size = max(
            (
                d
                for d in range(1, math.isqrt(left) + 1 if axis > 1 else left + 1)
                if left % d == 0 and d <= want + 1e-9
            ),
            default=1,
        )
        size = size if axis > 1 else left
        found.append(size)
        left //= size
    return tuple(sorted(found))
