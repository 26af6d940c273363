"""The page of words, from docs/glossary.toml."""

from __future__ import annotations

import tomllib
from typing import Any

from docs.pages.markdown import ROOT, table


def sections() -> list[dict[str, Any]]:
    """Return the sections of the glossary as they are written down."""
    written = tomllib.loads((ROOT / "docs" / "glossary.toml").read_text("utf-8"))
    found: list[dict[str, Any]] = written["section"]
    return found


def terms() -> list[str]:
    """Return every name that the glossary explains."""
    return [name for section in sections() for row in section["rows"] for name in row["names"]]


def page() -> str:
    """Return the page of words."""
    parts = ["# Glossary\n", "One word, one meaning: in code, in text and in JSON.\n"]
    for section in sections():
        parts.append(f"## {section['title']}\n")
        if section["text"]:
            parts.append(section["text"] + "\n")
        rows = [
            {"name": ", ".join(f"`{name}`" for name in row["names"]), "meaning": row["is"]}
            for row in section["rows"]
        ]
        if rows:
            parts.append(table(rows))
    return "\n".join(parts)
