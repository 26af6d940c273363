"""Kill runs of a study at random times, and say what was lost: run by test_sweep_killed.

One process imports everything and forks a run per round, so that a round takes as long as its computing.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from gigawatt.study.sweep.parts import Pricer, parts_of
from gigawatt.study.sweep.run import run_study
from gigawatt.study.sweep.store import missing_parts, part_file
from gigawatt.study.sweep.study_file import read_study_file


def child(file: Path, folder: Path, reports: int) -> None:
    """Run the study, and write the name of every part that is reported done."""

    def done(part: object) -> None:
        os.write(reports, f"{part_file(folder, part)}\n".encode())  # type: ignore[arg-type]

    run_study(file, folder=folder, workers=1, done=done)


def killed_run(file: Path, folder: Path, *, after_s: float) -> list[str]:
    """Start a run, kill it after some time, and return what it reported done."""
    end, reports = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(end)
        child(file, folder, reports)
        os._exit(0)
    os.close(reports)
    time.sleep(after_s)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    with os.fdopen(end) as told:
        return told.read().splitlines()


def main(file: Path, folder: Path, rounds: int) -> None:
    """Kill as many runs as asked, then let one end."""
    _, study = read_study_file(file)  # what is loaded here is not loaded in every round
    Pricer(study, {}).part_bytes(next(parts_of(study)))
    clock, told, lost, changed = random.Random(1), [], [], []
    seen: dict[str, tuple[int, int]] = {}
    for _ in range(rounds):
        reported = killed_run(file, folder, after_s=clock.uniform(0.02, 0.25))
        told.append(len(reported))
        lost += [name for name in reported if not Path(name).is_file()]
        for name in {*seen, *reported} - set(lost):
            now = Path(name).stat()
            changed += (
                [name]
                if seen.setdefault(name, (now.st_ino, now.st_mtime_ns)) != (now.st_ino, now.st_mtime_ns)
                else []
            )
    ran = run_study(file, folder=folder, workers=1)
    left = [p.name for p in folder.rglob(".unfinished-*")]
    print(json.dumps({"told": told, "lost": lost, "changed": changed, "left": left, "kept": ran.kept,
                      "missing": len(missing_parts(folder, ran.study)), "parts": ran.parts}))  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
