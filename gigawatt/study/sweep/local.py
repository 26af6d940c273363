"""The engine of one computer: processes that take parts until all are done."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import selectors
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from gigawatt.errors import GigawattError, InputError
from gigawatt.study.sweep.parts import Part
from gigawatt.study.sweep.store import opened, write_part

MOST_DEATHS = 3  # of workers on one part: then it is the part that kills them
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")  # one each: the processes are the parallelism
Done = Callable[[Part], None]


def run_local(folder: Path, parts: Sequence[Part], *, workers: int, done: Done) -> None:
    """Price parts on this computer, each told to `done` when its file is in place.

    Raises: InputError when workers die again and again, or a part cannot be priced.
    """
    if workers == 1 or len(parts) < 2:
        _, pricer = opened(folder)
        for part in parts:
            write_part(folder, part, pricer=pricer)
            done(part)
        return
    with _Team(folder, min(workers, len(parts))) as team:
        team.price(parts, done)


class _Team:
    """Worker processes, and which part each of them has."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self.size = size
        self.busy: dict[subprocess.Popen[str], Part] = {}
        self.deaths: dict[Part, int] = {}
        self.ready = selectors.DefaultSelector()

    def __enter__(self) -> _Team:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in list(self.busy):
            worker.kill()
            self._gone(worker)
        self.ready.close()

    def price(self, parts: Sequence[Part], done: Done) -> None:
        """Hand out parts and take answers until all are done."""
        left = list(reversed(parts))
        while left and len(self.busy) < self.size:
            self._give(self._hired(), left.pop())
        while self.busy:
            for worker in self._answering():
                part, answer = self.busy[worker], _out(worker).readline()
                if answer:
                    _refuse(json.loads(answer))
                    done(part)
                else:
                    left.append(self._fallen(worker, part))
                    worker = self._hired()
                if left:
                    self._give(worker, left.pop())
                elif worker in self.busy:
                    _in(worker).close()
                    self._gone(worker)

    def _answering(self) -> Iterator[subprocess.Popen[str]]:
        for key, _ in self.ready.select():
            yield key.data

    def _hired(self) -> subprocess.Popen[str]:
        worker = subprocess.Popen(
            [sys.executable, "-m", "gigawatt.study.sweep.worker", str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # an interrupt from the keyboard is for the run, which then ends them
            env={**os.environ, **dict.fromkeys(THREADS, "1")},
        )
        self.ready.register(_out(worker), selectors.EVENT_READ, worker)
        return worker

    def _give(self, worker: subprocess.Popen[str], part: Part) -> None:
        self.busy[worker] = part
        with contextlib.suppress(BrokenPipeError):  # it died: its answer is the end of its output
            _in(worker).write(json.dumps(dataclasses.asdict(part)) + "\n")
            _in(worker).flush()

    def _fallen(self, worker: subprocess.Popen[str], part: Part) -> Part:
        """Return the part of a worker that died, to be given to another."""
        code = self._gone(worker)
        self.deaths[part] = self.deaths.get(part, 0) + 1
        if self.deaths[part] >= MOST_DEATHS:
            raise InputError(
                f"workers died {MOST_DEATHS} times on part {part.number} of {part.set!r} (exit {code}): is "
                "there memory enough? a smaller part_rows needs less"
            )
        return part

    def _gone(self, worker: subprocess.Popen[str]) -> int:
        self.ready.unregister(_out(worker))
        del self.busy[worker]
        code = worker.wait()
        for pipe in (_in(worker), _out(worker)):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        return code


def _refuse(answer: dict[str, str]) -> None:
    if "error" in answer:
        raise GigawattError(answer["error"])


def _in(worker: subprocess.Popen[str]) -> IO[str]:
    assert worker.stdin is not None
    return worker.stdin


def _out(worker: subprocess.Popen[str]) -> IO[str]:
    assert worker.stdout is not None
    return worker.stdout
