"""Robust fits of kernel laws on the logarithm of time, and what they are worth on rows left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from calibration.kernels_data import Column, Rows
from gigawatt.perf.kernel_constants import KernelLaw
from gigawatt.perf.kernels import attention_forward_s, gemm_s, grouped_gemm_s, memory_bound_s

HUBER = 0.1  # relative error beyond which a row pulls with constant force
FOLDS = 5
CAUSAL = 0.5
INPUT_BYTES = {"bf16": 2.0, "fp8": 1.0, "fp8_block": 1.03, "nvfp4": 0.56}  # with their scales

Beside = Mapping[str, float]  # unknowns of the measurement, not of the law
Prediction = Callable[[KernelLaw, Beside, dict[str, Column]], Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Unknown:
    """One unknown: a field of the law, or a property of how the row was measured."""

    first: float
    low: float
    high: float
    beside: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """A law, what was found beside it, and the relative errors: in sample, and with families left out."""

    law: KernelLaw
    beside: dict[str, float]
    error: Column
    left_out: dict[str, Column]


LAW_OF_PRODUCTS = {
    "sustained_fraction": Unknown(first=0.8, low=0.2, high=1.0),
    "wave_loss": Unknown(first=0.6, low=0.0, high=1.0),
    "tile_half": Unknown(first=4.0, low=0.0, high=60.0),
    "k_half": Unknown(first=128.0, low=0.0, high=1500.0),
    "overlap_loss": Unknown(first=0.2, low=0.0, high=1.0),
}
LAUNCH = {"kernel_floor_s": Unknown(first=3e-6, low=5e-7, high=3e-5)}
# Long kernels were timed warm, at lower clocks than short ones: a slowdown by `throttle` of kernels much
# longer than WARM_S. Training is warm always, whatever the kernel's length: that belongs to its clock, not to
# the law. The length is the median of fits with it free (1 to 5 ms in 16 bits, where it is well determined).
WARM_S = 3e-3
THROTTLE = {"throttle": Unknown(first=0.1, low=0.0, high=0.6, beside=True)}
# Products in 8 and 4 bits were timed with the cast of their input from 16 bits.
CAST = {
    "cast_bytes": Unknown(first=5.0, low=0.0, high=30.0, beside=True),  # per element
    "cast_s": Unknown(first=3e-6, low=0.0, high=3e-5, beside=True),
}
LAW_OF_ATTENTION = {
    "attention_forward": Unknown(first=0.6, low=0.2, high=1.0),
    "keys_half": Unknown(first=400.0, low=0.0, high=3000.0),
    "attention_wave_loss": Unknown(first=0.5, low=0.0, high=1.0),
}
HEADS = {
    "head_half": Unknown(first=100.0, low=0.0, high=300.0),
    "head_gain": Unknown(first=1.05, low=1.0, high=1.5),
}
# Attention was timed in an inference engine that also appends keys and values to its cache.
APPEND = {
    "append_passes": Unknown(first=2.0, low=0.0, high=6.0, beside=True),
    "call_s": Unknown(first=1e-5, low=0.0, high=5e-5, beside=True),
}
# An expert layer was timed with routing and the copies between its products, none of them part of the law.
ROUTING = {
    "passes": Unknown(first=2.0, low=1.0, high=8.0, beside=True),
    "call_s": Unknown(first=3e-5, low=0.0, high=2e-4, beside=True),
}
LAW_OF_MEMORY = {
    "hbm_fraction": Unknown(first=0.8, low=0.3, high=1.0),
    "kernel_floor_s": Unknown(first=3e-6, low=0.0, high=3e-5),
}


def warm_s(seconds: Any, beside: Beside) -> Any:
    """Return the time of a kernel in a benchmark that throttles with the kernel's length."""
    return seconds * (1.0 + beside.get("throttle", 0.0) * seconds / (seconds + WARM_S))


def products_s(dtype: str) -> Prediction:
    """Return the prediction for products of a dtype as they were timed."""

    def predicted(law: KernelLaw, beside: Beside, s: dict[str, Column]) -> Any:
        seconds = gemm_s(s["m"], s["n"], s["k"], law=law, bytes_per_input=INPUT_BYTES[dtype])
        cast = beside.get("cast_bytes", 0.0) * s["m"] * s["k"] / law.hbm_bytes_per_s
        return warm_s(seconds + cast + beside.get("cast_s", 0.0), beside)

    return predicted


def attention_as_timed_s(law: KernelLaw, beside: Beside, s: dict[str, Column]) -> Any:
    """Return the prediction for causal attention as it was timed."""
    rows, tokens, head = s["batch_size"] * s["num_heads"], s["isl"], s["head_dim"]
    seconds = attention_forward_s(
        rows,
        tokens,
        tokens,
        qk_head_dim=head,
        v_head_dim=head,
        law=law,
        causal=CAUSAL,
    )
    kept = 4.0 * s["batch_size"] * s["num_key_value_heads"] * tokens * head
    return warm_s(seconds + beside["append_passes"] * kept / law.hbm_bytes_per_s + beside["call_s"], beside)


