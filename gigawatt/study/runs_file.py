"""A file of training runs: CSV or Parquet, its columns found or named, its cells read or refused by line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigawatt.errors import FileFormatError, InputError, unknown_name
from gigawatt.scaling import Runs
from gigawatt.study.extras import extra_module
from gigawatt.study.table_file import MAX_TABLE_BYTES

ALIASES = {  # what a column may be called, the usual name first
    "params": ("params", "parameters", "n_params", "num_params", "total_params", "params_total",
               "param_count", "params_nonembed", "N", "n"),
    "tokens": ("tokens", "n_tokens", "num_tokens", "tokens_seen", "training_tokens", "D", "d", "t"),
    "loss": ("loss", "val_loss", "final_loss", "validation_loss", "L"),
    "flop": ("flop", "flops", "train_flop", "training_flop", "compute", "C"),
    "budget": ("budget", "flop_budget"),
}  # fmt: skip
TEXTS = ("text", "dataset", "train_data", "corpus", "data", "tokenizer", "condition", "loss_kind")
SHIPPED = files("gigawatt.catalog") / "data" / "runs"  # run files whose licence lets them travel
ONE_TEXT = "-"  # --columns text=-: the user says that all losses are of one text
FIELDS = (*ALIASES, "text")
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "!=": lambda a, b: a != b, "<=": lambda a, b: a <= b, ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b, "<": lambda a, b: a < b, ">": lambda a, b: a > b,
}  # fmt: skip
RULE = re.compile(r"^\s*(.+?)\s*(!=|<=|>=|=|<|>)\s*(.*?)\s*$")
MOST = {"params": 1e18, "tokens": 1e21, "loss": 1e6, "flop": 1e40, "budget": 1e40}
LEAST = 1e-6
SHOWN = 8  # names listed in an error


@dataclass(frozen=True, kw_only=True, slots=True)
class RunTable:
    """Runs of one file, as columns, and what was read, dropped or worked out on the way."""

    path: str
    runs: Runs
    flop: NDArray[np.float64]  # as given, else 6 N D
    budgets: NDArray[np.float64] | None
    columns: dict[str, str]  # field: the column that it was read from
    text: str | None  # what the losses are measured on, where the file says it
    rows: int
    dropped: int
    imputed: str | None  # "tokens" or "params" where they were worked out of flop
    flop_ratio: float  # median of flop over 6 N D; 1 where one came of the other
    cells: dict[str, list[str]]  # of the rows kept, every column as text
    lines: list[int]  # of the file, of the rows kept


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    line: int
    cells: dict[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A condition on one column, as in `condition=raw_loss` or `flop>1e21`."""

    column: str
    sign: str
    value: str

    def holds(self, cells: Mapping[str, str]) -> bool:
        """Return whether a row meets it: as numbers where both sides are, else as text."""
        cell = cells[self.column]
        left, right = _number(cell), _number(self.value)
        if left is not None and right is not None:
            return COMPARISONS[self.sign](left, right)
        return COMPARISONS[self.sign](cell, self.value)


def rule(text: str, *, option: str) -> Rule:
    """Return a condition as typed.

    Raises: InputError with an example.

    >>> rule("flop>=1e21", option="--where").sign
    '>='
    """
    found = RULE.match(text)
    if not found:
        raise InputError(f"{option} {text!r} is not a condition; write e.g. {option} dataset=c4 or 'N<1e10'")
    return Rule(column=found[1], sign=found[2], value=found[3])


