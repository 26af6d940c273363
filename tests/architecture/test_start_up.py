"""Starting is cheap: heavy packages are loaded by the command that needs them."""

from __future__ import annotations

import subprocess
import sys
import time

HEAVY = ("numpy", "pydantic", "rich", "ruamel", "scipy")
RUNS, TIMES_NUMPY = 5, 2.0

ASK = "import sys; print(*sorted({m.split('.')[0] for m in sys.modules} & set(sys.argv[1:])))"


def loaded_after(code: str) -> str:
    """Return which heavy packages a fresh Python has loaded after some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{ASK}", *HEAVY], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()[-1]


def test_import_gigawatt_loads_nothing_heavy():
    assert loaded_after("import gigawatt") == ""


def test_help_loads_nothing_heavy():
    code = "from gigawatt.cli.main import run; argv = ['--help']; assert run(argv) == 0"
    assert loaded_after(code) == ""


def test_the_command_line_loads_numpy_only_when_it_computes():
    assert "numpy" in loaded_after("import gigawatt; gigawatt.plan")


def test_help_takes_less_than_twice_the_import_of_numpy():
    """The best of five each, by turns, so that a busy machine slows both."""
    commands = {"help": ["-m", "gigawatt", "--help"], "numpy": ["-c", "import numpy"]}
    best = dict.fromkeys(commands, float("inf"))
    for _ in range(RUNS):
        for name, arguments in commands.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
            best[name] = min(best[name], time.perf_counter() - started)
    assert best["help"] < TIMES_NUMPY * best["numpy"], best
