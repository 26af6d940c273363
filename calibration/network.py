"""Fit what links do with their line rate to measured collectives, and say how well systems left out come out.

One set of constants per kind of link: all systems of a kind share them. Inside a domain the fit takes the
published tables and, where it is installed, the NCCL tables of `aiconfigurator-core`; between domains the
published tables alone. Each system is left out in turn, and its rows are predicted from the others.
Run: python -m calibration.network
"""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from calibration import nccl_tables
from calibration.network_start import FIRST, FITTED, PRIOR_SPREAD, SCALE_UP
from gigawatt.catalog.records import Machine
from gigawatt.comms import constants
from gigawatt.study.collective_rows import collective_s, exchange_bytes_per_s, operation
from gigawatt.study.network_words import machine_in_words

ROOT = Path(__file__).resolve().parents[1]
ROWS = ROOT.parent / "shared" / "facts" / "network" / "nccl_measurements.csv"
DATA = ROOT / "gigawatt" / "catalog" / "data" / "calibration"
NOT_FITTED = ("NOISY", "anomal")  # words of a note: kept in the table, not in the fit
SOFT = 0.05  # relative error beyond which a row pulls less and less
MIB, GIB = 2.0**20, 2.0**30
SMALL_WEIGHT = 0.5  # of messages under 1 MiB: what a benchmark waits there is mostly its host
Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """Measurements of one collective on one system."""

    system: str  # what is left out together
    origin: str
    name: str
    kind: str  # "collective" or "moe"
    machine: Machine
    text: str
    ranks: Array
    size_bytes: Array
    seconds: Array  # where a source prints a rate alone, the time of 1 byte at that rate
    rate_only: bool = False

    @property
    def classes(self) -> set[str]:
        return {constants.class_name(self.machine, i) for i in range(len(self.machine.levels))}


def published() -> list[Series]:
    """Return the rows of the published tables, by system."""
    found: dict[tuple[str, ...], list[tuple[float, float]]] = {}
    with ROWS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if any(word in row["notes"] for word in NOT_FITTED):
                continue
            quiet = "NVLS off" if ("NVLS off" in row["notes"] or "NVLS_ENABLE=0" in row["notes"]) else ""
            key = (row["source"], row["system"], row["n_gpus"], row["collective"], quiet)
            seconds = float(row["time_us"]) * 1e-6 if row["time_us"] else 1e-9 / float(row["busbw_GBps"])
            found.setdefault(key, []).append((float(row["size_bytes"] or 0), seconds))
    return [_series(key, points) for key, points in found.items()]


def _series(key: tuple[str, ...], points: Sequence[tuple[float, float]]) -> Series:
    source, system, ranks, collective, notes = key
    machine = machine_in_words(system, int(ranks), source=source, notes=notes)
    size, seconds = np.array(points).T
    return Series(
        system=f"{source} | {system}",
        origin="published",
        name=operation(collective),
        kind="moe" if collective.startswith("moe_") else "collective",
        machine=machine,
        text=f"{system} {source}",
        ranks=np.full(len(size), float(ranks)),
        size_bytes=size,
        seconds=seconds,
        rate_only=not size.all(),
    )


def tabled() -> list[Series]:
    """Return the kernel tables' rows, by system; none where the package is not installed."""
    return [
        Series(
            system=f"aiconfigurator-core | {chip} NCCL {version}",
            origin="aiconfigurator-core",
            name=name,
            kind="collective",
            machine=machine_in_words(f"{8 if domain == 8 else 4}x{chip} node", domain),
            text="",
            ranks=rows[:, 0],
            size_bytes=rows[:, 1],
            seconds=rows[:, 2],
        )
        for (chip, version, name, domain), rows in nccl_tables.series()
    ]


def predicted_s(one: Series) -> Array:
    """Return the times that the present constants give."""
    if one.rate_only:
        return np.full(len(one.seconds), 1.0 / exchange_bytes_per_s(int(one.ranks[0]), one.machine))
    ranks = float(one.ranks[0]) if np.all(one.ranks == one.ranks[0]) else one.ranks
    seconds = collective_s(one.name, one.size_bytes, chips=ranks, machine=one.machine, text=one.text)
    return np.asarray(seconds, dtype=float)


def weights(one: Series) -> Array:
    """Return the rows' weights: a system of many rows counts as the root of their number."""
    small = np.where((one.size_bytes < MIB) & (not one.rate_only), SMALL_WEIGHT, 1.0)
    share = 0.5 if one.origin != "published" else 1.0
    return np.asarray(share * small / len(one.seconds) ** 0.25)


