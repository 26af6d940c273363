"""Write the JSON Schema of energy at equal work from some: run after the document changes, and read the diff.

python -m tests.tools.make_energy_schema
"""

import json

from gigawatt.study import energy, energy_document
from tests.tools.make_plan_schema import write

CASES = (  # between them every field appears, and every field that can be null is
    (["superpod-h100", "superpod-gb200", "ironwood-pod", "rainier"], {"dtypes": ("bf16", "fp8")}),
    (["superpod-h100", "superpod-a100"], {"equal": "power"}),
    (["superpod-h100", "vera-rubin-nvl72", "google-l4"], {"equal": "nothing"}),
)
JOB = {"tokens": 1e12, "batch_sequences": 512, "seq_tokens": 4096, "fixed": {"schedule": "1f1b"}}


def main() -> None:
    found = [energy("llama2-7b", on=on, **JOB, **more) for on, more in CASES]
    documents = [json.loads(json.dumps(energy_document(one))) for one in found]
    about = "Joules a token of one job on several chips. Quantities are in SI units; null is unknown."
    write("energy", about, documents)


if __name__ == "__main__":
    main()
