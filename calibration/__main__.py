"""Fit everything anew, in the order in which one fit builds on another: `python -m calibration`."""

from __future__ import annotations

import subprocess
import sys

PARTS = (  # training steps are predicted with the first two
    ("kernels",),
    ("network",),
    ("hpl",),
    ("training",),
    ("training", "--by", "family"),
)


def main() -> int:
    """Run each part in a process of its own; stop at the first that cannot run, with its message."""
    for part, *options in PARTS:
        print(" ".join([f"calibration.{part}", *options]), file=sys.stderr)
        code = subprocess.run([sys.executable, "-m", f"calibration.{part}", *options]).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
