"""Answers about scaling for a terminal, drawn from their documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from gigawatt.cli.scaling_words import beyond, power
from gigawatt.cli.tables import fitting, pairs, table
from gigawatt.units import figures
from gigawatt.units import format as fmt

Document = Mapping[str, Any]
KIND_TEXT = {
    "loss": "loss of N and D", "frontier": "best N and D", "loss_of_compute": "loss of C",
    "loss_of_params": "loss of N", "loss_of_tokens": "loss of D",
    "rate": "learning rate", "batch": "batch", "critical_batch": "critical batch",
    "repetition": "repeated data",
    "precision": "few bits", "routing": "experts", "method": "method", "named": "cited alone",
}  # fmt: skip
RUN_UNIT = {
    "params": "parameters", "tokens": "tokens", "flop": "flop", "tokens_per_param": "tokens a parameter",
    "epochs": "epochs", "experts": "experts",
}  # fmt: skip


def laws_text(document: Document) -> RenderableType:
    """Return the list of laws."""
    rows = [
        {
            "id": one["id"],
            "gives": KIND_TEXT[one["kind"]],
            "N counts": one["params_counted"] or "-",
            "C": one["flop_counted"] or "-",
            "text": one["text"] or "-",
            "runs to": _runs_to(one["runs"]),
            "status": one["status"],
        }
        for one in document["result"]["laws"]
    ]
    about = "all of one: gigawatt scaling laws ID; losses of two texts are not compared"
    return Group(fitting(rows, title="", drop=("status", "C", "text")), Text(about, style="dim"))


def _runs_to(runs: Mapping[str, Sequence[float]]) -> str:
    name = next((n for n in ("flop", "params", "epochs") if n in runs), None)
    return "not known" if name is None else _amount(runs[name][1], name)


def _amount(value: float, name: str) -> str:
    return f"{power(value)} flop" if name == "flop" else f"{fmt(value, '1')} {RUN_UNIT[name]}"


def law_text(document: Document) -> RenderableType:
    """Return all that is known of one law."""
    one = document["result"]["laws"][0]
    constants = [
        {
            "constant": name,
            "value": f"{value:.8g}",
            "standard error": f"{one['standard_errors'][name]:g}" if name in one["standard_errors"] else "-",
        }
        for name, value in one["constants"].items()
    ]
    runs = "; ".join(
        f"{_plain(low, name)} to {_amount(high, name)}" for name, (low, high) in one["runs"].items()
    )
    exponents = one["frontier_exponents"]
    best = exponents and f"N* ~ C^{exponents['params']:.4g}, D* ~ C^{exponents['tokens']:.4g}"
    bands = ", ".join(f"{name} {low:g} to {high:g}" for name, (low, high) in one["exponent_bands"].items())
    told = {
        "gives": KIND_TEXT[one["kind"]],
        "form": one["form"].replace("_", " "),
        "N counts": one["params_counted"] and f"{one['params_counted']} parameters",
        "C is": one["flop_counted"],
        "unit": one["unit"] if one["unit"] != "1" else "",
        "text": one["text"],
        "frontier": best,
        "10 to 90 %": bands,
        "band": f"{one['draws']:,} bootstrap draws"
        if one["draws"]
        else "none published"
        if exponents
        else "",
        "runs": f"{runs} ({one['runs_where']})" if runs else "range not known",
        "where": one["where"],
        "status": one["status"],
        "note": one["note"],
        "source": "; ".join(f"{s['producer']}: {s['title']}" for s in one["sources"]),
    }
    parts: list[RenderableType] = [Text(one["name"], style="bold")]
    parts.append(pairs({k: v for k, v in told.items() if v}))
    if constants:
        parts += [Text(""), table(constants)]
    return Group(*parts)


def _plain(value: float, name: str) -> str:
    return power(value) if name == "flop" else fmt(value, "1")


def title(document: Document) -> str:
    """Return what was asked, in one line."""
    flop = power(document["result"]["compute"]["flop"])
    return f"The best split of {flop} flop, by {document['inputs']['law']}"


def headline(document: Document) -> dict[str, str]:
    """Return the answer by the chosen law, and what constraints make of it."""
    result = document["result"]
    best = result["laws"][0]
    told = {
        "size": f"{fmt(best['params'], '1')} parameters{_band(best['params_band'])}",
        "tokens": f"{fmt(best['tokens'], '1')}{_band(best['tokens_band'])}",
        "ratio": f"{figures(best['tokens_per_param'])} tokens a parameter"
        f"{_band(best['tokens_per_param_band'], counts=False)}",
        "loss": f"{figures(best['loss_nats'], 4)} nat/token"
        f"{_band(best['loss_band'], counts=False, digits=4)}",
        **compute_lines(result["compute"]),
    }
    return {**told, **_fixed(result), **_repeated(result), **_served(result)}


def _band(found: Mapping[str, float] | None, *, counts: bool = True, digits: int = 3) -> str:
    if found is None:
        return ""
    text = [fmt(v, "1") if counts else figures(v, digits) for v in (found["p10"], found["p90"])]
    return f" (80 %: {text[0]} to {text[1]})"


def compute_lines(compute: Mapping[str, Any]) -> dict[str, str]:
    """Return where the compute comes from."""
    run = compute["run"]
    if run is None:
        return {"compute": f"{power(compute['flop'])} flop, as given"}
    cost = "" if compute["cost_usd"] is None else f", {fmt(compute['cost_usd'], 'USD')} to rent"
    power_ = "" if run["facility_w"] is None else f", {fmt(run['facility_w'], 'W')} at the meter"
    of = "" if run["chips"] == run["of_chips"] else f" of {run['of_chips']:,}"
    how = f"as the planner lays out {run['model']}" if run["model"] else "as given"
    return {
        "compute": f"{power(compute['flop'])} flop: {run['machine']}, {run['chips']:,}{of} x {run['chip']}, "
        f"{figures(compute['days'])} d{cost}{power_}",
        "rate": f"MFU {fmt(run['mfu'], '%')} (6ND, {run['dtype']}) {how}, "
        f"batch {fmt(run['batch_tokens'], '1')} tokens; goodput {fmt(run['goodput'], '%')}",
    }


def _fixed(result: Mapping[str, Any]) -> dict[str, str]:
    one = result["fixed"]
    if one is None:
        return {}
    return {
        f"with {fmt(one['params'], '1')}": f"{fmt(one['tokens'], '1')} tokens, "
        f"{figures(one['tokens_per_param'])} a parameter; loss {figures(one['loss_nats'], 4)}, "
        f"{figures(one['over_nats'], 2)} more; the best size "
        f"reaches that with {power(one['best_flop'])} flop, {fmt(1 / one['flop_over_best'], '%')} of this"
    }


def _repeated(result: Mapping[str, Any]) -> dict[str, str]:
    one = result["repeated"]
    if one is None:
        return {}
    return {
        f"with {fmt(one['unique_tokens'], '1')} unique": f"{fmt(one['params'], '1')} parameters, "
        f"{fmt(one['tokens'], '1')} tokens in {figures(one['epochs'])} epochs, worth "
        f"{fmt(one['worth_tokens'], '1')} new ones (and {fmt(one['worth_params'], '1')} parameters); "
        f"loss {figures(one['loss_nats'], 4)}, "
        f"{figures(one['over_nats'], 2)} more (Muennighoff 2023)"
    }


def _served(result: Mapping[str, Any]) -> dict[str, str]:
    one = result["served"]
    if one is None:
        return {}
    return {
        f"serving {fmt(one['inference_tokens'], '1')}": f"{fmt(one['params'], '1')} parameters, "
        f"{fmt(one['tokens'], '1')} tokens, {figures(one['tokens_per_param'])} a parameter, for the same "
        f"loss; {power(one['total_flop'])} flop of training and serving, {fmt(one['saved'], '%')} less "
        "(Sardana 2023)"
    }


def tables(document: Document) -> dict[str, list[dict[str, str]]]:
    """Return the tables of an answer by their title."""
    result = document["result"]
    texts = _texts(result["laws"])
    rates, batches = result["rates"], result["batches"]
    return {
        "by each law": [_law_row(row, texts) for row in result["laws"]],
        f"learning rate for the first row: {figures(rates['spread'], 2)} times apart": [
            _recipe_row(row, f"{row['value']:.2e}") for row in rates["by_law"]
        ],
        f"batch in tokens for the first row: {figures(batches['spread'], 2)} times apart": [
            _recipe_row(row, fmt(row["value"], "1")) for row in batches["by_law"]
        ],
    }


def _texts(laws: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return a number for each text that a loss is of, the chosen law's first."""
    found: dict[str, int] = {}
    for row in laws:
        if row["loss_nats"] is not None:
            found.setdefault(row["text"], len(found) + 1)
    return found


