"""What breaks a rule today and may stay for now: lists that only get shorter.

`python -m tests.architecture.ratchet` drops what no longer breaks its rule, and adds nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

FILE = Path(__file__).with_name("ratchet.json")


def allowed(rule: str) -> list[str]:
    """Return what may break a rule for now."""
    return list(json.loads(FILE.read_text("utf-8"))[rule])


def check(rule: str, broken: Collection[str], *, advice: str) -> None:
    """Fail for what breaks a rule and is not on its list, and for what is on the list without need."""
    known = set(allowed(rule))
    new, healed = sorted(set(broken) - known), sorted(known - set(broken))
    assert not new, f"{advice}:\n  " + "\n  ".join(new)
    assert not healed, f"good news: run `python -m tests.architecture.ratchet` to take off {rule}: {healed}"


def main() -> None:
    """Shorten every list to what still breaks its rule."""
    from tests.architecture.rules import RULES

    kept = {rule: sorted(set(allowed(rule)) & set(broken())) for rule, broken in RULES.items()}
    FILE.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
