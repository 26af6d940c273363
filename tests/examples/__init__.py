"""The examples: each .out file begins with its command, and holds what that prints."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import tempfile
from pathlib import Path

from gigawatt.cli.main import run

FOLDER = Path(__file__).resolve().parents[2] / "examples"
COMMANDS = {
    "two-rows": "gigawatt plan llama3.1-8b --on two-rows.yaml --tokens 1T --batch-sequences 512 "
    "--seq 8192 --stack megatron-core-2024 --layout tp=4,zero=2,recompute=full",
    "two-rows-machine": "gigawatt machine show two-rows.yaml",
    "torus": "gigawatt plan llama2-13b --on torus.toml --stack maxtext "
    "--layout tp=4,mbs=1,zero=1,recompute=full",
    "small": "gigawatt plan ./small.json --on selene --chips 64 --tokens 300B --batch-sequences 256 "
    "--seq 4096 --dtype bf16 --layout tp=1,zero=1,recompute=full --explain mfu",
    "prices": "gigawatt study prices.yaml --workers 1 --out {folder}/prices.study",
    "article": "gigawatt claims article.yaml",
    "broken": "gigawatt plan llama3.1-8b --on broken.yaml",
}


def printed(command: str) -> str:
    """Return the command and all that it prints, in the folder of examples, 100 columns wide."""
    paper, here = io.StringIO(), Path.cwd()
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "100"
    os.chdir(FOLDER)
    try:
        into = (contextlib.redirect_stdout(paper), contextlib.redirect_stderr(paper))
        with tempfile.TemporaryDirectory() as folder, into[0], into[1]:
            run(shlex.split(command.replace("{folder}", folder))[1:])
    finally:
        os.chdir(here)
        os.environ.pop("COLUMNS") if before is None else os.environ.update(COLUMNS=before)
    told = re.sub(r"\S*/prices\.study", "prices.study", paper.getvalue())
    return f"$ {command.replace('{folder}/', '')}\n{told}"


BARS = re.compile(r"[▏▎▍▌▋▊▉█]+")
NUMBERS = re.compile(r"\$?\d[\d.,e+-]*( ?[munµkMGTPE]?(B|s|h|d|y|min|%|W|Wh|t|token)\b|[kMBT]\b| [kMB]\b)?")


def shape(text: str) -> list[str]:
    """Return text without what a new calibration moves: numbers, their prefixes, bars, how lines break.

    >>> shape("step  5.39 s; at peak 2.84 ms ██▎")
    ['step', '#;', 'at', 'peak', '#']
    """
    return NUMBERS.sub("#", BARS.sub("", text)).split()
