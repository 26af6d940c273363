"""What does a chip with its share of the machine draw, and how much energy is that?

Takes nameplate watts and the share of time that is computing; returns watts and joules.
"""

from gigawatt.power.load import IDLE_SHARE, TRAINING_SHARE, energy_j, training_power_w

__all__ = ["IDLE_SHARE", "TRAINING_SHARE", "energy_j", "training_power_w"]
