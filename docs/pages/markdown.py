"""Just enough Markdown: code fences, the files that a page shows, its links, and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"<!-- file: (\S+) -->\s*\n```\w*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fence:
    """One block of code, and where it begins."""

    language: str
    body: str
    line: int


def pages() -> list[Path]:
    """Return every page for people: README, changelog, house rules and all of docs/."""
    top = [ROOT / name for name in ("README.md", "CHANGELOG.md", "HOUSE_RULES.md", "changes/README.md")]
    return [*top, *sorted((ROOT / "docs").rglob("*.md"))]


def fences(text: str) -> list[Fence]:
    """Return the blocks of code of a page, in order."""
    return [
        Fence(language=found[1], body=found[2], line=text[: found.start()].count("\n") + 1)
        for found in FENCE.finditer(text)
    ]


def files(text: str) -> dict[str, str]:
    """Return the files that a page shows in full: blocks under `<!-- file: NAME -->`."""
    return {found[1]: found[2] for found in NAMED.finditer(text)}


def commands(text: str) -> list[str]:
    """Return the commands of the bash blocks of a page, continued lines joined, comments left out."""
    found = []
    for fence in fences(text):
        if fence.language == "bash":
            lines = fence.body.replace("\\\n", " ").splitlines()
            found += [" ".join(line.split()) for line in lines if line.strip() and line.strip()[0] != "#"]
    return found


def links(text: str) -> list[str]:
    """Return the targets of the links of a page, code left out."""
    return LINK.findall(re.sub(r"`[^`\n]*`", "", FENCE.sub("", text)))


def anchors(text: str) -> set[str]:
    """Return the anchors of the headings of a page, as hosts of repositories make them."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def table(rows: Iterable[Mapping[str, str]], *, right: Iterable[str] = ()) -> str:
    """Return rows as a Markdown table; the columns named in `right` are set to the right."""
    listed = list(rows)
    if not listed:
        return ""
    names, to_right = list(listed[0]), set(right)
    rule = ["---:" if name in to_right else "---" for name in names]
    body = [[cell(row[name]) for name in names] for row in listed]
    return "".join(f"| {' | '.join(line)} |\n" for line in (names, rule, *body))


def cell(text: str) -> str:
    """Return text that cannot break a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
