"""Predict the rows of a table of Linpack runs; rates, peaks, efficiencies, times and power are never read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gigawatt.catalog.load import chip
from gigawatt.catalog.records import Chip
from gigawatt.errors import GigawattError
from gigawatt.perf.hpl import (
    WORD_BYTES,
    chip_rate,
    fill_fraction,
    fitted_time,
    hpl_flop,
    hpl_order,
    listed_row,
)
from gigawatt.study.network_words import chip_of
from gigawatt.study.row_cells import RowError, number_in
from gigawatt.study.table_file import read_columns

NEEDED = ("name", "accelerator", "n_accelerators_est", "interconnect", "nmax")
OPTIONAL = ("accelerator_cores", "nmax_bytes_per_accel_gib")
GIB = 2.0**30
MOST = 1e12
LINKS = (  # words of an interconnect, and bytes per second of one port; the first that matches
    (r"xdr", 100e9), (r"ndr ?-?200", 25e9), (r"ndr", 50e9), (r"hdr[ -]?100", 12.5e9), (r"hdr", 25e9),
    (r"edr", 12.5e9), (r"fdr", 6.8e9), (r"omni-?path|bxi|slingshot-?10", 12.5e9), (r"slingshot|bcm575", 25e9),
)  # fmt: skip
LISTED_CORES = {"h100": 132, "h200": 132, "gh200": 132, "a100": 108, "mi250x": 220, "mi300a": 228, "v100": 80}
PORT_GBIT = r"(\d+) ?gb?(?:it)?(?:/s|ps|e)?\b"


@dataclass(frozen=True, kw_only=True, slots=True)
class HplPrediction:
    """One row of the answer; numbers are nan where they are not known."""

    row: int  # from 1, without the header
    name: str
    accelerator: str
    n_accelerators_est: str
    status: str  # ok, incomplete, unknown_chip, inconsistent, unsupported
    reason: str = ""
    nmax: float = float("nan")  # as given, or as it fills memory
    rmax_pflops: float = float("nan")
    rmax_per_accel_tf: float = float("nan")
    hpl_time_s: float = float("nan")
    update_s: float = float("nan")
    exchange_s: float = float("nan")
    pivot_s: float = float("nan")
    calibration: str = ""


def read_hpl_rows(path: str | Path) -> list[dict[str, str]]:
    """Return the configuration columns of a table of Linpack runs.

    Raises: FileFormatError when the file is not such a table.
    """
    return read_columns(path, NEEDED, optional=OPTIONAL)


def predict_hpl(rows: Iterable[Mapping[str, str]]) -> Iterator[HplPrediction]:
    """Yield one prediction a row, in order; a row that cannot be predicted says why."""
    for index, row in enumerate(rows, 1):
        try:
            yield _prediction(index, row)
        except RowError as error:
            yield _refused(index, row, error.status, error.reason)
        except GigawattError as error:
            yield _refused(index, row, "unsupported", str(error))


def _refused(index: int, row: Mapping[str, str], status: str, reason: str) -> HplPrediction:
    return HplPrediction(
        row=index,
        name=row["name"],
        accelerator=row["accelerator"],
        n_accelerators_est=row["n_accelerators_est"],
        status=status,
        reason=reason,
    )


def _prediction(index: int, row: Mapping[str, str]) -> HplPrediction:
    part, chips = Accelerator.named(row["accelerator"]), count(row)
    order, told = matrix_order(row, part, chips=chips)
    if row["nmax"] or row.get("nmax_bytes_per_accel_gib"):
        part = Accelerator.named(row["accelerator"], WORD_BYTES * order**2 / chips)
    nic = port_bytes_per_s(row["interconnect"], part)
    time = fitted_time(order, chips, chip_flop_per_s=part.rate_flop_per_s, nic_bytes_per_s=nic)
    rate = float(hpl_flop(order)) / float(time.total_s)
    return HplPrediction(
        row=index,
        name=row["name"],
        accelerator=row["accelerator"],
        n_accelerators_est=row["n_accelerators_est"],
        status="ok",
        reason=told,
        nmax=order,
        rmax_pflops=rate / 1e15,
        rmax_per_accel_tf=rate / chips / 1e12,
        hpl_time_s=float(time.total_s),
        update_s=float(time.update_s),
        exchange_s=float(time.exchange_s),
        pivot_s=float(time.pivot_s),
        calibration=f"{part.origin}; {nic / 1e9:g} GB/s per chip",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Accelerator:
    """A chip as a list of Linpack runs names it."""

    rate_flop_per_s: float
    origin: str
    part: Chip | None  # None: runs of it were fitted, and the catalogue has no such chip

    @classmethod
    def named(cls, text: str, matrix_bytes: float | None = None) -> Accelerator:
        """Return the accelerator of a printed name; the matrix on a chip tells boards of one name apart.

        Raises: RowError when it is none that was fitted or is in the catalogue.
        """
        if not text:
            raise RowError("incomplete", "accelerator")
        plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
        fitted = listed_row(plain, matrix_bytes)
        if fitted:
            ids = fitted["ids"] or (listed_row(plain) or fitted)["ids"]  # a board may have no chip of its own
            part = chip(ids[0]) if ids else None
            origin = f"fitted to {fitted['rows']} runs of this chip"
            return cls(rate_flop_per_s=float(fitted["rate_flop_per_s"]), origin=origin, part=part)
        known = chip_of_accelerator(text)
        rate, origin = chip_rate(known)
        return cls(rate_flop_per_s=rate, origin=origin, part=known)


def chip_of_accelerator(text: str) -> Chip:
    """Return the catalogue's chip of a printed accelerator.

    Raises: RowError when there is none.

    >>> chip_of_accelerator("MI355X").id
    'mi355x'
    """
    from_words = re.sub(r"^(nvidia|amd|intel|instinct)\s+", "", text.strip().lower())
    try:
        return chip_of(from_words)
    except RowError:
        reason = f"accelerator = {text!r} is not in the catalogue, and no run of it was fitted"
        raise RowError("unknown_chip", reason) from None


def count(row: Mapping[str, str]) -> float:
    """Return the number of accelerators; where it is blank, from their cores as the list counts them.

    Raises: RowError when it is not given, or not a count.
    """
    if row["n_accelerators_est"]:
        return _number(row["n_accelerators_est"], "n_accelerators_est")
    each = LISTED_CORES.get(row["accelerator"].strip().lower())
    if row.get("accelerator_cores") and each:
        return _number(row["accelerator_cores"], "accelerator_cores") / each
    raise RowError("incomplete", "n_accelerators_est")


def _number(text: str, name: str) -> float:
    try:
        value = number_in(text)
    except ValueError:
        raise RowError("inconsistent", f"{name} = {text!r} is not a number") from None
    if not 1.0 <= value <= MOST:
        raise RowError("inconsistent", f"{name} = {text!r} is not in 1..{MOST:.0e}")
    return value


def matrix_order(row: Mapping[str, str], part: Accelerator, *, chips: float) -> tuple[float, str]:
    """Return the order of the matrix, and how it is known when it is not given.

    Raises: RowError when it is not given and the chip's memory is not known.
    """
    if row["nmax"]:
        return _number(row["nmax"], "nmax"), ""
    if row.get("nmax_bytes_per_accel_gib"):
        gib = _number(row["nmax_bytes_per_accel_gib"], "nmax_bytes_per_accel_gib")
        return float(hpl_order(chips, gib * GIB, fill_fraction=1.0)), "nmax from nmax_bytes_per_accel_gib"
    if part.part is None:
        raise RowError("incomplete", "nmax")
    fill = float(fill_fraction(part.part))
    order = float(hpl_order(chips, part.part.hbm_bytes, fill_fraction=fill))
    return order, f"nmax blank: the matrix fills {fill:.0%} of memory"


def port_bytes_per_s(interconnect: str, part: Accelerator) -> float:
    """Return a chip's share of the network: one port, but no more than its servers are built with.

    Four or eight rails are one port a chip; two rails serve four chips.
    Raises: RowError when neither text nor catalogue gives a rate.

    >>> known = Accelerator.named("V100")
    >>> port_bytes_per_s("Dual-rail Mellanox EDR Infiniband", known) / 1e9
    6.25
    """
    low = interconnect.lower()
    rate = next((rate for words, rate in LINKS if re.search(words, low)), None)
    if rate is None:
        gbit = re.search(PORT_GBIT, low)
        rate = float(gbit[1]) * 1e9 / 8 if gbit else None
    built = part.part.facts.get("nic_bytes_per_s") if part.part else None
    if rate is not None and re.search(r"(dual|2)[- ]rail", low):
        return rate * 2 / 4
    if rate is not None and re.search(r"(quad|octo|4|8)[- ]rail", low):
        return rate
    if rate is None and built is None:
        raise RowError("incomplete", f"interconnect = {interconnect!r} gives no rate")
    return min(v for v in (rate, float(built.value) if built else None) if v is not None)
