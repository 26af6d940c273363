"""What is known of this chip, machine, site and model, and from whom?

Takes a name of the catalogue or the path of a user's file; returns a record of SI floats, each number with
its fact and source beside it.
"""

from gigawatt.catalog.cluster import cluster
from gigawatt.catalog.load import chip, chip_by_alias, chip_ids, site, site_ids, sources
from gigawatt.catalog.machines import find_machine, machine, machine_ids, shipping_machine_ids
from gigawatt.catalog.models import find_model, model, model_aliases, model_ids
from gigawatt.catalog.records import Chip, Fact, Level, Machine, Model, Site, Source, Stack

__all__ = [
    "Chip",
    "Fact",
    "Level",
    "Machine",
    "Model",
    "Site",
    "Source",
    "Stack",
    "chip",
    "chip_by_alias",
    "chip_ids",
    "cluster",
    "find_machine",
    "find_model",
    "machine",
    "machine_ids",
    "model",
    "model_aliases",
    "model_ids",
    "shipping_machine_ids",
    "site",
    "site_ids",
    "sources",
]