def latent_attention_s(law: KernelLaw, beside: Beside, s: dict[str, Column]) -> Any:
    """Return the prediction for attention with heads of 192 and 128; nothing is appended in this timing."""
    rows, tokens = s["batch_size"] * s["num_heads"], s["isl"]
    seconds = attention_forward_s(
        rows, tokens, tokens, qk_head_dim=192.0, v_head_dim=128.0, law=law, causal=CAUSAL
    )
    return warm_s(seconds + beside["call_s"], beside)


def casts_s(law: KernelLaw, beside: Beside, s: dict[str, Column]) -> Any:
    """Return the prediction for casts: three bytes an element, one kernel."""
    return memory_bound_s(3.0 * s["m"] * s["k"], law=law, kernels=1.0)


def experts_s(dtype: str) -> Prediction:
    """Return the prediction for a gated expert layer: two grouped products and the traffic between them.

    Tokens are copied to their experts, the gate reads two and writes one, the results are gathered and added:
    so much at least (one pass), in kernels that are not all as good as a copy.
    """

    def predicted(law: KernelLaw, beside: Beside, s: dict[str, Column]) -> Any:
        groups = s["num_experts"] / s["moe_ep_size"]
        m = s["num_tokens"] * s["topk"] / s["num_experts"]
        hidden, inner = s["hidden_size"], s["inter_size"] / s["moe_tp_size"]
        width = INPUT_BYTES[dtype]
        up = grouped_gemm_s(m, 2.0 * inner, hidden, groups=groups, law=law, bytes_per_input=width)
        down = grouped_gemm_s(m, hidden, inner, groups=groups, law=law, bytes_per_input=width)
        moved = m * groups * (4.0 * hidden + (4.0 + width) * inner) + 4.0 * s["num_tokens"] * hidden
        between = beside["passes"] * memory_bound_s(moved, law=law) + beside["call_s"]
        return warm_s(up + down + between, beside)

    return predicted


def relative_error(law: KernelLaw, beside: Beside, *, rows: Rows, predict: Prediction) -> Column:
    """Return predicted over measured, less one."""
    return np.asarray(predict(law, beside, rows.shape) / rows.seconds - 1.0, dtype=float)


def _solve(
    law: KernelLaw, start: Beside, *, unknowns: Mapping[str, Unknown], rows: Rows, predict: Prediction
) -> tuple[KernelLaw, dict[str, float]]:
    """Return the law and the unknowns beside it that fit best, from a start."""
    names = list(unknowns)
    scale = np.array([unknowns[n].first for n in names])
    low = np.array([unknowns[n].low for n in names]) / scale
    high = np.array([unknowns[n].high for n in names]) / scale

    def named(at: NDArray[Any]) -> tuple[KernelLaw, dict[str, float]]:
        values = dict(zip(names, (float(v) for v in at * scale), strict=True))
        own = {n: v for n, v in values.items() if not unknowns[n].beside}
        beside = {n: v for n, v in values.items() if unknowns[n].beside}
        return dataclasses.replace(law, **own), beside  # type: ignore[arg-type]

    def residual(at: NDArray[Any]) -> Any:
        return np.log1p(relative_error(*named(at), rows=rows, predict=predict))

    first = np.clip(np.array([start.get(n, unknowns[n].first) for n in names]) / scale, low, high)
    found = least_squares(
        residual,
        first,
        bounds=(low, high),
        loss="soft_l1",
        f_scale=HUBER,
        diff_step=1e-3,
        max_nfev=60,
        tr_solver="lsmr",
    )
    return named(found.x)


def fitted(
    law: KernelLaw,
    unknowns: Mapping[str, Unknown],
    *,
    rows: Rows,
    predict: Prediction,
    families: Mapping[str, Sequence[Any] | Column],
) -> Fit:
    """Return the fit to all rows, with the errors on families of rows left out in turn.

    `families` names what is left out: for each name a key per row; the keys are dealt to the folds in order.
    """
    best, beside = _solve(law, {}, unknowns=unknowns, rows=rows, predict=predict)
    start = beside | {n: getattr(best, n) for n in unknowns if not unknowns[n].beside}
    left_out = {}
    for name, key in families.items():
        _, place = np.unique(np.asarray(key), return_inverse=True)
        error = np.zeros(len(rows))
        for fold in range(FOLDS):
            out = place.ravel() % FOLDS == fold
            if out.any() and not out.all():
                own = _solve(law, start, unknowns=unknowns, rows=rows.take(~out), predict=predict)
                error[out] = relative_error(*own, rows=rows.take(out), predict=predict)
        left_out[name] = error
    in_sample = relative_error(best, beside, rows=rows, predict=predict)
    return Fit(law=best, beside=beside, error=in_sample, left_out=left_out)
