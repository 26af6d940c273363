"""A build-out as one JSON-ready document: months, deliveries, and when jobs would be done."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np

from gigawatt.study.document import known
from gigawatt.study.envelope import envelope
from gigawatt.study.growth import Done, Growth
from gigawatt.study.growth_lots import DAY_S, YEAR_S, Lot, Rate, seconds_of
from gigawatt.units import Real

SCHEMA = "gigawatt/growth/1"


def growth_document(found: Growth) -> dict[str, Any]:
    """Return the versioned envelope of a build-out; null is a number that is not known, or never reached."""
    file, work = found.file, found.file.work
    told = envelope(
        SCHEMA,
        inputs={
            "name": file.name,
            "title": file.title,
            "note": file.note,
            "first_month": f"{found.months[0]:%Y-%m}",
            "last_month": f"{found.months[-1]:%Y-%m}",
            "busy_fraction": file.busy,
            "hardware_life_years": file.hardware_life_s / YEAR_S,
            "building_life_years": file.building_life_s / YEAR_S,
            "work_model": work.model if work.mfu is None else None,
            "stated_mfu": work.mfu,
            "stated_goodput": work.goodput,
        },
        provenance={"lives": file.lives_source},
        status="ok",
        warnings=[{"code": "growth", "message": text} for text in found.warnings],
        result={
            "months": [_month(found, i) for i in range(len(found.months))],
            "deliveries": [_delivery(lot, rate) for lot, rate in zip(found.lots, found.rates, strict=True)],
            "jobs": [_job(done) for done in found.jobs],
        },
    )
    plain: dict[str, Any] = known(told)
    return plain


def _month(found: Growth, i: int) -> dict[str, Any]:
    totals = found.totals
    return {
        "month": f"{found.months[i]:%Y-%m}",
        "chips": _at(totals.chips, i),
        "chips_by_type": {chip: float(column[i]) for chip, column in found.chips.items()},
        "it_power_w": _at(totals.it_w, i),
        "facility_power_w": _at(totals.facility_w, i),
        "peak_flop_per_s": {dtype: float(column[i]) for dtype, column in found.peak_flop_per_s.items()},
        "hpl_flop_per_s": float(found.hpl_flop_per_s[i]),
        "useful_flop_per_s": _at(totals.useful_flop_per_s, i),
        "worked_flop": _at(totals.worked_flop, i),
        "capital_usd": _at(totals.capital_usd, i),
        "capital_so_far_usd": float(np.sum(np.asarray(totals.capital_usd)[: i + 1])),
        "energy_j": _at(totals.energy_j, i),
        "energy_usd": _at(totals.energy_usd, i),
        "operations_usd": _at(totals.operations_usd, i),
        "written_off_usd": _at(totals.written_off_usd, i),
        "book_usd": _at(totals.book_usd, i),
    }


def _at(column: Real, i: int) -> float:
    return float(np.asarray(column)[i])


def _delivery(lot: Lot, rate: Rate) -> dict[str, Any]:
    d, machine = lot.delivery, lot.machine
    return {
        "what": d.what,
        "machine": d.machine,
        "chip": machine.chip.id,
        "chips_per_machine": machine.chips,
        "count": d.count,
        "days": [day.isoformat() for day in d.days],
        "place": d.place or None,
        "site": machine.site.id,
        "status": "announced" if not machine.shipping else d.status,
        "lead_days": d.lead_s / DAY_S,
        "retire_after_years": None if d.retire_after_s is None else d.retire_after_s / YEAR_S,
        "facility_power_w": lot.facility_w,
        "hardware_usd": lot.hardware_usd,
        "building_usd": lot.building_usd,
        "hpl_flop_per_s": lot.hpl_flop_per_s,
        "mfu": rate.mfu,
        "goodput": rate.goodput,
        "useful_flop_per_s": rate.flop_per_s,
        "chips_used": rate.chips,
        "kind": d.kind,
        "source": d.source,
        "where": d.where,
    }


def _job(done: Done) -> dict[str, Any]:
    return {
        "job": done.job.name,
        "model": done.job.model,
        "tokens": done.job.tokens,
        "flop": done.flop,
        "together_done": _iso(done.together),
        "alone_done": _iso(done.alone),
        "alone_from": _iso(done.alone_from),
        "alone_days": _days(done.alone_from, done.alone),
        "place": done.place or None,
        "mfu": done.mfu,
        "goodput": done.goodput,
        "source": done.job.source,
        "where": done.job.where,
    }


def _iso(day: datetime.date | None) -> str | None:
    return None if day is None else day.isoformat()


def _days(start: datetime.date | None, end: datetime.date | None) -> float | None:
    return None if start is None or end is None else (seconds_of(end) - seconds_of(start)) / DAY_S
