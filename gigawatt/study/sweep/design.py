"""Which row is which scenario: grid point and uniform numbers of any range of rows, without the others."""

from __future__ import annotations

import warnings
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from gigawatt.study.sweep.study_file import Sweep

BLOCK = 4096  # random rows that share one generator
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9  # of a tornado
Rows = NDArray[Any]


def grid_codes(sweep: Sweep, rows: Rows) -> dict[str, Rows]:
    """Return, per axis of the grid, which of its values each row has; the last axis runs fastest."""
    shape = [len(values) for values in sweep.grid.values()]
    if not shape:
        return {}
    return dict(zip(sweep.grid, np.unravel_index(rows // sweep.designed, shape), strict=True))


def uniforms(sweep: Sweep, rows: Rows, *, seed: int) -> Rows:
    """Return the uniform numbers of some rows, one column a draw. Every grid point has the same ones.

    saltelli: rows A, AB_1 .. AB_d, B of each base sample, AB_i being A with column i of B; tornado: all in
    the middle, then each draw at its 10th and 90th percentile.
    Source: Saltelli 2010, doi:10.1016/j.cpc.2009.09.018 table 2.
    """
    at, d = rows % sweep.designed, len(sweep.draw)
    if sweep.method == "tornado":
        found = np.full((len(rows), d), MIDDLE)
        moved = np.flatnonzero(at > 0)
        found[moved, (at[moved] - 1) // 2] = np.where(at[moved] % 2, LOW, HIGH)
        return found
    if sweep.method == "saltelli":
        both = _sampled(sweep, at // (d + 2), dims=2 * d, seed=seed)
        which = at % (d + 2)
        from_b = (which[:, None] == d + 1) | (which[:, None] == np.arange(1, d + 1))
        return np.where(from_b, both[:, d:], both[:, :d])
    return _sampled(sweep, at, dims=d, seed=seed)


def _sampled(sweep: Sweep, at: Rows, *, dims: int, seed: int) -> Rows:
    """Return the rows `at` of a sequence of points, of which only the blocks that are needed are made."""
    blocks, where = np.unique(at // BLOCK, return_inverse=True)
    key = [seed, crc32(sweep.name.encode())]
    made = (
        [_random(key, int(b), dims) for b in blocks]
        if sweep.method == "random"
        else _sobol(key, blocks, dims)
    )
    found: Rows = np.stack(made)[where, at % BLOCK]
    return found


def _random(key: list[int], block: int, dims: int) -> Rows:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([*key, block]))).random((BLOCK, dims))


def _sobol(key: list[int], blocks: Rows, dims: int) -> list[Rows]:
    """Return blocks of one scrambled Sobol sequence.

    Source: Joe & Kuo 2008, doi:10.1137/070709359; scrambled as Owen 1998 and Matousek 1998, as in SciPy.
    """
    from scipy.stats import qmc  # takes half a second to load

    engine = qmc.Sobol(dims, scramble=True, rng=np.random.default_rng(np.random.SeedSequence(key)))
    found, done = [], 0
    for block in blocks:
        if skipped := int(block) * BLOCK - done:
            engine.fast_forward(skipped)
        with warnings.catch_warnings():  # a range is no power of two; all of the sequence is
            warnings.simplefilter("ignore", UserWarning)
            found.append(engine.random(BLOCK))
        done = (int(block) + 1) * BLOCK
    return found
