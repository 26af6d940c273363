"""Every room says what it answers; every formula says where it is from and shows a number that runs."""

from __future__ import annotations

import importlib

import pytest

from tests.architecture import ratchet, rules
from tests.architecture.source import FACES, modules

ROOMS = sorted(m.name for m in modules().values() if m.is_room and m.room not in FACES)


def order(name: str) -> tuple[int, str]:
    """Return the sort key of a public name: constants, then records, then functions."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def test_every_room_says_its_question_what_it_takes_and_what_it_returns():
    ratchet.check(
        "rooms_without_contract",
        rules.rooms_without_contract(),
        advice="the room's __init__ lacks its question, `Takes`, `returns` or __all__",
    )


@pytest.mark.parametrize("room", ROOMS)
def test_the_public_names_of_a_room_are_sorted_and_there(room):
    names = rules.public_names(room) or []
    assert names == sorted(set(names), key=order)
    assert [n for n in names if not hasattr(importlib.import_module(room), n)] == []


def test_there_are_formulas_to_speak_of():
    assert len(rules.formulas()) > 50


def test_every_formula_names_its_source():
    ratchet.check(
        "formulas_without_source", rules.formulas_without_source(), advice="add `Source:` or `Definition:`"
    )


def test_every_formula_with_a_range_shows_a_number_that_runs():
    ratchet.check(
        "formulas_without_number", rules.formulas_without_number(), advice="add one worked number (>>>)"
    )


def test_every_public_function_has_a_docstring():
    ratchet.check("undocumented", rules.undocumented(), advice="say in one sentence what it returns")
