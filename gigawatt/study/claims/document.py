"""A computed claim file as one JSON-ready document, from which every face is drawn."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from gigawatt.study.claims.figures import Figure
from gigawatt.study.claims.pictures import Picture
from gigawatt.study.claims.run import Checked, Claims
from gigawatt.study.claims.verdict import VERDICTS
from gigawatt.study.envelope import envelope

SCHEMA = "gigawatt/claims/1"
MOST_IN_ROW = 3  # figures of the table's row, where the file does not choose


def claims_document(found: Claims) -> dict[str, Any]:
    """Return the versioned envelope of a computed claim file."""
    rows = found.file.rows
    return envelope(
        SCHEMA,
        inputs={"file": found.file.name, "title": rows.title, "article": rows.article.model_dump()},
        provenance={"sources": _bibliography(found)},
        status="partial" if found.failed or found.undrawn else "ok",
        warnings=_warnings(found),
        result={
            "counts": {word: sum(one.verdict == word for one in found.checked) for word in VERDICTS},
            "claims": [_claim(one) for one in found.checked],
            "pictures": [_picture(picture) for picture in found.pictures],
        },
    )


def _warnings(found: Claims) -> list[dict[str, str]]:
    failed = [{"code": "failed", "what": one.id, "message": one.error} for one in found.failed]
    return failed + [{"code": "undrawn", "what": title, "message": why} for title, why in found.undrawn]


def _bibliography(found: Claims) -> list[dict[str, str]]:
    cited = {source for one in found.checked for source in _sources(one)}
    known = [found.file.sources[id] for id in sorted(cited) if id in found.file.sources]
    return [
        {"id": s.id, "producer": s.producer, "title": s.title, "published": s.published, "url": s.url}
        for s in known
    ]


def _sources(one: Checked) -> list[str]:
    figures = [source for figure in one.figures.values() for source in figure.sources]
    return list(dict.fromkeys([*one.claim.rows.sources, *figures]))


def _claim(one: Checked) -> dict[str, Any]:
    rows = one.claim.rows
    return {
        "id": one.id,
        "where": rows.where,
        "who": rows.who,
        "claim": rows.claim,
        "quote": rows.quote,
        "verdict": one.verdict,
        "said": [_figure(figure) for figure in one.said.values()],
        "figures": [_figure(figure) for figure in one.figures.values()],
        "headline": headline(one),
        "readings": [
            {
                "label": reading.label,
                "holds": reading.holds,
                "tests": [{"text": test.text, "holds": test.holds} for test in reading.tests],
                "note": reading.note,
            }
            for reading in one.readings
        ],
        "opinion": rows.opinion,
        "note": rows.note,
        "error": one.error,
        "sources": _sources(one),
    }


def headline(one: Checked) -> list[str]:
    """Return the figures of the table's row: those the file chose, else the first that are tested."""
    if one.claim.rows.headline:
        return [name for name in one.claim.rows.headline if name in one.figures]
    tested = [test.figure for reading in one.claim.rows.readings for test in reading.tests if test.figure]
    return [name for name in dict.fromkeys([*tested, *one.figures]) if name in one.figures][:MOST_IN_ROW]


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "name": figure.name,
        "label": figure.label,
        "value": figure.value,
        "low": None if math.isnan(figure.low) else figure.low,
        "high": None if math.isnan(figure.high) else figure.high,
        "unit": figure.unit,
        "text": figure.text,
        "kind": figure.kind,
        "by": figure.by,
        "sources": list(figure.sources),
        "note": figure.note,
    }


def _picture(picture: Picture) -> dict[str, Any]:
    told = dataclasses.asdict(picture)
    for line in told["lines"]:
        line["x"], line["y"] = list(line["x"]), list(line["y"])
    return {**told, "bars": list(told["bars"]), "lines": list(told["lines"])}
