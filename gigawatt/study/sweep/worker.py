"""A process that prices parts: reads one JSON line per part, answers one. It ends when its input does.

So a worker never outlives the run that started it by more than one part, however that run ended.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from gigawatt.errors import GigawattError
from gigawatt.study.sweep.parts import Part
from gigawatt.study.sweep.store import opened, write_part


def main(folder: str) -> None:
    """Price the parts that are asked for, until there is nobody to ask."""
    place = Path(folder)
    _, pricer = opened(place)
    for line in sys.stdin:
        try:
            write_part(place, Part(**json.loads(line)), pricer=pricer)
            answer = {}
        except GigawattError as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