@dataclass(frozen=True, slots=True)
class Unknowns:
    """The fitted constants of some classes as one vector of logarithms."""

    names: tuple[tuple[str, str], ...]

    def start(self, rows: Mapping[str, Any]) -> Array:
        return np.log([_value(rows, c, n) for c, n in self.names])

    def put(self, rows: Mapping[str, Any], x: Array) -> dict[str, Any]:
        found = {name: dict(row) for name, row in rows.items()}
        for (name, field), value in zip(self.names, np.exp(x), strict=True):
            found[name][field] = float(value)
        return found


def _value(rows: Mapping[str, Any], name: str, field: str) -> float:
    row = rows[name]
    while field not in row:
        row = rows[row["like"]]
    return float(row[field])


def using(rows: Mapping[str, Any]) -> Any:
    """Return a context in which the package reads these constants."""
    made = {name: constants.network_class(name, rows) for name in rows}
    return mock.patch.object(constants, "classes", return_value=made)


def fit(rows: Mapping[str, Any], unknowns: Unknowns, *, data: Sequence[Series]) -> tuple[dict[str, Any], Any]:
    """Return the constants that make the least robust error over some series, and the solver's answer."""
    first = unknowns.start(FIRST)
    low, high = first - 3.0, np.minimum(first + 3.0, [_most(field) for _, field in unknowns.names])

    def errors(x: Array) -> Array:
        with using(unknowns.put(rows, x)):
            parts = [weights(s) * np.log(predicted_s(s) / s.seconds) for s in data]
        return np.concatenate([*parts, (x - first) * SOFT / PRIOR_SPREAD])

    at = np.clip(unknowns.start(rows), low + 1e-6, high - 1e-6)
    found = least_squares(
        errors, at, bounds=(low, high), loss="soft_l1", f_scale=SOFT, max_nfev=40, x_scale=0.3
    )
    return unknowns.put(rows, found.x), found


def _most(field: str) -> float:
    return 0.0 if field.endswith("_fraction") else np.inf


def in_stage(one: Series, name: str) -> bool:
    """Return whether a series moves the constants of a class: a domain's alone, a network's with others."""
    return name in one.classes and (len(one.classes) == 1) == (name in SCALE_UP)


def stages(data: Sequence[Series]) -> Iterator[tuple[Unknowns, list[Series]]]:
    """Yield what is fitted to what: each kind of link inside domains, then the links between them."""
    for name, fields in FITTED.items():
        mine = [s for s in data if in_stage(s, name)]
        if mine:
            yield Unknowns(tuple((name, f) for f in fields)), mine


