"""A computed claim file as one page that needs no network: counts, pictures, each claim with its proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from gigawatt.study.claims.page_pictures import picture_html

TONES = {
    "holds": "yes",
    "holds under a reading": "partly",
    "does not hold": "no",
    "opinion or not computable": "none",
    "failed": "failed",
}
STYLE = (
    ":root{--yes:#1a7f4b;--partly:#9a6700;--no:#b3261e;--none:#5f6b7a;--failed:#7b1fa2;--line:#dde2e8}"
    "*{box-sizing:border-box}body{font:15px/1.5 system-ui,sans-serif;max-width:74rem;margin:0 auto;"
    "padding:1.5rem 1rem 4rem;color:#1d2733;background:#fff}"
    "h1{font-size:1.7rem;line-height:1.2;margin:.2rem 0}"
    "h2{font-size:1.2rem;margin:2rem 0 .6rem}p{margin:.3rem 0}.dim{color:#5f6b7a}.small{font-size:.87rem}"
    ".counts{display:flex;flex-wrap:wrap;gap:.5rem;margin:1rem 0}.tag{color:#fff;border-radius:1rem;"
    "padding:.1rem .7rem;font-size:.85rem;white-space:nowrap}"
    + "".join(
        f".{tone}{{background:var(--{tone})}}.t-{tone}{{color:var(--{tone})}}" for tone in TONES.values()
    )
    + ".pictures{columns:2 28rem;column-gap:1.2rem}"
    "figure{margin:0 0 1.2rem;break-inside:avoid;border:1px solid var(--line);border-radius:.5rem;"
    "padding:.8rem 1rem}"
    "figcaption{font-weight:600;margin-bottom:.5rem}.bar{display:grid;grid-template-columns:11rem 1fr;"
    "gap:.1rem .6rem;align-items:center;font-size:.87rem;margin:.28rem 0}.bar b{font-weight:400}"
    ".track{position:relative;display:flex;align-items:center;gap:.4rem}.fill{height:1rem;background:#3568a8;"
    "border-radius:.15rem;min-width:2px}.said .fill{background:#d98e2b}.track span{white-space:nowrap}"
    ".plot{position:relative;margin:.4rem 0 2.4rem 2.6rem;height:15rem;border-left:1px solid #8793a3;"
    "border-bottom:1px solid #8793a3}.plot svg{position:absolute;inset:0;width:100%;height:100%}"
    ".plot i{position:absolute;font-style:normal;font-size:.78rem;color:#5f6b7a;white-space:nowrap}"
    ".key{display:inline-block;width:1.1rem;height:.2rem;vertical-align:middle;margin:0 .3rem 0 .8rem}"
    ".claim{border-top:1px solid var(--line);padding:.8rem 0;display:grid;gap:.2rem 1.2rem;"
    "grid-template-columns:3rem minmax(0,5fr) minmax(0,6fr)}.claim>.id{font-weight:600}"
    ".claim h3{font-size:1rem;margin:0;font-weight:600}.claim ul{margin:.2rem 0;padding-left:1.1rem}"
    "details{margin-top:.4rem}"
    "summary{cursor:pointer;color:#2456a0}details table{border-collapse:collapse;font-size:.87rem;width:100%}"
    "details td{border-top:1px solid var(--line);padding:.25rem .6rem .25rem 0;vertical-align:top;"
    "overflow-wrap:anywhere}details td:nth-child(2){overflow-wrap:normal;min-width:6rem}"
    "code{font:.82rem ui-monospace,monospace;overflow-wrap:anywhere}"
    "@media(max-width:44rem){.claim{grid-template-columns:2.2rem minmax(0,1fr)}"
    ".claim>.proof{grid-column:1/-1}"
    ".bar{grid-template-columns:1fr}h1{font-size:1.35rem}details table,details tr,details td{display:block}"
    "details td{border:0;padding:.1rem 0}details tr{border-top:1px solid var(--line);padding:.3rem 0}}"
)


def page(document: Mapping[str, Any]) -> str:
    """Return the whole page; the same document gives the same bytes."""
    inputs, result = document["inputs"], document["result"]
    title = escape(inputs["title"])
    pictures = "".join(picture_html(one) for one in result["pictures"])
    drawn = f"<h2>Pictures</h2><div class=pictures>{pictures}</div>" if pictures else ""
    claims = "".join(_claim(row) for row in result["claims"])
    version = escape(document["tool"]["version"])
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width,initial-scale=1'>"
        f"<title>gigawatt: {title}</title><style>{STYLE}</style><h1>{title}</h1>"
        f"<p class=dim>{escape(_article(inputs['article']))}</p>{_counts(result['counts'])}"
        "<p class='small dim'>Every figure is computed from a catalogue of sourced facts and a model of "
        "training; a verdict follows from the tests under each reading. Nothing is looked up.</p>"
        f"{drawn}<h2>Claims</h2>{claims}{_sources(document['provenance']['sources'])}"
        f"<p class='small dim'>gigawatt {version}, claims of {escape(inputs['file'])}</p></html>\n"
    )


def _article(article: Mapping[str, str]) -> str:
    told = ", ".join(article[key] for key in ("title", "by", "published") if article[key])
    return f"{told}. {article['about']}" if told and article["about"] else told or article["about"]


def _counts(counts: Mapping[str, int]) -> str:
    tags = "".join(f"<span class='tag {TONES[word]}'>{n} {word}</span>" for word, n in counts.items() if n)
    return f"<div class=counts>{tags}</div>"


def _claim(row: Mapping[str, Any]) -> str:
    tone = TONES[row["verdict"]]
    quote = f" <span class=dim>“{escape(row['quote'])}”</span>" if row["quote"] else ""
    said = "; ".join(f"{f['label']} {f['text']}" if f["unit"] == "1" else f["text"] for f in row["said"])
    place = ", ".join(part for part in (row["who"], row["where"]) if part)
    return (
        f"<section class=claim id='c{escape(row['id'])}'><div class=id>{escape(row['id'])}</div>"
        f"<div><h3>{escape(row['claim'])}</h3><p class='small dim'>{escape(place)}{quote}</p>"
        + (f"<p class=small>said: {escape(said)}</p>" if said else "")
        + f"<span class='tag {tone}'>{row['verdict']}</span></div>"
        f"<div class=proof>{_proof(row)}</div></section>"
    )


def _proof(row: Mapping[str, Any]) -> str:
    """Return the figures of the row, the readings and, to be opened, every figure."""
    if row["error"]:
        return f"<p class=t-failed>{escape(row['error'])}</p>"
    figures = {figure["name"]: figure for figure in row["figures"]}
    told = (figures[name] for name in row["headline"])
    head = "; ".join(f"{escape(one['label'])}: <b>{escape(one['text'])}</b>" for one in told)
    parts = [f"<p>{head}</p>" if head else ""]
    parts.append("<ul class=small>" + "".join(_reading(one) for one in row["readings"]) + "</ul>")
    for text in (row["opinion"], row["note"]):
        parts.append(f"<p class='small dim'>{escape(text)}</p>" if text else "")
    if row["figures"]:
        rows = "".join(_figure(one) for one in row["figures"])
        parts.append(f"<details><summary>{len(figures)} figures</summary><table>{rows}</table></details>")
    return "".join(parts).replace("<ul class=small></ul>", "")


def _reading(reading: Mapping[str, Any]) -> str:
    tone, mark = ("yes", "✓") if reading["holds"] else ("no", "✗")
    tests = "; ".join(escape(test["text"]) for test in reading["tests"])
    return f"<li><span class=t-{tone}>{mark} {escape(reading['label'])}</span>: {tests}</li>"


def _figure(figure: Mapping[str, Any]) -> str:
    about = "; ".join(part for part in (figure["note"], ", ".join(figure["sources"])) if part)
    return (
        f"<tr><td>{escape(figure['label'])}<td><b>{escape(figure['text'])}</b><br>{escape(figure['kind'])}"
        f"<td>{escape(about)}<br><code>{escape(figure['by'])}</code>"
    )


def _sources(sources: Sequence[Mapping[str, str]]) -> str:
    if not sources:
        return ""
    rows = "".join(
        f"<li>{escape(s['id'])}: {escape(s['producer'])}, {escape(s['title'])}"
        + (f", {escape(s['published'])}" if s["published"] else "")
        for s in sources
    )
    return f"<h2>Sources</h2><ul class=small>{rows}</ul>"
