"""Write the JSON Schema of a comparison from comparisons: run after the document changes, and read the diff.

python -m tests.tools.make_compare_schema
"""

import json

from gigawatt.study import compare, compare_document
from tests.tools.make_plan_schema import write

CASES = (  # between them every field appears, and every field that can be null is
    (["superpod-h100", "superpod-a100"], {"equal": "power"}),
    (["superpod-h100", "google-l4"], {}),
    (["superpod-h100", "rainier"], {"equal": "chips", "by": "energy"}),
    (["superpod-h100", "inferentia2"], {}),
    (["superpod-h100", "ironwood-pod"], {"equal": "chips"}),
)
JOB = {"tokens": 1e12, "batch_sequences": 512, "seq_tokens": 4096, "dtype": "bf16"}


def main() -> None:
    found = [compare("llama2-7b", on=on, fixed={"schedule": "1f1b"}, **JOB, **more) for on, more in CASES]
    documents = [json.loads(json.dumps(compare_document(one))) for one in found]
    about = "One job on several machines. Quantities are in SI units, as their names say; null is unknown."
    write("compare", about, documents)


if __name__ == "__main__":
    main()
