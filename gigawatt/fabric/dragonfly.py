"""Dragonflies: groups of routers, each router joined to all of its group, each group to all others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gigawatt.units import Count


@dataclass(frozen=True, kw_only=True, slots=True)
class Dragonfly:
    """Routers and links: each field is a number, or a column of them; infinite where the radix is too low."""

    groups: Count
    routers: Count
    endpoint_links: Count
    local_links: Count  # within groups
    global_links: Count  # between groups


def dragonfly(endpoints: Count, radix: int, *, oversubscription: float = 1.0) -> Dragonfly:
    r"""Return the routers and links of a balanced dragonfly that joins so many endpoints.

    .. math:: p = \lfloor (r + 1) / 4 \rfloor, \quad a = 2 p, \quad h = \lceil p / o \rceil,
              \quad g = \lceil n / (a p) \rceil \le a h + 1

    p endpoints, a - 1 local and h global links a router; every global port is wired, so groups that are fewer
    than a h + 1 have parallel links. A taper o leaves global ports empty.
    Valid for: two groups and more; every router of one radix, r >= 4 p - 1.
    Source: Kim 2009, doi:10.1109/MM.2009.5 (balance a = 2p = 2h).

    >>> found = dragonfly(261_632, 64)
    >>> int(found.groups), int(found.routers), int(found.local_links + found.global_links)
    (511, 16352, 384272)
    """
    n, p = np.asarray(endpoints, dtype=float), (radix + 1) // 4
    a, h = 2 * p, int(np.ceil(p / oversubscription))
    g = np.ceil(n / (a * p))
    fits = g <= a * h + 1
    routers = np.where(fits, np.where(g > 1, g * a, np.ceil(n / p)), np.inf)
    return Dragonfly(
        groups=np.where(fits, g, np.inf),
        routers=routers,
        endpoint_links=n,
        local_links=routers * (np.minimum(routers, a) - 1) / 2,
        global_links=np.where(g > 1, np.ceil(routers * h / 2), 0.0),
    )