def read_runs(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    where: Sequence[str] = (),
    drop: Sequence[str] = (),
    best: bool = False,
) -> RunTable:
    """Return the runs of a CSV or Parquet file.

    `columns` says which column is params, tokens, loss, flop, budget or text, where the usual names do not.
    Tokens that are not there are flop / (6 params). `where` keeps the rows that meet every condition, `drop`
    leaves out those that meet any. `best` keeps, of runs of equal N and D, the one of least loss: runs at
    other learning rates and batches are then a search, and its end is kept.
    Raises: FileFormatError for a file, column or cell that cannot be used; InputError for other mistakes.
    """
    file = found_file(path)
    names, rows = _parquet(file) if file.suffix.lower() in (".parquet", ".pq") else _csv(file)
    used = _columns(file, names, columns or {})
    kept = _kept(file, names, rows, where=where, drop=drop)
    text = _one_text(file, names, kept, used.pop("text", None))
    numbers = {field: _column(file, kept, column, most=MOST[field]) for field, column in used.items()}
    numbers, imputed = _completed(file, numbers)
    if best:
        chosen = _best(numbers)
        kept = [kept[i] for i in chosen]
        numbers = {name: column[chosen] for name, column in numbers.items()}
    runs = Runs.of(numbers["params"], numbers["tokens"], losses=numbers["loss"])
    flop = numbers.get("flop", runs.flop)
    return RunTable(
        path=str(path),
        runs=runs,
        flop=flop,
        budgets=numbers.get("budget"),
        columns=used,
        text=text,
        rows=len(rows),
        dropped=len(rows) - len(kept),
        imputed=imputed,
        flop_ratio=float(np.median(flop / runs.flop)),
        cells={name: [row.cells[name] for row in kept] for name in names},
        lines=[row.line for row in kept],
    )


def accuracies(table: RunTable, column: str) -> NDArray[np.float64]:
    """Return a column of accuracies of the runs kept.

    Raises: FileFormatError for a column that is not there, or a cell that is not of 0 to 1.
    """
    if column not in table.cells:
        raise _no_column(Path(table.path), column, list(table.cells))
    found = [_number(cell) for cell in table.cells[column]]
    for line, cell, value in zip(table.lines, table.cells[column], found, strict=True):
        if value is None or not 0 <= value <= 1:
            raise FileFormatError(
                f"{table.path}:{line}: {column} = {cell[:40]!r} is not an accuracy of 0 to 1"
            )
    return np.array(found, dtype=np.float64)


def found_file(path: str | Path) -> Path:
    """Return a file of the user's, or the one that comes with gigawatt under a bare name."""
    file = Path(path)
    shipped = Path(str(SHIPPED / file.name))
    return shipped if file.name == str(file) and not file.exists() and shipped.is_file() else file


def _csv(file: Path) -> tuple[list[str], list[_Row]]:
    text = _text(file)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        if not any(names):
            raise FileFormatError(f"{file}:1: there is no line of column names")
        twice = {name for name in names if name and names.count(name) > 1}
        if twice:
            raise FileFormatError(f"{file}:1: column {min(twice)!r} is there twice; rename one")
        rows = []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(names):
                raise FileFormatError(
                    f"{file}:{reader.line_num}: the row has {len(cells)} cells, the head {len(names)}"
                )
            rows.append(_Row(line=reader.line_num, cells=dict(zip(names, map(str.strip, cells)))))
    except csv.Error as error:
        raise FileFormatError(f"{file}:{reader.line_num}: is not CSV ({error})") from None
    return names, rows


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > MAX_TABLE_BYTES:
            raise FileFormatError(f"{file}: is larger than {MAX_TABLE_BYTES:,} bytes")
        return file.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise FileFormatError(f"{file}: is not UTF-8 text") from None
        why = error.strerror if isinstance(error, OSError) and error.strerror else "no such name"
        raise FileFormatError(f"{file}: cannot be read ({why})") from None


def _parquet(file: Path) -> tuple[list[str], list[_Row]]:
    reader: Any = extra_module("pyarrow.parquet", extra="study", what="Parquet files of runs")
    arrow: Any = extra_module("pyarrow", extra="study", what="Parquet files of runs")
    try:
        table = reader.read_table(file)
    except (OSError, arrow.ArrowException) as error:
        raise FileFormatError(f"{file}: cannot be read as Parquet ({str(error).splitlines()[0]})") from None
    names = [str(name) for name in table.column_names]
    lists = {name: ["" if v is None else str(v) for v in table[name].to_pylist()] for name in names}
    rows = [_Row(line=i + 1, cells={name: lists[name][i] for name in names}) for i in range(table.num_rows)]
    return names, rows


