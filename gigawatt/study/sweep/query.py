"""Questions to the tables of a study: SQL, quantiles, sensitivities; DuckDB over the part files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gigawatt.errors import InputError
from gigawatt.study.extras import extra_module
from gigawatt.study.sweep.fields import fields
from gigawatt.study.sweep.store import missing_parts, opened
from gigawatt.study.sweep.study_file import Study, Sweep

QUERY_SCHEMA = "gigawatt/study-query/1"
FEW_ROWS = 20  # are told one by one
QUANTILES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}


def connected(folder: Path, study: Study) -> Any:
    """Return a DuckDB connection with one view for each set that has rows.

    Raises: MissingExtraError without DuckDB.
    """
    duckdb = extra_module("duckdb", extra="study", what="questions to a study")
    found = duckdb.connect()
    found.execute("set enable_progress_bar = false")
    for sweep in study.sets:
        place = folder / "parts" / sweep.name
        if any(place.glob("part-*.parquet")):
            files = str(place / "part-*.parquet").replace("'", "''")
            found.execute(f"create view \"{sweep.name}\" as select * from read_parquet('{files}')")
    return found


def query(folder: str | Path, sql: str) -> dict[str, Any]:
    """Return what SQL says of a study's tables, as one JSON-ready document; each set is a table by its name.

    Raises: InputError for a folder without a study, or SQL that cannot be run.
    """
    place = Path(folder)
    study, _ = opened(place)
    duckdb = extra_module("duckdb", extra="study", what="questions to a study")
    try:
        told = connected(place, study).execute(sql)
        names = [column[0] for column in told.description or ()]
        rows = [[_known(value) for value in row] for row in told.fetchall()]
    except duckdb.Error as error:
        what = " ".join(str(error).split())
        tables = ", ".join(f"{s.name} ({s.rows:,} rows)" for s in study.sets)
        raise InputError(f"sql = {sql!r} cannot be run: {what[:300]}; the tables are: {tables}") from None
    missing = missing_parts(place, study)
    return {
        "schema": QUERY_SCHEMA,
        "status": "partial" if missing else "ok",
        "missing_rows": sum(part.rows for part in missing),
        "columns": names,
        "rows": rows,
    }


def _known(value: Any) -> Any:
    """Return a plain JSON value; null for what is not a number."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def quantiles(folder: Path, study: Study, *, sweep: Sweep) -> list[dict[str, Any]]:
    """Return, per grid point of a set, its rows, how many fit, and p10, p50 and p90 of each output.

    A set without draws is one group, quantiles over its grid, unless it has few rows.
    """
    known = fields()
    axes = [known[name].column for name in sweep.grid] if sweep.draw or sweep.rows <= FEW_ROWS else []
    levels = list(QUANTILES.values())
    asked = ", ".join(f"quantile_cont({name}, {levels})" for name in study.outputs)
    by = "".join(f'"{axis}", ' for axis in axes)
    order = f" group by {by[:-2]} order by min(row)" if axes else ""
    sql = f"select {by}count(*), count(*) filter (status = 'fits'), {asked} from \"{sweep.name}\"{order}"
    found = []
    for row in connected(folder, study).execute(sql).fetchall():
        point, (rows, fit), results = row[: len(axes)], row[len(axes) : len(axes) + 2], row[len(axes) + 2 :]
        told = {
            name: dict(zip(QUANTILES, values or [None] * len(levels), strict=True))
            for name, values in zip(study.outputs, results, strict=True)
        }
        found.append({"at": dict(zip(axes, point, strict=True)), "rows": rows, "fit": fit, "quantiles": told})
    return found


def column_by_point(
    folder: Path, study: Study, *, sweep: Sweep, output: str
) -> list[tuple[Mapping[str, Any], Any]]:
    """Return, per grid point of a set, its axes and one output of its rows in order.

    Raises: InputError when some rows do not fit, or are not computed yet.
    """
    known = fields()
    if any(part.set == sweep.name for part in missing_parts(folder, study)):
        raise InputError(f"set = {sweep.name!r} is not complete; run `gigawatt study` again, it goes on")
    axes = [known[name].column for name in sweep.grid]
    names = ", ".join(f'"{name}"' for name in [*axes, output])
    table = connected(folder, study).execute(f'select {names} from "{sweep.name}" order by row').fetchnumpy()
    values = table[output]
    lost = int(values.mask.sum()) if hasattr(values, "mask") else 0
    if lost:
        raise InputError(
            f"output = {output!r} is not known for {lost:,} of {sweep.rows:,} rows of {sweep.name!r} (they "
            "do not fit, or a fact is not known): a sensitivity needs all"
        )
    each = sweep.designed
    return [
        ({axis: _one(table[axis][i * each]) for axis in axes}, values[i * each : (i + 1) * each])
        for i in range(sweep.points)
    ]


def _one(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def set_of(study: Study, name: str | None, *, methods: Sequence[str]) -> Sweep:
    """Return the set of a name; without one, the only set whose method is asked for.

    Raises: InputError with what there is.
    """
    there = {sweep.name: sweep for sweep in study.sets}
    if name is not None and name not in there:
        raise InputError(f"set = {name!r} is not one of: {', '.join(there)}")
    fit = [s for s in there.values() if s.method in methods and s.draw and name in (None, s.name)]
    if len(fit) == 1:
        return fit[0]
    if not fit:
        which = f"set = {name!r} has draws of method {there[name].method!r}" if name else "no set"
        raise InputError(
            f"{which}: Sobol indices need a set with `method: saltelli`, a tornado one with `method: tornado`"
        )
    raise InputError(f"sets {', '.join(s.name for s in fit)} have sensitivities; choose with --set NAME")
