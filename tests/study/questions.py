"""Small questions with quick answers."""

from __future__ import annotations

from typing import Any

from gigawatt.study import Plan, plan

QUICK: dict[str, Any] = {
    "schedule": "1f1b",
    "chunks": 1,
    "zero_stage": 1,
    "dp_replicate": 1,
    "sequence_parallel": True,
}
SMALL: dict[str, Any] = {"seq_tokens": 4096, "batch_sequences": 512, "tokens": 1e12, "dtype": "bf16"}


def quick(model: str = "llama2-70b", *, on: str = "eos", chips: int = 512, **other: Any) -> Plan:
    """Return a plan from a search of a few hundred layouts."""
    asked = {**SMALL, **other}
    return plan(model, on=on, chips=chips, fixed=asked.pop("fixed", QUICK), top=3, **asked)


def one(
    layout: dict[str, Any], model: str = "llama2-70b", *, on: str = "eos", chips: int = 512, **other: Any
) -> Plan:
    """Return the plan of one given layout."""
    return plan(model, on=on, chips=chips, layout=layout, **{**SMALL, **other})
