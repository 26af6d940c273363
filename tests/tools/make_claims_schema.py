"""Write the JSON Schema of computed claims: run after the document changes, and read the diff.

python -m tests.tools.make_claims_schema
"""

import json

from gigawatt.study import claims, claims_document
from gigawatt.study.claims.file import claim_file_of
from gigawatt.study.claims.run import computed
from tests.tools.make_plan_schema import write

FAILING = {  # a claim that cannot be computed, and pictures of both kinds
    "title": "t",
    "claims": [
        {
            "id": "1", "who": "w", "claim": "c", "said": {"a": {"value": 1}},
            "figures": {"a": {"query": "chip", "of": "no-such-chip", "fact": "tdp_w"}},
            "readings": [{"label": "l", "tests": [{"figure": "a", "is": "same"}]}],
        }
    ],
}  # fmt: skip


def main() -> None:
    found = [claims("ai-black-hole-2024"), computed(claim_file_of(FAILING, name="f", where="f"))]
    documents = [json.loads(json.dumps(claims_document(one))) for one in found]
    about = "Claims, recomputed. Values are in the unit beside them; a date is the number of its first day."
    write("claims", about, documents)


if __name__ == "__main__":
    main()
