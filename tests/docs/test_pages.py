"""What the pages show runs, and what they link to is there."""

from __future__ import annotations

import doctest
import shlex
import warnings
from pathlib import Path

import pytest

from docs.pages import shown
from docs.pages.markdown import ROOT, anchors, commands, fences, files, links, pages

SET_UP = "python3 -m venv"  # CI runs these, in environments of their own
LANGUAGES = {"", "bash", "console", "csv", "json", "math", "python", "text", "yaml"}


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def pages_with(found):
    return [pytest.param(page, id=named(page)) for page in pages() if found(page.read_text("utf-8"))]


def examples(text):
    return [f for f in fences(text) if f.language == "python" and ">>>" in f.body]


@pytest.mark.parametrize("page", pages_with(examples))
def test_every_python_example_of_a_page_gives_what_it_says(page, monkeypatch):
    """The blocks of a page share their names, as a reader who types them along would have it."""
    text, names = page.read_text("utf-8"), {}
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    told: list[str] = []
    with shown.folder(files(text)), warnings.catch_warnings():
        warnings.simplefilter("error")
        for block in examples(text):
            test = doctest.DocTestParser().get_doctest(
                block.body, names, named(page), named(page), block.line
            )
            test.globs = names
            runner.run(test, out=told.append, clear_globs=False)
    assert runner.tries > 0
    assert runner.failures == 0, "".join(told)


def test_python_blocks_are_examples_that_run():
    bare = [
        f"{named(page)}:{f.line}"
        for page in pages()
        for f in fences(page.read_text("utf-8"))
        if f.language == "python" and ">>>" not in f.body
    ]
    assert bare == []


@pytest.mark.parametrize("page", pages_with(commands))
def test_every_command_of_a_page_succeeds(page):
    text = page.read_text("utf-8")
    told = {}
    for command in commands(text):
        if not command.startswith(SET_UP):
            code, output = shown.outcome(command, tuple(sorted(files(text).items())))
            told |= {} if code == 0 else {command: output}
    assert told == {}


def test_the_two_set_up_commands_stand_after_their_marks():
    text = (ROOT / "README.md").read_text("utf-8")
    after = {mark: fences(text.split(f"<!-- {mark} -->\n")[1])[0] for mark in ("main job", "tests")}
    assert {f.language for f in after.values()} == {"bash"}
    main_job, tests = (shlex.split(f.body) for f in after.values())
    assert main_job[-6:] == ["plan", "llama3.1-405b", "--on", "meta-llama3-16k", "--tokens", "15.6T"]
    assert tests[-4:] == [".venv/bin/python", "-m", "pytest", "-q"]


@pytest.mark.parametrize("page", [pytest.param(page, id=named(page)) for page in pages()])
def test_every_link_leads_somewhere(page):
    lost = []
    for target in links(page.read_text("utf-8")):
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there.read_text("utf-8"))):
            lost.append(target)
    assert lost == []


@pytest.mark.parametrize("page", [pytest.param(page, id=named(page)) for page in pages()])
def test_every_block_is_of_a_known_kind_and_closed(page):
    text = page.read_text("utf-8")
    assert {f.language for f in fences(text)} <= LANGUAGES
    assert text.count("\n```") == 2 * len(fences(text))


def test_every_page_of_docs_can_be_reached_from_the_readme():
    seen, left = set(), [ROOT / "README.md"]
    while left:
        page = left.pop()
        seen.add(page)
        found = (page.parent / link.partition("#")[0] for link in links(page.read_text("utf-8")))
        left += {p.resolve() for p in found if p.suffix == ".md" and p.is_file()} - seen
    assert [named(page) for page in sorted((ROOT / "docs").rglob("*.md")) if page not in seen] == []
