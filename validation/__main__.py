"""Print today's errors, and fail on a worse median unless a reason accepts it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date

from validation.errors import (
    HERE,
    STORED,
    document_of,
    errors_by_source,
    measured_files,
    store,
    stored,
    worse,
)
from validation.page import write_page

REASONS = HERE / "accepted.md"


def main(argv: Sequence[str] | None = None) -> int:
    """Compare with the accepted errors; with --accept REASON, accept today's."""
    options = argparse.ArgumentParser(prog="python -m validation", description=__doc__)
    options.add_argument("--accept", metavar="REASON", help="store today's errors, and why they may be worse")
    reason = options.parse_args(argv).accept
    files = measured_files()
    if not files:
        print("the measured tables are not at hand: nothing to validate", file=sys.stderr)
        return 6
    document = document_of(files)
    now = errors_by_source(document)
    for source, row in now.items():
        told = (
            f"{row['rows']:5d}  median {row['median']:6.1%}  p90 {row['p90']:6.1%}  bias {row['bias']:+6.1%}"
        )
        print(f"{source:24s} {told}")
    differences = worse(now, stored()) if STORED.is_file() else []
    for difference in differences:
        print(f"worse: {difference.source}: {difference.what}", file=sys.stderr)
    if reason:
        store(document)
        with REASONS.open("a", encoding="utf-8") as out:
            out.write(f"- {date.today().isoformat()}: {reason}\n")
        write_page(document)
        return 0
    return 1 if differences else 0


if __name__ == "__main__":
    raise SystemExit(main())
