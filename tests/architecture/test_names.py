"""The name says the unit, the type says it too, and the third argument is given by name."""

from __future__ import annotations

import ast

import pytest

from tests.architecture import ratchet, rules
from tests.architecture.source import classes

RECORD = {"frozen", "kw_only", "slots"}


@pytest.mark.parametrize(
    ("name", "alias", "agrees"),
    [
        ("step_s", "Seconds", True),
        ("link_bytes_per_s", "BytesPerSecond", True),
        ("link_bytes_per_s", "Seconds", False),
        ("message_bytes", "Flop", False),
        ("price", "Usd", False),
        ("usd_per_chip", "Usd", True),
        ("ranks", "Count", True),
        ("wait_s", "Count", False),
        ("m", "Count", True),
    ],
)
def test_the_rule_tells_right_names_from_wrong_ones(name, alias, agrees):
    assert rules._agree(name, alias) is agrees


def test_names_end_in_the_unit_of_their_alias():
    ratchet.check("misnamed", rules.misnamed(), advice="name and unit alias disagree")


def test_after_two_parameters_the_rest_are_given_by_name():
    ratchet.check("many_by_place", rules.many_by_place(), advice="put a * after the second parameter")


def test_records_are_frozen_and_built_by_name():
    loose = [
        f"{module.name}.{node.name}"
        for module, node in classes()
        for d in node.decorator_list
        if not node.name.startswith("_")
        and "dataclass" in ast.unparse(d)
        and {k.arg for k in getattr(d, "keywords", []) if ast.unparse(k.value) == "True"} < RECORD
    ]
    assert not loose
