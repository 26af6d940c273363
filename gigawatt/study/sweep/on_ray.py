"""The engine of many computers: parts as Ray tasks, their bytes sent home and written by one process."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gigawatt.errors import InputError
from gigawatt.study.extras import extra_module
from gigawatt.study.sweep.parts import Part, Pricer
from gigawatt.study.sweep.store import opened, part_file, write_whole
from gigawatt.study.sweep.study_file import Study

RETRIES = 5  # of a task whose worker died
AHEAD = 2  # tasks a core that wait for it: bounds what lies in Ray's memory
Done = Callable[[Part], None]

_PRICERS: dict[str, Pricer] = {}  # of this worker process, by digest


def priced(digest: str, part: Part, *, study: Study, layouts: Mapping[str, Any]) -> bytes:
    """Return the bytes of one part; what a worker has learned of the study stays with it."""
    if digest not in _PRICERS:
        _PRICERS[digest] = Pricer(study, layouts)
    return _PRICERS[digest].part_bytes(part)


def run_on_ray(folder: Path, parts: Sequence[Part], *, digest: str, workers: int | None, done: Done) -> None:
    """Price parts on the Ray cluster of RAY_ADDRESS, else on one that lives as long as this run.

    A task whose worker dies is given to another. Machine and model files that a study names must lie under
    the same path on every computer.
    Raises: MissingExtraError without Ray; InputError when the cluster cannot be reached.
    """
    ray = extra_module("ray", extra="ray", what="studies on a cluster")
    started = _connected(ray, workers)
    try:
        study, pricer = opened(folder)
        sent = {"study": ray.put(study), "layouts": ray.put(dict(pricer.layouts))}
        task = ray.remote(num_cpus=1, max_retries=RETRIES)(priced)
        most = AHEAD * max(int(ray.cluster_resources().get("CPU", 1)), 1)
        _collect(
            ray, folder, parts, start=lambda part: task.remote(digest, part, **sent), most=most, done=done
        )
    finally:
        if started:
            ray.shutdown()


def _collect(
    ray: Any, folder: Path, parts: Sequence[Part], *, start: Callable[[Part], Any], most: int, done: Done
) -> None:
    left = list(reversed(parts))
    running: dict[Any, Part] = {}
    while left or running:
        while left and len(running) < most:
            part = left.pop()
            running[start(part)] = part
        ready, _ = ray.wait(list(running), num_returns=1)
        for one in ready:
            part = running.pop(one)
            try:
                content = ray.get(one)
            except ray.exceptions.WorkerCrashedError:
                raise InputError(
                    f"workers died {RETRIES + 1} times on part {part.number} of {part.set!r}: is there "
                    "memory enough? a smaller part_rows needs less"
                ) from None
            write_whole(part_file(folder, part), content)
            done(part)


def _connected(ray: Any, workers: int | None) -> bool:
    """Connect to the cluster, and return whether one was started for this run."""
    if ray.is_initialized():
        return False
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    try:
        if os.environ.get("RAY_ADDRESS"):
            ray.init(**quiet)
        else:
            ray.init(address="local", num_cpus=workers, include_dashboard=False, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        what = (str(error).splitlines() or ["no reason given"])[0]
        raise InputError(f"engine = 'ray': no cluster can be reached or started ({what})") from None
    return True
