"""Fit the kernel laws of every measured chip: run as `python -m calibration.kernels`.

Needs the package aiconfigurator-core (and pyarrow to read it); writes kernels.toml, the constants, and
kernel_residuals.toml, how far measured kernels are from them, beside the package's other calibrations.
"""

from __future__ import annotations

import dataclasses
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calibration import kernels_data as data
from calibration import kernels_fit as fit
from calibration.kernels_write import residuals_text, write_constants
from gigawatt.catalog.load import chip
from gigawatt.perf.kernel_constants import EXAMPLE_LAW, PLAIN_DTYPE, KernelLaw

OUT = Path(__file__).resolve().parents[1] / "gigawatt" / "catalog" / "data" / "calibration"
ASSUMED = Path(__file__).with_name("kernels_assumed.toml")
LAST = "a100-sxm"  # has no casts and one head size: takes what is borrowed
PRODUCT_DTYPES = ("bf16", "fp8", "fp8_block", "nvfp4")


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One operator of one chip: its rows and how they were met; `fields` is what the fit gives to the law."""

    chip: str
    dtype: str
    operator: str
    rows: data.Rows
    fit: fit.Fit
    fields: tuple[str, ...]  # empty: predicted from other operators' constants, nothing fitted


def memory_result(chip_id: str, place: Path, *, law: KernelLaw) -> Result | None:
    """Fit the share of memory bandwidth that a cast reaches."""
    rows = data.casts(place)
    if not len(rows):
        return None
    families = {"size": rows.shape["m"]}
    found = fit.fitted(law, fit.LAW_OF_MEMORY, rows=rows, predict=fit.casts_s, families=families)
    return Result(
        chip=chip_id, dtype="any", operator="memory-bound", rows=rows, fit=found, fields=("hbm_fraction",)
    )


def product_result(chip_id: str, place: Path, *, dtype: str, law: KernelLaw) -> Result | None:
    """Fit the products of one dtype; 16 bits also give the launch floor."""
    rows = data.products(place, dtype)
    if not len(rows):
        return None
    peak = chip(chip_id).peak_flop_per_s(PLAIN_DTYPE.get(dtype, dtype))
    law = dataclasses.replace(law, peak_flop_per_s=peak)
    own = fit.LAW_OF_PRODUCTS | (fit.LAUNCH if dtype == "bf16" else {})
    unknowns = own | fit.THROTTLE | ({} if dtype == "bf16" else fit.CAST)
    s = rows.shape
    families: dict[str, data.Column] = {"n,k": s["n"] * 2**20 + s["k"], "m": data.octave(s["m"])}
    found = fit.fitted(law, unknowns, rows=rows, predict=fit.products_s(dtype), families=families)
    return Result(chip=chip_id, dtype=dtype, operator="product", rows=rows, fit=found, fields=tuple(own))


def attention_result(chip_id: str, place: Path, *, law: KernelLaw) -> Result | None:
    """Fit causal attention; where one head size alone was measured, its law of heads stays as it came."""
    rows = data.attention(place)
    if not len(rows):
        return None
    own = fit.LAW_OF_ATTENTION | (fit.HEADS if len(np.unique(rows.shape["head_dim"])) > 1 else {})
    families = {"sequence": rows.shape["isl"], "heads": rows.shape["num_heads"]}
    found = fit.fitted(
        law,
        own | fit.APPEND | fit.THROTTLE,
        rows=rows,
        predict=fit.attention_as_timed_s,
        families=families,
    )
    return Result(chip=chip_id, dtype="bf16", operator="attention", rows=rows, fit=found, fields=tuple(own))


def checks(chip_id: str, place: Path, *, fits: dict[tuple[str, str], Result]) -> Iterator[Result]:
    """Predict operators that no constant is fitted to: expert layers, and attention with latent keys."""
    for dtype in data.EXPERT_RULES:
        rows = data.experts(place, dtype)
        if len(rows) and ("product", dtype) in fits:
            unknowns = fit.ROUTING | fit.THROTTLE
            law = fits["product", dtype].fit.law
            found = fit.fitted(law, unknowns, rows=rows, predict=fit.experts_s(dtype), families={})
            yield Result(chip=chip_id, dtype=dtype, operator="experts", rows=rows, fit=found, fields=())
    rows = data.latent_attention(place)
    if len(rows) and ("attention", "bf16") in fits:
        own = fits["attention", "bf16"].fit
        error = fit.relative_error(own.law, own.beside, rows=rows, predict=fit.latent_attention_s)
        found = fit.Fit(law=own.law, beside=own.beside, error=error, left_out={})
        yield Result(chip=chip_id, dtype="bf16", operator="latent attention", rows=rows, fit=found, fields=())


def facts(chip_id: str) -> KernelLaw:
    """Return a chip's facts at 16 bits, with a perfect machine's constants where the fit will put its own."""
    own = chip(chip_id)
    return dataclasses.replace(
        EXAMPLE_LAW,
        peak_flop_per_s=own.peak_flop_per_s("bf16"),
        hbm_bytes_per_s=own.hbm_bytes_per_s,
        compute_units=own.number("compute_units"),
    )


def chip_results(chip_id: str, place: Path, *, others: dict[str, float]) -> list[Result]:
    """Return all fits and checks of one chip; `others` speaks where the chip was not measured."""
    base = dataclasses.replace(facts(chip_id), **others)  # type: ignore[arg-type]
    found: dict[tuple[str, str], Result] = {}
    memory = memory_result(chip_id, place, law=base)
    if memory is not None:
        found["memory-bound", "any"] = memory
        base = dataclasses.replace(base, hbm_fraction=memory.fit.law.hbm_fraction)
    for dtype in PRODUCT_DTYPES:
        result = product_result(chip_id, place, dtype=dtype, law=base)
        if result is not None:
            found["product", dtype] = result
            base = dataclasses.replace(base, kernel_floor_s=result.fit.law.kernel_floor_s)
    attention = attention_result(chip_id, place, law=base)
    if attention is not None:
        found["attention", "bf16"] = attention
    return [*found.values(), *checks(chip_id, place, fits=found)]


def borrowed(results: list[Result]) -> dict[str, float]:
    """Return what speaks for a chip without own rows: the middle memory share, heads of FlashAttention-2."""
    shares = [float(r.fit.law.hbm_fraction) for r in results if r.operator == "memory-bound"]
    heads = tomllib.loads(ASSUMED.read_text("utf-8"))["generic"]["flash2_head_half"]
    return {"hbm_fraction": float(np.median(shares)), "head_half": heads, "head_gain": 1.0}


def line(r: Result) -> str:
    """Return one line of the table: all sizes, training's sizes, families left out."""
    e, large = np.abs(r.fit.error), r.fit.error[data.of_training(r.rows)]
    out = " ".join(f"{name} {np.median(np.abs(v)):.1%}" for name, v in r.fit.left_out.items())
    return (
        f"{r.chip:9} {r.dtype:9} {r.operator:16} {len(e):5} median {np.median(e):5.1%} "
        f"p90 {np.quantile(e, 0.9):5.1%} bias {np.median(r.fit.error):+5.1%} | {len(large):4} large "
        f"{np.median(np.abs(large)):5.1%} p90 {np.quantile(np.abs(large), 0.9):5.1%} "
        f"bias {np.median(large):+5.1%} | left out {out}"
    )


def main() -> int:
    """Fit, print the errors, write the data."""
    place = data.root()
    if place is None:
        print(
            f"{data.PACKAGE} and pyarrow are not installed: pip install 'gigawatt[calibrate]'",
            file=sys.stderr,
        )
        return 6
    start = time.monotonic()
    results: list[Result] = []
    for chip_id in sorted(data.SYSTEMS, key=lambda c: (c == LAST, c)):
        others = borrowed(results) if chip_id == LAST else {}
        own = chip_results(chip_id, place / data.SYSTEMS[chip_id], others=others)
        results += own
        print("\n".join(line(r) for r in own), flush=True)
    results.sort(key=lambda r: r.chip)
    write_constants(OUT / "kernels.toml", ASSUMED, results=results, borrowed={LAST: borrowed(results)})
    (OUT / "kernel_residuals.toml").write_text(residuals_text(results), "utf-8")
    print(f"{len(results)} fits and checks in {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
