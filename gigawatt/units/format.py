"""SI floats in, text for people out: three significant figures, an SI prefix, the unit always shown."""

from __future__ import annotations

import math

PREFIXES = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
BINARY = ((2.0**50, "Pi"), (2.0**40, "Ti"), (2.0**30, "Gi"), (2.0**20, "Mi"), (2.0**10, "Ki"), (1.0, ""))
SMALL = ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))
TIMES = (
    (365.25 * 86400.0 * 2, 365.25 * 86400.0, "y"),
    (86400.0 * 2, 86400.0, "d"),
    (7200.0, 3600.0, "h"),
    (120.0, 60.0, "min"),
)
SYMBOLS = {"byte": "B", "byte/s": "B/s", "flop": "FLOP", "flop/s": "FLOP/s", "token/s": "token/s", "W": "W"}


def figures(value: float, digits: int = 3) -> str:
    """Return a number with a fixed count of significant figures, without an exponent.

    >>> figures(40.2345), figures(0.001234), figures(12345.0)
    ('40.2', '0.00123', '12345')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    return f"{value:.{decimals}f}"


def format(value: float, unit: str, *, digits: int = 3, binary: bool = False) -> str:
    """Return a quantity as people write it.

    >>> format(9.89e14, "flop/s"), format(8e10, "byte"), format(8e10, "byte", binary=True)
    ('989 TFLOP/s', '80.0 GB', '74.5 GiB')
    >>> format(6.8, "s"), format(73 * 86400, "s"), format(7.19e7, "USD"), format(0.402, "%")
    ('6.80 s', '73.0 d', '$71.9 M', '40.2 %')
    """
    if unit == "%":
        return f"{figures(100 * value, digits)} %"
    if unit == "USD":
        scale, prefix = _scale(value, ((1e9, " B"), (1e6, " M"), (1e3, " k"), (1.0, "")))
        return f"${figures(value / scale, digits)}{prefix}"
    if unit == "s" and abs(value) >= 120:
        _, scale, name = next(t for t in TIMES if abs(value) >= t[0])
        return f"{figures(value / scale, digits)} {name}"
    if unit == "1":
        thousands = ((1e3, "k"),) if abs(value) >= 1e4 else ()
        scale, prefix = _scale(value, ((1e12, "T"), (1e9, "B"), (1e6, "M"), *thousands, (1.0, "")))
        return f"{figures(value / scale, digits)}{prefix}"
    if unit == "kg":
        return f"{figures(value / 1e3, digits)} t" if abs(value) >= 1e3 else f"{figures(value, digits)} kg"
    if unit == "J":  # energy of machines is billed in watt-hours
        scale, prefix = _scale(value / 3600.0, PREFIXES)
        return f"{figures(value / 3600.0 / scale, digits)} {prefix}Wh"
    table = BINARY if binary else (SMALL if abs(value) < 1 and unit == "s" else PREFIXES)
    scale, prefix = _scale(value, table)
    return f"{figures(value / scale, digits)} {prefix}{'B' if binary else SYMBOLS.get(unit, unit)}"


def _scale(value: float, table: tuple[tuple[float, str], ...]) -> tuple[float, str]:
    return next(((s, p) for s, p in table if abs(value) >= s), table[-1])
