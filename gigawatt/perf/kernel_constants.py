"""The fitted constants of a chip's kernels, read from the calibration data."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

from gigawatt.catalog.records import Chip, number
from gigawatt.units import BytesPerSecond, Count, FlopPerSecond, Fraction, Real, Seconds

Tiles = tuple[tuple[float, float], ...]
GPU_TILES: Tiles = ((256.0, 128.0), (128.0, 128.0), (128.0, 64.0))
PLAIN_DTYPE = {  # scaled formats run at the rate of their plain one
    "mxfp8": "fp8",
    "fp8_block": "fp8",
    "nvfp4": "fp4",
}
RELATIVE_ERROR_RATIO = (
    1.5  # borrowed constants are wrong by their own error and by the difference of the chips
)

FLASH1_RATE = 0.5  # of the first FlashAttention's kernels over its second version's


@dataclass(frozen=True, kw_only=True, slots=True)
class KernelLaw:
    """One chip at one dtype: two facts, and fitted constants with where they come from."""

    peak_flop_per_s: FlopPerSecond
    hbm_bytes_per_s: BytesPerSecond
    compute_units: Count  # that take one tile each
    sustained_fraction: Fraction  # of peak, huge products in short runs, tile and depth effects removed
    wave_loss: Fraction  # of the last wave's idle part
    tile_half: float  # operand reuse at which a tile reaches half the rate
    k_half: float  # depth whose time filling and draining a tile costs
    overlap_loss: Fraction  # of the shorter of compute and memory time: not hidden behind the longer
    hbm_fraction: Fraction
    kernel_floor_s: Seconds
    attention_forward: Fraction  # of peak, long sequences, head size 128
    attention_backward_ratio: Fraction  # of the forward rate
    head_half: float
    head_gain: Real  # most that heads larger than 128 gain on heads of 128
    keys_half: float
    attention_wave_loss: Fraction
    flash2_rate: Fraction  # of FlashAttention-2's kernels over that of the best kernels of the chip
    flash2_head_half: float  # `head_half` of FlashAttention-2's kernels
    long_run: Fraction = 1.0  # rate of products in long, warm runs over that in short ones
    attention_long_run: Fraction = 1.0
    tiles: Tiles = GPU_TILES
    origin: str = ""  # which fit, or which relative
    error_p50: Fraction = 0.0
    error_p90: Fraction = 0.0


EXAMPLE_LAW = KernelLaw(  # a perfect machine of round numbers, for worked examples
    peak_flop_per_s=1e15,
    hbm_bytes_per_s=2e12,
    compute_units=128.0,
    sustained_fraction=1.0,
    wave_loss=0.0,
    tile_half=0.0,
    k_half=0.0,
    overlap_loss=0.0,
    hbm_fraction=1.0,
    kernel_floor_s=0.0,
    attention_forward=0.5,
    attention_backward_ratio=0.8,
    head_half=0.0,
    head_gain=1.1,
    keys_half=0.0,
    attention_wave_loss=0.0,
    flash2_rate=1.0,
    flash2_head_half=0.0,
    origin="example",
)


def with_flash2(law: KernelLaw) -> KernelLaw:
    """Return a law whose attention is FlashAttention-2's; where these are the chip's best kernels, the same.

    Its kernels lose less on small heads and gain nothing on large ones, for they use Ampere's instructions on
    every chip.
    Source: Dao 2023, arXiv:2307.08691; constants with their sources in the calibration data.

    >>> slow = replace(EXAMPLE_LAW, flash2_rate=0.6, flash2_head_half=23.4)
    >>> with_flash2(slow).attention_forward, with_flash2(slow).head_half
    (0.3, 23.4)
    """
    if law.flash2_rate == 1.0:
        return law
    rate = law.attention_forward * law.flash2_rate
    return replace(law, attention_forward=rate, head_half=law.flash2_head_half, head_gain=1.0)


def with_flash1(law: KernelLaw) -> KernelLaw:
    """Return a law whose attention is the first FlashAttention's: half as fast as its second version.

    Source: Dao 2023, arXiv:2307.08691 (around 2 x speedup compared to FlashAttention).

    >>> with_flash1(EXAMPLE_LAW).attention_forward
    0.25
    """
    second = with_flash2(law)
    return replace(second, attention_forward=FLASH1_RATE * second.attention_forward)


@lru_cache(maxsize=1)
def table() -> dict[str, Any]:
    """Return the calibration file."""
    return tomllib.loads(
        (files("gigawatt.catalog") / "data" / "calibration" / "kernels.toml").read_text("utf-8")
    )


@lru_cache(maxsize=1)
def _long_runs() -> dict[tuple[str, str, str], float]:
    """Return, by chip, dtype and operator, the rate of long runs over that of short ones, as measured."""
    file = files("gigawatt.catalog") / "data" / "calibration" / "kernel_residuals.toml"
    rows = tomllib.loads(file.read_text("utf-8"))["row"]
    return {
        (row["chip"], row["dtype"], row["operator"]): 1.0 / (1.0 + row["timing"]["throttle"])
        for row in rows
        if "throttle" in row.get("timing", {})
    }


def long_run_fraction(chip_id: str, dtype: str, *, operator: str) -> Fraction:
    """Return the rate of an operator in long, warm runs over that in short ones; 1 where none was measured.

    A chip without measurements is as its relative, a dtype without as 16 bits: power holds the clock, and the
    power is that of the silicon.
    Definition: 1 / (1 + slowdown) of the kernel measurements.

    >>> long_run_fraction("tpu-v4", "bf16", operator="product")
    1.0
    """
    measured = table()["relative"].get(chip_id, chip_id)
    names = (dtype, "fp8" if dtype == "mxfp8" else dtype, "bf16")
    return next((_long_runs()[key] for n in names if (key := (measured, n, operator)) in _long_runs()), 1.0)


def _lines(chip: Chip) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Give what is known of a chip, the general first: where from, the constants, whether borrowed."""
    data = table()
    yield "generic", data["generic"], False
    if chip.family in data["family"]:
        yield f"family:{chip.family}", data["family"][chip.family], True
    like = data["relative"].get(chip.id)
    if like:
        yield f"relative:{like}", data["chip"][like], True
    if chip.id in data["chip"]:
        yield f"chip:{chip.id}", data["chip"][chip.id], False


