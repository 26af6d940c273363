"""gigawatt machine show, bom, hpl, cards, cables."""

from __future__ import annotations

from gigawatt.cli.machine_bom import bom_command, cables_command
from gigawatt.cli.machine_hpl import cards_command, hpl_command
from gigawatt.cli.show import show_group

command = show_group("machine")
for one in (bom_command, hpl_command, cards_command, cables_command):
    command.add_command(one)
