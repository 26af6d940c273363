"""The folder of a study: a manifest, and part files that are there whole or not at all.

FOLDER/study.json                       the study, its digest, the layouts that were found
FOLDER/parts/SET/part-000000.parquet    rows of one set; a file with this name is done
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import gigawatt
from gigawatt.errors import InputError
from gigawatt.study.scenario import FILES
from gigawatt.study.sweep.parts import Part, Pricer, parts_of
from gigawatt.study.sweep.study_file import Study, study_of

SCHEMA = "gigawatt/study-folder/1"
MANIFEST, LOCK = "study.json", ".lock"
TEMPORARY = ".unfinished-"


def digest_of(rows: Mapping[str, Any]) -> str:
    """Return the hash of a study: what is written, the files that it names, and gigawatt's version."""
    told = hashlib.sha256(json.dumps(rows, sort_keys=True).encode())
    told.update(gigawatt.__version__.encode())
    for name in sorted(set(_words(rows))):
        if name.lower().endswith((*FILES, ".json")) and Path(name).is_file():
            told.update(Path(name).read_bytes())
    return f"sha256:{told.hexdigest()}"


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _words(inner)


def part_file(folder: Path, part: Part) -> Path:
    """Return where a part lies when it is done."""
    return folder / "parts" / part.set / f"part-{part.number:06d}.parquet"


def write_whole(file: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also when the power goes.

    Raises: InputError when it cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=TEMPORARY)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            Path(temporary).replace(file)
        finally:
            Path(temporary).unlink(missing_ok=True)
        place = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(place)
        finally:
            os.close(place)
    except OSError as error:
        raise InputError(f"{str(file)!r} cannot be written ({error.strerror})") from None


def write_part(folder: Path, part: Part, *, pricer: Pricer) -> None:
    """Compute one part and put it in its place."""
    write_whole(part_file(folder, part), pricer.part_bytes(part))


def missing_parts(folder: Path, study: Study) -> list[Part]:
    """Return the parts that are not done, in order."""
    return [part for part in parts_of(study) if not part_file(folder, part).is_file()]


def write_manifest(folder: Path, rows: Mapping[str, Any], *, digest: str, layouts: Mapping[str, Any]) -> None:
    """Write what a study is and which layouts it uses."""
    told = {"schema": SCHEMA, "digest": digest, "study": rows, "layouts": layouts}
    write_whole(folder / MANIFEST, json.dumps(told, indent=1).encode())


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a study's folder.

    Raises: InputError when the folder holds none.
    """
    file = folder / MANIFEST
    try:
        found = json.loads(file.read_text("utf-8"))
        if found["schema"] != SCHEMA:
            raise KeyError(found["schema"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            f"folder = {str(folder)!r} holds no study; `gigawatt study STUDY.yaml` makes one"
        ) from None
    return dict(found)


def opened(folder: Path) -> tuple[Study, Pricer]:
    """Return the study of a folder, ready to price its parts.

    Raises: InputError when the folder holds none.
    """
    manifest = read_manifest(folder)
    study = study_of(manifest["study"], where=str(folder / MANIFEST))
    return study, Pricer(study, manifest["layouts"])


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder for one run; what an earlier run left unfinished is taken away.

    Raises: InputError when another run holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LOCK).open("w") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(f"folder = {str(folder)!r} is in use by another run; wait for it") from None
            for left in folder.rglob(f"{TEMPORARY}*"):
                left.unlink(missing_ok=True)
            yield
    except OSError as error:
        raise InputError(f"folder = {str(folder)!r} cannot be used ({error.strerror})") from None
