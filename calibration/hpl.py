"""Fit the Linpack model to the runs of the TOP500, and say how well runs left out come out.

One rate per chip, held near its family's share of the FP64 peak; one exposed share of the exchange and one
pivot latency for all. Each system is left out in turn, and each family.
Run: python -m calibration.hpl
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from gigawatt.catalog.load import chip
from gigawatt.perf.hpl import WORD_BYTES, hpl_flop, hpl_time, nearest_matrix
from gigawatt.study.hpl_rows import Accelerator, count, matrix_order, port_bytes_per_s

ROOT = Path(__file__).resolve().parents[1]
ROWS = ROOT.parent / "shared" / "facts" / "network" / "top500_gpu.csv"
DATA = ROOT / "gigawatt" / "catalog" / "data" / "calibration"
Array = NDArray[np.float64]

CHIPS: dict[str, tuple[str, tuple[str, ...], float]] = {  # family, ids in the catalogue, FP64 peak
    "a100": ("ampere", ("a100-sxm",), 19.5e12),
    "a100-40gb": ("ampere", ("a100-sxm-40gb",), 19.5e12),
    "a100-64gb-custom": ("ampere", ("a100-custom-64gb",), 22.4e12),
    "h100": ("hopper", ("h100-sxm",), 66.9e12),
    "h100-94gb": ("hopper", ("h100-sxm-96gb",), 66.9e12),
    "h100-pcie": ("hopper", ("h100-pcie",), 51.2e12),
    "h200": ("hopper", ("h200-sxm",), 66.9e12),
    "gh200": ("hopper", ("gh200-96gb",), 66.9e12),
    "v100": ("volta", ("v100-sxm2-32gb",), 7.8e12),
    "v100-hosts": ("volta", (), 7.8e12),
    "p100": ("pascal", (), 5.3e12),
    "mi210": ("cdna2", (), 45.3e12),
    "mi250x": ("cdna2", ("mi250x",), 95.7e12),
    "mi300a": ("cdna3", ("mi300a",), 122.6e12),
    "pvc-max1550": ("intel-gpu", ("gpu-max-1550",), 52.4e12),
}
GIB = 2.0**30
# Boards that the list prints under one name, and their memory; -hosts: with as much again of the host's. The
# 40 GB board has three quarters of the bandwidth of the 80 GB one, and the 94 GB one a lower power limit;
# most V100 runs that spill are of servers whose chips reach the host's memory over NVLink.
BOARDS: dict[str, dict[str, float]] = {
    "a100": {"a100-40gb": 40 * GIB, "a100": 80 * GIB},
    "h100": {"h100": 80 * GIB, "h100-94gb": 94 * GIB},
    "v100": {"v100": 32 * GIB, "v100-hosts": 64 * GIB},
}
USUAL_FILL = 0.89  # of memory: the median of runs
HOST_MEMORY = ("gh200", "mi300a")  # the matrix may lie in the host's memory too, or it is the same
SPILLS = 1.15  # x memory: so much does not fit, so the run used more chips than are listed, or its hosts
SPILLED_WEIGHT = 0.1
BIG_PFLOPS = 10.0  # reported apart: small systems are tuned less for the list
SOFT = 0.06
FAMILY_SPREAD, CHIP_SPREAD = 0.3, 0.07  # of the logarithm of a rate over peak
FIRST = {"share": 0.85, "exposed": 0.35, "pivot_hop_s": 8.3e-6}


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One entry of the list."""

    system: str
    accelerator: str
    order: float
    chips: float
    nic_bytes_per_s: float
    flop_per_s: float
    weight: float

    @property
    def family(self) -> str:
        return CHIPS[self.accelerator][0]


def runs() -> list[Run]:
    """Return the entries that have a matrix order, a count of chips and no flag."""
    found = []
    with ROWS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["nmax"] and row["n_accelerators_est"] and not row["data_flag"]:
                found.append(_run(row))
    return found


def usual_matrices(listed: str) -> dict[str, float]:
    """Return the bytes of matrix that a run usually puts on each board of a listed name."""
    return {n: USUAL_FILL * m for n, m in BOARDS.get(listed, {listed: 1.0}).items()}


