"""Arrows point down, rooms on one floor are strangers, and nothing goes in circles."""

from __future__ import annotations

import pytest

from tests.architecture import ratchet, rules
from tests.architecture.source import FACES, Module, floor_of, imports, modules

ROOMS = sorted({module.room for module in modules().values()} - {""})


def room_imports(module: Module) -> list[tuple[str, str]]:
    """Return the room and the line of each import of another room."""
    found = [(i.target.split("."), i.line) for i in imports(module)]
    return [
        (parts[1], f"{module.path}:{line}")
        for parts, line in found
        if parts[0] == "gigawatt" and len(parts) > 1 and parts[1] != module.room
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_on_lower_floors(room):
    up = [
        f"{where} imports {there}"
        for module in modules().values()
        if module.room == room
        for there, where in room_imports(module)
        if floor_of(there) >= floor_of(room)
    ]
    assert not up, "\n".join(up)


def test_faces_import_study_units_and_errors_only():
    found = [
        f"{where} imports {there}"
        for module in modules().values()
        if module.room in FACES
        for there, where in room_imports(module)
        if there not in ("study", "units", "errors")
    ]
    assert not found, "\n".join(found)


def test_faces_do_no_numerics():
    found = [
        module.name
        for module in modules().values()
        if module.room in FACES
        for i in imports(module)
        if i.target.split(".")[0] in ("numpy", "scipy")
    ]
    assert not found


def test_modules_import_one_another_in_no_circle():
    ratchet.check("cycles", rules.cycles(), advice="modules import one another in a circle")


def test_imports_stand_at_the_top_of_a_file():
    ratchet.check("lazy_imports", rules.lazy_imports(), advice="import at the top; only faces load late")
