"""Tables of text: some columns of a CSV in, records out as a CSV that is whole or not there."""

from __future__ import annotations

import csv
import dataclasses
import io
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gigawatt.errors import FileFormatError, InputError

MAX_TABLE_BYTES = 200_000_000


def read_columns(
    path: str | Path, needed: Sequence[str], *, optional: Sequence[str] = ()
) -> list[dict[str, str]]:
    """Return some columns of a table; the others are not even kept.

    Raises: FileFormatError when the file is not a table with the needed columns.
    """
    file = Path(path)
    try:
        if file.stat().st_size > MAX_TABLE_BYTES:
            raise FileFormatError(f"{file}: is larger than {MAX_TABLE_BYTES:,} bytes")
        text = file.read_text("utf-8-sig")
    except OSError as error:
        raise FileFormatError(f"{file}: cannot be read ({error.strerror or 'no such file'})") from None
    except UnicodeDecodeError:
        raise FileFormatError(f"{file}: is not UTF-8 text") from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        missing = [name for name in needed if name not in (reader.fieldnames or ())]
        if missing:
            raise FileFormatError(f"{file}:1: column {missing[0]!r} is missing; needed: {', '.join(needed)}")
        names = (*needed, *optional)
        return [{name: (row.get(name) or "").strip() for name in names} for row in reader]
    except csv.Error as error:
        raise FileFormatError(f"{file}:{reader.line_num}: is not CSV ({error})") from None


def write_records(
    path: str | Path,
    records: Iterable[Any],
    *,
    kind: type,
    progress: Callable[[int], None] | None = None,
) -> dict[str, int]:
    """Write records as CSV, all or nothing, and return the count of each status.

    Raises: InputError when the place cannot be written.
    """
    file, columns = Path(path), [f.name for f in dataclasses.fields(kind)]
    counts: dict[str, int] = {}
    try:
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    except OSError as error:
        raise InputError(f"--out {str(file)!r} cannot be written ({error.strerror})") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(columns)
            for done, record in enumerate(records, 1):
                writer.writerow([cell(getattr(record, name)) for name in columns])
                counts[record.status] = counts.get(record.status, 0) + 1
                if progress:
                    progress(done)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return counts


def cell(value: str | float) -> str:
    """Return a value as a cell: six figures of a number, nothing for nan.

    >>> cell(1234.56789), cell(float("nan")), cell("ok")
    ('1234.57', '', 'ok')
    """
    if isinstance(value, str):
        return value
    return "" if value != value else f"{value:.6g}"


Row = Mapping[str, str]
