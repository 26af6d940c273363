"""How long one kernel takes on one chip: matrix products, attention, memory-bound operators."""

from __future__ import annotations

from functools import reduce

import numpy as np

from gigawatt.perf.kernel_constants import KernelLaw
from gigawatt.units import Bytes, Count, Flop, Fraction, Real, Seconds

QUERY_BLOCK = 128.0  # queries that one unit works on at a time


def gemm_bound_s(flop: Flop, moved_bytes: Bytes, *, law: KernelLaw) -> Seconds:
    """Return the least time of a kernel: datasheet peak and memory bandwidth.

    .. math:: T = \\max(F / P, M / B)

    Source: Williams 2009, doi:10.1145/1498765.1498785 (roofline).

    >>> from gigawatt.perf.kernel_constants import EXAMPLE_LAW
    >>> float(gemm_bound_s(1e15, 1e9, law=EXAMPLE_LAW))
    1.0
    """
    return np.maximum(flop / law.peak_flop_per_s, moved_bytes / law.hbm_bytes_per_s)


def tile_s(
    m: Count, n: Count, k: Count, *, groups: Count, law: KernelLaw, tile: tuple[float, float]
) -> Seconds:
    """Return the compute time of a product cut into tiles of one shape.

    .. math:: T = \\frac{2 t_m t_n (k + k_0)}{P s e_t / u} \\left(w + q (\\lceil w \\rceil - w)\\right),
        \\quad w = \\lceil m/t_m \\rceil \\lceil n/t_n \\rceil g / u

    u units work on waves of w tiles; q of the last wave's idle part is lost; k_0 is the depth that filling
    and draining a tile costs; small tiles reach e_t of the rate, for they re-read more operands.
    Valid for: dense products. Source: NVIDIA, Matrix Multiplication Background User's Guide, sec. 4 (tile and
    wave quantisation).

    >>> from gigawatt.perf.kernel_constants import EXAMPLE_LAW
    >>> float(tile_s(1024, 1024, 1e6, groups=1, law=EXAMPLE_LAW, tile=(128.0, 128.0)))
    0.002097152
    """
    waves = np.ceil(m / tile[0]) * np.ceil(n / tile[1]) * (groups / law.compute_units)
    worked = (1.0 - law.wave_loss) * waves + law.wave_loss * np.ceil(waves)
    reuse = tile[0] * tile[1] / (tile[0] + tile[1])  # flop per operand byte, up to a factor
    share = reuse / (reuse + law.tile_half)
    per_unit = law.peak_flop_per_s * law.sustained_fraction * share / law.compute_units
    return worked * (k + law.k_half) * (2.0 * tile[0] * tile[1] / per_unit)


def overlapped_s(compute_s: Seconds, memory_s: Seconds, *, law: KernelLaw) -> Seconds:
    """Return the time of work and traffic that run side by side.

    .. math:: T = \\max(T_c, T_m) + \\epsilon \\min(T_c, T_m)

    Valid for: one kernel; epsilon 0 hides the shorter wholly, 1 not at all (first tiles wait for operands,
    last ones write results when nothing is left to compute).
    Source: roofline (Williams 2009, doi:10.1145/1498765.1498785) with a fitted overlap.

    >>> from gigawatt.perf.kernel_constants import EXAMPLE_LAW
    >>> float(overlapped_s(3.0, 1.0, law=EXAMPLE_LAW))
    3.0
    """
    longer, shorter = np.maximum(compute_s, memory_s), np.minimum(compute_s, memory_s)
    return longer + law.overlap_loss * shorter


def grouped_gemm_s(
    m: Count,
    n: Count,
    k: Count,
    *,
    groups: Count,
    law: KernelLaw,
    bytes_per_input: float = 2.0,
    bytes_per_output: float = 2.0,
) -> Seconds:
    """Return the time of `groups` equal products in one launch (experts, attention heads).

    .. math:: T = \\max(T_c, T_m) + \\epsilon \\min(T_c, T_m) + t_0,
        \\quad T_c = \\min_t T_t, \\quad T_m = M / (B \\eta)

    A library picks the best tile shape; operands are read once.
    Valid for: groups of equal size, in a grouped kernel of the quality of CUTLASS's: on measured experts the
    constants of plain products hold within the residuals of the calibration.
    Source: roofline (Williams 2009, doi:10.1145/1498765.1498785) over tiles; constants fitted per chip.

    >>> from gigawatt.perf.kernel_constants import EXAMPLE_LAW
    >>> round(float(grouped_gemm_s(4096, 4096, 4096, groups=8, law=EXAMPLE_LAW)) * 1e3, 4)
    1.0995
    """
    compute = reduce(np.minimum, (tile_s(m, n, k, groups=groups, law=law, tile=t) for t in law.tiles))
    moved = groups * (bytes_per_input * (m * k + k * n) + bytes_per_output * m * n)
    memory = moved / (law.hbm_bytes_per_s * law.hbm_fraction)
    return overlapped_s(compute, memory, law=law) + law.kernel_floor_s


