"""What an output is sensitive to: Sobol indices of a saltelli set, the bars of a tornado set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigawatt.errors import unknown_name
from gigawatt.study.sweep.outputs import OUTPUTS
from gigawatt.study.sweep.query import QUANTILES, column_by_point, set_of
from gigawatt.study.sweep.store import digest_of, opened, read_manifest
from gigawatt.study.sweep.study_file import Sweep

SCHEMA = "gigawatt/study-sensitivity/1"
RESAMPLES, TAILS = 100, (0.025, 0.975)
Column = NDArray[Any]


def sobol_indices(values: Column, draws: int, *, seed: int = 0) -> list[dict[str, float]]:
    r"""Return first-order and total Sobol indices of each draw, from rows A, AB_1 .. AB_d, B of each sample.

    .. math:: S_i = \frac{V[E(Y | X_i)]}{V(Y)}, \quad S_{T_i} = \frac{E[V(Y | X_{\sim i})]}{V(Y)}

    With 95 % intervals of a bootstrap. All are 0 where nothing varies.
    Valid for: independent draws.
    Source: Saltelli 2010, doi:10.1016/j.cpc.2009.09.018 table 2 (estimators b and f), as in SciPy.

    Of Y = X_1 alone, the first index is 1 and the other 0.

    >>> a, b = np.random.default_rng(0).random((2, 2**14))
    >>> [round(s["total"], 1) for s in sobol_indices(np.c_[a, b, a, b].ravel(), 2)]
    [1.0, 0.0]
    """
    table = values.reshape(-1, draws + 2)
    if np.ptp(table) <= 1e-12 * np.max(np.abs(table)):
        return [dict.fromkeys(NAMES, 0.0) for _ in range(draws)]
    rng = np.random.default_rng(seed)
    again = [_estimated(table[rng.integers(0, len(table), len(table))]) for _ in range(RESAMPLES)]
    low, high = np.quantile(again, TAILS, axis=0)
    rows = np.concatenate([(mid, *ends) for mid, *ends in zip(_estimated(table), low, high, strict=True)])
    return [dict(zip(NAMES, map(float, row), strict=True)) for row in rows.T]


def _estimated(table: Column) -> Column:
    """Return first-order and total indices, one line each, from rows A, AB_1 .. AB_d, B."""
    from scipy.stats import sobol_indices as estimated  # takes half a second to load

    a, *ab, b = table.T
    rows = np.stack([*ab, a])[:, None]  # the last is an input that changes nothing: one alone is refused
    found = estimated(func={"f_A": a[None], "f_B": b[None], "f_AB": rows}, n=len(a))
    return np.stack([np.ravel(found.first_order)[:-1], np.ravel(found.total_order)[:-1]])


NAMES = ("first", "first_low", "first_high", "total", "total_low", "total_high")


def tornado(values: Column) -> tuple[float, list[dict[str, float]]]:
    """Return the output with all draws in the middle, and with each at its 10th and 90th percentile.

    >>> tornado(np.array([5.0, 4.0, 7.0]))
    (5.0, [{'at_p10': 4.0, 'at_p90': 7.0}])
    """
    ends = values[1:].reshape(-1, 2)
    return float(values[0]), [{"at_p10": float(low), "at_p90": float(high)} for low, high in ends]


def sensitivity(folder: str | Path, *, output: str, name: str | None = None) -> dict[str, Any]:
    """Return what one output of a study is sensitive to, as one JSON-ready document.

    Raises: InputError for an output that the study does not keep, or a set without a design for it.
    """
    place = Path(folder)
    study, _ = opened(place)
    if output not in study.outputs:
        raise unknown_name("output", output, study.outputs)
    sweep = set_of(study, name, methods=("saltelli", "tornado"))
    points = column_by_point(place, study, sweep=sweep, output=output)
    return {
        "schema": SCHEMA,
        "digest": digest_of(read_manifest(place)["study"]),
        "study": study.name,
        "set": sweep.name,
        "method": sweep.method,
        "output": output,
        "unit": OUTPUTS[output].unit,
        "points": [_point(sweep, at, np.asarray(values, dtype=float), study.seed) for at, values in points],
    }


def _point(sweep: Sweep, at: Mapping[str, Any], values: Column, seed: int) -> dict[str, Any]:
    inputs = list(sweep.draw)
    if sweep.method == "tornado":
        middle, ends = tornado(values)
        bars = sorted(
            zip(inputs, ends, strict=True), key=lambda bar: -abs(bar[1]["at_p90"] - bar[1]["at_p10"])
        )
        return {"at": dict(at), "middle": middle, "inputs": [{"input": n, **row} for n, row in bars]}
    found = sobol_indices(values, len(inputs), seed=seed)
    indices = sorted(zip(inputs, found, strict=True), key=lambda one: -one[1]["total"])
    deciles = np.quantile(_independent(values, len(inputs)), list(QUANTILES.values())).tolist()
    told = dict(zip(QUANTILES, deciles, strict=True))
    return {"at": dict(at), **told, "inputs": [{"input": n, **row} for n, row in indices]}


def _independent(values: Column, draws: int) -> Column:
    """Return the outputs of the rows A and B, which are plain samples."""
    table = values.reshape(-1, draws + 2)
    return table[:, [0, draws + 1]].ravel()