def all_fitted(data: Sequence[Series], *, start: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return all constants, fitted stage by stage, and the relative uncertainty of each."""
    rows: dict[str, Any] = {name: dict(row) for name, row in start.items()}
    spread: dict[str, Any] = {}
    for unknowns, mine in stages(data):
        rows, found = fit(rows, unknowns, data=mine)
        covariance = np.linalg.inv(found.jac.T @ found.jac) * 2.0 * found.cost / max(len(found.fun), 1)
        for (name, field), variance in zip(unknowns.names, np.diag(covariance), strict=True):
            spread.setdefault(name, {})[field] = float(np.sqrt(variance))
    return rows, spread


def left_out(data: Sequence[Series], fitted: Mapping[str, Any]) -> list[tuple[Series, Array]]:
    """Return each published series with its relative errors when the constants come from other systems.

    Only the stages that a system's rows went into are fitted again: the others do not change.
    """
    found = []
    for system in dict.fromkeys(s.system for s in data if s.origin == "published"):
        held = [s for s in data if s.system == system]
        rest = [s for s in data if s.system != system]
        rows = dict(fitted)
        for unknowns, mine in stages(rest):
            name = unknowns.names[0][0]
            if any(in_stage(s, name) for s in held):
                rows, _ = fit({**rows, name: FIRST[name]}, unknowns, data=mine)
        with using(rows):
            found += [(s, predicted_s(s) / s.seconds - 1.0) for s in held]
    return found


REGIMES: dict[str, Callable[[Series], Any]] = {
    "all_reduce of 1 GiB and more": lambda s: (s.name == "all_reduce") & (s.size_bytes >= GIB),
    "all_reduce of 1 MiB to 1 GiB": lambda s: (
        (s.name == "all_reduce") & (s.size_bytes >= MIB) & (s.size_bytes < GIB)
    ),
    "all_reduce under 1 MiB": lambda s: (s.name == "all_reduce") & (s.size_bytes < MIB),
    "all_gather and reduce_scatter": lambda s: np.full(
        len(s.seconds), s.name in ("all_gather", "reduce_scatter")
    ),
    "all_to_all inside a domain": lambda s: np.full(
        len(s.seconds), s.name == "all_to_all" and len(s.classes) == 1
    ),
    "all_to_all across domains": lambda s: np.full(
        len(s.seconds), s.name == "all_to_all" and len(s.classes) > 1
    ),
}


def summary(pairs: Sequence[tuple[Series, Array]]) -> dict[str, dict[str, float]]:
    """Return count, median, p90 and bias of the relative errors, by regime."""
    found = {}
    for regime, of in REGIMES.items():
        errors = np.concatenate(
            [e[np.asarray(of(s)) & np.ones(len(e), bool)] for s, e in pairs] or [np.zeros(0)]
        )
        if len(errors):
            size = np.abs(errors)
            found[regime] = {
                "rows": len(errors),
                "median": float(np.median(size)),
                "p90": float(np.quantile(size, 0.9)),
                "bias": float(np.median(errors)),
            }
    return found


HEAD = """# Network classes: what links of one kind do with their line rate, and what their steps cost.
# Calibration, not facts: written by `python -m calibration.network`, do not edit.
# Fitted to: {origins}.
# A class that names `like` takes from it what it does not say itself; `uncertainty` is one standard
# deviation over the value, of the constants that measurements moved. All else is a stated first value.
"""


def main() -> None:
    """Fit, leave each system out in turn, and write constants and residuals."""
    if not ROWS.is_file():
        sys.exit(f"{ROWS} is not there: nothing to fit the network classes to; the shipped constants stand")
    tables = tabled()
    if not tables:
        sys.exit(
            "aiconfigurator-core and pyarrow are not installed (pip install 'gigawatt[calibrate]'): "
            "the kernel tables are half of the fit; the shipped constants stand"
        )
    data = published() + tables
    exact, spread = all_fitted(data, start=FIRST)
    rows = {name: {k: rounded(v) for k, v in row.items()} for name, row in exact.items()}
    with using(rows):
        inside = [(s, predicted_s(s) / s.seconds - 1.0) for s in data]
    outside = left_out(data, exact)
    (DATA / "network.toml").write_text(constants_text(rows, spread, data), encoding="utf-8")
    (DATA / "network_residuals.toml").write_text(residuals_text(inside, outside), encoding="utf-8")
    for regime, found in summary(outside).items():
        print(
            f"{regime}: {found['rows']} rows, left out: median {found['median']:.1%}, p90 {found['p90']:.1%}"
        )


def rounded(value: Any) -> Any:
    """Return a number to four figures: the fit says no more."""
    return float(f"{value:.3e}") if isinstance(value, float) and math.isfinite(value) else value


def constants_text(rows: Mapping[str, Any], spread: Mapping[str, Any], data: Sequence[Series]) -> str:
    """Return the file of constants."""
    count = {
        o: sum(len(s.seconds) for s in data if s.origin == o) for o in ("published", "aiconfigurator-core")
    }
    lines = [
        HEAD.format(origins=f"{count['published']} published rows, {count['aiconfigurator-core']} table rows")
    ]
    for name, row in rows.items():
        lines.append(f"[class.{name}]")
        lines += [f"{k} = {_toml(v)}" for k, v in row.items()]
        known = spread.get(name, {})
        if known:
            lines.append("uncertainty = { " + ", ".join(f"{k} = {v:.2g}" for k, v in known.items()) + " }")
        lines.append("")
    return "\n".join(lines)


def _toml(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(float(value))


def residuals_text(inside: Sequence[tuple[Series, Array]], outside: Sequence[tuple[Series, Array]]) -> str:
    """Return the file of residuals: by regime, in the fit and left out, and by system left out."""
    lines = [
        "# Relative errors of predicted collective times: written by `python -m calibration.network`, do not",
        "# edit.",
        "# in_fit: with the shipped constants; left_out: constants from all other systems.",
        "",
    ]
    for title, pairs in (
        ("in_fit.published", [p for p in inside if p[0].origin == "published"]),
        ("in_fit.aiconfigurator-core", [p for p in inside if p[0].origin != "published"]),
        ("left_out.published", outside),
    ):
        lines.append(f"[{title}]")
        for regime, found in summary(pairs).items():
            values = ", ".join(f"{k} = {_figure(v)}" for k, v in found.items())
            lines.append(f'"{regime}" = {{ {values} }}')
        lines.append("")
    lines.append("[left_out.systems]")
    for system in dict.fromkeys(s.system for s, _ in outside):
        errors = np.concatenate([e for s, e in outside if s.system == system])
        said = (
            f"rows = {len(errors)}, median = {np.median(np.abs(errors)):.4f}, bias = {np.median(errors):.4f}"
        )
        lines.append(f'"{system}" = {{ {said} }}')
    return "\n".join(lines) + "\n"


def _figure(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.4f}"


if __name__ == "__main__":
    main()
