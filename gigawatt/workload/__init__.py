"""What must be computed, moved and kept for one step?

Takes an architecture and how it is cut; returns counts of parameters, flop, bytes and matrix products.
"""

from gigawatt.workload.flop import FLOP_CONVENTIONS, model_flop_per_token
from gigawatt.workload.params import ParamCount, params
from gigawatt.workload.shard import Keeping, Product, Shard, kept_bytes, layer_products

__all__ = [
    "FLOP_CONVENTIONS",
    "Keeping",
    "ParamCount",
    "Product",
    "Shard",
    "kept_bytes",
    "layer_products",
    "model_flop_per_token",
    "params",
]