def _run(row: dict[str, str]) -> Run:
    listed = re.sub(r"[^a-z0-9]+", "-", row["accelerator"].lower()).strip("-")
    ids = CHIPS[listed][1]
    part = Accelerator(rate_flop_per_s=1.0, origin="", part=chip(ids[0]) if ids else None)
    chips = count(row)
    order, _ = matrix_order(row, part, chips=chips)
    name = nearest_matrix(usual_matrices(listed), WORD_BYTES * order**2 / chips)
    own = CHIPS[name][1]
    memory = chip(own[0]).hbm_bytes if own else np.inf
    spills = name not in HOST_MEMORY and WORD_BYTES * order**2 / chips > SPILLS * memory
    return Run(
        system=f"{row['name']} | {row['site']}",
        accelerator=name,
        order=order,
        chips=chips,
        nic_bytes_per_s=port_bytes_per_s(row["interconnect"], part),
        flop_per_s=float(row["rmax_pflops"]) * 1e15,
        weight=SPILLED_WEIGHT if spills else 1.0,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitted:
    """What the fit found."""

    all_families: float
    families: dict[str, float]
    rates: dict[str, float]  # flop/s of a chip
    exposed: float
    pivot_hop_s: float
    spread: dict[str, float]  # one standard deviation over the value


class Coordinates:
    """The unknowns as one vector of logarithms: all families, each family, each chip, exposed, pivot."""

    def __init__(self) -> None:
        self.chips = tuple(CHIPS)
        self.families = tuple(sorted({family for family, _, _ in CHIPS.values()}))
        self.length = 1 + len(self.families) + len(self.chips) + 2

    def rates(self, x: Array) -> dict[str, float]:
        """Return each chip's rate: peak x share of all x its family's x its own deviation."""
        shares = self.shares(x)
        own = dict(zip(self.chips, x[1 + len(self.families) : -2], strict=True))
        return {c: CHIPS[c][2] * shares[CHIPS[c][0]] * float(np.exp(own[c])) for c in self.chips}

    def shares(self, x: Array) -> dict[str, float]:
        return {f: float(np.exp(x[0] + d)) for f, d in zip(self.families, x[1:], strict=False)}

    def first(self) -> Array:
        x = np.zeros(self.length)
        x[0], x[-2], x[-1] = np.log([FIRST["share"], FIRST["exposed"], FIRST["pivot_hop_s"]])
        return x

    def spreads(self) -> Array:
        return np.concatenate(
            [[1.0], [FAMILY_SPREAD] * len(self.families), [CHIP_SPREAD] * len(self.chips), [1.0, 1.0]]
        )


def predicted(found: Fitted, data: Sequence[Run]) -> Array:
    """Return the rates that the constants give, in flop/s."""
    order, chips, nic = (
        np.array([getattr(r, n) for r in data]) for n in ("order", "chips", "nic_bytes_per_s")
    )
    time = hpl_time(
        order,
        chips,
        chip_flop_per_s=np.array([found.rates[r.accelerator] for r in data]),
        nic_bytes_per_s=nic,
        exposed=found.exposed,
        pivot_hop_s=found.pivot_hop_s,
    )
    return np.asarray(hpl_flop(order) / time.total_s)


def fit(data: Sequence[Run]) -> Fitted:
    """Return the constants of least robust error."""
    space = Coordinates()
    first, spreads = space.first(), space.spreads()
    measured, weights = np.array([r.flop_per_s for r in data]), np.array([r.weight for r in data])

    def made(x: Array, spread: Array | None = None) -> Fitted:
        names = ["all", *space.families, *space.chips, "exposed", "pivot_hop_s"]
        return Fitted(
            all_families=float(np.exp(x[0])),
            families=space.shares(x),
            rates=space.rates(x),
            exposed=float(np.exp(x[-2])),
            pivot_hop_s=float(np.exp(x[-1])),
            spread=dict(zip(names, spread if spread is not None else x, strict=True)),
        )

    def errors(x: Array) -> Array:
        misfit = weights * np.log(predicted(made(x), data) / measured)
        return np.concatenate([misfit, (x - first) * SOFT / spreads])

    found = least_squares(errors, first, loss="cauchy", f_scale=SOFT)
    covariance = np.linalg.inv(found.jac.T @ found.jac) * SOFT**2
    return made(found.x, np.sqrt(np.diag(covariance)))


def left_out(data: Sequence[Run], key: Callable[[Run], str]) -> Array:
    """Return the relative errors of runs whose group was left out of the fit."""
    errors = np.zeros(len(data))
    for group in sorted({key(r) for r in data}):
        inside = [i for i, r in enumerate(data) if key(r) == group]
        found = fit([r for r in data if key(r) != group])
        held = [data[i] for i in inside]
        errors[inside] = predicted(found, held) / np.array([r.flop_per_s for r in held]) - 1.0
    return errors


def summary(errors: Array) -> str:
    """Return count, median, p90 and bias as a row of TOML."""
    size = np.abs(errors)
    return (
        f"{{ rows = {len(errors)}, median = {np.median(size):.4f}, p90 = {np.quantile(size, 0.9):.4f}, "
        f"bias = {np.median(errors):.4f} }}"
    )


def fill_fraction(data: Sequence[Run]) -> float:
    """Return the share of memory that runs fill: the median of those that fit."""
    found = []
    for run in data:
        ids = CHIPS[run.accelerator][1]
        share = 8.0 * run.order**2 / run.chips / chip(ids[0]).hbm_bytes if ids else np.inf
        if 0.6 < share < 1.0:
            found.append(share)
    return float(np.median(found))


def own_fill(data: Sequence[Run], name: str) -> float | None:
    """Return the share of a chip's memory that its runs fill, where the host's memory holds the rest."""
    if name not in HOST_MEMORY:
        return None
    memory = chip(CHIPS[name][1][0]).hbm_bytes
    return float(np.median([8.0 * r.order**2 / r.chips / memory for r in data if r.accelerator == name]))


def text(found: Fitted, data: Sequence[Run], residuals: dict[str, Array]) -> str:
    """Return the file of constants and residuals."""
    counts = {c: sum(r.accelerator == c for r in data) for c in CHIPS}
    lines = [
        "# High-Performance Linpack: what chips sustain, and what the network adds. Calibration, not facts:",
        "# written by `python -m calibration.hpl` from the runs of the TOP500, do not edit.",
        f"exposed = {found.exposed:.4g}  # +- {found.spread['exposed']:.0%}",
        f"pivot_hop_s = {found.pivot_hop_s:.3e}  # +- {found.spread['pivot_hop_s']:.0%}",
        f"fill_fraction = {fill_fraction(data):.3f}  # median share of memory that a run fills",
        f"all_families = {found.all_families:.4g}  # share of FP64 peak, of a family without runs",
        "",
        "[family]",
        *(f"{f} = {share:.4g}" for f, share in found.families.items()),
        "",
    ]
    for name, rate in found.rates.items():
        ids = ", ".join(f'"{i}"' for i in CHIPS[name][1])
        lines += [f"[chip.{name}]", f"ids = [{ids}]", f"rate_flop_per_s = {rate:.4g}"]
        lines += [
            f'listed = "{listed}"\nmatrix_bytes = {usual_matrices(listed)[name]:.4g}'
            for listed, boards in BOARDS.items()
            if name in boards
        ]
        lines += [f"uncertainty = {found.spread[name]:.2g}", f"rows = {counts[name]}"]
        fill = own_fill(data, name)
        lines += [
            ""
            if fill is None
            else f"fill_fraction = {fill:.3f}  # of its HBM, in one address space with the host\n"
        ]
    lines += ["[residuals]", *(f'"{k}" = {summary(e)}' for k, e in residuals.items()), ""]
    return "\n".join(lines)


def main() -> None:
    """Fit, leave out, and write constants and residuals."""
    if not ROWS.is_file():
        sys.exit(f"{ROWS} is not there: nothing to fit Linpack to; the shipped constants stand")
    data = runs()
    found = fit(data)
    big = np.array([r.flop_per_s > BIG_PFLOPS * 1e15 for r in data])
    inside = predicted(found, data) / np.array([r.flop_per_s for r in data]) - 1.0
    systems, families = left_out(data, lambda r: r.system), left_out(data, lambda r: r.family)
    residuals: dict[str, Any] = {
        "in fit": inside,
        "in fit, over 10 PF": inside[big],
        "system left out": systems,
        "system left out, over 10 PF": systems[big],
        "family left out, over 10 PF": families[big],
    }
    for family in sorted({r.family for r in data}):
        mine = np.array([r.family == family for r in data])
        residuals[f"system left out, {family}"] = systems[mine]
    (DATA / "hpl.toml").write_text(text(found, data, residuals), encoding="utf-8")
    for name, errors in residuals.items():
        print(f"{name}: {summary(errors)}")


if __name__ == "__main__":
    main()