def _law_row(row: Mapping[str, Any], texts: Mapping[str, int]) -> dict[str, str]:
    known = row["loss_nats"] is not None
    return {
        "law": row["id"],
        "size": fmt(row["params"], "1"),
        "tokens": fmt(row["tokens"], "1"),
        "ratio": figures(row["tokens_per_param"]),
        "loss": figures(row["loss_nats"], 4) if known else "-",
        "text": str(texts[row["text"]]) if known else "-",
        "N counts": row["params_counted"],
        "beyond": beyond(row["orders_outside"]),
    }


def _recipe_row(row: Mapping[str, Any], value: str) -> dict[str, str]:
    found = {"law": row["id"], "value": value, "beyond": beyond(row["orders_outside"])}
    return found if row["kind"] == "rate" else {**found, "what": CRITICAL.get(row["id"], "")}


CRITICAL = {
    "zhang-2024-batch": "critical: a fifth more tokens",
    "kaplan-2020-batch": "critical: half of the tokens are wasted",
}


def notes(document: Document) -> dict[str, str]:
    """Return what must be read with a table, by the table's title."""
    result = document["result"]
    titles = list(tables(document))
    texts = "; ".join(f"{n} {text}" for text, n in _texts(result["laws"]).items())
    about = "beyond: orders of magnitude outside the law's runs. Losses of two texts are not compared: "
    return {titles[0]: about + texts, titles[1]: result["rates"]["note"]}


def optimal_text(document: Document) -> RenderableType:
    """Return the best split: the answer, the laws side by side, the recipe, what to know."""
    parts: list[RenderableType] = [Text(title(document), style="bold"), pairs(headline(document)), Text("")]
    told = notes(document)
    for name, rows in tables(document).items():
        parts += [
            Text(name, style="italic"),
            fitting(rows, title="", drop=("N counts",) if "size" in rows[0] else ()),
        ]
        parts += [Text(told[name], style="dim")] if name in told else []
        parts.append(Text(""))
    parts += [Text(f"warning: {w['message']}", style="yellow") for w in document["warnings"]]
    last = "bands are of the sampling of a law's runs alone; all: --json, --png, --svg, --html"
    parts.append(Text(last, style="dim"))
    return Group(*parts)
