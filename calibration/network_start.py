"""Where the fit of the network classes starts, which constants each class may move, and who is like whom."""

from __future__ import annotations

from typing import Any

SCALE_UP = ("nvlink3", "nvlink4", "nvlink5", "pcie", "xgmi")  # fitted classes inside a domain
PRIOR_SPREAD = 1.0  # of a logarithm about its start: weak, it only holds what no row moves

HIDDEN = ("launch_s", "low_hop_s", "low_fraction", "start_s", "hop_s", "ring_fraction", "fill", "own")
SWITCH = ("switch_fraction", "switch_rank_s", "switch_own")
EXCHANGE = ("exchange_fraction", "exchange_own", "exchange_start_s", "peer_s")
BETWEEN = (
    "low_hop_s",
    "low_fraction",
    "hop_s",
    "tree_hop_s",
    "start_s",
    "ring_fraction",
    "tree_fraction",
    "fill",
)
FITTED: dict[str, tuple[str, ...]] = {
    "nvlink3": (*HIDDEN, *EXCHANGE),
    "nvlink4": (*HIDDEN, *SWITCH, *EXCHANGE),
    "nvlink5": (*HIDDEN, *SWITCH, *EXCHANGE),
    "pcie": (*HIDDEN, *EXCHANGE),
    "xgmi": ("ring_fraction", "own"),
    "infiniband": (*BETWEEN, "serial_fraction", "exchange_fraction", "exchange_start_s", "peer_s"),
    "roce": ("ring_fraction", "tree_fraction"),
    "efa100": BETWEEN,
    "infiniband_racks": ("tree_hop_s", "start_s", "tree_fraction", "serial_fraction", "fill"),
    "roce_racks": ("low_hop_s", "low_fraction", "tree_hop_s", "start_s", "fill", "most_bytes_per_s"),
}

FIRST: dict[str, dict[str, Any]] = {
    "nvlink4": {
        "latency_s": 0.94e-6, "launch_s": 5e-6, "low_hop_s": 0.86e-6, "low_fraction": 0.36, "start_s": 6e-6,
        "hop_s": 0.75e-6, "tree_hop_s": 0.75e-6, "ring_fraction": 0.86, "tree_fraction": 0.86,
        "serial_fraction": 0.15, "most_bytes_per_s": float("inf"), "fill": 0.2, "own": 0.4,
        "switch_fraction": 0.62, "switch_rank_s": 2.5e-6, "switch_own": 0.5, "exchange_fraction": 0.84,
        "exchange_own": 0.2, "exchange_start_s": 5e-6, "peer_s": 2e-7, "pair_fraction": 0.83,
    },
    "nvlink3": {
        "like": "nvlink4", "launch_s": 9e-6, "low_hop_s": 0.94e-6, "low_fraction": 0.22, "start_s": 8e-6,
        "hop_s": 0.3e-6, "ring_fraction": 0.79, "own": 0.3, "exchange_own": 0.3, "pair_fraction": 0.91,
    },
    "nvlink5": {
        "like": "nvlink4", "launch_s": 8e-6, "low_hop_s": 1.3e-6, "low_fraction": 0.33, "hop_s": 3e-6,
        "ring_fraction": 0.85, "own": 0.8, "switch_fraction": 0.54, "exchange_own": 0.9,
    },
    "nvlink2": {"like": "nvlink3"},
    "pcie": {"like": "nvlink3", "ring_fraction": 0.65, "exchange_fraction": 0.65, "pair_fraction": 0.75},
    "xgmi": {"like": "nvlink4", "ring_fraction": 0.72, "exchange_fraction": 0.7, "pair_fraction": 0.75},
    "ici": {
        "like": "nvlink4", "hop_s": 1e-6, "low_hop_s": 1e-6, "ring_fraction": 0.9, "exchange_fraction": 0.8,
        "pair_fraction": 0.9, "fill": 0.05, "own": 0.1,
    },
    "neuronlink": {"like": "nvlink4", "low_hop_s": 2e-6, "hop_s": 2e-6, "ring_fraction": 0.7,
                   "exchange_fraction": 0.6, "pair_fraction": 0.7},
    "hccs": {"like": "nvlink4", "low_hop_s": 1.5e-6, "hop_s": 1.5e-6, "ring_fraction": 0.75,
             "exchange_fraction": 0.65, "pair_fraction": 0.75},
    "infiniband": {
        "like": "nvlink4", "latency_s": 5e-6, "low_hop_s": 5e-6, "low_fraction": 0.05,
        "hop_s": 4e-6, "tree_hop_s": 1.4e-5,
        "start_s": 2e-5, "ring_fraction": 0.95, "tree_fraction": 0.9, "exchange_fraction": 0.95,
        "exchange_start_s": 2e-5, "peer_s": 5e-8, "pair_fraction": 0.94, "fill": 0.5,
    },
    "roce": {"like": "infiniband"},
    "efa100": {"like": "infiniband", "low_hop_s": 7e-5, "hop_s": 8e-5, "tree_hop_s": 8e-5,
               "low_fraction": 0.25,
               "pair_fraction": 0.97},
    "efa": {"like": "infiniband", "low_hop_s": 2e-5, "hop_s": 1.6e-5, "tree_hop_s": 4e-5,
            "pair_fraction": 0.97},
    "slingshot": {"like": "infiniband", "ring_fraction": 0.8, "tree_fraction": 0.8, "exchange_fraction": 0.7,
                  "pair_fraction": 0.85},
    "ethernet": {"like": "infiniband", "low_hop_s": 1e-5, "hop_s": 1e-5, "tree_hop_s": 2e-5,
                 "ring_fraction": 0.75,
                 "tree_fraction": 0.75, "exchange_fraction": 0.65, "pair_fraction": 0.8},
    "infiniband_racks": {"like": "infiniband"},
    "roce_racks": {"like": "roce", "serial_fraction": 1.0, "most_bytes_per_s": 2.5e10},
}  # fmt: skip
