"""The same study on a Ray cluster gives the same rows, also when a worker is killed in mid-run."""

from __future__ import annotations

import json
import os
import signal
import sys

import pytest

from gigawatt.errors import MissingExtraError
from gigawatt.study import run_study
from tests.study.sweeps import PRICES, contents

SMALL = {**PRICES, "part_rows": 100}  # 41 parts


@pytest.fixture
def file(tmp_path):
    """Return a study file."""
    found = tmp_path / "prices.yaml"
    found.write_text(json.dumps(SMALL))
    return found


def test_without_ray_the_answer_is_one_sentence(file, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"'ray'.*pip install 'gigawatt\[ray\]'"):
        run_study(file, folder=tmp_path / "out", engine="ray")


@pytest.mark.filterwarnings("ignore")  # ray's own, of its start and end
def test_two_ray_workers_one_of_them_killed_give_the_same_bytes(file, tmp_path, monkeypatch):
    pytest.importorskip("ray", reason="ray is not installed: pip install 'gigawatt[ray]'")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    run_study(file, folder=tmp_path / "local", workers=1)
    killed, done = [], []

    def kill(part):
        done.append(part)
        if len(done) == 4:
            killed.append(ray_worker())
            os.kill(killed[0], signal.SIGKILL)

    ran = run_study(file, folder=tmp_path / "ray", workers=2, engine="ray", done=kill)
    assert len(killed) == 1
    assert len(done) == ran.parts == 41
    assert contents(tmp_path / "ray") == contents(tmp_path / "local")


def ray_worker():
    """Return the process id of a worker that runs a task, or is about to, for this test's own cluster."""
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as told:
                title = told.read()
        except OSError:
            continue
        if title.startswith(b"ray::priced") and descends(int(name), os.getpid()):
            return int(name)
    raise AssertionError("no worker of this cluster runs a task")


def descends(pid, ancestor):
    """Return whether a process was started by another, over whatever is between."""
    while pid > 1:
        if pid == ancestor:
            return True
        with open(f"/proc/{pid}/stat") as told:
            pid = int(told.read().rpartition(")")[2].split()[1])
    return False
