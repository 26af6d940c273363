"""Bills of materials, Linpack runs, hands of cards and claims of cable, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gigawatt.cli.tables import pairs
from gigawatt.units import figures
from gigawatt.units import format as fmt

UNKNOWN = "not known"
PARTS_OF_RUN = {
    "update_s": "update of the trailing matrix",
    "exchange_s": "exchange that is not hidden",
    "pivot_s": "chain of pivots",
}
BEST_DTYPES = ("fp4", "fp8", "bf16", "fp64")


def bom_text(document: Mapping[str, Any]) -> RenderableType:
    """Return what a machine is made of: counts, switches, cables, power, money, and what is not known."""
    inputs, result = document["inputs"], document["result"]
    parts: list[RenderableType] = [
        Text(inputs["machine_name"], style="bold"),
        pairs(_made_of(inputs, result)),
    ]
    if result["tiers"]:
        parts += [Text(""), _tiers(result)]
    if result["cables"]:
        parts += [Text(""), _cables(result), Text(_lengths(result), style="dim")]
    parts += [Text(""), _power(result["power"])]
    if result["capex"]["parts"]:
        parts += [Text(""), _capex(result)]
    told = [Text("not in it", style="bold"), *(Text(line, style="yellow") for line in result["missing"])]
    assumed = [
        f"{a['name']} = {a['text']} ({a['kind']}, {a['source'].replace(';', ', ')})"
        for a in result["assumptions"]
    ]
    if assumed:
        told += [Text(""), Text("rests on", style="bold"), Text("; ".join(assumed), style="dim")]
    return Group(*parts, Text(""), *told)


def _made_of(inputs: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, str]:
    racks, up, net = result["racks"], result["scale_up"], result["network"]
    found = {
        "chips": f"{result['chips']:,} x {inputs['chip']}",
        "servers": f"{result['nodes']:,} of {inputs['chips_per_node']} chips",
        "racks": UNKNOWN if racks is None else
        f"{racks['servers']:,} of {racks['chips_per_rack']} chips{_network_racks(racks)}",
        "scale-up": f"{up['domains']:,} x {up['domain_chips']:,} chips, {up['topology']}{_inside(up)}",
    }  # fmt: skip
    if net is None:
        return {**found, "network": result["network_told"]}
    shape = net["kind"].replace("-", " ")
    planes = f" on {net['planes']} planes" if net["planes"] > 1 else ""
    sites = f", {net['sites']} sites" if net["sites"] > 1 else ""
    rate = fmt(net["link_bytes_per_s"] * 8, "bit/s")
    return {
        **found,
        "network": f"{shape}{planes}, {net['radix']} ports of {rate}{_over(net)}{sites}",
        "switch": net["switch_name"],
        "adapters": f"{result['adapter_ports']:,} ports, {net['links_per_node']} a server",
    }


def _network_racks(racks: Mapping[str, Any]) -> str:
    if racks["network"] is None:
        return "; those of switches are not known"
    return f", and {racks['network']:,} of switches" if racks["network"] else ""


def _inside(up: Mapping[str, Any]) -> str:
    told = []
    if up["switches"]:
        told.append(f"{up['switches']:,} x {up['switch']}")
    if up["optical_switches"]:
        told.append(f"{up['optical_switches']:,} optical switches")
    if up["modules"]:
        told.append(f"{up['modules']:,} optical modules")
    if up["links"]:
        told.append(f"{up['links']:,} links")
    return "".join(f", {text}" for text in told)


def _over(net: Mapping[str, Any]) -> str:
    told = []
    if net["oversubscription"] > 1:
        told.append(f"{net['oversubscription']:g}:1 above a leaf")
    if net["pod_oversubscription"] > 1:
        told.append(f"{net['pod_oversubscription']:g}:1 above a pod")
    return "".join(f", {text}" for text in told)


def _grid(title: str, *columns: str) -> Table:
    found = Table(box=None, pad_edge=False, header_style="bold")
    found.add_column(title, no_wrap=True)
    for name in columns:
        found.add_column(name, justify="left" if name in ("class", "how", "ends") else "right",
                         no_wrap=name not in ("how", "ends"))  # fmt: skip
    return found


def _tiers(result: Mapping[str, Any]) -> Table:
    found = _grid("tier", "switches", "links below", "from each")
    for tier in result["tiers"]:
        count = f"{tier['switches']:,}" if tier["switches"] else ""
        found.add_row(tier["name"], count, f"{tier['links_below']:,}", tier["below"])
    found.add_row("all", f"{result['switches']:,}", f"{sum(t['links_below'] for t in result['tiers']):,}", "")
    return found


def _cables(result: Mapping[str, Any]) -> Table:
    found = _grid("cables", "class", "count", "mean", "longest", "cable", "fibre", "ends")
    for run in result["cables"]:
        found.add_row(
            run["name"], run["length_class"], f"{run['cables']:,}", _m(run["mean_m"]), _m(run["longest_m"]),
            _m(run["cable_m"]), _m(run["strand_m"]), _ends(run))  # fmt: skip
    count = f"{sum(run['cables'] for run in result['cables']):,}"
    found.add_row("all", "", count, "", "", _m(result["cable_m"]), _m(result["strand_m"]), "")
    return found


def _m(metres: float | None) -> str:
    if metres is None:
        return UNKNOWN
    return f"{metres / 1e3:,.0f} km" if metres >= 1e4 else f"{figures(metres)} m"


def _ends(run: Mapping[str, Any]) -> str:
    if not run["modules"]:
        return str(run["medium"])
    if not any(end["part"] for end in run["modules"]):
        return UNKNOWN
    names = dict.fromkeys(end["name"].split(",")[0] for end in run["modules"])
    return " and ".join(names)


def _lengths(result: Mapping[str, Any]) -> str:
    return (
        "lengths: from racks in rows and halls, to the middle of what each tier joins; fibre: strands, "
        "each way counted"
    )


def _power(power: Mapping[str, Any]) -> Table:
    total = power["total_w"]
    found = _grid("power at nameplate", "power", "share", "how")
    for part in power["parts"]:
        share = "" if total is None else f"{100 * part['power_w'] / total:.1f} %"
        found.add_row(part["label"], fmt(part["power_w"], "W"), share, Text(part["how"], style="dim"))
    if total is None:
        found.add_row("at the meter", UNKNOWN, "", "")
        return found
    found.add_row(
        "at the meter", fmt(total, "W"), "100 %", f"{fmt(power['training_w'], 'W')} on average in training"
    )
    return found


def _capex(result: Mapping[str, Any]) -> Table:
    capex = result["capex"]
    found = _grid("to buy", "low", "middle", "high", "how")
    for part in capex["parts"]:
        how = f"{part['how']} ({part['source'].replace(';', ', ')})"
        found.add_row(part["label"], *_dollars(part), Text(how, style="dim"))
    said = []
    if capex["catalogue_usd"] is not None:
        said.append(f"catalogue's all-in price without the facility {fmt(capex['catalogue_usd'], 'USD')}")
    if result["published"]["cost_usd"] is not None:
        one = result["published"]["cost_usd"]
        said.append(f"published {fmt(one['value'], 'USD')}: {one['where']}")
    found.add_row("what is priced", *_dollars(capex["total"]), Text("; ".join(said), style="dim"))
    return found


def _dollars(row: Mapping[str, Any]) -> list[str]:
    return [fmt(row[name], "USD") for name in ("low_usd", "mid_usd", "high_usd")]


def hpl_text(document: Mapping[str, Any]) -> RenderableType:
    """Return one run of Linpack: what, how long and why, how fast, and how far from what was measured."""
    inputs, result = document["inputs"], document["result"]
    band = result["band"]
    site = f" on each of {result['sites']} sites" if result["sites"] > 1 else ""
    found = {
        "matrix": f"order {result['order']:,.0f}{site}, {100 * result['fill_fraction']:.1f} % of the memory",
        "rate": f"{fmt(result['rate_flop_per_s'], 'flop/s')}, "
        f"{fmt(result['rate_per_chip_flop_per_s'], 'flop/s')} a chip; error: median {fmt(band['p50'], '%')}, "
        f"90th percentile {fmt(band['p90'], '%')} on {band['rows']} runs",
        "efficiency": _efficiency(result),
        "energy": UNKNOWN if result["energy_j"] is None else
        f"{fmt(result['energy_j'], 'J')} of IT at {fmt(result['power_w'], 'W')}; "
        f"{fmt(result['flop_per_j'], 'flop/s').replace('/s', '/s a W')}",
        "measured": UNKNOWN if result["measured_flop_per_s"] is None else
        f"{fmt(result['measured_flop_per_s'], 'flop/s')}; predicted is {100 * result['error']:+.1f} % of it",
    }  # fmt: skip
    if result["measured_power_w"] is not None:
        found["measured power"] = f"{fmt(result['measured_power_w'], 'W')} in the run that is listed"
    times = _grid("time", "seconds", "share")
    for name, label in PARTS_OF_RUN.items():
        value = result["time"][name]
        times.add_row(label, fmt(value, "s"), f"{100 * value / result['total_s']:.1f} %")
    times.add_row("total", fmt(result["total_s"], "s"), "100 %")
    told = [Text(f"warning: {w['message']}", style="yellow") for w in document["warnings"]]
    about = f"{inputs['chips']:,} x {inputs['chip']}; rate of a chip {document['provenance']['calibration']}"
    title = [Text(f"Linpack on {inputs['machine_name']}", style="bold"), Text(about, style="dim")]
    return Group(*title, Text(""), pairs(found), Text(""), times, *told)


def _efficiency(result: Mapping[str, Any]) -> str:
    told = f"{fmt(result['efficiency'], '%')} of {fmt(result['peak_flop_per_s'], 'flop/s')} FP64"
    peak = result["list_peak_flop_per_s"]
    if peak is None:
        return told
    return f"{told}; {fmt(result['rate_flop_per_s'] / peak, '%')} of the list's {fmt(peak, 'flop/s')}"


def cards_text(document: Mapping[str, Any]) -> RenderableType:
    """Return what a budget buys, one chip a row."""
    inputs = document["inputs"]
    asked = []
    if inputs["power_w"] is not None:
        like = f", as {inputs['like']}" if inputs["like"] else ""
        asked.append(f"{fmt(inputs['power_w'], 'W')} at the meter{like}")
    if inputs["budget_usd"] is not None:
        asked.append(fmt(inputs["budget_usd"], "USD"))
    found = _grid("chip", "cards", "servers", "racks", "W each", "MW", *BEST_DTYPES, "hardware", "with hall")
    rows = document["result"]["cards"]
    for row in rows:
        found.add_row(
            row["chip"], f"{row['chips']:,}", f"{row['nodes']:,}",
            UNKNOWN if row["racks"] is None else f"{row['racks']:,}", f"{row['meter_w_per_chip']:,.0f}",
            f"{row['power_w'] / 1e6:,.0f}", *(_exaflop(row["peak_flop_per_s"].get(d)) for d in BEST_DTYPES),
            _middle(row, "hardware"), _middle(row, "capex"))  # fmt: skip
    lines: dict[str, list[str]] = {}
    for row in rows:
        for line in row["missing"]:
            lines.setdefault(line.replace(row["chip"], "it"), []).append(row["chip"])
    told = [Text(f"{', '.join(chips)}: {line}", style="yellow") for line, chips in lines.items()]
    told += [Text(f"left out: {w['message']}", style="yellow") for w in document["warnings"]]
    notes = (
        "W each: at the meter, nameplate, with its share of server, network and cooling; peaks: dense, "
        "exaflop/s; money: middle of the known prices, a star where only part of it is priced"
    )
    return Group(
        Text(f"What {' and '.join(asked)} buys", style="bold"), found, Text(notes, style="dim"), *told
    )


def _exaflop(peak: float | None) -> str:
    if peak is None:
        return ""
    return f"{peak / 1e18:,.0f}" if peak >= 1e20 else figures(peak / 1e18)


def _middle(row: Mapping[str, Any], name: str) -> str:
    if row[name] is None:
        return UNKNOWN
    return fmt(row[name]["mid_usd"], "USD") + ("*" if row["missing"] else "")


def cables_text(document: Mapping[str, Any]) -> RenderableType:
    """Return what a claimed length of cable asks, for each count of machines."""
    inputs, result = document["inputs"], document["result"]
    found = _grid("machines", "chips", "links", "m a link", "m a fibre", "counted cable", "counted fibre")
    for row in result["readings"]:
        found.add_row(
            f"{row['machines']:,.4g}", f"{row['chips']:,.0f}", f"{row['links']:,.0f}",
            figures(row["cable_m_per_link"]), figures(row["strand_m_per_link"]),
            _m(row["counted_cable_m"]), _m(row["counted_strand_m"]))  # fmt: skip
    return Group(
        Text(f"{_m(inputs['claimed_m'])} of cable, in machines like {inputs['machine']}", style="bold"),
        found,
        *_sentences(result),
    )


def _machines(count: float, spread: Sequence[float] | None) -> str:
    """Return how many machines, and between which counts as racks and trays may be placed."""
    if not spread:
        return f"{figures(count)} such machines"
    low, high = spread
    ends = f"{figures(count / high)} to {figures(count / low)}"
    return f"{figures(count)} such machines ({ends} as racks may stand)"


def _sentences(result: Mapping[str, Any]) -> Sequence[Text]:
    first, told = result["readings"][0], []
    if first["mean_m"] is not None:
        told.append(f"a link is counted {figures(first['mean_m'])} m long on average, "
                    f"{figures(first['longest_m'])} m at most: racks in rows and halls")  # fmt: skip
    if result["machines_if_cable"]:
        told.append(
            f"read as cable, it is that of {_machines(result['machines_if_cable'], result['spread'])}"
        )
    if result["machines_if_strands"]:
        count = _machines(result["machines_if_strands"], result["spread"])
        told.append(f"read as strands of fibre, it is that of {count}")
    return [Text(line) for line in told]
