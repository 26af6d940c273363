"""A build-out for a terminal and a page: deliveries, what stands, what it costs, what gets done by when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from gigawatt.cli.pictures import page_of
from gigawatt.cli.tables import dropping
from gigawatt.units import figures
from gigawatt.units import format as fmt

MOST_ROWS = 24
STEPS = (1, 2, 3, 6, 12, 24, 60)  # months of one row
LEFT = ("what", "job", "place", "status", "chip", "source", "arrives", "month", "to", "alone at")
DROP = ("ordered", "site", "source", "FLOP so far", "IT", "fp4 EF/s", "fp8 EF/s", "energy", "operations",
        "from", "MFU", "FLOP", "capital paid", "chip", "energy cost", "useful EF/s")  # fmt: skip
BY_WHEN = "what can be trained by when, begun when the first cards work"
FLOWS = ("capital_usd", "energy_j", "energy_usd", "operations_usd", "written_off_usd")
Row = Mapping[str, Any]


def growth_text(document: Row) -> RenderableType:
    """Return what was asked, the tables, and what a reader must know."""
    inputs = document["inputs"]
    parts: list[RenderableType] = [Text(inputs["title"], style="bold"), Text(asked(document), style="dim")]
    for name, rows in tables(document).items():
        parts += [
            Text(""),
            Text(name, style="bold"),
            dropping(rows, left=LEFT, wraps=("what", "source"), drop=DROP),
        ]
    parts += [Text(""), *(Text(line) for line in told(document))]
    parts += [Text(line, style="yellow") for line in warned(document)]
    return Group(*parts)


def growth_page(document: Row, picture: str) -> str:
    """Return one self-contained page."""
    notes = [*told(document), *warned(document)]
    return page_of(
        document["inputs"]["title"], picture, told=[asked(document)], tables=tables(document), notes=notes
    )


def asked(document: Row) -> str:
    """Return what was computed, in one line."""
    inputs = document["inputs"]
    return f"{inputs['first_month']} to {inputs['last_month']}; {_how(inputs)}"


def _how(inputs: Row) -> str:
    if inputs["work_model"] is None:
        mfu, goodput = fmt(inputs["stated_mfu"], "%"), fmt(inputs["stated_goodput"], "%")
        return f"MFU {mfu} and goodput {goodput}, as stated"
    return f"MFU and goodput planned for {inputs['work_model']} on each machine"


def tables(document: Row) -> dict[str, list[dict[str, str]]]:
    """Return the four tables by their headings."""
    result = document["result"]
    step = next(s for s in STEPS if len(result["months"]) / s <= MOST_ROWS or s == STEPS[-1])
    rows = [grouped(result["months"][i : i + step]) for i in range(0, len(result["months"]), step)]
    each = "month" if step == 1 else f"{step} months"
    found = {"deliveries": [_delivery(row) for row in result["deliveries"]]}
    first = next((i for i, row in enumerate(rows) if row["chips"]), 0)  # before the first card nothing stands
    found["what stands at the end of each month" if step == 1 else f"what stands, every {each}"] = [
        _stands(row) for row in rows[first:]
    ]
    found[f"what it costs, each {each}"] = [_costs(row) for row in rows]
    if result["jobs"]:
        found["what can be trained by when, begun when the first cards work"] = [
            _job(row) for row in result["jobs"]
        ]
    return found


def grouped(months: Sequence[Row]) -> dict[str, Any]:
    """Return several months as one row: the state of the last, the sums of what flows."""
    found = dict(months[-1])
    for name in FLOWS:
        values = [month[name] for month in months]
        found[name] = None if None in values else sum(values)
    return found


def _delivery(row: Row) -> dict[str, str]:
    days, cost = row["days"], (row["hardware_usd"], row["building_usd"])
    arrives = days[0] if len(days) == 1 else f"{days[0][:7]} .. {days[-1][:7]}"
    each = row["chips_per_machine"]
    return {
        "arrives": arrives,
        "what": row["what"],
        "cards": f"{row['count'] * each:,}",
        "chip": row["chip"],
        "site": _text(row["facility_power_w"], "W", times=row["count"]),
        "cost": "unknown" if None in cost else fmt(row["count"] * sum(cost), "USD"),
        "ordered": f"{row['lead_days']:.0f} d before" if row["lead_days"] else "on arrival",
        "status": row["status"],
        "source": row["source"],
    }


def _stands(row: Row) -> dict[str, str]:
    peaks = {f"{d} EF/s": _plain(v / 1e18) for d, v in row["peak_flop_per_s"].items()}
    return {
        "month": row["month"],
        "cards": f"{row['chips']:,.0f}",
        "IT": _text(row["it_power_w"], "W"),
        "site": _text(row["facility_power_w"], "W"),
        **peaks,
        "HPL EF/s": _plain(row["hpl_flop_per_s"] / 1e18),
        "useful EF/s": _plain(row["useful_flop_per_s"] / 1e18),
        "FLOP so far": f"{row['worked_flop']:.2e}" if row["worked_flop"] else "0",
    }


def _plain(value: float) -> str:
    return "0" if value == 0 else figures(value)


def _costs(row: Row) -> dict[str, str]:
    return {
        "to": row["month"],
        "capital paid": _text(row["capital_usd"], "USD"),
        "so far": _text(row["capital_so_far_usd"], "USD"),
        "energy": _text(row["energy_j"], "J"),
        "energy cost": _text(row["energy_usd"], "USD"),
        "operations": _text(row["operations_usd"], "USD"),
        "written off": _text(row["written_off_usd"], "USD"),
        "book value": _text(row["book_usd"], "USD"),
    }


def _job(row: Row) -> dict[str, str]:
    return {
        "job": row["job"],
        "FLOP": f"{row['flop']:.2e}",
        "all together": row["together_done"] or "never",
        "alone at": row["place"] or "none",
        "from": row["alone_from"] or "-",
        "done": row["alone_done"] or "never",
        "days": "-" if row["alone_days"] is None else f"{row['alone_days']:,.0f}",
        "MFU": "-" if row["mfu"] is None else fmt(row["mfu"], "%"),
    }


def _text(value: float | None, unit: str, *, times: int = 1) -> str:
    if value is None:
        return "unknown"
    return "0" if value == 0 else fmt(times * value, unit)


def told(document: Row) -> list[str]:
    """Return how to read the tables."""
    inputs = document["inputs"]
    lives = f"{figures(inputs['hardware_life_years'])} y and {figures(inputs['building_life_years'])} y"
    return [
        "exaflop are dense peaks; HPL is a sum of modelled runs of each machine alone: no run spans them.",
        "all together is a bound: the job spreads over all that stands, each machine as fast as alone.",
        f"hardware and building are written off in a straight line over {lives} "
        f"({document['provenance']['lives']}); capital is paid when ordered; cards draw training power "
        f"{fmt(inputs['busy_fraction'], '%')} of the time.",
        *([inputs["note"].strip()] if inputs["note"].strip() else []),
    ]


def warned(document: Row) -> list[str]:
    """Return the warnings."""
    return [warning["message"] for warning in document["warnings"]]
