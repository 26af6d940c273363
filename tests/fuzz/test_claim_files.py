"""Whatever a claim file holds, the answer is claims or one sentence; an expression can only do arithmetic."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gigawatt.errors import FileFormatError, GigawattError, InputError
from gigawatt.study.claims.document import claims_document
from gigawatt.study.claims.expression import FUNCTIONS, evaluate
from gigawatt.study.claims.file import claim_file_of, read_claim_file
from gigawatt.study.claims.page import page
from gigawatt.study.claims.run import computed
from tests.fuzz.sentences import is_one_sentence

YAML = """\
title: What it says
sources:
  paper: {producer: We, title: A paper}
figures:
  cards: {query: machine, of: eagle, fact: chips, unit: cards}
claims:
  - id: one
    who: the article
    claim: Eagle has 14,400 cards.
    said:
      cards: {value: 14400, unit: cards}
      year: {value: "2023", unit: date}
    figures:
      per_node: {expr: cards / 1800, unit: cards}
      year: {value: "2023-11", unit: date, kind: spec, source: paper, where: page 1}
      power: {query: power, of: h100-sxm, pue: 1.2}
    readings:
      - label: the list
        tests:
          - {figure: cards, is: within, by: 1 %}
          - {figure: year, is: same}
          - {when: per_node == 8, label: eight a server}
  - {id: two, who: the article, claim: It is beautiful., opinion: A matter of taste.}
pictures:
  - {title: Cards, claim: one, bars: [cards, said_cards]}
  - title: Loss
    lines: [{label: Besiroglu, query: {query: loss}}]
    vary: compute
    low: 1e21
    high: 1e24
    points: 3
