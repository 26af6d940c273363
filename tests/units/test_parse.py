"""Text is read as pint reads it, written so that it can be read again, and refused in one sentence."""

from __future__ import annotations

import math

import pint
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gigawatt.errors import InputError
from gigawatt.units import format, parse

ORACLE = pint.UnitRegistry()
ORACLE.define("flop = []")
ORACLE.define("USD = []")

# ours, as written; the same for pint; the SI unit that is asked for; the same for pint
SPELLINGS = (
    ("GB", "gigabyte", "byte", "byte"),
    ("GiB", "gibibyte", "byte", "byte"),
    ("Mbit", "megabit", "byte", "byte"),
    ("TiB", "tebibyte", "byte", "byte"),
    ("Gbit/s", "gigabit / second", "byte/s", "byte / second"),
    ("Gbps", "gigabit / second", "byte/s", "byte / second"),
    ("GBps", "gigabyte / second", "byte/s", "byte / second"),
    ("TB/s", "terabyte / second", "byte/s", "byte / second"),
    ("MB/h", "megabyte / hour", "byte/s", "byte / second"),
    ("TFLOPS", "teraflop / second", "flop/s", "flop / second"),
    ("PFLOP/s", "petaflop / second", "flop/s", "flop / second"),
    ("EFLOP", "exaflop", "flop", "flop"),
    ("MW", "megawatt", "W", "watt"),
    ("mW", "milliwatt", "W", "watt"),
    ("GWh", "gigawatt_hour", "J", "joule"),
    ("min", "minute", "s", "second"),
    ("ms", "millisecond", "s", "second"),
    ("us", "microsecond", "s", "second"),
    ("weeks", "week", "s", "second"),
    ("y", "julian_year", "s", "second"),
    ("$/h", "USD / hour", "USD/s", "USD / second"),
    ("$/kWh", "USD / kilowatt_hour", "USD/J", "USD / joule"),
    ("g/kWh", "gram / kilowatt_hour", "kg/J", "kilogram / joule"),
    ("t", "tonne", "kg", "kilogram"),
    ("km", "kilometre", "m", "metre"),
    ("/h", "1 / hour", "1/s", "1 / second"),
)


@pytest.mark.parametrize(("ours", "theirs", "unit", "si"), SPELLINGS, ids=[s[0] for s in SPELLINGS])
def test_a_unit_is_worth_what_pint_says(ours: str, theirs: str, unit: str, si: str) -> None:
    expected = ORACLE.Quantity(3.5, theirs).to(si).magnitude
    assert parse(f"3.5 {ours}", unit) == pytest.approx(expected, rel=1e-12)


@given(
    value=st.floats(1e-6, 1e20), unit=st.sampled_from(("byte", "byte/s", "flop", "flop/s", "W", "J", "kg"))
)
def test_what_is_written_reads_back_to_its_three_figures(value: float, unit: str) -> None:
    assert parse(format(value, unit), unit) == pytest.approx(value, rel=6e-3)


@given(value=st.floats(1e-9, 3e9))
def test_a_time_reads_back_to_its_three_figures(value: float) -> None:
    assert parse(format(value, "s"), "s") == pytest.approx(value, rel=6e-3)


@given(text=st.text(max_size=12), unit=st.sampled_from(sorted({s[2] for s in SPELLINGS} | {"1"})))
@example(text="1e999", unit="byte")
@example(text="4 GB/s/s", unit="byte/s")
@example(text="5 /", unit="1/s")
def test_any_text_is_a_finite_number_or_one_sentence(text: str, unit: str) -> None:
    try:
        found, said = parse(text, unit, field="limit"), ""
    except InputError as error:
        found, said = 0.0, str(error)
    assert math.isfinite(found)
    assert said == "" or said.startswith("limit = ")
    assert "\n" not in said


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("400 Gbit", "byte/s"),
        ("400 GB/s", "byte"),
        ("80 W", "byte"),
        ("5 GB", "1"),
        ("3 h", "J"),
        ("2 $", "USD/s"),
    ],
)
def test_a_quantity_of_another_kind_is_refused(text: str, unit: str) -> None:
    with pytest.raises(InputError, match="not in a unit of"):
        parse(text, unit)
