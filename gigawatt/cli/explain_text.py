"""A headline number opened: its formula, the values put in, its parts, the facts behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from gigawatt.cli.tables import facts_table, pairs, table
from gigawatt.errors import unknown_name
from gigawatt.units import figures
from gigawatt.units import format as fmt


def explained(document: Mapping[str, Any], name: str) -> RenderableType:
    """Return one headline number opened, or all of them.

    Raises: InputError for a number that has no explanation.
    """
    told = document["result"]["explain"]
    if name != "all" and name not in told:
        raise unknown_name("explain", name, [*told, "all"])
    chosen = told if name == "all" else {name: told[name]}
    return Group(*(_one(key, e, facts=document["result"]["facts"]) for key, e in chosen.items()))


def _one(key: str, told: Mapping[str, Any], *, facts: list[dict[str, Any]]) -> RenderableType:
    value = _quantity(told["value"], told["unit"])
    rows = {"formula": told["formula"], "here": told["substituted"], "source": told["source"]}
    parts: list[RenderableType] = [Text(f"{key}: {told['label']} = {value}", style="bold"), pairs(rows)]
    if told["parts"]:
        rows_ = [
            {"part": p["label"].replace("_", " "), "value": _quantity(p["value"], p["unit"])}
            for p in told["parts"]
            if p["value"]
        ]
        parts += [Text(""), table(rows_)]
    behind = [f for f in facts if f["name"] in told["facts"]]
    if behind:
        parts += [Text(""), facts_table([_fact(f) for f in behind])]
    return Group(*parts, Text(""))


def _fact(fact: Mapping[str, Any]) -> dict[str, str]:
    return {
        "fact": fact["name"],
        "value": fact["text"],
        "kind": fact["kind"],
        "source": fact["source"],
        "where": fact["where"],
    }


def _quantity(value: float | None, unit: str) -> str:
    if value is None:
        return "unknown"
    if unit == "d":
        return f"{figures(value, 4)} d"
    if unit == "1":
        return f"{figures(value, 4)} ({fmt(value, '%', digits=4)})" if 0 < value < 1 else figures(value, 4)
    return f"{figures(value, 4)} {unit}" if unit == "nat/token" else fmt(value, unit)
