"""Write the JSON Schema of build-outs from some: run after the document changes, and read the diff.

python -m tests.tools.make_growth_schema
"""

import json

from gigawatt.study.growth import growth_of_file
from gigawatt.study.growth_document import growth_document
from gigawatt.study.growth_file import growth_of
from tests.tools import make_plan_schema

CASES = (  # between them every field appears, and every field that can be null is
    {
        "deliveries": [
            {"machine": "superpod-h100", "count": 2, "from": "2024-05", "to": "2024-07", "place": "here"},
            {"chip": "h100-sxm", "chips": 64, "date": "2025-01", "retire_after": "1 y", "lead": "40 d"},
            {"machine": "ironwood-pod", "date": "2025-02-03"},
        ],
        "jobs": [{"model": "llama2-7b", "tokens": "1T"}, {"flop": "1e33 flop"}],
        "work": {"model": "llama2-7b"},
    },
    {
        "deliveries": [{"machine": "google-l4", "date": "2024-05"}],
        "work": {"mfu": 0.4, "goodput": 0.9},
        "jobs": [],
    },
    {
        "deliveries": [{"machine": "inferentia2", "date": "2024-05"}],
        "work": {"model": "llama3.1-405b", "tokens": 1e12},
        "jobs": [{"flop": "1e24 flop"}],
    },
)


def main() -> None:
    found = [growth_of_file(growth_of(rows, where="case.yaml")) for rows in CASES]
    documents = [json.loads(json.dumps(growth_document(one))) for one in found]
    about = "A build-out month by month. Quantities are in SI units; null is unknown, or never reached."
    make_plan_schema.OPEN |= {"chips_by_type"}
    make_plan_schema.write("growth", about, documents)


if __name__ == "__main__":
    main()
