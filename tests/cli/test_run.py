"""How a command ends, where its words go, and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import click
import pytest

from gigawatt.cli import main, output
from gigawatt.errors import GigawattError, MissingExtraError, UnknownFactError

PLAN = ("plan", "llama2-7b", "--on", "superpod-h100", "--chips", "64")


def failing(monkeypatch, error):
    """Make every command end in an error."""

    def fail(self, ctx):
        raise error

    monkeypatch.setattr(click.Command, "invoke", fail)
    monkeypatch.setattr(main.LazyGroup, "invoke", fail)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ZeroDivisionError("float division by zero"), 1),
        (KeyError("tp"), 1),
        (RecursionError("maximum recursion depth exceeded"), 1),
        (GigawattError("no"), 1),
        (UnknownFactError("no peak_fp4 is known"), 4),
        (MissingExtraError("pip install 'gigawatt[test]'"), 6),
        (KeyboardInterrupt(), 130),
    ],
)
def test_whatever_happens_there_is_an_exit_code_and_no_traceback(error, code, monkeypatch, told):
    failing(monkeypatch, error)
    said = told(*PLAN)
    assert said.code == code
    assert said.err
    assert "Traceback" not in said.err


def test_an_internal_error_says_how_to_see_where(monkeypatch, told):
    failing(monkeypatch, ZeroDivisionError("float division by zero"))
    assert main.TRACE in told(*PLAN).err
    monkeypatch.setenv(main.TRACE, "1")
    assert "Traceback" in told(*PLAN).err


def test_results_go_to_standard_output_and_nothing_else_does(told):
    said = told(*PLAN, "--json")
    assert said.code == 0
    assert json.loads(said.out)["schema"] == "gigawatt/plan/1"
    assert said.err == ""  # also no progress bar: nobody is looking


def test_a_file_holds_what_the_terminal_would_show(folder, told):
    shown = told(*PLAN, "--explain", "mfu").out
    assert told(*PLAN, "--explain", "mfu", "-o", "mfu.txt").out == ""
    assert (folder / "mfu.txt").read_text("utf-8") == shown


def test_a_write_that_fails_leaves_the_old_file_and_nothing_new(folder, monkeypatch, told):
    (folder / "plan.json").write_text("old", "utf-8")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(output.Path, "replace", full)
    said = told(*PLAN, "--json", "-o", "plan.json")
    assert (said.code, said.err) == (
        2,
        "error: --output 'plan.json' cannot be written (No space left on device)\n",
    )
    assert (folder / "plan.json").read_text("utf-8") == "old"
    assert [f.name for f in folder.iterdir()] == ["plan.json"]


def test_ctrl_c_ends_with_130_and_leaves_no_file(folder):
    """On a process of its own, which is busy with a long search when the signal comes."""
    argv = ["plan", "deepseek-v3", "--on", "cloudmatrix384", "--json", "-o", "plan.json"]
    code = (
        "import sys, time; from gigawatt.cli import main; from importlib import import_module\n"
        "room = import_module('gigawatt.study.plan')\n"
        "def slow(*_, **__): print('busy', flush=True); time.sleep(30)\n"
        "room._search = slow; sys.exit(main.run(sys.argv[1:]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "busy\n"
        time.sleep(0.2)
        os.kill(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert (process.returncode, said.strip()) == (130, "interrupted")
    assert list(folder.iterdir()) == []


def test_a_reader_that_goes_away_is_no_error(repository):
    """As `| head -1` does."""
    command = f"{sys.executable} -m gigawatt catalog models --json | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=repository, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["{", "0"]
    assert done.stderr == ""


@pytest.mark.parametrize("command", main.COMMANDS)
def test_every_command_has_help(command, told):
    said = told(command, "--help")
    assert said.code == 0
    assert said.out.startswith(f"Usage: gigawatt {command} ")


def test_doctor_says_versions_and_the_catalogue(told):
    found = json.loads(told("doctor", "--json").out)
    assert found["python"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert " machines" in found["catalogue"]
    assert found["extra test"] == "there"


def test_doctor_says_which_settings_come_from_the_environment(monkeypatch, told):
    monkeypatch.setenv("NO_COLOR", "1")
    assert "NO_COLOR=1 (environment)" in told("doctor").out
