"""A fit to runs for a terminal, drawn from its document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gigawatt.cli.tables import Either, pairs
from gigawatt.units import figures
from gigawatt.units import format as fmt

SHORT = {"params_exponent": "a (N* ~ C^a)", "tokens_exponent": "b (D* ~ C^b)"}
UNKNOWN = "-"
SPARED = ("95 % by profile", "80 % of resamples", "sd", "bias", "runs")  # left out first where it is narrow


def scaling_fit_text(document: Mapping[str, Any]) -> RenderableType:
    """Return the fit as tables: constants, best splits, what it foresaw, and what it cannot tell."""
    parts: list[RenderableType] = [
        Text(title(document), style="bold"),
        Text(_runs(document), style="dim"),
        Text(""),
        pairs(headline(document)),
    ]
    for name, rows in tables(document):
        parts += [Text(""), _fitting(rows, name)]
    if document["warnings"]:
        parts += [Text(""), Text("what these runs cannot tell", style="bold")]
        parts += [Padding(Text(f"- {one['message']}", style="yellow"), (0, 0, 0, 0))
                  for one in document["warnings"]]  # fmt: skip
    parts += [Text(""), Text(_more(document), style="dim")]
    return Group(*parts)


def title(document: Mapping[str, Any]) -> str:
    """Return what was fitted to which file."""
    inputs = document["inputs"]
    what = "An isoFLOP line" if inputs["method"] == "isoflop" else f"The law {inputs['law']!r}"
    return f"{what} fitted to {PurePath(inputs['file']).name}"


def _runs(document: Mapping[str, Any]) -> str:
    inputs = document["inputs"]
    kept = inputs["rows"] - inputs["dropped"]
    of = f" of {inputs['rows']:,}" if inputs["dropped"] else ""
    columns = ", ".join(f"{field} = {column}" for field, column in inputs["columns"].items())
    text = inputs["text"] or "one text, which the file does not name"
    return f"{kept:,}{of} runs; {columns}; losses of {text}"


def headline(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the equation, the objective and how well it was reached, by what each says."""
    law, line = document["result"]["law"], document["result"]["isoflop"]
    if law is None:
        return {
            "line": line["equation"],
            "fitted": f"parabolas in ln D at {len(line['budgets'])} budgets, then ln D* over ln C by squares",
            "R squared": f"{line['r_squared']:.4f}",
        }
    aim = law["objective"]
    return {
        "law": law["equation"],
        "least": f"{aim['value']:.9g}, the {aim['words']}",
        "reached": f"by {aim['reached']} of {aim['starts']} starts; gradient {_slope(aim['gradient'])}",
        "misses": f"{aim['rmse']:.4g} root mean square, {figures(100 * aim['rms_log'])} % of the loss",
        "span": _span(law["identify"]),
    }


def _slope(gradient: float) -> str:
    """Return a slope; below what moves a digit it differs from machine to machine."""
    return "below 1e-6" if gradient < 1e-6 else f"{gradient:.1g}"


def _span(spread: Mapping[str, Any]) -> str:
    ratios = (("N", "params_ratio"), ("D", "tokens_ratio"), ("C", "flop_ratio"))
    told = ", ".join(f"{name} x {fmt(spread[ratio], '1')}" for name, ratio in ratios)
    condition = spread["condition_number"]
    bowl = "none" if condition is None else f"{condition:.2g}"
    return f"{told}; correlation of ln N and ln D {spread['correlation']:+.2f}; condition number {bowl}"


def tables(document: Mapping[str, Any]) -> list[tuple[str, list[dict[str, str]]]]:
    """Return every table of a fit with its title."""
    result = document["result"]
    found: list[tuple[str, list[dict[str, str]]]] = []
    if result["law"]:
        found.append(("constants", [_constant(row) for row in result["law"]["constants"]]))
    else:
        found += [("exponents", _line(result["isoflop"])),
                  ("lowest points", [_budget(row) for row in result["isoflop"]["budgets"]])]  # fmt: skip
    if result["optima"]:
        found.append(("the best split of compute, C = 6 N D", _optima(result["optima"])))
    if result["holdout"]:
        found.append(("foreseen: fitted to smaller runs", [_foreseen(row) for row in result["holdout"]]))
    if result["task"]:
        found.append((f"{result['task']['column']} over the loss", _task(result["task"])))
    return [(name, _bare(rows)) for name, rows in found]


