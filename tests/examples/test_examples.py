"""Every example runs and prints what its .out file shows, but for the numbers."""

from __future__ import annotations

import pytest

from tests.examples import COMMANDS, FOLDER, printed, shape

ADVICE = "`python -m tests.examples` writes examples/*.out anew"


@pytest.mark.parametrize("name", COMMANDS)
def test_an_example_prints_what_it_says(name):
    written = (FOLDER / f"{name}.out").read_text("utf-8")
    assert shape(printed(COMMANDS[name])) == shape(written), ADVICE


def test_no_example_ends_in_an_error_but_the_broken_one():
    failed = {name for name in COMMANDS if "\nerror" in (FOLDER / f"{name}.out").read_text("utf-8")}
    assert failed == {"broken"}


def test_every_file_is_of_an_example():
    outs = {f"{name}.out" for name in COMMANDS}
    inputs = {word.removeprefix("./") for command in COMMANDS.values() for word in command.split()}
    assert {f.name for f in FOLDER.iterdir()} <= outs | inputs
