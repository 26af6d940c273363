"""How many switches, links and metres of cable join so many endpoints?

Takes endpoints, the radix of a switch, a shape and the pitch of racks; returns switches by tier, links, and
lengths.
"""

from gigawatt.fabric.designs import Built, built_chips, built_units
from gigawatt.fabric.dragonfly import Dragonfly, dragonfly
from gigawatt.fabric.hall import CLASSES, Hall, length_class, longest_cable_m, mean_cable_m
from gigawatt.fabric.torus import optical_links, optical_switches, torus_links
from gigawatt.fabric.tree import Tree, down_ports, fat_tree, most_endpoints, smallest_divisor, up_ports

__all__ = [
    "CLASSES",
    "Built",
    "Dragonfly",
    "Hall",
    "Tree",
    "built_chips",
    "built_units",
    "down_ports",
    "dragonfly",
    "fat_tree",
    "length_class",
    "longest_cable_m",
    "mean_cable_m",
    "most_endpoints",
    "optical_links",
    "optical_switches",
    "smallest_divisor",
    "torus_links",
    "up_ports",
]
