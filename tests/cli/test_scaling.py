"""`gigawatt scaling` on the command line: tables, documents, pictures, and bad input."""

from __future__ import annotations

import importlib.util
import json
import shlex

import pytest

OPTIMAL = "scaling optimal --compute 1e24"
MARGINAL = "scaling marginal --among eos,selene --days 30"


def test_the_split_says_size_tokens_loss_and_what_else_was_asked(told):
    line = f"{OPTIMAL} --unique-tokens 100B --inference-tokens 10T --params 7B"
    out = told(*shlex.split(line)).out
    for words in ("95.9B parameters", "80 %:", "by each law", "hoffmann-2022-tex", "unique", "serving 10.0T",
                  "with 7.00B", "learning rate", "batch in tokens", "warning: Besiroglu 2024 is extrapolated",
                  "Losses of two texts are not compared"):  # fmt: skip
        assert words in out, words


def test_the_split_on_a_machine_says_how_the_compute_came_about(told):
    out = told(*shlex.split("scaling optimal --on superpod-h100 --days 30")).out
    for words in ("superpod-h100", "as the planner lays out", "goodput", "to rent", "at the meter"):
        assert words in out, words


def test_the_ladder_says_what_more_buys(told):
    out = told(*shlex.split(MARGINAL)).out
    for words in ("thousandths of a nat", "100 M$", "100 MW-yr", "selene", "eos", "extrapolate"):
        assert words in out, words


def test_laws_are_listed_and_shown(told):
    assert "ludziejewski-2025" in told("scaling", "laws").out
    assert "kaplan-2020-frontier" not in told("scaling", "laws", "--kind", "batch").out
    one = told("scaling", "laws", "besiroglu-2024").out
    for words in ("total parameters", "1,000 bootstrap draws", "124.58", "arXiv:2404.10102", "1.30e22 flop"):
        assert words in one, words
    assert "range not known" in told("scaling", "laws", "deepseek-2024").out


@pytest.mark.parametrize(
    ("line", "name"),
    [(OPTIMAL, "scaling-optimal"), (MARGINAL, "scaling-marginal"), ("scaling laws", "scaling-laws")],
)
def test_the_document_has_its_name(line, name, told):
    assert json.loads(told(*shlex.split(f"{line} --json")).out)["schema"] == f"gigawatt/{name}/1"


@pytest.mark.skipif(importlib.util.find_spec("vl_convert") is None, reason="needs the extra 'report'")
@pytest.mark.parametrize(
    ("line", "words"), [(OPTIMAL, "best size (parameters)"), (MARGINAL, "least loss (nat/token)")]
)
def test_the_pictures_are_written(line, words, told, folder):
    assert told(*shlex.split(f"{line} --png one.png --svg one.svg --html one.html")).code == 0
    assert (folder / "one.png").read_bytes()[:4] == b"\x89PNG"
    assert words in (folder / "one.svg").read_text("utf-8")
    page = (folder / "one.html").read_text("utf-8")
    assert "<svg" in page
    assert "extrapolate" in page
    assert "http" not in page.replace("http://www.w3.org/", "")  # nothing is fetched


BAD = {
    "scaling": ("optimal",),
    "scaling optimum": ("no command 'optimum'", "'optimal'"),
    "scaling optimal": ("--compute 1e26",),
    "scaling optimal --compute much": ("compute = 'much'", "1e26 flop"),
    "scaling optimal --compute 1e26 --days 3": ("leave out --days",),
    "scaling optimal --budget 5": ("budget = '5'", "1B$"),
    "scaling optimal --budget 5B": ("budget = '5B'",),
    "scaling optimal --on eos --days soon": ("days = 'soon'",),
    "scaling optimal --on eos --days 9 --dtype fp9": ("dtype = 'fp9'",),
    "scaling optimal --compute 1e26 --law besiroglo-2024": ("'besiroglu-2024'",),
    "scaling optimal --compute 1e26 --unique-tokens 15TB": ("did you mean 15T?",),
    "scaling optimal --compute 1e26 -o no/where.txt": ("no folder",),
    "scaling marginal --among ,": ("names 0 machines",),
    "scaling marginal --on eoss": ("'eos'",),
    "scaling laws besiroglu": ("'besiroglu-2024'",),
    "scaling laws besiroglu-2024 --kind loss": ("--kind",),
    "plan llama2-7b --on superpod-h100 --chips 64 --law chinchila": ("law = 'chinchila'",),
}


@pytest.mark.parametrize(("line", "words"), BAD.items())
def test_bad_input_is_one_sentence(line, words, told):
    said = told(*shlex.split(line))
    assert said.code == 2
    for word in words:
        assert word in said.err, said.err
