"""What a tired person reads: nothing cut off, nothing hidden that matters, no raw numbers."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from gigawatt.cli.layout_text import layout_columns, layout_line
from gigawatt.cli.page import table

PAIRS = (
    "llama2-7b --on inferentia2",
    "llama3.1-405b --on meta-llama3-16k",
    "gpt3-175b --on selene --chips 1024",
    "mixtral-8x7b --on superpod-h100 --chips 64 --tokens 1T --batch 4M --seq 4096 --dtype bf16",
    "deepseek-v3 --on cloudmatrix384 --fixed tp=1|2,cp=1",
    "llama3-8b --on tpu-v5e-pod",
)
LAYOUT = {
    "tp": 8, "cp": 1, "pp": 1, "chunks": 1, "dp_replicate": 1, "dp_shard": 8, "ep": 1, "etp": 1,
    "microbatch_sequences": 1, "microbatches": 16, "recompute": "none", "schedule": "1f1b", "zero_stage": 1,
    "sequence_parallel": True, "offload_optimizer": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def drawn():
    """Return a function that draws a plan at a width, each pair searched once."""
    from gigawatt.cli.main import cli
    from gigawatt.cli.output import plain
    from gigawatt.cli.plan_text import front_text, plan_text
    from gigawatt.study import plan

    documents = {}

    def draw(pair, width, *, front=False):
        if pair not in documents:
            context = cli.make_context("gigawatt", ["plan", *pair.split()])
            command = cli.get_command(context, "plan")
            given = command.make_context("plan", pair.split(), parent=context).params
            from gigawatt.cli.options import words

            documents[pair] = plan(
                given["model"],
                on=given["machine"],
                chips=given["chips"],
                tokens=given["tokens"],
                batch_tokens=given["batch"],
                seq_tokens=given["seq"],
                dtype=given["dtype"],
                fixed=words(given["fixed"], option="--fixed", several=True) if given["fixed"] else None,
            ).document()
        return plain((front_text if front else plan_text)(documents[pair]), width=width)

    return draw


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize("pair", PAIRS)
def test_a_plan_fits_its_terminal_and_cuts_nothing_off(pair, width, drawn, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    for text in (drawn(pair, width), drawn(pair, width, front=True)):
        assert max(map(len, text.splitlines())) <= width
        assert "…" not in text
        assert not any(line.endswith(" ") for line in text.splitlines())


@pytest.mark.parametrize("pair", PAIRS)
def test_a_plan_says_what_people_ask_first(pair, drawn):
    text = drawn(pair, 120)
    for word in (
        "layout",
        "MFU",
        "chip-hours",
        "interruption",
        "goodput",
        "useful model flop",
        "--explain",
        "--pareto",
    ):
        assert word in text, word
    assert re.search(r"recompute (none|selective|full)", text)
    assert re.search(r"dp \d+", text)


@pytest.mark.parametrize("kind", ["machines", "chips", "models", "stacks"])
def test_the_catalogue_fits_80_columns_with_no_name_cut(kind, told, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = told("catalog", kind).out.splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)


@pytest.mark.parametrize("line", ["machine show selene", "chip show h100-sxm", "model show deepseek-v3"])
@pytest.mark.parametrize("width", [80, 120])
def test_an_entry_fits_its_terminal(line, width, told, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    text = told(*line.split()).out
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text


def test_every_number_of_explain_can_be_opened(told):
    text = told(*["plan", "llama2-7b", "--on", "superpod-h100", "--chips", "64", "--explain", "all"]).out
    for name in ("step_s", "mfu", "days", "goodput", "cost_usd", "cost_own_usd", "memory_bytes", "loss_nats"):
        assert re.search(rf"^{name}: .* = ", text, re.MULTILINE), name
    assert "peak_bf16_flop_per_s" in text


def test_what_acts_is_said_also_where_it_is_one_or_true():
    told = layout_line(LAYOUT)
    assert told == "tp 8, sp yes, pp 1, dp 8, mbs 1, ZeRO 1, recompute none; 16 microbatches"


def test_what_does_not_act_is_not_said():
    alone = LAYOUT | {"tp": 1, "dp_shard": 1}
    assert layout_line(alone) == "tp 1, pp 1, dp 1, mbs 1, recompute none; 16 microbatches"


def test_layouts_side_by_side_show_only_their_differences():
    other = LAYOUT | {"zero_stage": 3, "dp_replicate": 2, "dp_shard": 4}
    assert layout_columns([LAYOUT, other]) == [{"dp": "8", "ZeRO": "1"}, {"dp": "8 (2 x 4)", "ZeRO": "3"}]


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_colours_are_off_where_nobody_wants_them(environment, coloured, repository):
    argv = [sys.executable, "-m", "gigawatt", "machine", "show", "selene"]
    bare = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    done = subprocess.run(
        argv,
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
        env={**bare, "TERM": "xterm-256color", **environment},
    )
    assert (re.search(r"\x1b\[[0-9;]*3[0-9]", done.stdout) is not None) is coloured


def test_a_table_of_a_page_puts_numbers_right_words_left_and_wraps_what_is_long():
    rows = [
        {"a": "$5 M", "b": "eagle", "c": "x" * 60, "d": "-"},
        {"a": "unknown", "b": "-", "c": "", "d": "7 & 8"},
    ]
    head = table(rows).split("<tr>")[1]
    assert head == "<th>a<th class=words>b<th class=long>c<th>d"
    assert "7 &amp; 8" in table(rows)
    assert table([]) == "<table></table>"
