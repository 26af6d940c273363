"""Whatever is typed as a layout or a count, the answer is a plan's input or one sentence."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gigawatt.cli.options import amount, whole, words
from gigawatt.errors import GigawattError
from gigawatt.study.given import DEGREES, KINDS, SHORT, one_layout, read_words
from gigawatt.study.scenario import scenario


def starts(error, words_):
    """Check that an error starts with what it is about."""
    assert str(error).startswith(words_)


NAMES = (*DEGREES, *KINDS, *SHORT, "x")
VALUES = st.integers(-2, 70) | st.sampled_from(
    ("none", "full", "interleaved", "dualpipe", True, False, 2.0, None, [1])
)


@pytest.fixture(scope="module")
def asked():
    """Return a question that has experts, so that every degree can act."""
    return scenario(
        "mixtral-8x7b",
        on="superpod-h100",
        chips=64,
        tokens=1e12,
        batch_sequences=512,
        seq_tokens=4096,
        dtype="bf16",
    )


@given(text=st.text(max_size=30) | st.text("tp=,|8 mbszero", max_size=20), several=st.booleans())
@example(text="tp=" + "9" * 5000, several=False)
def test_any_words(text, several):
    try:
        found = read_words(words(text, option="--layout", several=several), option="layout")
    except GigawattError as error:
        starts(error, ("--layout", "layout"))
    else:
        assert set(found) <= {*DEGREES, *KINDS}


@settings(max_examples=300)
@given(said=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5))
def test_any_layout_is_priced_or_refused_with_a_reason(said, asked):
    try:
        found = one_layout(asked, said)
    except GigawattError as error:
        return starts(error, "layout")
    (candidate,) = found.best or (found.nearest_miss,)
    assert candidate.layout.chips == 64
    assert candidate.step_s > 0
    assert bool(found.best) == (candidate.memory_bytes <= asked.machine.chip.hbm_bytes)


@given(text=st.text(max_size=12) | st.from_regex(r"[+-]?[0-9.,_eE]{1,8} ?[a-zA-Z/%]{0,4}", fullmatch=True))
@example(text="1e999")
@example(text="--5")
def test_any_count(text):
    for read in (amount("tokens", example="15.6T"), whole("chips", example="4096")):
        try:
            found = read(None, None, text)
        except GigawattError as error:
            starts(error, (f"tokens = {text!r}", f"chips = {text!r}"))
        else:
            assert math.isfinite(found)
            assert found > 0


@given(value=st.floats(1, 999), letter=st.sampled_from(("", "k", "M", "B", "T")))
def test_a_count_is_what_its_letters_say(value, letter):
    power = {"": 0, "k": 3, "M": 6, "B": 9, "T": 12}[letter]
    text = f"{value:.3f}{letter}"
    assert amount("tokens", example="1T")(None, None, text) == pytest.approx(
        float(f"{value:.3f}") * 10.0**power
    )


@pytest.mark.parametrize("text", ["15,6T", "1,5", "12,34,567", "1,234,56"])
def test_a_comma_that_groups_no_thousands_is_refused(text):
    with pytest.raises(GigawattError, match="did you mean"):
        amount("tokens", example="1T")(None, None, text)


def test_a_comma_that_groups_thousands_is_read():
    assert whole("chips", example="1")(None, None, "16,384") == 16384