def _fitted(chip: Chip, dtype: str) -> tuple[dict[str, Any], str]:
    """Return the constants of a chip and dtype, and where the most specific ones come from."""
    values: dict[str, Any] = {}
    origin = ""
    for place, entry, borrowed in _lines(chip):
        own = {k: v for k, v in entry.items() if not isinstance(v, dict)}
        own |= entry.get(dtype, entry.get(PLAIN_DTYPE.get(dtype, dtype), {}))
        if borrowed:
            own |= {k: RELATIVE_ERROR_RATIO * own[k] for k in ("error_p50", "error_p90") if k in own}
        origin = f"{place} (assumed)" if own.get("assumed") else place
        values |= own
    return values, origin


@lru_cache(maxsize=256)
def _law(chip_id: str, dtype: str, peak: float, hbm: float, units: float, family: str) -> KernelLaw:
    chip = Chip(id=chip_id, name="", vendor="", family=family, shipping=True, facts={})
    values, origin = _fitted(chip, dtype)
    own = {k: v for k, v in values.items() if k in KernelLaw.__dataclass_fields__}
    own.setdefault("compute_units", units or 128.0)
    if "tiles" in own:
        own["tiles"] = tuple((float(a), float(b)) for a, b in own["tiles"])
    own["long_run"] = long_run_fraction(chip_id, dtype, operator="product")
    own["attention_long_run"] = long_run_fraction(chip_id, dtype, operator="attention")
    return KernelLaw(**{**own, "peak_flop_per_s": peak, "hbm_bytes_per_s": hbm, "origin": origin})


def kernel_law(chip: Chip, dtype: str) -> KernelLaw:
    """Return the kernel law of a chip at a dtype.

    Constants fitted on the chip itself come first, then those of its nearest measured relative, then of its
    family, then the generic law; `origin` says which.
    Raises: UnknownFactError when the chip has no rate at the dtype.
    """
    peak = chip.peak_flop_per_s(PLAIN_DTYPE.get(dtype, dtype))
    units = number(chip.facts, "compute_units", chip.id) if "compute_units" in chip.facts else 0.0
    return _law(chip.id, dtype, peak, chip.hbm_bytes_per_s, units, chip.family)
