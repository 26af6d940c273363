"""The pages and pictures of the systems that people name, and their index."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from docs.pages.markdown import ROOT, cell, table
from gigawatt.cli.layout_text import layout_line
from gigawatt.study import job_rows, machine_page, machine_svg
from gigawatt.units import format as fmt

INDEX = """Each system that people name, as a machine of the catalogue: drawn from its record, and one
standard job planned on it. What is announced and does not exist says so, and so does what nobody trains on.
Any machine, also one of your own file:

```bash
gigawatt machine show tpu-v4-pod
gigawatt machine show colossus --no-job --svg colossus.svg
```

The standard job of a machine is, of six (1.7B to 1T parameters, published recipes as far as there are such),
the one nearest to what all its chips do in 30 days at 40 % MFU. It takes that part of them on which it ends
soonest: all, or a power of two, or three times one; a smaller part where it ends within 2 % of that. A star
marks an assumed or estimated figure.
"""


@lru_cache(maxsize=1)
def names() -> dict[str, str]:
    """Return what people call each system, by the id of its machine."""
    return tomllib.loads((ROOT / "docs" / "systems.toml").read_text("utf-8"))


@lru_cache(maxsize=128)
def page_of(id: str) -> dict[str, Any]:
    """Return the document of a machine with its standard job."""
    return machine_page(id)


def files() -> dict[str, str]:
    """Return the text of every file of docs/systems by its name: index, pages and pictures."""
    found = {"README.md": index()}
    for id in names():
        found[f"{id}.md"] = page(id)
        found[f"{id}.svg"] = machine_svg(id)
    return found


def page(id: str) -> str:
    """Return the page of one system."""
    told = page_of(id)
    summary = {k: v for k, v in told["summary"].items() if v and not k.startswith("level ")}
    parts = [
        f"# {told['title']}\n",
        f"Known as {cell(names()[id])}. {_marked(told)}. All systems: [index](README.md).\n",
        f"{_plain(told['note'])}\n" if told["note"] else "",
        f"![{told['title']}, level by level]({id}.svg)\n",
        "## What it is\n",
        table({"": name, "of it": value} for name, value in summary.items()),
        "## Structure\n",
        table(told["levels"], right=["in all", "chips"]),
        "## A standard job\n",
        *_job(told["job"]),
        "## Where sources disagree\n",
        table(told["contradictions"]) or "Nowhere that is known.\n",
        "## Figures\n",
        table((row for row in told["facts"] if not row["fact"].startswith("  not ")), right=["value"]),
        "## Sources\n",
        table(told["sources"]),
    ]
    return "\n".join(part for part in parts if part)


def _plain(text: str) -> str:
    return text.replace("<", "&lt;").replace("|", "\\|")


def _marked(told: Mapping[str, Any]) -> str:
    return told["status"] if told["shipping"] else f"**{told['status']}**"


def _job(job: Mapping[str, Any]) -> list[str]:
    if job["status"] == "refused":
        return [f"None: {_plain(job['reason'])}.\n"]
    rows = {**job_rows(dict(job)), "layout": layout_line(job["layout"])}
    return [
        table({"": name, "planned": value} for name, value in rows.items()),
        *(f"{_plain(words[:1].upper() + words[1:])}.\n" for words in job["warnings"]),
    ]


def index() -> str:
    """Return one line for each system."""
    rows = (_line(id) for id in names())
    return f"# Systems\n\n{INDEX}\n" + table(rows, right=["chips", "power", "days", "MFU"])


def _line(id: str) -> dict[str, str]:
    told = page_of(id)
    job = told["job"]
    planned = job["status"] == "planned"
    power = next((part for part in told["levels"][0]["figures"].split("; ") if "at the meter" in part), "")
    return {
        "system": f"[{told['title']}]({id}.md){'' if told['shipping'] else ' (announced)'}",
        "chips": told["summary"]["chips"].split(" x ")[0],
        "chip": told["summary"]["chips"].split(" x ")[1].split(",")[0],
        "peak": told["summary"]["peak"],
        "power": power.replace(" at the meter", ""),
        "standard job": f"{job['model_name']} on {job['chips']:,}" if planned else f"none: {job['brief']}",
        "days": f"{job['days']:.3g}" if planned else "",
        "MFU": fmt(job["mfu"], "%") if planned else "",
    }
