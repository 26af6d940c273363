"""gigawatt chip show NAME."""

from __future__ import annotations

from gigawatt.cli.show import show_group

command = show_group("chip")
