"""One part of a study: a range of rows, computed from its number alone, as the bytes of a Parquet file."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigawatt.errors import InputError
from gigawatt.study.extras import extra_module
from gigawatt.study.sweep.columns import STATUS, drawn_values, priced_columns
from gigawatt.study.sweep.design import grid_codes, uniforms
from gigawatt.study.sweep.draws import category
from gigawatt.study.sweep.fields import fields
from gigawatt.study.sweep.groups import Group, apart, base_value, group_of, is_laid_out, key_of
from gigawatt.study.sweep.study_file import Study, Sweep

Column = NDArray[Any]
WHAT = "studies"


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A range of rows of one set."""

    set: str
    number: int
    first: int
    rows: int


def parts_of(study: Study) -> Iterator[Part]:
    """Yield every part of a study, in order."""
    for sweep in study.sets:
        for number, first in enumerate(range(0, sweep.rows, study.part_rows)):
            rows = min(study.part_rows, sweep.rows - first)
            yield Part(set=sweep.name, number=number, first=first, rows=rows)


class Pricer:
    """A study with the layouts that were found for its groups: prices parts, keeping groups between them."""

    def __init__(self, study: Study, layouts: Mapping[str, Mapping[str, Any]]) -> None:
        self.study = study
        self.layouts = layouts
        self.known = fields()
        self.base = {n: v for n, v in study.base.items() if not self.known[n].together}
        self.group = functools.lru_cache(maxsize=1024)(self._group)

    def _group(self, axes: tuple[tuple[str, Any], ...]) -> Group:
        words = {**self.base, **dict(axes)}
        held = None if is_laid_out(self.study) else self.layouts[key_of(words)]
        return group_of(self.study, words, held=held)

    def check_draws(self, sweep: Sweep, group: Group) -> None:
        """Refuse a draw or an axis that a group cannot have.

        Raises: InputError, e.g. for a fact without a published range.
        """
        middle = np.array([0.5])
        for name, draw in sweep.draw.items():
            if not draw.choices:
                drawn_values(draw, middle, field=self.known[name], group=group)
        for name in (*sweep.grid, *sweep.draw):
            if name.startswith("network."):
                base_value(group.asked, name)
        taken = {self.known[n].column for n in (*sweep.grid, *sweep.draw)} & {
            *self.study.outputs,
            "status",
            "row",
        }
        if taken:
            raise InputError(f"outputs: {min(taken)!r} is an input of sets.{sweep.name} too; leave it out")

    def part_bytes(self, part: Part) -> bytes:
        """Return the Parquet file of one part; the same bytes whoever computes it."""
        sweep = next(s for s in self.study.sets if s.name == part.set)
        rows = np.arange(part.first, part.first + part.rows)
        codes = grid_codes(sweep, rows)
        u = uniforms(sweep, rows, seed=self.study.seed) if sweep.draw else np.empty((part.rows, 0))
        drawn = dict(zip(sweep.draw, u.T, strict=True))
        inputs, results, status = self._columns(sweep, codes, drawn=drawn, rows=part.rows)
        return _parquet({"row": rows, **inputs}, results, status)

    def _columns(
        self, sweep: Sweep, codes: Mapping[str, Column], *, drawn: Mapping[str, Column], rows: int
    ) -> tuple[dict[str, Any], dict[str, Column], Column]:
        """Return inputs, outputs and status of some rows, group by group."""
        listed = {n: (sweep.grid[n], code) for n, code in codes.items()}
        listed |= {n: (draw.choices, category(draw, drawn[n]))
                   for n, draw in sweep.draw.items() if draw.choices}  # fmt: skip
        values = {n: np.asarray(v)[code] for n, (v, code) in listed.items() if self.known[n].together}
        values |= {n: np.empty(rows) for n in drawn if n not in listed}
        results = {name: np.empty(rows) for name in self.study.outputs}
        status = np.empty(rows, dtype=np.int8)
        for axes, these in _by_group(sweep, listed, rows):
            group = self.group(axes)
            for name in values.keys() & drawn.keys() - listed.keys():
                draw, field = sweep.draw[name], self.known[name]
                values[name][these] = drawn_values(draw, drawn[name][these], field=field, group=group)
            own = {n: v[these] for n, v in values.items()}
            status[these], found = priced_columns(group, own, rows=len(these), outputs=self.study.outputs)
            for name, column in found.items():
                results[name][these] = column
        words = {n: listed[n] for n in listed if not self.known[n].together}
        inputs = {n: words.get(n, values.get(n)) for n in (*sweep.grid, *sweep.draw)}
        return {self.known[n].column: v for n, v in inputs.items()}, results, status


def _by_group(
    sweep: Sweep, listed: Mapping[str, tuple[tuple[Any, ...], Column]], rows: int
) -> Iterator[tuple[tuple[tuple[str, Any], ...], Column]]:
    """Yield, per group, the words that set it apart and its rows."""
    code = np.zeros(rows, dtype=np.int64)
    axes = apart(sweep)
    for name, values in axes.items():
        code = code * len(values) + listed[name][1]
    for one in np.unique(code):
        these = np.flatnonzero(code == one)
        words = tuple((n, listed[n][0][int(listed[n][1][these[0]])]) for n in axes)
        yield words, these


def _parquet(inputs: Mapping[str, Any], results: Mapping[str, Column], status: Column) -> bytes:
    """Return columns as one Parquet file: words as dictionaries, what does not fit as null."""
    pa = extra_module("pyarrow", extra="study", what=WHAT)
    pq = extra_module("pyarrow.parquet", extra="study", what=WHAT)
    columns: dict[str, Any] = {}
    for name, value in inputs.items():
        columns[name] = _dictionary(pa, *value) if isinstance(value, tuple) else pa.array(value)
    columns["status"] = _dictionary(pa, STATUS, status)
    columns |= {name: pa.array(value, from_pandas=True) for name, value in results.items()}
    sink = pa.BufferOutputStream()
    texts = [n for n, c in columns.items() if pa.types.is_dictionary(c.type)]
    pq.write_table(
        pa.table(columns), sink, compression="zstd", compression_level=1, use_dictionary=texts,
        row_group_size=len(status),
    )  # fmt: skip
    return bytes(sink.getvalue().to_pybytes())


def _dictionary(pa: Any, values: tuple[Any, ...], code: Column) -> Any:
    if all(isinstance(v, int) for v in values):  # of a count: a plain number
        return pa.array(np.asarray(values)[code])
    return pa.DictionaryArray.from_arrays(pa.array(code.astype(np.int32)), pa.array([str(v) for v in values]))
