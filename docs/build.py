"""Write the generated pages and the generated parts of the written ones: `python -m docs.build`.

With `--check` nothing is written: it fails and names what is stale.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from docs.pages import api, catalogue, cli, fields, glossary, shown, systems
from docs.pages.markdown import ROOT, pages

NOTE = "<!-- written by docs/build.py: do not edit -->\n"
REFERENCE: dict[str, Callable[[], str]] = {
    "cli.md": cli.page,
    "api.md": api.page,
    "chips.md": catalogue.chips,
    "machines.md": catalogue.machines,
    "models.md": catalogue.models,
    "stacks.md": catalogue.stack_page,
    "sites.md": catalogue.sites,
    "sources.md": catalogue.source_page,
    "plan-document.md": fields.page,
    "glossary.md": glossary.page,
}


def built() -> dict[Path, str]:
    """Return the text of every page that has generated parts."""
    folder = ROOT / "docs" / "reference"
    found = {folder / name: NOTE + page().rstrip("\n") + "\n" for name, page in REFERENCE.items()}
    for name, text in systems.files().items():
        note = NOTE if name.endswith(".md") else ""
        found[ROOT / "docs" / "systems" / name] = note + text.rstrip("\n") + "\n"
    for path in pages():
        if path not in found and shown.BLOCK.search(text := path.read_text("utf-8")):
            found[path] = shown.filled(text)
    return found


def stale() -> list[Path]:
    """Return the pages that differ from what would be written."""
    return [path for path, text in built().items() if not path.is_file() or path.read_text("utf-8") != text]


def main(argv: list[str]) -> int:
    """Write all pages; or check them, and return 1 when one is stale."""
    if argv not in ([], ["--check"]):
        print("usage: python -m docs.build [--check]", file=sys.stderr)
        return 2
    if argv:
        old = stale()
        for path in old:
            print(f"stale: {path.relative_to(ROOT)}; run python -m docs.build", file=sys.stderr)
        return 1 if old else 0
    for path, text in built().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
