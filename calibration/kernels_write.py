"""The fitted constants and their residuals, as the data files that the package ships."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from calibration.kernels_data import (
    ATTENTION_RULE,
    CAST_RULE,
    EXPERT_RULES,
    PACKAGE,
    PRODUCT_RULES,
    of_training,
    package_version,
)
from gigawatt.catalog.load import chip

if TYPE_CHECKING:
    from calibration.kernels import Result

BAND_KEY = {"product": "n,k", "attention": "sequence"}  # the left-out families that the band is taken from


def _number(value: float) -> str:
    return f"{float(value):.4g}"


def _pairs(values: Mapping[str, float]) -> list[str]:
    """Return names and values to the digits that a fit finds again: four, none below 1e-4 but in seconds."""
    kept = {name: v if name.endswith("_s") else round(v, 4) for name, v in values.items()}
    return [f"{name} = {_number(v)}" for name, v in sorted(kept.items())]


def band(r: Result) -> dict[str, float]:
    """Return the median and the 90 % quantile of the errors with families left out."""
    error = np.abs(r.fit.left_out[BAND_KEY[r.operator]])
    return {"error_p50": float(np.median(error)), "error_p90": float(np.quantile(error, 0.9))}


def constants(results: Iterable[Result]) -> dict[str, dict[str, dict[str, float]]]:
    """Return the constants by chip and dtype: "" holds what all dtypes share, fitted in 16 bits."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for r in results:
        if r.fields:
            key = "" if r.dtype in ("any", "bf16") else r.dtype
            own = found.setdefault(r.chip, {}).setdefault(key, {})
            own |= {name: getattr(r.fit.law, name) for name in r.fields}
            own |= band(r) if r.operator == "product" else {}
    return found


def family_constants(
    found: Mapping[str, Mapping[str, Mapping[str, float]]],
) -> dict[str, dict[str, dict[str, float]]]:
    """Return the median over the measured chips of each family, with the widest of their bands."""
    members: dict[str, dict[str, list[Mapping[str, float]]]] = {}
    for name, parts in found.items():
        for dtype, values in parts.items():
            members.setdefault(chip(name).family, {}).setdefault(dtype, []).append(values)
    return {
        family: {dtype: _middle(rows) for dtype, rows in parts.items()} for family, parts in members.items()
    }


def _middle(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = sorted(set.intersection(*(set(r) for r in rows)))
    return {n: float((np.max if n.startswith("error") else np.median)([r[n] for r in rows])) for n in names}


def _section(kind: str, parts: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[str]:
    lines = []
    for name, by_dtype in sorted(parts.items()):
        for dtype, values in sorted(by_dtype.items()):
            lines += ["", f"[{kind}.{name}{'.' + dtype if dtype else ''}]", *_pairs(values)]
    return lines


def _with_assumed(
    assumed: Mapping[str, Any], fitted: Mapping[str, dict[str, dict[str, float]]]
) -> dict[str, dict[str, dict[str, float]]]:
    """Return the measured families with what was assumed for them."""
    return {
        name: parts
        | {"": {k: v for k, v in assumed.get(name, {}).items() if not isinstance(v, list)} | parts[""]}
        for name, parts in fitted.items()
    }


def _assumed_text(path: Path, measured: Iterable[str]) -> str:
    """Return the hand-written file without the families that were measured: those follow with their fits."""
    skip = {f"[family.{name}]" for name in measured}
    parts = path.read_text("utf-8").split("\n\n")
    return "\n\n".join(p for p in parts if p.split(" #")[0].splitlines()[0].strip() not in skip).strip()


def write_constants(
    path: Path, assumed: Path, *, results: Sequence[Result], borrowed: Mapping[str, Mapping[str, float]]
) -> None:
    """Write kernels.toml: assumed constants, families, chips."""
    own = constants(results)
    for name, parts in own.items():
        parts[""] = dict(borrowed.get(name, {})) | parts[""]
    by_hand = tomllib.loads(assumed.read_text("utf-8"))["family"]
    families = _with_assumed(by_hand, family_constants(own))
    lines = [
        "# Constants of the kernel laws: calibration, not facts. Written by `python -m calibration.kernels`.",
        _assumed_text(assumed, families),
        "",
        f"# Families and chips fitted to the measured kernel times of {PACKAGE} {package_version()}:",
        "# a family is the median of its chips with the widest of their bands. See kernel_residuals.toml.",
        "# attention_backward_ratio is assumed: Dao 2023, arXiv:2307.08691 fig. 4-5 (Ampere), Shah 2024,",
        "# arXiv:2407.08608 fig. 5-6 (Hopper); lower again on Blackwell.",
        *_section("family", families),
        *_section("chip", own),
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _errors(name: str, error: Any) -> str:
    size = np.abs(error)
    found = {"p50": np.median(size), "p90": np.quantile(size, 0.9), "bias": np.median(error)}
    return f"{name} = {{ " + ", ".join(f"{n} = {_number(float(v))}" for n, v in found.items()) + " }"


def _block(r: Result) -> list[str]:
    sizes = [_errors(f'left_out."{name}"', error) for name, error in r.fit.left_out.items()]
    return [
        "",
        "[[row]]",
        f'chip = "{r.chip}"',
        f'dtype = "{r.dtype}"',
        f'operator = "{r.operator}"',
        f"fitted = {'true' if r.fields else 'false'}",
        f"measured_rows = {r.rows.measured}",
        f"shapes = {len(r.rows)}",
        f"files = [{', '.join(repr(f) for f in r.rows.files)}]".replace("'", '"'),
        _errors("all", r.fit.error),
        _errors("training_sizes", r.fit.error[of_training(r.rows)]),
        *sizes,
        *(["timing = { " + ", ".join(_pairs(r.fit.beside)) + " }"] if r.fit.beside else []),
    ]


def _rules() -> list[str]:
    named = [(f"product {d}", rule) for d, rule in PRODUCT_RULES.items()]
    named += [("attention", ATTENTION_RULE), ("memory-bound", CAST_RULE)]
    named += [(f"experts {d}", rule) for d, rule in EXPERT_RULES.items()]
    return [
        f"#   {name}: {rule.pick} of {', '.join(rule.backends) or 'all backends'} ({rule.why})"
        for name, rule in named
    ]


def residuals_text(results: Iterable[Result]) -> str:
    """Return kernel_residuals.toml."""
    head = [
        f"# Predicted over measured kernel times, less one: {PACKAGE} {package_version()}.",
        "# Written by `python -m calibration.kernels`. Of a backend the version of most rows; of a shape:",
        *_rules(),
        "# `left_out`: each family of shapes predicted by constants that were fitted without it.",
        "# `fitted = false`: an operator predicted from the constants of others.",
        "# `timing`: properties of the measurement that the fit found beside the law: casts, cache writes,",
        "# routing inside the timing, and the slowdown of long, warm runs.",
    ]
    return "\n".join(head + [line for r in results for line in _block(r)]) + "\n"