"""
KEYS = (
    "title", "article", "sources", "figures", "claims", "pictures", "id", "who", "claim", "quote", "said",
    "readings", "tests", "figure", "is", "by", "when", "than", "value", "unit", "expr", "query", "of",
    "fact", "kind", "source", "bars", "lines", "vary", "low", "high", "opinion", "verdict", "cards",
    "headline", "x",
)  # fmt: skip
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.sampled_from(
        ("eagle", "h100-sxm", "1 %", "2023-11", "within", "date", "W", "cards / 0", "text", "machine")
    )
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


def claims_or_sentence(read):
    """Return what a file says, computed and drawn, or None after one clear sentence."""
    try:
        file = read()
    except GigawattError as error:
        return is_one_sentence(error)
    found = computed(file)
    for failed in found.failed:
        assert "\n" not in failed.error
        assert failed.error
    document = claims_document(found)
    json.dumps(document, allow_nan=False)
    page(document)
    return found


def rows():
    """Return the good file as plain values."""
    from ruamel.yaml import YAML as Reader

    return json.loads(json.dumps(Reader(typ="safe").load(YAML)))


@pytest.fixture(scope="module")
def write(tmp_path_factory):
    """Return a function that writes a claim file and returns its path."""
    file = tmp_path_factory.mktemp("claims") / "article.yaml"

    def to(text):
        file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        return file

    return to


def test_the_file_to_be_changed_is_good(write):
    found = claims_or_sentence(lambda: read_claim_file(write(YAML)))
    assert [c.verdict for c in found.checked] == ["holds", "opinion or not computable"]
    assert found.undrawn == ()


@settings(max_examples=100)
@given(text=st.text(max_size=200) | st.binary(max_size=200))
@example(text="claims: &a [*a]")
@example(text="")
@example(text="- 1")
def test_any_text(text, write):
    claims_or_sentence(lambda: read_claim_file(write(text)))


@settings(max_examples=150)
@given(data=st.data())
def test_a_good_file_with_some_letters_changed(data, write):
    start = data.draw(st.integers(0, len(YAML) - 1))
    gone = data.draw(st.integers(0, 12))
    put = data.draw(
        st.text(max_size=6) | st.sampled_from((":", "-", "[", "{", "1e999", "null", "\n  ", ".nan"))
    )
    claims_or_sentence(lambda: read_claim_file(write(YAML[:start] + put + YAML[start + gone :])))


@settings(max_examples=300)
@given(data=st.data())
def test_a_good_file_with_some_values_changed(data):
    found = rows()
    for _ in range(data.draw(st.integers(1, 3))):
        at = found
        while data.draw(st.booleans()):
            inner = at[data.draw(st.sampled_from(sorted(at)))] if at else None
            inner = inner[0] if isinstance(inner, list) and inner else inner
            if not isinstance(inner, dict):
                break
            at = inner
        at[data.draw(st.sampled_from(KEYS))] = data.draw(VALUES)
    claims_or_sentence(lambda: claim_file_of(found, name="x.yaml", where="x.yaml"))


@given(value=VALUES)
def test_any_values(value):
    claims_or_sentence(lambda: claim_file_of(value, name="x.yaml", where="x.yaml"))


# ------------------------------------------------------------------------------------- expressions


TOKENS = (
    "1", "2.5", "1e300", "9", "**", "*", "/", "+", "-", "(", ")", "a", "b", "<", "and", "or", "not", "if",
    "else", "max", "min", "sqrt", "year", ",", "[", "]", ".", "'x'", "lambda", ":", "__import__", "~", "<<",
    "%", "//", "=", "a.real", "(a).__class__", "f'{a}'", "[x for x in (1,)]", "1j",
    "True", "None", "()", "\n", "@", ":=",
)  # fmt: skip


@settings(max_examples=500)
@given(parts=st.lists(st.sampled_from(TOKENS), max_size=12))
@example(parts=["9", "**", "9", "**", "9", "**", "9"])
@example(parts=["(a).__class__"])
def test_an_expression_is_a_number_or_a_condition_or_refused(parts):
    number_or_sentence(" ".join(parts))


@settings(max_examples=300)
@given(text=st.text(max_size=60))
def test_any_text_as_an_expression(text):
    number_or_sentence(text)


def number_or_sentence(text):
    try:
        found = evaluate(text, {"a": 3.0, "b": -2.0}, field="expr")
    except InputError as error:
        return is_one_sentence(error)
    assert isinstance(found, bool) or (isinstance(found, float) and math.isfinite(found))
    return found


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "a.__class__.__mro__",
        "().__class__",
        "'x' * 9999999999",
        "[1] * 9999999999",
        "2 << 999999999",
        "lambda: 1",
        "f'{a}'",
        "max(*[1, 2])",
        "max(a, key=abs)",
        "open('/etc/passwd')",
        "globals()",
        "(a := 3)",
        "[i for i in range(9)]",
        "9" * 500,
        "(" * 200 + "1" + ")" * 200,
        "-" * 200 + "1",
        "1 if a else 'x'",
        "a @ b",
        "1j",
        "9 ** 9 ** 9 ** 9",
        "1e308 * 10",
        "(-8) ** 0.5",
        "sqrt(-1)",
        "max",
        "max + 1",
    ],
)
def test_what_is_not_arithmetic_is_refused_at_once(text):
    with pytest.raises(InputError):
        evaluate(text, {"a": 3.0, "b": -2.0}, field="expr")


@given(
    a=st.floats(-1e6, 1e6),
    b=st.floats(1e-3, 1e6),
    c=st.floats(-1e6, 1e6),
    text=st.sampled_from(("a + b * c", "(a - c) / b", "a * a + c", "max(a, min(b, c))", "abs(a) ** 0.5")),
)
def test_arithmetic_is_that_of_the_language(a, b, c, text):
    known = {"a": a, "b": b, "c": c}
    assert evaluate(text, known, field="x") == pytest.approx(
        eval(text, {"__builtins__": {**FUNCTIONS}}, known)
    )


# ------------------------------------------------------------------------------------ bad files


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("title: What it says", "titel: What it says", "did you mean 'title'?"),
        ("of: eagle", "off: eagle", ":5:"),
        ("query: machine", "query: machin", "did you mean 'machine'"),
        ("expr: cards / 1800", "expr: card / 1800", "did you mean 'cards'?"),
        ("expr: cards / 1800", "expr: import os", "is not arithmetic"),
        ("source: paper", "source: papr", "did you mean 'paper'?"),
        ("kind: spec", "kind: specs", "is not one of: assumed, estimated"),
        ("is: within", "is: near", "is not one of"),
        ("by: 1 %", "label: x", "by is missing"),
        ("figure: cards", "figure: cadrs", "did you mean 'cards'?"),
        ("claim: It is beautiful.", "verdict: holds", "cannot be written"),
        ("opinion: A matter of taste.", "note: x", "either readings, or opinion"),
        ("id: two", "id: one", "comes twice"),
        ('value: "2023-11"', "value: soon", "is not a date"),
        ("value: 14400, unit: cards", "value: 14400, unit: W, x: 1", "allowed: value, unit, label"),
        ("bars: [cards", "bars: [cads", "did you mean 'cards'?"),
        ("vary: compute", "vary: computer", "did you mean 'compute'?"),
        ("expr: cards / 1800", "expr: per_node / 1800", "computed from itself"),
        ("claim: Eagle", f"quote: {'long ' * 20}\n    claim: Eagle", "longer than 60 letters"),
    ],
)
def test_a_bad_file_is_answered_with_place_field_and_the_nearest_fix(old, new, words, write):
    assert old in YAML
    with pytest.raises(FileFormatError) as told:
        read_claim_file(write(YAML.replace(old, new, 1)))
    is_one_sentence(told.value)
    assert words in str(told.value)
    assert "article.yaml:" in str(told.value)


def test_a_toml_file_is_answered_with_its_line(tmp_path):
    file = tmp_path / "article.toml"
    head = 'title = "t"\n\n[[claims]]\nid = "1"\nwho = "w"\nclaim = "c"\n'
    text = f'{head}[claims.figures]\na = {{ query = "chp" }}\n'
    file.write_text(text)
    with pytest.raises(FileFormatError, match=r"article.toml:8: .*did you mean 'chip'"):
        read_claim_file(file)