def gemm_s(
    m: Count,
    n: Count,
    k: Count,
    *,
    law: KernelLaw,
    bytes_per_input: float = 2.0,
    bytes_per_output: float = 2.0,
) -> Seconds:
    """Return the time of one product of an m x k and a k x n matrix.

    Valid for: dense operands in device memory.
    Source: see `grouped_gemm_s`, with one group.

    >>> from gigawatt.perf.kernel_constants import EXAMPLE_LAW
    >>> round(float(gemm_s(8192, 8192, 8192, law=EXAMPLE_LAW)) * 1e3, 4)
    1.0995
    """
    return grouped_gemm_s(
        m, n, k, groups=1.0, law=law, bytes_per_input=bytes_per_input, bytes_per_output=bytes_per_output
    )


def aligned_share(*widths: Count, element_bytes: float) -> Real:
    """Return the rate of a product whose rows start where wide loads cannot, over its rate where they can.

    .. math:: \\rho = \\min_i \\sqrt{a_i / 16}, \\quad a_i = e \\gcd(w_i, 16 / e)

    The w_i are the lengths in memory of the rows of its operands and its result, e bytes an element; a load
    takes 16 bytes where each row starts at a multiple of 16. The root is assumed. A width that is not whole
    is no row in memory: what ranks share out so, few heads of keys among many, each of them holds whole.
    Valid for: 0.5 to 16 bytes an element; libraries that take rows as they lie, on tensor cores.
    Source: NVIDIA, Matrix Multiplication Background User's Guide, sec. 3.1 (multiples of 16 bytes); nanoGPT's
    change of GPT-2's 50,257 tokens to 50,304 made its steps 25 % faster on A100, as a head at a third of its
    rate would.

    >>> [round(float(aligned_share(n, 1024, element_bytes=2.0)), 3) for n in (50304, 12564, 6282, 50257)]
    [1.0, 0.707, 0.5, 0.354]
    """
    most = 2 ** round(np.log2(16.0 / element_bytes))  # of formats with scales: of their elements alone
    rows = [(w, np.asarray(np.rint(w), dtype=np.int64)) for w in widths]
    units = (np.where(whole == w, np.gcd(whole, most), most) for w, whole in rows)
    share: Real = np.sqrt(reduce(np.minimum, units) / most)
    return share


def attention_s(
    rows: Count,
    query_tokens: Count,
    key_tokens: Count,
    *,
    qk_head_dim: Count,
    v_head_dim: Count,
    law: KernelLaw,
    causal: Fraction,
    flop_ratio: float,
    rate: Fraction,
) -> Seconds:
    """Return the time of one fused attention pass.

    .. math:: T = r \\frac{2 a s_q s_k (d_{qk} + d_v) \\kappa}{P \\rho\\, h(d)}
        \\left(1 + \\frac{s_0}{s_k}\\right) \\frac{w + q (\\lceil w \\rceil - w)}{w} + t_0,
        \\quad w = a \\lceil s_q / 128 \\rceil / u

    rho is the share of peak of long sequences at head size 128; h(d) = d / (d + d_0) scaled to 1 there, for
    small heads leave the units waiting on softmax, and at most the fitted gain above. s_0 is the length that
    the diagonal blocks of the mask and filling the pipeline cost; blocks of 128 queries come in waves.
    Valid for: flash attention; kappa is the part of the square that the mask leaves.
    Source: Dao 2023, arXiv:2307.08691 sec. 3.2, fig. 4-7; Shah 2024, arXiv:2407.08608 fig. 5-6.

    >>> from gigawatt.perf.kernel_constants import EXAMPLE_LAW
    >>> dims = {"qk_head_dim": 128.0, "v_head_dim": 128.0}
    >>> t = attention_s(64, 8192, 8192, **dims, law=EXAMPLE_LAW, causal=0.5, flop_ratio=1.0, rate=0.5)
    >>> round(float(t) * 1e3, 3)
    2.199
    """
    flop = flop_ratio * 2.0 * rows * query_tokens * key_tokens * (qk_head_dim + v_head_dim) * causal
    head = 0.5 * (qk_head_dim + v_head_dim)
    by_head = np.minimum(head / (head + law.head_half) * (128.0 + law.head_half) / 128.0, law.head_gain)
    share = np.minimum(rate * by_head, 1.0)
    waves = rows * np.ceil(query_tokens / QUERY_BLOCK) / law.compute_units
    worked = 1.0 + law.attention_wave_loss * (np.ceil(waves) / waves - 1.0)
    compute = flop * worked * (1.0 + law.keys_half / key_tokens) / (law.peak_flop_per_s * share)
    moved = flop_ratio * 2.0 * rows * (query_tokens + key_tokens) * (qk_head_dim + v_head_dim)
    return np.maximum(compute, moved / (law.hbm_bytes_per_s * law.hbm_fraction)) + law.kernel_floor_s


