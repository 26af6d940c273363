"""Write the JSON Schema of a plan from plans: run after the document changes, and read the diff.

python tests/tools/make_plan_schema.py
"""

import json
from pathlib import Path

from gigawatt.study import plan

CASES = (  # between them every field appears, and every field that can be null is
    ("llama3.1-8b", "superpod-h100", {"chips": 64}),
    ("deepseek-v3", "cloudmatrix384", {}),
    ("gpt3-175b", "selene", {"chips": 1024}),
    ("llama2-7b", "inferentia2", {}),
)
OPEN = {"verdicts", "explain"}  # maps whose keys are names of things
TARGET = Path(__file__).parents[2] / "gigawatt" / "study" / "schemas" / "plan-1.schema.json"


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


def main() -> None:
    documents = [json.loads(plan(model, on=machine, **more).to_json()) for model, machine, more in CASES]
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gigawatt/plan/1",
        "description": "One plan. Quantities are in SI units, as their names say; null is unknown, and "
        "`warnings` says why.",
        **schema_of(documents),
    }
    TARGET.write_text(json.dumps(schema, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
