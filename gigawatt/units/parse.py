"""Text with a unit in, SI floats out. Bits and bytes, GB and GiB are never mixed up silently."""

from __future__ import annotations

import math
import re

from gigawatt.errors import InputError

PREFIX = {
    "": 1.0,
    "k": 1e3,
    "K": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    "Z": 1e21,
    "m": 1e-3,
    "u": 1e-6,
    "µ": 1e-6,
    "n": 1e-9,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
    "Pi": 2.0**50,
}
COUNT_SUFFIX = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12, "P": 1e15, "Q": 1e15}
HOUR_S, DAY_S, YEAR_S = 3600.0, 86400.0, 365.25 * 86400.0
TIME = {
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "seconds": 1.0,
    "min": 60.0,
    "h": HOUR_S,
    "hr": HOUR_S,
    "hour": HOUR_S,
    "hours": HOUR_S,
    "d": DAY_S,
    "day": DAY_S,
    "days": DAY_S,
    "week": 7 * DAY_S,
    "weeks": 7 * DAY_S,
    "y": YEAR_S,
    "year": YEAR_S,
    "years": YEAR_S,
}

# Per SI unit: the base symbols it may be written in, and what each is worth. Prefixes go before them.
BASES: dict[str, dict[str, float]] = {
    "byte": {"B": 1.0, "byte": 1.0, "bytes": 1.0, "bit": 0.125, "b": 0.125},
    "flop": {"flop": 1.0, "FLOP": 1.0, "flops": 1.0, "FLOPs": 1.0},
    "W": {"W": 1.0, "watt": 1.0, "watts": 1.0},
    "J": {"J": 1.0, "Wh": 3600.0},
    "USD": {"$": 1.0, "USD": 1.0, "usd": 1.0, "dollars": 1.0},
    "kg": {"g": 1e-3, "gCO2e": 1e-3, "t": 1e3, "tCO2e": 1e3},
    "m": {"m": 1.0},
}
RATE_WORDS = {"FLOPS": "flop/s", "FLOP/S": "flop/s", "bps": "bit/s", "Bps": "B/s"}
DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d[\d_]*)"  # a comma stands between thousands only
NUMBER = re.compile(rf"^\s*([+-]?(?:{DIGITS}\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*$")
EXAMPLES = {
    "byte": "80 GB or 80 GiB",
    "byte/s": "400 Gbit/s or 50 GB/s",
    "flop/s": "989 TFLOP/s",
    "flop": "1e26 flop",
    "s": "90 d, 5 min or 2 us",
    "W": "150 MW",
    "USD": "500 M$",
    "USD/s": "2.5 $/h",
    "1": "15.6T or 16M",
    "USD/J": "0.07 $/kWh",
    "kg/J": "0.38 kg/kWh",
    "kg": "500 t",
    "J": "3 GWh",
    "m": "30 m",
    "1/s": "0.01 /h",
}


def parse(text: str | float, unit: str, *, field: str = "value") -> float:
    """Return a quantity in an SI unit; a plain number is taken to be in that unit already.

    Raises: InputError that says what was read and what is allowed.

    >>> parse("400 Gbit/s", "byte/s")
    50000000000.0
    >>> parse("80 GiB", "byte"), parse("80 GB", "byte")
    (85899345920.0, 80000000000.0)
    >>> parse("15.6T", "1"), parse("90d", "s"), parse("2.5 $/h", "USD/s") == 2.5 / 3600
    (15600000000000.0, 7776000.0, True)
    """
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise InputError(f"{field} = {text!r} is not a quantity; write e.g. {EXAMPLES.get(unit, unit)}")
    if not isinstance(text, str):
        return _finite(float(text), text, field)
    match = NUMBER.match(_dollars_behind(text) if unit.startswith("USD") else text)
    if not match:
        raise InputError(
            f"{field} = {text!r} does not start with a number; write e.g. {EXAMPLES.get(unit, unit)}"
        )
    value = float(match[1].replace("_", "").replace(",", ""))
    factor = 1.0 if not match[2] else _factor(match[2], unit)
    if factor is None:
        raise InputError(
            f"{field} = {text!r} is not in a unit of {unit!r}; write e.g. {EXAMPLES.get(unit, unit)}"
        )
    return _finite(value * factor, text, field)


def _dollars_behind(text: str) -> str:
    """Return an amount with its dollar sign behind the number, as other units stand: "$1.5 M" is "1.5 M$"."""
    found = re.match(r"\s*\$\s*([\d.,_]+(?:[eE][+-]?\d+)?)\s*([kMBTG]?)\s*(.*)$", text)
    return f"{found[1]} {found[2]}$ {found[3]}".strip() if found else text


def _finite(value: float, text: str | float, field: str) -> float:
    if not math.isfinite(value):
        raise InputError(f"{field} = {text!r} is not a finite number")
    return value


def _factor(written: str, unit: str) -> float | None:
    """Return what one of the written unit is worth in the asked one, or None when they do not match."""
    if unit == "1":
        return _count_factor(written)
    for word, meaning in RATE_WORDS.items():
        if written.endswith(word):
            written = written[: -len(word)] + meaning
    written = written.replace(" per ", "/").replace("per-", "/")
    top, _, bottom = written.partition("/")
    want_top, _, want_bottom = unit.partition("/")
    if bool(bottom) != bool(want_bottom):
        return None
    above = 1.0 if want_top == "1" and not top.strip() else _simple(top.strip(), want_top)
    below = _simple(bottom.strip(), want_bottom) if bottom else 1.0
    return None if above is None or below is None else above / below


def _count_factor(written: str) -> float | None:
    word = written.split()[0]
    if word in ("tokens", "token", "chips", "sequences", "params", "x"):
        return 1.0
    if word == "%":
        return 0.01
    return COUNT_SUFFIX.get(word)


def _simple(written: str, unit: str) -> float | None:
    """Return the factor of a unit without a slash."""
    if unit == "s":
        for base in ("s", ""):
            if written in TIME:
                return TIME[written]
            prefix = written[: -len(base)] if base and written.endswith(base) else None
            if prefix in ("m", "u", "µ", "n"):
                return PREFIX[prefix]
        return None
    for base, worth in BASES.get(unit, {}).items():
        if written.endswith(base) and written[: -len(base)] in PREFIX:
            prefix = written[: -len(base)]
            return None if prefix == "K" and base in ("m", "g") else PREFIX[prefix] * worth
        if unit == "USD" and written.startswith(base):  # $71M is written as often as 71 M$
            rest = written[len(base) :].strip()
            if rest in COUNT_SUFFIX:
                return COUNT_SUFFIX[rest] * worth
        if unit == "USD" and written.endswith(base) and written[: -len(base)].strip() in COUNT_SUFFIX:
            return COUNT_SUFFIX[written[: -len(base)].strip()] * worth
    if unit == "kg" and written in ("kg", "kgCO2e"):
        return 1.0
    return None
