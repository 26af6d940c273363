"""Kernels on every chip of the catalogue: never below the roofline, never faster with more to do."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawatt.catalog.load import chip, chip_ids
from gigawatt.errors import UnknownFactError
from gigawatt.perf.kernel_constants import KernelLaw, kernel_law
from gigawatt.perf.kernels import (
    attention_backward_s,
    attention_forward_s,
    gemm_bound_s,
    gemm_s,
    grouped_gemm_s,
    memory_bound_s,
    useful_flop_fraction,
)

DTYPES = ("bf16", "fp16", "fp8", "nvfp4", "fp32")
SIZE = st.integers(1, 2**15).map(float)


def every_law() -> list[KernelLaw]:
    """Return the law of each chip at each rate that it has."""
    found = []
    for name in chip_ids():
        for dtype in DTYPES:
            try:
                found.append(kernel_law(chip(name), dtype))
            except UnknownFactError:
                continue
    return found


LAWS = every_law()
LAW = st.sampled_from(LAWS)


def test_the_laws_cover_most_of_the_catalogue() -> None:
    assert len(LAWS) > len(chip_ids())


@given(law=LAW, m=SIZE, n=SIZE, k=SIZE, groups=st.integers(1, 64))
@settings(max_examples=300)
def test_no_product_beats_the_roofline(law: KernelLaw, m: float, n: float, k: float, groups: int) -> None:
    moved = groups * 2.0 * (m * k + k * n + m * n)
    bound = gemm_bound_s(2.0 * m * n * k * groups, moved, law=law)
    assert float(grouped_gemm_s(m, n, k, groups=groups, law=law)) >= float(bound)
    assert 0 < float(useful_flop_fraction(m, n, k, law=law)) <= 1


@given(law=LAW, m=SIZE, n=SIZE, k=SIZE, groups=st.integers(1, 16), more=st.integers(1, 4))
@settings(max_examples=200)
def test_more_work_is_never_faster(
    law: KernelLaw, m: float, n: float, k: float, groups: int, more: int
) -> None:
    here = float(grouped_gemm_s(m, n, k, groups=groups, law=law)) * (1 - 1e-12)
    assert here <= float(grouped_gemm_s(more * m, n, k, groups=groups, law=law))
    assert here <= float(grouped_gemm_s(m, more * n, k, groups=groups, law=law))
    assert here <= float(grouped_gemm_s(m, n, more * k, groups=groups, law=law))
    assert here <= float(grouped_gemm_s(m, n, k, groups=more * groups, law=law))


@given(law=LAW, m=SIZE, n=SIZE, k=SIZE)
def test_one_group_is_a_plain_product(law: KernelLaw, m: float, n: float, k: float) -> None:
    assert float(grouped_gemm_s(m, n, k, groups=1, law=law)) == float(gemm_s(m, n, k, law=law))


@given(
    law=LAW,
    rows=st.integers(1, 4096),
    tokens=st.integers(1, 2**17),
    size=st.sampled_from((64, 128, 192, 256)),
)
@settings(max_examples=200)
def test_no_attention_beats_the_roofline_and_backward_takes_longer(
    law: KernelLaw, rows: int, tokens: int, size: int
) -> None:
    dims = {"qk_head_dim": float(size), "v_head_dim": float(size), "law": law, "causal": 0.5}
    forward = float(attention_forward_s(rows, tokens, tokens, **dims))
    flop = 2.0 * rows * tokens * tokens * 2 * size * 0.5
    bound = float(gemm_bound_s(flop, 2.0 * 4 * rows * tokens * size, law=law))
    assert forward >= bound
    assert float(attention_backward_s(rows, tokens, tokens, **dims)) >= forward


@given(law=LAW, moved=st.floats(0, 1e13), more=st.floats(1, 10))
def test_memory_bound_work_never_beats_memory(law: KernelLaw, moved: float, more: float) -> None:
    assert float(memory_bound_s(moved, law=law)) >= moved / law.hbm_bytes_per_s
    assert float(memory_bound_s(more * moved, law=law)) >= float(memory_bound_s(moved, law=law))


@pytest.mark.parametrize("field", ["peak_flop_per_s", "hbm_bytes_per_s"])
@given(law=LAW, m=SIZE, n=SIZE, k=SIZE, faster=st.floats(1, 8))
def test_a_faster_chip_is_never_slower(
    field: str, law: KernelLaw, m: float, n: float, k: float, faster: float
) -> None:
    better = dataclasses.replace(law, **{field: faster * getattr(law, field)})
    assert float(gemm_s(m, n, k, law=better)) <= float(gemm_s(m, n, k, law=law)) * (1 + 1e-12)


@given(law=LAW, sizes=st.lists(st.tuples(SIZE, SIZE, SIZE), min_size=2, max_size=6))
def test_a_column_of_products_is_each_product_alone(
    law: KernelLaw, sizes: list[tuple[float, float, float]]
) -> None:
    m, n, k = (np.array(side) for side in zip(*sizes, strict=True))
    alone = [float(gemm_s(*size, law=law)) for size in sizes]
    assert gemm_s(m, n, k, law=law).tolist() == pytest.approx(alone, rel=1e-12)
