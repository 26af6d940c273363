"""gigawatt claims: the table, one claim, documents and pages; and commands that a reader can type."""

from __future__ import annotations

import json
import shlex

import click
import jsonschema
import pytest

from gigawatt.cli.main import cli
from gigawatt.study import claims, claims_document, schema

NAME = "ai-black-hole-2024"
GOOD = """\
title: A small article
claims:
  - id: "1"
    who: a note
    claim: Eagle has 14,400 cards.
    said: {cards: {value: 14400, unit: cards}}
    figures: {cards: {query: machine, of: eagle, fact: chips, unit: cards}}
    readings: [{label: the list, tests: [{figure: cards, is: same}]}]
"""
SLOW = ("plan", "energy", "fleet", "claims", "scaling")  # only read here; each has tests of its own


@pytest.fixture
def article(folder):
    (folder / "article.yaml").write_text(GOOD)
    return "article.yaml"


def test_without_a_file_it_lists_what_there_is(told):
    found = told("claims")
    assert found.code == 0
    assert NAME in found.out
    assert json.loads(told("claims", "--json").out)["files"][0]["name"] == NAME


def test_a_file_of_ones_own(told, article):
    found = told("claims", article)
    assert (found.code, found.err) == (0, "")
    for word in ("Eagle has 14,400 cards.", "14,400 cards", "holds", "1 holds"):
        assert word in found.out


def test_one_claim_shows_its_proof_and_the_commands(told, article):
    found = told("claims", article, "--show", "1")
    for word in ("✓ the list", "gigawatt machine show eagle", "top500-2506: TOP500"):
        assert word in found.out


def test_the_document_is_one_of_its_schema(told, article):
    document = json.loads(told("claims", article, "--json").out)
    jsonschema.validate(document, json.loads(schema("claims")), jsonschema.Draft202012Validator)


def test_the_page_is_written_beside_the_table(told, article, folder):
    found = told("claims", article, "--html", "page.html")
    assert found.code == 0
    assert "holds" in found.out
    assert "Eagle has 14,400 cards." in (folder / "page.html").read_text()


def test_a_claim_that_fails_is_told_and_is_the_exit_code(told, folder):
    (folder / "article.yaml").write_text(GOOD.replace("of: eagle", "of: eagel"))
    found = told("claims", "article.yaml")
    assert found.code == 1
    assert "failed: 1: figure 'cards'" in " ".join(found.out.split())
    assert "eagle" in found.out
    assert found.err == "error: not computed: 1; the output says why\n"


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (("claims", "ai-black-hole"), 2, f"did you mean '{NAME}'?"),
        (("claims", NAME, "--show", "T99"), 2, "T9"),
        (("claims", "none.yaml"), 3, "cannot be read"),
        (("claims", NAME, "--html", "no/such/page.html"), 2, "folder"),
    ],
)
def test_bad_words_are_one_sentence(told, folder, argv, code, words):
    found = told(*argv)
    assert found.code == code
    assert words in found.err
    assert found.err.count("\n") == 1


def commands() -> list[str]:
    """Return every command that the built-in file shows for a figure."""
    found = claims_document(claims(NAME))["result"]["claims"]
    return sorted({figure["by"] for row in found for figure in row["figures"]})


def resolved(line: str) -> click.Context:
    """Return the command of a line with its options read, not run."""
    words = shlex.split(line)[1:]
    at: click.Command = cli
    path: click.Context = click.Context(cli, **cli.context_settings)
    while isinstance(at, click.Group):
        inner = at.get_command(path, words[0])
        assert inner is not None, line
        at, words = inner, words[1:]
    return at.make_context(at.name, words, parent=path)


def test_every_command_that_is_shown_can_be_typed(told):
    """Those that search layouts have their words read; all others are run."""
    lines = commands()
    assert len(lines) > 60
    for line in lines:
        resolved(line)
        if line.split()[1] not in SLOW:
            found = told(*shlex.split(line)[1:])
            assert (found.code, found.err) == (0, ""), line


def test_a_command_that_searches_gives_the_figure(told):
    found = claims_document(claims(NAME, only="17"))["result"]["claims"][0]["figures"]
    days = next(figure for figure in found if figure["name"] == "days")
    assert days["text"] in told(*shlex.split(days["by"])[1:]).out
