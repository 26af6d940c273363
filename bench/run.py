"""Measure the speed of search, studies and start-up, append it to bench/history.csv, fail on a step of 1.3 x.

Machines are noisy: what counts is the ratio to a reference loop that is timed around each measurement.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from gigawatt.search import full_space, search, search_sizes
from gigawatt.study.scenario import scenario
from gigawatt.study.sweep.parts import Pricer, parts_of
from gigawatt.study.sweep.run import run_study
from gigawatt.study.sweep.study_file import study_of

HISTORY = Path(__file__).with_name("history.csv")
STEP = 1.3
REPEATS = 3
REFERENCE_ROWS, REFERENCE_PASSES = 100_000, 100
CASES = {  # name: model, machine
    "405B on 16,384 chips": ("llama3.1-405b", "meta-llama3-16k"),
    "DeepSeek-V3 on 2,048 chips": ("deepseek-v3", "deepseek-2048"),
}
LEAST_LAYOUTS_PER_S = 1_000_000  # per core, of the largest case


def reference_s() -> float:
    """Return the CPU time of the reference: 100 passes of max(a b + c / d, a) over 100,000 float64 rows."""
    rng = np.random.default_rng(0)
    a, b, c, d = (rng.uniform(1.0, 2.0, REFERENCE_ROWS) for _ in range(4))
    start = time.process_time()
    for _ in range(REFERENCE_PASSES):
        np.maximum(a * b + c / d, a)
    return time.process_time() - start


def search_case(model: str, machine: str) -> dict[str, float]:
    """Return the best of some searches: candidates, layouts priced whole, CPU seconds."""
    asked = scenario(model, on=machine, tokens=1e12)
    space = full_space(asked.job, asked.machine, stack=asked.stack)
    best = float("inf")
    for _ in range(REPEATS):
        start = time.process_time()
        found = search(asked.job, space, machine=asked.machine, stack=asked.stack)
        best = min(best, time.process_time() - start)
    return {"candidates": found.candidates, "priced": found.priced, "cpu_s": best}


STUDY: dict[str, Any] = {  # a fixed layout, four draws
    "base": {
        "model": "llama3.1-405b",
        "on": "meta-llama3-16k",
        "tokens": "15.6T",
        "layout": {"tp": 8, "pp": 16, "vp": 8, "mbs": 1, "zero": 1, "recompute": "selective"},
    },
    "sets": {
        "s": {
            "draw": {
                "machine.rent_usd_per_s": {"triangular": ["1.5 $/h", "2.35 $/h", "4 $/h"]},
                "machine.failures_per_chip_s": {"log_normal": [1, 1.7], "of": "base"},
                "machine.restart_s": {"published": True},
                "step_ratio": {"band": True},
            },
            "samples": 2**20,
        }
    },
}
LEAST_SCENARIOS_PER_S = 50_000  # of a million, on two processes, wall clock, start and files included
STUDY_WORKERS = 2


def study_case() -> dict[str, float]:
    """Return what a study of 2^20 scenarios takes: a part in this process, and the whole on two."""
    pricer = Pricer(asked := study_of(STUDY, where="bench.yaml"), {})
    part = next(parts_of(asked))
    pricer.part_bytes(part)
    best = float("inf")
    for _ in range(REPEATS):
        start = time.process_time()
        pricer.part_bytes(part)
        best = min(best, time.process_time() - start)
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "bench.yaml"
        file.write_text(json.dumps(STUDY), encoding="utf-8")
        start = time.perf_counter()
        run_study(file, folder=Path(place) / "out", workers=STUDY_WORKERS)
        wall = time.perf_counter() - start
    return {"per_cpu_s": part.rows / best, "per_s": asked.rows / wall}


def sizes_case() -> dict[str, float]:
    """Return the best of some searches of 405B on 8 to 131,072 of Colossus' chips, nothing cut."""
    asked = scenario("llama3.1-405b", on="colossus-230k", tokens=1e12)
    spaces = [full_space(asked.job, asked.machine.take(2**n), stack=asked.stack) for n in range(3, 18)]
    best = float("inf")
    for _ in range(REPEATS):
        start = time.process_time()
        found = search_sizes(asked.job, spaces, machine=asked.machine, stack=asked.stack)
        best = min(best, time.process_time() - start)
    seen, priced = (sum(getattr(one, name) for one in found) for name in ("candidates", "priced"))
    return {"candidates": seen, "priced": priced, "cpu_s": best}


