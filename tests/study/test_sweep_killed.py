"""A study that is killed at any time has lost nothing that it said was done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

from gigawatt.study.sweep.run import run_study
from tests.study.sweeps import PRICES, contents

ROUNDS = 20
RANDOM = {**PRICES, "sets": {"drawn": {**PRICES["sets"]["drawn"], "method": "random"}}}


def test_twenty_kills_at_random_times_lose_and_repeat_nothing(tmp_path, repository):
    file = tmp_path / "prices.yaml"
    file.write_text(json.dumps({**RANDOM, "part_rows": 40}))  # 103 parts
    run_study(file, folder=tmp_path / "whole", workers=1)
    told = subprocess.run(
        [sys.executable, "-m", "tests.study.killed", str(file), str(tmp_path / "killed"), str(ROUNDS)],
        cwd=repository, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = json.loads(told.stdout)
    assert (found["lost"], found["changed"], found["left"], found["missing"]) == ([], [], [], 0)
    assert sum(found["told"]) <= found["kept"] <= sum(found["told"]) + ROUNDS  # at most one unreported a kill
    assert sum(n > 0 for n in found["told"]) > 3  # the kills fell into the work
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def test_workers_do_not_outlive_a_killed_run(tmp_path, repository):
    file, folder = tmp_path / "prices.yaml", tmp_path / "out"
    file.write_text(json.dumps({**RANDOM, "part_rows": 2}))
    run = subprocess.Popen(
        [sys.executable, "-m", "gigawatt", "study", str(file), "--out", str(folder), "--workers", "2"],
        cwd=repository, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait(lambda: len(contents(folder)) > 3)
    assert len(workers_of(folder)) == 2
    run.send_signal(signal.SIGKILL)
    run.wait()
    wait(lambda: not workers_of(folder))


def test_a_worker_that_dies_is_replaced_and_its_part_done(tmp_path):
    file, folder = tmp_path / "prices.yaml", tmp_path / "out"
    file.write_text(json.dumps({**RANDOM, "part_rows": 200}))
    killed = []

    def kill(_):
        if len(killed) < 2:
            killed.append(workers_of(folder)[0])
            os.kill(killed[-1], signal.SIGKILL)

    ran = run_study(file, folder=folder, workers=2, done=kill)
    assert len(killed) == 2
    assert len(contents(folder)) == ran.parts
    run_study(file, folder=tmp_path / "whole", workers=1)
    assert contents(folder) == contents(tmp_path / "whole")


def workers_of(folder):
    """Return the process ids of the workers of a folder."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdecimal():
            try:
                with open(f"/proc/{name}/cmdline", "rb") as told:
                    words = told.read().split(b"\0")
            except OSError:
                continue
            if b"gigawatt.study.sweep.worker" in words and str(folder).encode() in words:
                found.append(int(name))
    return found


def wait(until, limit_s=60.0):
    """Wait until something is so."""
    end = time.monotonic() + limit_s
    while not until():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.02)
