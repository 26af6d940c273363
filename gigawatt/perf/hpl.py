"""High-Performance Linpack: how fast a machine factorises one dense matrix that fills its memory."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np

from gigawatt.catalog.records import Chip, Machine
from gigawatt.errors import UnknownFactError
from gigawatt.units import Bytes, BytesPerSecond, Count, Flop, FlopPerSecond, Fraction, Real, Seconds, total

WORD_BYTES = 8.0


@dataclass(frozen=True, kw_only=True, slots=True)
class HplTime:
    """Where one run's time goes: parts that add up to the total."""

    update_s: Seconds  # the trailing matrix, on the chips' FP64 units
    exchange_s: Seconds  # panels and rows on the network, what look-ahead does not hide
    pivot_s: Seconds  # the chain of pivots: one column after the other

    @property
    def total_s(self) -> Seconds:
        return total(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class HplRun:
    """One run on a machine: order of the matrix, time and rate."""

    order: Count
    time: HplTime
    rate_flop_per_s: FlopPerSecond
    origin: str  # how the chips' rate is known

    @property
    def total_s(self) -> Seconds:
        return self.time.total_s


@lru_cache(maxsize=1)
def hpl_table() -> dict[str, Any]:
    """Return the calibration file."""
    return tomllib.loads((files("gigawatt.catalog") / "data" / "calibration" / "hpl.toml").read_text("utf-8"))


def hpl_flop(order: Count) -> Flop:
    """Return the work of one run as the benchmark counts it.

    .. math:: W = \\tfrac{2}{3} N^3 + \\tfrac{3}{2} N^2

    Valid for: LU with partial pivoting and one solve.
    Source: Petitet 2018, HPL 2.3, testing/ptest/HPL_pdtest.c.

    >>> f"{hpl_flop(11_796_480.0):.4e}"
    '1.0944e+21'
    """
    return 2.0 / 3.0 * np.power(order, 3.0) + 1.5 * np.power(order, 2.0)


def hpl_order(chips: Count, memory_bytes: Bytes, *, fill_fraction: Fraction) -> Count:
    """Return the order of the largest matrix that fills a share of all chips' memory.

    .. math:: N = \\sqrt{f n M / 8}

    Valid for: one copy of the matrix in 8-byte words, spread evenly.
    Source: HPL FAQ, "What problem size N should I use?"; the share is fitted.

    >>> round(float(hpl_order(14_400.0, 8e10, fill_fraction=0.9)))
    11384200
    """
    return np.sqrt(fill_fraction * chips * memory_bytes / WORD_BYTES)


def hpl_time(
    order: Count,
    chips: Count,
    *,
    chip_flop_per_s: FlopPerSecond,
    nic_bytes_per_s: BytesPerSecond,
    exposed: Real,
    pivot_hop_s: Seconds,
) -> HplTime:
    """Return the time of one run on a square grid of chips, by parts.

    .. math:: T = \\frac{2 N^3}{3 n R} + c\\, \\frac{8 N^2 (3P + Q)}{2 P Q B} + \\alpha N \\log_2 P,
              \\quad P = Q = \\sqrt n

    R is what a chip sustains on the update, B its share of the network, c the share of the exchange that
    look-ahead leaves exposed; the pivot chain is never hidden.
    Valid for: matrices that live in the chips' memory; 10 chips and more.
    Source: Petitet 2018, HPL scalability, netlib.org/benchmark/hpl/scalability.html; c, alpha, R fitted.

    >>> run = hpl_time(11_796_480.0, 14_400.0, chip_flop_per_s=6e13, nic_bytes_per_s=5e10, exposed=0.5,
    ...                pivot_hop_s=7e-6)
    >>> [round(float(s)) for s in (run.update_s, run.exchange_s, run.pivot_s)]
    [1267, 186, 570]
    """
    N, n, P = order, chips, np.sqrt(chips)
    return HplTime(
        update_s=2.0 * np.power(N, 3.0) / (3.0 * n * chip_flop_per_s),
        exchange_s=exposed * WORD_BYTES * np.power(N, 2.0) * 4.0 / (2.0 * P * nic_bytes_per_s),
        pivot_s=pivot_hop_s * N * np.log2(np.maximum(P, 2.0)),
    )


def fitted_time(
    order: Count, chips: Count, *, chip_flop_per_s: FlopPerSecond, nic_bytes_per_s: BytesPerSecond
) -> HplTime:
    """Return the time of one run with the fitted network terms.

    Definition: hpl_time with the calibration's `exposed` and `pivot_hop_s`.
    """
    table = hpl_table()
    return hpl_time(
        order,
        chips,
        chip_flop_per_s=chip_flop_per_s,
        nic_bytes_per_s=nic_bytes_per_s,
        exposed=table["exposed"],
        pivot_hop_s=table["pivot_hop_s"],
    )


def nearest_matrix(usual_bytes: Mapping[str, Bytes], matrix_bytes: Bytes) -> str:
    """Return the name whose usual matrix a chip's part of the matrix is nearest to, as a ratio.

    Valid for: boards of one listed name that differ in memory; runs fill what they have.
    Definition: least absolute logarithm of the ratio.

    >>> nearest_matrix({"a100-40gb": 3.8e10, "a100": 7.6e10}, 8.0 * 981_504.0**2 / 192)
    'a100-40gb'
    """
    return min(usual_bytes, key=lambda name: abs(np.log(matrix_bytes / usual_bytes[name])))


def listed_row(name: str, matrix_bytes: Bytes | None = None) -> dict[str, Any] | None:
    """Return the calibration's row of a chip as a list of runs names it; None when none was fitted.

    Definition: of boards that share the name, the one that the matrix on a chip fits; without a matrix, the
    row of that name.
    """
    rows: dict[str, Any] = hpl_table()["chip"]
    boards = {n: row["matrix_bytes"] for n, row in rows.items() if row.get("listed") == name}
    if matrix_bytes is None or not boards:
        return rows.get(name)
    found: dict[str, Any] = rows[nearest_matrix(boards, matrix_bytes)]
    return found


def chip_rate(part: Chip) -> tuple[float, str]:
    """Return what a chip sustains on the update, in flop/s, and how that is known.

    Definition: fitted where runs of the chip were measured; else its family's share of the FP64 peak, or the
    share of all families.
    Raises: UnknownFactError when no FP64 peak is known.
    """
    table = hpl_table()
    for row in table["chip"].values():
        if part.id in row["ids"]:
            return float(row["rate_flop_per_s"]), f"fitted to {row['rows']} runs of this chip"
    share = table["family"].get(part.family)
    told = f"share of FP64 peak of {part.family}" if share else "share of FP64 peak of all families"
    return float(share or table["all_families"]) * float(fp64_peak_flop_per_s(part)), told


def fill_fraction(part: Chip) -> Fraction:
    """Return the share of a chip's memory that the matrix of a run fills; above 1 it lies in the host's too.

    Definition: the median of the chip's runs where it shares an address space with the host, else of all.
    """
    table = hpl_table()
    rows = [row for row in table["chip"].values() if part.id in row["ids"]]
    return float(
        next((row["fill_fraction"] for row in rows if "fill_fraction" in row), table["fill_fraction"])
    )


def fp64_peak_flop_per_s(part: Chip) -> FlopPerSecond:
    """Return a chip's FP64 peak, of its matrix units where it has such.

    Definition: the catalogue's fact.
    Raises: UnknownFactError when it is not known.
    """
    for name in ("peak_fp64_matrix_flop_per_s", "peak_fp64_flop_per_s"):
        if name in part.facts:
            return part.number(name)
    raise UnknownFactError(f"no FP64 peak is known for {part.id!r}")


def hpl_run(machine: Machine, order: Count | None = None) -> HplRun:
    """Return one run on a machine; the order fills the fitted share of its memory when none is given.

    Valid for: all chips of the machine.
    Source: hpl_order, hpl_time; the exchange runs at the line rate of a chip's ports, as it was fitted.
    Raises: UnknownFactError when no FP64 peak is known.

    >>> from gigawatt.catalog import machine
    >>> eagle = hpl_run(machine("eagle"), 11_796_480.0)
    >>> bool(0.92 < eagle.rate_flop_per_s / 561.2e15 < 1.08)
    True
    """
    rate, origin = chip_rate(machine.chip)
    if order is None:
        fill = fill_fraction(machine.chip)
        order = hpl_order(machine.chips, machine.chip.hbm_bytes, fill_fraction=fill)
    level = machine.levels[min(1, len(machine.levels) - 1)]
    nic = level.bytes_per_s * level.oversubscription
    time = fitted_time(order, machine.chips, chip_flop_per_s=rate, nic_bytes_per_s=nic)
    return HplRun(order=order, time=time, rate_flop_per_s=hpl_flop(order) / time.total_s, origin=origin)
