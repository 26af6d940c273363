"""Write the JSON Schemas of what is said of machines: run after a document changes, and read the diff.

python -m tests.tools.make_machine_schemas
"""

import json

from gigawatt.catalog import machine_ids
from gigawatt.study import (
    bom,
    bom_document,
    cable_readings,
    cables_document,
    cards,
    cards_document,
    hpl,
    hpl_document,
)
from tests.tools.make_plan_schema import write

RUNS = (
    "eagle",
    "selene",
    "five-eagles",
    "perlmutter",
    "alps",
    "google-a3",
    "hpc-ai-fusion",
    "gpu-rental-fleet",
)
HANDS = ({"power_w": 1e9}, {"budget_usd": 1e11}, {"like": "eagle"})
CABLES = ("eagle", "frontier", "alibaba-zhangbei", "scnet-zhengzhou")
SI = "Quantities are in SI units, as their names say; null is unknown."


def plain(documents: list) -> list:
    return [json.loads(json.dumps(one, allow_nan=False)) for one in documents]


def main() -> None:
    write("bom", f"What a machine is made of. {SI}", plain([bom_document(bom(m)) for m in machine_ids()]))
    write("hpl", f"One run of Linpack on a machine. {SI}", plain([hpl_document(hpl(m)) for m in RUNS]))
    hands = [cards_document(cards(**asked)) for asked in HANDS]
    write("cards", f"What a power or a budget buys. {SI}", plain(hands))
    readings = {m: cable_readings(m, 2e8) for m in CABLES}
    told = [cables_document(m, 2e8, readings=found) for m, found in readings.items()]
    write("cables", f"What a claimed length of cable asks of each link. {SI}", plain(told))


if __name__ == "__main__":
    main()
