"""The page of the plan document: every field of its JSON Schema, explained by docs/fields.toml."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from docs.pages.markdown import ROOT, table
from gigawatt.study import schema


def meanings() -> dict[str, str]:
    """Return what fields mean, by the end of their path."""
    return tomllib.loads((ROOT / "docs" / "fields.toml").read_text("utf-8"))


def paths(found: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path and the type of every field of a schema."""
    for name, inner in found.get("properties", {}).items():
        kind = inner.get("type", "any")
        yield before + name, kind if isinstance(kind, str) else " or ".join(kind)
        yield from paths(inner, f"{before}{name}.")
        yield from paths(inner.get("items", {}), f"{before}{name}[].")
        more = inner.get("additionalProperties")
        if isinstance(more, dict):
            yield from paths(more, f"{before}{name}.*.")


def plan_paths() -> list[tuple[str, str]]:
    """Return the path and the type of every field of a plan."""
    return list(paths(json.loads(schema("plan"))))


def key_of(path: str, known: Mapping[str, str]) -> str | None:
    """Return the longest end of a path that is explained: memory.total_bytes before total_bytes."""
    steps = path.split(".")
    ends = (".".join(steps[i:]) for i in range(len(steps)))
    return next((end for end in ends if end in known), None)


INTRO = """# The plan document

`gigawatt plan ... --json` and `Plan.document()` give one JSON document, from which the terminal's text is
drawn too. Quantities are in SI units, as the ends of their names say; null is a number that is not known, and
`warnings` says why. The same inputs give the same bytes, but for `provenance.run` and
`result.search.seconds`. The schema itself: `gigawatt schema plan`.

"""


def page() -> str:
    """Return the page of the plan document."""
    known = meanings()
    rows = [
        {"field": f"`{path}`", "type": kind, "meaning": known.get(key_of(path, known) or "", "")}
        for path, kind in plan_paths()
    ]
    return INTRO + table(rows)