def _columns(file: Path, names: Sequence[str], asked: Mapping[str, str]) -> dict[str, str]:
    """Return which column each field is read from; fields that are neither there nor asked for are not."""
    found = {}
    for field, column in asked.items():
        if field not in FIELDS:
            raise unknown_name("--columns field", field, FIELDS)
        if column not in names and not (field == "text" and column == ONE_TEXT):
            raise _no_column(file, column, names)
        found[field] = column
    for field, aliases in ALIASES.items():
        if field not in found:
            known = [alias for alias in aliases if alias in names and alias not in found.values()]
            if known:
                found[field] = known[0]
    missing = [field for field in ("params", "loss") if field not in found]
    if "tokens" not in found and "flop" not in found and "budget" not in found:
        missing.append("tokens")
    if missing:
        raise FileFormatError(
            f"{file}:1: no column is known to be {missing[0]}; name it with --columns {missing[0]}=COLUMN, "
            f"of: {_listed(names)}"
        )
    return found


def _no_column(file: Path, column: str, names: Sequence[str]) -> FileFormatError:
    message = str(unknown_name("column", column, names))
    if _listed(names) not in message and "There are" not in message and "there are" not in message:
        message = f"{message}; there are: {_listed(names)}"
    return FileFormatError(f"{file}:1: {message}")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(name[:40] for name in names[:SHOWN]) + more


def _kept(
    file: Path, names: Sequence[str], rows: list[_Row], *, where: Sequence[str], drop: Sequence[str]
) -> list[_Row]:
    keeps = [rule(text, option="--where") for text in where]
    drops = [rule(text, option="--drop") for text in drop]
    for one in (*keeps, *drops):
        if one.column not in names:
            raise _no_column(file, one.column, names)
    kept = [row for row in rows if all(k.holds(row.cells) for k in keeps)]
    kept = [row for row in kept if not any(d.holds(row.cells) for d in drops)]
    if not kept:
        why = f"{len(rows)} rows, and --where and --drop leave none" if rows else "there are no rows"
        raise FileFormatError(f"{file}: {why}")
    return kept


def _one_text(file: Path, names: Sequence[str], rows: Sequence[_Row], asked: str | None) -> str | None:
    """Return what the losses are measured on.

    Raises: FileFormatError when they are of several texts: such losses cannot be compared.
    """
    if asked == ONE_TEXT:
        return None
    looked = [asked] if asked is not None else [name for name in TEXTS if name in names]
    said = []
    for column in looked:
        values = sorted({row.cells[column] for row in rows})
        if len(values) > 1:
            raise FileFormatError(
                f"{file}: losses of {len(values)} different texts are not comparable: column {column!r} "
                f"holds {_listed(values)}; choose one with --where {column}={values[0]}, or say that they "
                f"are one with --columns text={ONE_TEXT}"
            )
        said += [value for value in values if value]
    return ", ".join(dict.fromkeys(said)) or None


def _column(file: Path, rows: Sequence[_Row], column: str, *, most: float) -> NDArray[np.float64]:
    """Return a column of numbers.

    Raises: FileFormatError with line, column and value of the first cell that is none.
    """
    found = np.empty(len(rows))
    for i, row in enumerate(rows):
        value = _number(row.cells[column])
        if value is None or not LEAST <= value <= most:
            what = "is blank" if not row.cells[column] else f"= {row.cells[column][:40]!r} is not allowed"
            raise FileFormatError(
                f"{file}:{row.line}: {column} {what}; it takes a number of {LEAST:g} to {most:g}; "
                f"--drop '{column}={row.cells[column][:40]}' leaves such rows out"
            )
        found[i] = value
    return found


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return None if value != value else value


def _best(numbers: Mapping[str, NDArray[np.float64]]) -> NDArray[np.int64]:
    """Return the places of the runs of least loss, one for each pair of parameters and tokens."""
    pairs = np.stack([numbers["params"], numbers["tokens"]], axis=-1)
    _, group = np.unique(pairs, axis=0, return_inverse=True)
    order = np.lexsort((numbers["loss"], group.ravel()))
    first = np.unique(group.ravel()[order], return_index=True)[1]
    return np.sort(order[first])


def _completed(
    file: Path, numbers: dict[str, NDArray[np.float64]]
) -> tuple[dict[str, NDArray[np.float64]], str | None]:
    if "tokens" in numbers:
        return numbers, None
    flop = numbers["flop"] if "flop" in numbers else numbers["budget"]
    return {**numbers, "flop": flop, "tokens": flop / (6.0 * numbers["params"])}, "tokens"
