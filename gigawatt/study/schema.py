"""The JSON Schemas of the documents that gigawatt writes."""

from __future__ import annotations

from importlib.resources import files

SCHEMAS = (
    "bom",
    "cables",
    "cards",
    "claims",
    "compare",
    "energy",
    "growth",
    "hpl",
    "plan",
    "scaling-fit",
    "scaling-laws",
    "scaling-marginal",
    "scaling-optimal",
    "scaling-validation",
    "size",
)


def schema(document: str) -> str:
    """Return the JSON Schema of a document as text."""
    return (files("gigawatt.study") / "schemas" / f"{document}-1.schema.json").read_text("utf-8").rstrip("\n")