def _task(task: Mapping[str, Any]) -> list[dict[str, str]]:
    of = "held out" if task["chained_held_out"] else "fitted"
    rows = [
        {"": "error = ceiling - k exp(-gamma L)", "value": f"{task['ceiling']:.4f}, {task['k']:.4g}, "
         f"{task['gamma']:.4g}", "80 % of resamples": UNKNOWN},
        {"": "misses of the curve, root mean square", "value": f"{100 * task['rmse']:.2f} points",
         "80 % of resamples": UNKNOWN},
        {"": f"misses of both steps, {task['chained_runs']} runs {of}: median, worst",
         "value": f"{100 * task['chained_median']:.2f}, {100 * task['chained_worst']:+.2f} points",
         "80 % of resamples": UNKNOWN},
    ]  # fmt: skip
    for at in task["at"]:
        one = at["accuracy"]
        band = _shown(one, "p10", "p90", _percent)
        rows.append({"": f"accuracy at the best split of {at['compute_flop']:.3g} flop",
                     "value": _percent(one["value"]), "80 % of resamples": band})  # fmt: skip
    return rows


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _bare(rows: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Return rows without the columns that say nothing."""
    said = [name for name in rows[0] if any(row[name] != UNKNOWN for row in rows)]
    return [{name: row[name] for name in said} for row in rows]


def _constant(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "": SHORT.get(row["name"], row["name"]),
        "value": plain(row["value"]),
        "sd": plain(row["sd"], 2),
        "80 % of resamples": between(row["p10"], row["p90"]),
        "95 % of resamples": between(row["p2_5"], row["p97_5"]),
        "95 % by profile": between(row["profile_low"], row["profile_high"]),
    }


def _line(line: Mapping[str, Any]) -> list[dict[str, str]]:
    rows = (("b (D* ~ C^b)", line["tokens_exponent"]), ("A (D* = A C^b)", line["tokens_factor"]),
            ("a (N* ~ C^a)", line["params_exponent"]))  # fmt: skip
    return [
        {"": name, "value": plain(row["value"], 4), "80 % of resamples": between(row["p10"], row["p90"]),
         "95 % of resamples": between(row["p2_5"], row["p97_5"])}
        for name, row in rows
    ]  # fmt: skip


def _budget(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "budget": f"{row['flop']:.3g} flop",
        "N*": fmt(row["params"], "1"),
        "D*": fmt(row["tokens"], "1"),
        "D*/N*": figures(row["tokens"] / row["params"]),
        "loss": f"{row['loss']:.4f}",
        "runs": f"{row['runs']:.0f}",
        "lowest": "among the runs" if row["inside"] else "outside them",
    }


def _optima(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    shown = (("N*", "params", _count), ("D*", "tokens", _count), ("D*/N*", "tokens_per_param", figures),
             ("loss", "loss", lambda v: f"{v:.4f}"))  # fmt: skip
    found = []
    for row in rows:
        for name, field, show in shown:
            one = row[field]
            if one is None:
                continue
            found.append({
                "compute": f"{row['compute_flop']:.3g} flop" if name == "N*" else "",
                "": name,
                "value": UNKNOWN if one["value"] is None else show(one["value"]),
                "middle": UNKNOWN if one["p50"] is None else show(one["p50"]),
                "80 % of resamples": _shown(one, "p10", "p90", show),
                "95 % of resamples": _shown(one, "p2_5", "p97_5", show),
            })  # fmt: skip
    return found


def _count(value: float) -> str:
    return fmt(value, "1")


def _shown(one: Mapping[str, Any], low: str, high: str, /, show: Any) -> str:
    return UNKNOWN if one[low] is None else f"{show(one[low])} .. {show(one[high])}"


def _foreseen(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "up to": f"{row['cut_flop']:.3g} flop",
        "fitted": f"{row['fitted']:,}",
        "foreseen": f"{row['held']:,}",
        "median error": f"{100 * row['median']:.2f} %",
        "bias": f"{100 * row['bias']:+.2f} %",
        "worst": f"{100 * row['worst']:+.2f} %",
        **{one["name"]: plain(one["value"]) for one in row["constants"]
           if one["name"] in ("E", "alpha", "beta", "alpha_N", "alpha_D", "alpha_C")},
    }  # fmt: skip


def plain(value: float | None, digits: int = 5) -> str:
    """Return a constant as people write it.

    >>> plain(1.8172181), plain(2143.417), plain(6.4e13), plain(None)
    ('1.8172', '2143.4', '6.4000e+13', '-')
    """
    if value is None:
        return UNKNOWN
    return f"{value:.{digits - 1}e}" if abs(value) >= 1e6 else figures(value, digits)


def between(low: float | None, high: float | None) -> str:
    """Return an interval; an end that was not found is open.

    >>> between(1.77, 1.871), between(None, 0.5), between(None, None)
    ('1.770 .. 1.871', 'open .. 0.5000', '-')
    """
    if low is None and high is None:
        return UNKNOWN
    return f"{'open' if low is None else plain(low, 4)} .. {'open' if high is None else plain(high, 4)}"


def _fitting(rows: Sequence[Mapping[str, str]], name: str) -> Either:
    """Return a table; where it is too wide, without what is least missed, and saying so."""
    drawings: list[RenderableType] = [_table(rows, name)]
    gone: list[str] = []
    for column in SPARED:
        if column in rows[0]:
            gone.append(column)
            fewer = [{k: v for k, v in row.items() if k not in gone} for row in rows]
            note = Text(f"too narrow for: {', '.join(gone)}; --json has all", style="dim")
            drawings.append(Group(_table(fewer, name), note))
    return Either(*drawings)


def _table(rows: Sequence[Mapping[str, str]], name: str) -> Table:
    found = Table(title=name, title_justify="left", box=None, pad_edge=False, header_style="bold",
                  title_style="bold")  # fmt: skip
    for column in rows[0]:
        left = column in ("", "compute", "lowest")
        found.add_column(column, justify="left" if left else "right", no_wrap=True)
    for row in rows:
        found.add_row(*(Text(value) for value in row.values()))
    return found


def _more(document: Mapping[str, Any]) -> str:
    law = document["result"]["law"]
    bands = "" if document["inputs"]["bootstrap"] else "bands: --bootstrap 4000; "
    tested = "" if document["result"]["holdout"] or law is None else "does it foresee? --holdout rollout; "
    return f"{bands}{tested}everything: --json; picture: --png, --svg or --html"
