"""Everything that can be typed or read is explained, and what is explained is there."""

from __future__ import annotations

import dataclasses
import re

import pytest

from docs import build
from docs.pages import fields, glossary
from docs.pages.cli import leaves
from docs.pages.markdown import ROOT, pages
from gigawatt.cli.main import EXIT_CODES, cli
from gigawatt.cost import Bill
from gigawatt.perf import Layout, MemoryUse, StepTime, Strategy, stacks
from gigawatt.reliability import LostTime
from gigawatt.study.doctor import SETTINGS

RECORDS = (Bill, Layout, LostTime, MemoryUse, StepTime, Strategy)


def written(name: str) -> str:
    return (ROOT / "docs" / "reference" / name).read_text("utf-8")


def test_generated_pages_are_as_the_build_would_write_them():
    """A change of code, catalogue or calibration: `make docs`, and read the diff."""
    assert [path.name for path in build.stale()] == []


def test_every_command_has_its_section_and_every_section_its_command():
    found = [path for path, _ in leaves(cli, "gigawatt")]
    assert re.findall(r"^## (gigawatt .*)$", written("cli.md"), re.MULTILINE) == found


def test_every_command_is_used_in_some_page():
    """Reference alone shows nobody what a command is good for."""
    prose = "\n".join(p.read_text("utf-8") for p in pages() if p.parent.name != "reference")
    assert [path for path, _ in leaves(cli, "gigawatt") if path not in prose] == []


def test_every_option_is_described():
    bare = [
        f"{path} {option.opts[0]}"
        for path, command in leaves(cli, "gigawatt")
        for option in command.params
        if option.param_type_name == "option" and not getattr(option, "help", None)
    ]
    assert bare == []


def test_every_exit_code_and_setting_is_explained():
    rows = dict(re.findall(r"^\| (\S+) \| (.+) \|$", written("cli.md"), re.MULTILINE))
    assert {str(code) for _, code in EXIT_CODES} <= rows.keys()
    assert {f"`{name}`" for name in SETTINGS} <= rows.keys()


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_every_field_of_the_main_records_is_in_the_glossary(record):
    assert {field.name for field in dataclasses.fields(record)} - set(glossary.terms()) == set()


def test_every_value_of_a_software_stack_is_in_the_glossary():
    assert {name for found in stacks().values() for name in found.values} - set(glossary.terms()) == set()


def test_every_word_of_the_glossary_is_in_the_code_or_its_data():
    sources = [*(ROOT / "gigawatt").rglob("*.py"), *(ROOT / "gigawatt").rglob("calibration/stacks.toml")]
    words = set(re.findall(r"\w+", "\n".join(path.read_text("utf-8") for path in sources)))
    assert set(glossary.terms()) - words == set()


def test_every_field_of_a_plan_document_is_explained_and_every_explanation_is_of_one():
    known = fields.meanings()
    used = [fields.key_of(path, known) for path, _ in fields.plan_paths()]
    assert [path for (path, _), key in zip(fields.plan_paths(), used, strict=True) if key is None] == []
    assert known.keys() - set(used) == set()


def test_decisions_are_numbered_dated_and_at_most_a_page():
    folder = ROOT / "docs" / "decisions"
    found = sorted(folder.glob("0*.md"))
    assert [int(path.name[:4]) for path in found] == list(range(1, len(found) + 1))
    index = (folder / "README.md").read_text("utf-8")
    for path in found:
        text = path.read_text("utf-8")
        status = re.search(r"^Status: (\w+)(?: by \[\d+\]\(.*\))?, (\d{4}-\d\d-\d\d)\.$", text, re.MULTILINE)
        assert status, path.name
        parts = [f"**{part}.**" for part in ("Context", "Alternatives", "Decision", "Consequences")]
        assert [part for part in parts if part not in text] == []
        assert len(text.splitlines()) <= 50
        assert f"({path.name})" in index
        assert status[2] in next(line for line in index.splitlines() if path.name in line)


def test_fragments_of_changes_say_their_kind_and_one_sentence():
    for path in (ROOT / "changes").glob("*.md"):
        if path.name != "README.md":
            assert re.fullmatch(r"[a-z0-9-]+\.(added|changed|fixed|removed)\.md", path.name), path.name
            assert path.read_text("utf-8").strip().endswith("."), path.name