def stream_s(rows: int) -> float:
    """Return the CPU time to read nine columns of so many layouts once, added up into one."""
    columns = [np.ones(rows) for _ in range(9)]
    total, best = np.zeros(rows), float("inf")
    for _ in range(REPEATS):
        start = time.process_time()
        for column in columns:
            np.add(total, column, out=total)
        best = min(best, time.process_time() - start)
    return best


def process_s(*command: str) -> float:
    """Return the least wall time of some runs of a process."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return min(times)


def measure() -> dict[str, float]:
    """Return every figure by name; those that end in _ratio are compared over time."""
    found: dict[str, float] = {}
    searches = {name: partial(search_case, *case) for name, case in CASES.items()}
    for name, measured in {**searches, "405B on 8 to 131,072 chips": sizes_case}.items():
        before = min(reference_s() for _ in range(REPEATS))
        one = measured()
        reference = min(before, *(reference_s() for _ in range(REPEATS)))
        rows_per_s = REFERENCE_ROWS * REFERENCE_PASSES / reference
        per_s = one["priced"] / one["cpu_s"]
        told = f"{one['candidates']:,.0f} candidates, {one['priced']:,.0f} priced whole"
        print(f"{name}: {told}, {one['cpu_s']:.2f} CPU-s")
        print(f"  {per_s:,.0f} layouts a CPU-s; the reference loop does {rows_per_s:,.0f} rows a CPU-s")
        ratio = one["cpu_s"] / stream_s(int(one["candidates"]))
        print(f"  {ratio:.1f} x the time to stream the degrees of all candidates once through memory")
        found[f"{name}: priced per CPU-s"] = per_s
        found[f"{name}: reference rows over layouts, a CPU-s_ratio"] = rows_per_s / per_s
    before = min(reference_s() for _ in range(REPEATS))
    one = study_case()
    rows_per_s = REFERENCE_ROWS * REFERENCE_PASSES / min(before, reference_s())
    print(f"study of 2^20: {one['per_cpu_s']:,.0f} scenarios a CPU-s,")
    print(f"  {one['per_s']:,.0f} a second on two processes, start and files included")
    found["study: scenarios a second on two processes"] = one["per_s"]
    found["study: reference rows over scenarios, a CPU-s_ratio"] = rows_per_s / one["per_cpu_s"]
    numpy_s = process_s(sys.executable, "-c", "import numpy")
    for name, command in {"help": ("-m", "gigawatt", "--help"), "import": ("-c", "import gigawatt")}.items():
        found[f"{name} over import numpy_ratio"] = process_s(sys.executable, *command) / numpy_s
        print(f"{name}: {found[f'{name} over import numpy_ratio']:.2f} x import numpy")
    return found


def steps(found: dict[str, float], history: Path = HISTORY) -> list[str]:
    """Return which ratios grew by more than the allowed step since they were last written down."""
    last: dict[str, float] = {}
    if history.is_file():
        last = {row["figure"]: float(row["value"]) for row in csv.DictReader(history.open(encoding="utf-8"))}
    told = []
    for name, value in found.items():
        if name.endswith("_ratio") and name in last and value > STEP * last[name]:
            told.append(f"{name}: {last[name]:.3g} -> {value:.3g}")
    return told


def append(found: dict[str, float], history: Path = HISTORY) -> None:
    """Write the figures down, with date and commit."""
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    new = not history.is_file()
    with history.open("a", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        if new:
            writer.writerow(["date", "commit", "figure", "value"])
        for name, value in found.items():
            writer.writerow([date.today().isoformat(), git.stdout.strip(), name, f"{value:.4g}"])


def main(write: Callable[[dict[str, float]], None] = append) -> int:
    """Measure, compare, write down."""
    np.empty(30_000_000, dtype=np.uint8)  # freed at once: the allocator then keeps what arrays give back
    found = measure()
    slower = steps(found)
    least = max(v for k, v in found.items() if k.endswith("priced per CPU-s"))
    if least < LEAST_LAYOUTS_PER_S:
        slower.append(f"{least:,.0f} layouts a CPU-s is below {LEAST_LAYOUTS_PER_S:,}")
    if found["study: scenarios a second on two processes"] < LEAST_SCENARIOS_PER_S:
        slower.append(f"a study computes fewer than {LEAST_SCENARIOS_PER_S:,} scenarios a second")
    for line in slower:
        print(f"slower: {line}", file=sys.stderr)
    if not slower:
        write(found)
    return 1 if slower else 0


if __name__ == "__main__":
    raise SystemExit(main())
