"""`gigawatt energy` on the command line: the tables, the pictures, and bad input."""

from __future__ import annotations

import importlib.util
import json

import pytest

ENERGY = "energy llama2-7b --on superpod-h100,superpod-gb200 --tokens 1T --amount 64 --dtype bf16,fp8"
HEADINGS = ("energy of a token at the meter", "what makes the ratio", "the job", "what datasheets say")


def test_the_tables_fit_a_page_and_say_what_makes_the_ratio(told):
    out = told(*ENERGY.split()).out
    assert [word for word in (*HEADINGS, "less energy", "number format x") if word not in out] == []
    assert max(map(len, out.splitlines())) <= 110
    assert "…" not in out


def test_json_is_the_document(told):
    document = json.loads(told(*ENERGY.split(), "--json").out)
    assert document["schema"] == "gigawatt/energy/1"
    assert len(document["result"]["rows"]) == 4


@pytest.mark.skipif(importlib.util.find_spec("vl_convert") is None, reason="needs the extra 'report'")
def test_the_pictures_are_written_and_fetch_nothing(told, folder):
    assert told(*ENERGY.split(), "--png", "a.png", "--svg", "a.svg", "--html", "a.html").code == 0
    assert (folder / "a.png").read_bytes()[:4] == b"\x89PNG"
    assert "joules a token" in (folder / "a.svg").read_text("utf-8")
    page = (folder / "a.html").read_text("utf-8")
    assert "<svg" in page
    assert "http" not in page.replace("http://www.w3.org/", "")


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        ("--on eos", "takes 2 to 8", 2),
        ("--on eos,eoss", "'eoss'", 2),
        ("--dtype bf17", "dtype = 'bf17'", 2),
        ("--against selene", "against = 'selene'", 2),
        ("--on superpod-a100,eos --dtype fp8", "no fp8 rate is known for 'a100-sxm'", 4),
        ("-o no/where.txt", "no folder", 2),
    ],
)
def test_bad_input_is_one_sentence(told, words, said, code):
    found = told("energy", "llama2-7b", "--tokens", "1T", *words.split())
    assert (found.code, found.out) == (code, "")
    assert said in found.err
    assert len(found.err.strip().splitlines()) == 1
