"""`gigawatt size` on the command line: the table, the documents, the pictures, and bad input."""

from __future__ import annotations

import importlib.util
import json
import shlex

import pytest

SIZE = "size llama3.1-8b --tokens 1T --among eos,selene --chips 64..256"


def test_the_table_says_what_to_buy_and_why(told):
    out = told(*shlex.split(f"{SIZE} --deadline 20d --power 1MW --budget 3M$")).out
    for words in (
        "buy ",
        "binds",
        "what a limit costs",
        "what the machine holds back",
        "cut by a bound",
        "priced",
    ):
        assert words in out, words


def test_the_same_command_gives_the_same_bytes(told):
    documents = [json.loads(told(*shlex.split(f"{SIZE} --json")).out) for _ in range(2)]
    for one in documents:
        assert one["schema"] == "gigawatt/size/1"
        del one["provenance"]["run"], one["provenance"]["argv"]
    assert documents[0] == documents[1]


@pytest.mark.skipif(importlib.util.find_spec("vl_convert") is None, reason="needs the extra 'report'")
def test_the_pictures_are_written(told, folder):
    assert told(*shlex.split(f"{SIZE} --png front.png --svg front.svg --html front.html")).code == 0
    assert (folder / "front.png").read_bytes()[:4] == b"\x89PNG"
    assert "million $" in (folder / "front.svg").read_text("utf-8")
    page = (folder / "front.html").read_text("utf-8")
    assert "<svg" in page
    assert "http" not in page.replace("http://www.w3.org/", "")  # nothing is fetched


BAD = {
    "--deadline 90": ("deadline = '90'", "90d"),
    "--deadline soon": ("deadline = 'soon'", "90 d"),
    "--power 150MWh": ("power = '150MWh'", "150 MW"),
    "--budget -5M$": ("budget = ", "above 0"),
    "--budget 5": ("budget = '5'", "500M$"),
    "--loss 1.2": ("loss = 1.2", "out of reach"),
    "--loss 0": ("loss = 0", "1.9"),
    "--batch flot": ("batch = 'flot'", "float"),
    "--chips 64..8": ("chips = 64..8", "8..131072"),
    "--chips x": ("chips = 'x'",),
    "--among eoss": ("machine = 'eoss'", "'eos'"),
    "--among eos,": ("machine = ''",),
    "--by speed": ("speed", "cost"),
    "-o no/where.txt": ("no folder",),
}


@pytest.mark.parametrize("line", BAD)
def test_bad_input_gets_one_clear_sentence(line, told):
    found = told("size", "llama3.1-8b", "--tokens", "1T", *shlex.split(line))
    assert found.code == 2, found
    assert found.out == ""
    for words in BAD[line]:
        assert words in found.err
    assert len(found.err.splitlines()) <= 2


def test_no_answer_has_its_own_exit_code(told):
    found = told(*shlex.split(f"{SIZE} --deadline 1h"))
    assert (found.code, found.out) == (4, "")
    assert "it would take --deadline" in found.err
