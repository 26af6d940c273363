"""Fit everything anew, in the order in which one fit builds on another: `python -m calibration`."""

from __future__ import annotations

import subprocess
import sys

PARTS = ("kernels", "network", "hpl", "training")  # training steps are predicted with the first two


def main() -> int:
    """Run each part in a process of its own; stop at the first that cannot run, with its message."""
    for part in PARTS:
        print(f"calibration.{part}", file=sys.stderr)
        code = subprocess.run([sys.executable, "-m", f"calibration.{part}"]).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
