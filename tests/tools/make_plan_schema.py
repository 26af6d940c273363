"""Write the JSON Schemas of plans and sizings from some: run after a document changes, and read the diff.

python tests/tools/make_plan_schema.py
"""

import dataclasses
import json
import math
from pathlib import Path

from gigawatt.study import plan, size, size_document
from gigawatt.study.size import Doubled

CASES = (  # between them every field appears, and every field that can be null is
    ("llama3.1-8b", "superpod-h100", {"chips": 64}),
    ("deepseek-v3", "cloudmatrix384", {}),
    ("gpt3-175b", "selene", {"chips": 1024}),
    ("llama2-7b", "inferentia2", {}),
)
OPEN = {"verdicts", "explain"}  # maps whose keys are names of things
SIZES = (
    ("llama3.1-8b", {"among": ["eos", "selene", "alps"], "chips": (64, 256), "tokens": 1e12}),
    ("llama3.1-8b", {"among": ["superpod-h100"], "chips": (64, 64), "tokens": 1e12, "deadline_s": 2e7,
                     "power_w": 1e8, "budget_usd": 1e9, "by": "time", "batch_tokens": 64 * 8192}),
    ("llama3.1-8b", {"among": ["eos"], "chips": (64, 256), "tokens": 1e12, "deadline_s": 1.2e6}),
    ("llama2-7b", {"among": ["superpod-h100"], "chips": (512, 512), "tokens": 1e12,
                   "batch_tokens": 511 * 4096}),
)  # fmt: skip
UNITS = "Quantities are in SI units, as their names say; null is unknown, and `warnings` says why."
FOLDER = Path(__file__).parents[2] / "gigawatt" / "study" / "schemas"


def schema_of(values: list, name: str = "") -> dict:
    """Return a schema that all values satisfy."""
    kinds = {json_kind(v) for v in values}
    if {"integer", "number"} <= kinds:
        kinds.discard("integer")
    found: dict = {"type": sorted(kinds)[0] if len(kinds) == 1 else sorted(kinds)}
    tables = [v for v in values if isinstance(v, dict)]
    lists = [inner for v in values if isinstance(v, list) for inner in v]
    if tables and name in OPEN:
        found["additionalProperties"] = schema_of([inner for t in tables for inner in t.values()])
    elif tables:
        keys = sorted({key for t in tables for key in t})
        found["properties"] = {key: schema_of([t[key] for t in tables if key in t], key) for key in keys}
        found["required"] = [key for key in keys if all(key in t for t in tables)]
        found["additionalProperties"] = False
    if lists:
        found["items"] = schema_of(lists)
    return found


def json_kind(value: object) -> str:
    kinds = (
        (bool, "boolean"),
        (int, "integer"),
        (float, "number"),
        (str, "string"),
        (list, "array"),
        (dict, "object"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")


def write(kind: str, about: str, documents: list) -> None:
    """Write the schema of a kind of document."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"gigawatt/{kind}/1",
        "description": about,
        **schema_of(documents),
    }
    text = json.dumps(schema, indent=1, sort_keys=True) + "\n"
    (FOLDER / f"{kind}-1.schema.json").write_text(text, encoding="utf-8")


def main() -> None:
    plans = [json.loads(plan(model, on=machine, **more).to_json()) for model, machine, more in CASES]
    write("plan", f"One plan. {UNITS}", plans)
    found = [size(model, **more) for model, more in SIZES]
    never = dataclasses.replace(found[0], doubled=(Doubled(what="batch", step_s=math.inf, gain=-math.inf),))
    write(
        "size",
        f"One sizing. {UNITS}",
        [json.loads(json.dumps(size_document(one))) for one in (*found, never)],
    )


if __name__ == "__main__":
    main()
