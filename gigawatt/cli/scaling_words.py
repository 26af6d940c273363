"""Words that the scaling verbs share."""

from __future__ import annotations


def power(flop: float) -> str:
    """Return flop as people write them.

    >>> power(1e26), power(5.76e23)
    ('1.00e26', '5.76e23')
    """
    return f"{flop:.2e}".replace("e+", "e")


def beyond(orders: float | None) -> str:
    """Return how far a point is outside a law's runs.

    >>> beyond(None), beyond(0.0), beyond(3.9)
    ('not known', 'inside', '3.9 orders')
    """
    return "not known" if orders is None else "inside" if orders == 0 else f"{orders:.1f} orders"
