"""Write the JSON Schemas of the scaling verbs from some answers: run after a document changes, read the diff.

python -m tests.tools.make_scaling_schema
"""

import json

from gigawatt.study import laws_document, marginal, marginal_document, optimal, optimal_document
from tests.tools import make_plan_schema
from tests.tools.make_plan_schema import write

OPEN = {"constants", "standard_errors", "exponent_bands", "runs"}  # maps whose keys are names of things
OPTIMA = (  # between them every field appears, and every field that can be null is
    {"compute_flop": 1e26, "params": 405e9, "unique_tokens": 1e12, "inference_tokens": 1e14},
    {"compute_flop": 1e22, "by": "hoffmann-2022"},
    {"on": "eos", "days": 90.0},
    {"on": "alps", "days": 30.0, "mfu": 0.4},
    {"on": "eos", "budget_usd": 1e7, "days": 30.0},
)
LADDERS = (
    {"among": ["selene", "stargate"]},
    {"on": "alps", "among": ["eos"], "by": "hoffmann-2022", "days": 30.0},
    {"among": ["eos"], "by": "muennighoff-2023"},
    {"among": ["eos", "tpu-8t-pod"]},
)
UNITS = "Quantities are in SI units, as their names say; null is unknown, or not published."


def main() -> None:
    make_plan_schema.OPEN |= OPEN
    found = [optimal_document(optimal(**words)) for words in OPTIMA]
    write("scaling-optimal", f"The best split of a compute by each law. {UNITS}", plain(found))
    ladders = [marginal_document(marginal(**words)) for words in LADDERS]
    write("scaling-marginal", f"What more compute buys along a ladder of machines. {UNITS}", plain(ladders))
    lists = [laws_document(), laws_document("besiroglu-2024"), laws_document(kind="rate")]
    write("scaling-laws", f"Laws of the registry. {UNITS}", plain(lists))


def plain(documents: list) -> list:
    return json.loads(json.dumps(documents))


if __name__ == "__main__":
    main()
