"""The fitted constants of a chip's kernels, read from the calibration data."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from gigawatt.catalog.records import Chip, number
from gigawatt.units import BytesPerSecond, Count, FlopPerSecond, Fraction, Seconds

Tiles = tuple[tuple[float, float], ...]
GPU_TILES: Tiles = ((256.0, 128.0), (128.0, 128.0), (64.0, 64.0))
PLAIN_DTYPE = {"mxfp8": "fp8", "nvfp4": "fp4"}  # scaled formats run at the rate of their plain one


@dataclass(frozen=True, kw_only=True, slots=True)
class KernelLaw:
    """One chip at one dtype: two facts, and fitted constants with where they come from."""

    peak_flop_per_s: FlopPerSecond
    hbm_bytes_per_s: BytesPerSecond
    compute_units: Count  # that take one tile each
    sustained_fraction: Fraction  # of peak, huge products, tile and depth effects removed
    wave_loss: Fraction  # of the last wave's idle part
    tile_half: float  # operand reuse at which a tile reaches half the rate
    k_half: float  # depth whose time filling and draining a tile costs
    hbm_fraction: Fraction
    kernel_floor_s: Seconds
    attention_forward: Fraction  # of peak, long sequences, head size 128
    attention_backward: Fraction
    head_half: float
    keys_half: float
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
    hbm_fraction=1.0,
    kernel_floor_s=0.0,
    attention_forward=0.5,
    attention_backward=0.4,
    head_half=0.0,
    keys_half=0.0,
    origin="example",
)


@lru_cache(maxsize=1)
def table() -> dict[str, Any]:
    """Return the calibration file."""
    return tomllib.loads(
        (files("gigawatt.catalog") / "data" / "calibration" / "kernels.toml").read_text("utf-8")
    )


def _fitted(chip: Chip, dtype: str) -> tuple[dict[str, Any], str]:
    """Return the constants of a chip and dtype, and where they come from: chip, family, or the generic law."""
    data = table()
    values: dict[str, Any] = dict(data["generic"])
    origin = "generic"
    for section, name in (("family", chip.family), ("chip", chip.id)):
        entry = data.get(section, {}).get(name)
        if entry:
            values.update({k: v for k, v in entry.items() if not isinstance(v, dict)})
            values.update(entry.get(dtype, entry.get(PLAIN_DTYPE.get(dtype, dtype), {})))
            origin = f"{section}:{name}"
    return values, origin


@lru_cache(maxsize=256)
def _law(chip_id: str, dtype: str, peak: float, hbm: float, units: float, family: str) -> KernelLaw:
    chip = Chip(id=chip_id, name="", vendor="", family=family, shipping=True, facts={})
    values, origin = _fitted(chip, dtype)
    own = {k: v for k, v in values.items() if k in KernelLaw.__dataclass_fields__}
    own.setdefault("compute_units", units or 128.0)
    if "tiles" in own:
        own["tiles"] = tuple((float(a), float(b)) for a, b in own["tiles"])
    return KernelLaw(**{**own, "peak_flop_per_s": peak, "hbm_bytes_per_s": hbm, "origin": origin})


def kernel_law(chip: Chip, dtype: str) -> KernelLaw:
    """Return the kernel law of a chip at a dtype.

    Constants fitted on the chip itself come first, then on its family, then the generic law; `origin` says which.
    Raises: UnknownFactError when the chip has no rate at the dtype.
    """
    peak = chip.peak_flop_per_s(PLAIN_DTYPE.get(dtype, dtype))
    units = number(chip.facts, "compute_units", chip.id) if "compute_units" in chip.facts else 0.0
    return _law(chip.id, dtype, peak, chip.hbm_bytes_per_s, units, chip.family)