def attention_forward_s(
    rows: Count,
    query_tokens: Count,
    key_tokens: Count,
    *,
    qk_head_dim: Count,
    v_head_dim: Count,
    law: KernelLaw,
    causal: Fraction,
) -> Seconds:
    """Return the time of a fused attention forward pass of `rows` = sequences x heads.

    Valid for: flash attention. Source: see `attention_s`; the forward share of peak is fitted per chip.

    >>> attention_forward_s.__kwdefaults__ is None
    True
    """
    return attention_s(
        rows,
        query_tokens,
        key_tokens,
        qk_head_dim=qk_head_dim,
        v_head_dim=v_head_dim,
        law=law,
        causal=causal,
        flop_ratio=1.0,
        rate=law.attention_forward,
    )


def attention_backward_s(
    rows: Count,
    query_tokens: Count,
    key_tokens: Count,
    *,
    qk_head_dim: Count,
    v_head_dim: Count,
    law: KernelLaw,
    causal: Fraction,
) -> Seconds:
    """Return the time of a fused attention backward pass: five products for the forward two.

    Valid for: flash attention, the scores recomputed inside; at the forward rate times an assumed ratio, for
    no backward kernel was measured in the fit. Source: Dao 2023, arXiv:2307.08691 sec. 4.1 (2.5 x the forward
    flop).

    >>> attention_backward_s.__kwdefaults__ is None
    True
    """
    return attention_s(
        rows,
        query_tokens,
        key_tokens,
        qk_head_dim=qk_head_dim,
        v_head_dim=v_head_dim,
        law=law,
        causal=causal,
        flop_ratio=2.5,
        rate=law.attention_forward * law.attention_backward_ratio,
    )


def power_rate(long_run: Fraction, share: Fraction, *, warmth: Real) -> Fraction:
    """Return the rate of tensor operations under the chip's power limit over their rate in short runs.

    .. math:: \\rho = \\min(1, \\eta\\, x^{-1/3})^\\gamma

    eta is the rate of long runs of nothing else, x the share of the time that tensor operations take, gamma 1
    where a machine holds its chips as the kernel measurements did (0: never at the limit). What power remains
    after x grows as the cube of the clock.
    Valid for: dynamic power of tensor operations far above that of the rest.
    Source: P = x C V^2 f with V in proportion to f (Weste, Harris, CMOS VLSI Design, sec. 5.2); eta measured.

    >>> round(float(power_rate(0.8, 1.0, warmth=1.0)), 3), float(power_rate(0.8, 0.5, warmth=1.0))
    (0.8, 1.0)
    """
    return np.minimum(long_run * share ** (-1.0 / 3.0), 1.0) ** warmth


def memory_bound_s(moved_bytes: Bytes, *, law: KernelLaw, kernels: Count = 0.0) -> Seconds:
    """Return the time of operators that wait for memory, `kernels` of them in a row.

    .. math:: T = M / (B \\eta) + k t_0

    Valid for: kernels larger than the caches; with 0 kernels, the traffic alone.
    Source: STREAM-like share of memory bandwidth (McCalpin 1995); eta fitted per chip.

    >>> from gigawatt.perf.kernel_constants import EXAMPLE_LAW
    >>> float(memory_bound_s(2e12, law=EXAMPLE_LAW))
    1.0
    """
    return moved_bytes / (law.hbm_bytes_per_s * law.hbm_fraction) + kernels * law.kernel_floor_s


def useful_flop_fraction(m: Count, n: Count, k: Count, *, law: KernelLaw) -> Real:
    """Return the share of datasheet peak that a product reaches.

    Definition: 2 m n k / (P T).

    >>> from gigawatt.perf.kernel_constants import EXAMPLE_LAW
    >>> round(float(useful_flop_fraction(8192, 8192, 8192, law=EXAMPLE_LAW)), 3)
    1.0
    """
    return 2.0 * m * n * k / (law.peak_flop_per_s * gemm_s(m, n, k, law=law))
