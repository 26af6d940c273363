"""Which unit is this?

Takes text such as "400 Gbit/s"; returns SI floats, text for people on the way out, and the sum of a
record's parts.
"""

from gigawatt.units.aliases import (
    Bytes,
    BytesPerSecond,
    Count,
    Flop,
    FlopPerSecond,
    Fraction,
    Joules,
    Kilograms,
    KilogramsPerJoule,
    Metres,
    PerSecond,
    Real,
    Seconds,
    Usd,
    UsdPerJoule,
    UsdPerSecond,
    Watts,
)
from gigawatt.units.format import figures, format
from gigawatt.units.parse import parse
from gigawatt.units.total import total

__all__ = [
    "Bytes",
    "BytesPerSecond",
    "Count",
    "Flop",
    "FlopPerSecond",
    "Fraction",
    "Joules",
    "Kilograms",
    "KilogramsPerJoule",
    "Metres",
    "PerSecond",
    "Real",
    "Seconds",
    "Usd",
    "UsdPerJoule",
    "UsdPerSecond",
    "Watts",
    "figures",
    "format",
    "parse",
    "total",
]
