"""The document keeps its schema, and the Python call is the command line."""

from __future__ import annotations

import inspect
import json

import click
import jsonschema
import pytest

import gigawatt
from gigawatt.cli.main import cli
from gigawatt.cli.options import words
from gigawatt.errors import InputError
from gigawatt.study import schema

PLANS = (
    ("llama2-7b", {"on": "superpod-h100", "chips": 64}),
    ("llama2-7b", {"on": "inferentia2"}),  # no price, no rent
    ("gpt3-175b", {"on": "selene", "chips": 1024, "by": "energy"}),
    ("deepseek-v3", {"on": "cloudmatrix384", "fixed": {"tp": 1, "cp": 1}}),
    (
        "llama2-13b",
        {"on": "superpod-h100", "chips": 64, "layout": {"tp": 2, "zero": 1}, "stack": "nemo-2023"},
    ),
)
SAME_NAME = {"machine": "on", "batch": "batch_tokens", "seq": "seq_tokens"}  # shorter when typed
OF_THE_FACE = {"pareto", "explain", "as_json", "output"}  # choose what is shown, and where
OF_THE_CALL = {"progress"}


@pytest.mark.parametrize(
    ("model", "more"), PLANS, ids=[f"{m}-{'-'.join(map(str, k.values()))}" for m, k in PLANS]
)
def test_a_plan_keeps_its_schema(model, more):
    document = json.loads(gigawatt.plan(model, **more).to_json())
    jsonschema.validate(document, json.loads(schema("plan")), jsonschema.Draft202012Validator)


def test_the_schema_refuses_what_is_not_a_plan():
    document = json.loads(gigawatt.plan("llama2-7b", on="superpod-h100", chips=64).to_json())
    del document["result"]["mfu"]
    with pytest.raises(jsonschema.ValidationError, match="mfu"):
        jsonschema.validate(document, json.loads(schema("plan")), jsonschema.Draft202012Validator)


def test_the_command_line_prints_the_schema(told):
    assert json.loads(told("schema", "plan").out) == json.loads(schema("plan"))


def parameters():
    """Return the options of `gigawatt plan` under the names of the Python call."""
    command = cli.get_command(None, "plan")
    return {SAME_NAME.get(p.name, p.name): p for p in command.params if p.name not in OF_THE_FACE}


def test_the_call_takes_what_the_command_takes():
    taken = set(inspect.signature(gigawatt.plan).parameters) - OF_THE_CALL
    assert taken == set(parameters())


def test_the_call_has_the_defaults_of_the_command():
    context = click.Context(cli, **cli.context_settings)
    typed = {name: p.get_default(context) for name, p in parameters().items()}
    for name, parameter in inspect.signature(gigawatt.plan).parameters.items():
        if name not in OF_THE_CALL and parameter.default not in (inspect.Parameter.empty, None):
            assert str(typed[name]) == str(parameter.default), name


def timeless(document):
    """Return a document without what may differ between two runs: time, and how it was called."""
    del document["provenance"]["run"], document["provenance"]["argv"], document["result"]["search"]["seconds"]
    return document


@pytest.mark.parametrize(
    ("line", "call"),
    [
        (
            "--chips 64 --tokens 1T --batch 2M --seq 8k --dtype fp8 --by energy --top 3 --stack nemo-2023",
            {"chips": 64, "tokens": 1e12, "batch_tokens": 2e6, "seq_tokens": 8000, "dtype": "fp8",
             "by": "energy", "top": 3, "stack": "nemo-2023"},
        ),
        ("--chips 32 --batch-sequences 256 --fixed zero=3,tp=1|2", {"chips": 32, "batch_sequences": 256,
         "fixed": {"zero": 3, "tp": [1, 2]}}),
        ("--chips 64 --layout tp=2,zero=1", {"chips": 64, "layout": {"tp": 2, "zero": 1}}),
    ],
)  # fmt: skip
def test_the_call_and_the_command_give_the_same_plan(line, call, told):
    typed = json.loads(told("plan", "llama2-7b", "--on", "superpod-h100", "--json", *line.split()).out)
    called = json.loads(gigawatt.plan("llama2-7b", on="superpod-h100", **call).to_json())
    assert timeless(typed) == timeless(called)


@pytest.mark.parametrize(
    "call",
    [
        {"chips": 6.5}, {"chips": True}, {"chips": "64"}, {"tokens": float("nan")}, {"tokens": "1T"},
        {"batch_tokens": -1}, {"batch_sequences": 0}, {"seq_tokens": 10**9}, {"dtype": "fp9"},
        {"by": "speed"}, {"top": 0}, {"top": True}, {"fixed": {"tp": 3.0}}, {"layout": {"tp": [1, 2]}},
        {"layout": {}, "fixed": {}}, {"stack": "none"},
    ],
)  # fmt: skip
def test_the_call_refuses_what_the_command_refuses(call):
    with pytest.raises(InputError):
        gigawatt.plan("llama2-7b", on="superpod-h100", **({"chips": 64} | call))


def test_every_objective_makes_its_own_number_least():
    plans = {
        by: gigawatt.plan("gpt3-13b", on="selene", chips=128, by=by) for by in ("time", "cost", "energy")
    }
    assert plans["energy"].run.it_energy_j <= plans["time"].run.it_energy_j
    assert plans["time"].step.total_s <= plans["energy"].step.total_s
    assert plans["cost"].run.rent_usd <= plans["energy"].run.rent_usd


def test_the_front_is_in_the_document_and_no_layout_on_it_beats_another():
    front = gigawatt.plan("llama2-7b", on="superpod-h100", chips=64).document()["result"]["search"]["front"]
    steps, needs = [c["step_s"] for c in front], [c["memory_bytes"] for c in front]
    assert len(front) > 1
    assert steps == sorted(steps)
    assert needs == sorted(needs, reverse=True)


def test_words_may_be_typed_in_any_case():
    assert words("TP=8, Recompute=FULL", option="--layout") == {"tp": 8, "recompute": "full"}
