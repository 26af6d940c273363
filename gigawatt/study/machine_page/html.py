"""A machine as one page: self-contained, readable on a phone, nothing fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from gigawatt.study.machine_page.page import job_rows

STYLE = """
:root{color-scheme:light}
body{font:16px/1.45 system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif;color:#1d2b3a;
background:#fff;margin:0 auto;padding:0 16px 48px;max-width:1000px}
h1{font-size:1.7rem;line-height:1.2;margin:24px 0 4px}h2{font-size:1.2rem;margin:32px 0 8px}
svg{display:block;width:100%;max-width:640px;height:auto}
.status{font-weight:600;color:#56677a}.announced{color:#d9480f}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;vertical-align:top;padding:5px 14px 5px 0;border-bottom:1px solid #e3e9ee}
th{color:#56677a;font-weight:600}tr.weak td{color:#946200}.note{color:#56677a}
td:last-child{min-width:12rem}
"""


def html(document: Mapping[str, Any], *, picture: str) -> str:
    """Return the page of a machine from its document and its picture."""
    shade = "status" if document["shipping"] else "status announced"
    told = document["summary"].items()
    said = [{"": name, "of it": text} for name, text in told if text and not name.startswith("level ")]
    parts = [
        f"<h1>{_text(document['title'])}</h1>",
        f'<p class="{shade}">{_text(document["status"])}</p>' if document["status"] else "",
        f"<p>{_text(document['note'])}</p>" if document["note"] else "",
        picture,
        "<h2>What it is</h2>",
        _table(said),
        "<h2>Structure</h2>",
        _table(document["levels"]),
        *_job(document.get("job")),
        "<h2>Where sources disagree</h2>",
        _table(document["contradictions"]) if document["contradictions"] else "<p>Nowhere that is known.</p>",
        "<h2>Figures</h2>",
        _table(document["facts"]),
        "<h2>Sources</h2>",
        _table(document["sources"]),
    ]
    title = f"{_text(document['title'])}, as gigawatt knows it"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{STYLE}</style></head>\n<body>\n" + "\n".join(p for p in parts if p) + "\n</body></html>"
    )


def _text(words: str) -> str:
    return escape(str(words), quote=False)


def _table(rows: Sequence[Mapping[str, str]]) -> str:
    if not rows:
        return ""
    heads = "".join(f"<th>{_text(name)}</th>" for name in rows[0])
    lines = []
    for row in rows:
        weak = ' class="weak"' if row.get("kind") in ("assumed", "estimated") else ""
        lines.append(f"<tr{weak}>" + "".join(f"<td>{_text(v)}</td>" for v in row.values()) + "</tr>")
    top = f"<tr>{heads}</tr>" if all(rows[0]) else ""  # a column without a name: names and values
    return f'<div class="wide"><table>{top}{"".join(lines)}</table></div>'


def _job(job: Mapping[str, Any] | None) -> list[str]:
    if job is None:
        return []
    if job["status"] == "refused":
        return ["<h2>A standard job</h2>", f"<p>{_text(job['reason'])}</p>"]
    rows = [{"": name, "planned": value} for name, value in job_rows(dict(job)).items()]
    told = [f'<p class="note">{_text(words)}</p>' for words in job["warnings"]]
    return ["<h2>A standard job</h2>", _table(rows), *told]
