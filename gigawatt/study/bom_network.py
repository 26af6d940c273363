"""Which network a machine has: switch, radix, links of a server, planes, oversubscription; and its tiers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from gigawatt.catalog.fabrics import Design, design_of
from gigawatt.catalog.parts import Part, parts_of, switch
from gigawatt.catalog.records import Level, Machine
from gigawatt.errors import InputError
from gigawatt.fabric import down_ports, dragonfly, fat_tree
from gigawatt.units import format as fmt

SPLITS = (1, 2, 4)  # links that one port of a switch may be split into
FAR_S = 1e-3  # a level with more latency than this joins sites
PLANES = (
    (r"dual[- ]plane|twin[- ]plane", 2),
    (r"multi[- ]?plane", 0),
)  # 0: one plane for each link of a server
UNMODELLED = ((r"dragon ?fly ?\+", "Dragonfly+"), (r"\bboardfly\b", "Boardfly"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What the user wants otherwise; None is as the machine has it."""

    switch: str | None = None
    radix: int | None = None
    oversubscription: float | None = None
    planes: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """The network between servers, of one site."""

    kind: str  # fat-tree or dragonfly
    switch: Part
    radix: int
    link_bytes_per_s: float
    links_per_node: int
    nodes: int
    sites: int  # equal ones, whose wide-area links are not counted
    planes: int
    oversubscription: float  # of a leaf
    pod_links: int | None  # endpoint links of a pod of one plane, where the machine says so
    pod_oversubscription: float
    manager_links: int
    links_per_cable: int
    links_per_node_cage: int

    @property
    def endpoint_links(self) -> int:
        return self.nodes * self.links_per_node + self.manager_links

    @property
    def links_per_switch_cage(self) -> float:
        return max(self.switch.number("cage_bytes_per_s") / self.link_bytes_per_s, 1.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tier:
    """One tier of switches of the whole machine, and the links from below into it."""

    name: str  # leaf, spine, core; or router
    switches: int
    links_below: int
    below: str  # what these links come from: server, leaf, spine, router, group
    block_nodes: float  # servers of the block whose middle these switches are in


class NoNetwork(Exception):
    """The network cannot be counted; the sentence says what is not known."""


def network_of(machine: Machine, asked: Asked) -> Network:
    """Return a machine's network.

    Raises: InputError for a switch that is not known; NoNetwork when something that it needs is not.
    """
    levels = [level for level in machine.levels[1:] if level.latency_s < FAR_S]
    if not levels:
        raise NoNetwork("none: the scale-up domain spans the machine")
    site_chips = levels[-1].chips if len(levels) < len(machine.levels) - 1 else machine.chips
    if levels[-1].chips <= machine.scale_up.chips:
        raise NoNetwork("none within the machine: the scale-up domain spans it; its ports lead outside")
    design = design_of(machine.id)
    part = _switch(machine, asked)
    node_bytes_per_s = levels[0].bytes_per_s * levels[0].oversubscription * machine.chips_per_node
    link, links, planes = _links(machine, part, node_bytes_per_s=node_bytes_per_s, asked=asked)
    radix = asked.radix or round(part.number("ports") * part.number("port_bytes_per_s") / link)
    if radix < 2:
        raise InputError(f"radix = {radix} is below 2; a switch has at least two ports")
    sites = max(round(machine.chips / site_chips), 1)
    nodes = math.ceil(min(site_chips, machine.chips) / machine.chips_per_node)
    upper = 1.0 if asked.oversubscription is not None else _upper(levels)
    share = links * levels[0].chips / machine.chips_per_node / planes
    return Network(
        kind=_kind(machine.fabric),
        switch=part,
        radix=radix,
        link_bytes_per_s=link,
        links_per_node=links,
        nodes=nodes,
        sites=sites,
        planes=planes,
        oversubscription=asked.oversubscription or levels[0].oversubscription,
        pod_links=math.ceil(share) if upper > 1.0 else None,
        pod_oversubscription=upper,
        manager_links=design.manager_links if design else 0,
        links_per_cable=design.links_per_cable if design else 1,
        links_per_node_cage=design.node_links_per_cage if design else 1,
    )


def _kind(fabric: str) -> str:
    low = fabric.lower()
    for words, name in UNMODELLED:
        if re.search(words, low):
            raise NoNetwork(f"the switches of a {name} are not modelled")
    return "dragonfly" if "dragonfly" in low or "slingshot" in low else "fat-tree"


def _switch(machine: Machine, asked: Asked) -> Part:
    if asked.switch is not None:
        return switch(asked.switch)
    design: Design | None = design_of(machine.id)
    if design is not None and design.switch:
        return switch(design.switch)
    low = machine.fabric.lower()
    found = next((p for p in parts_of("switch") if any(word in low for word in p.match)), None)
    if found is None:
        known = ", ".join(p.id for p in parts_of("switch"))
        said = f"its fabric says {machine.fabric!r}" if machine.fabric else "its fabric is not said"
        raise NoNetwork(f"which switch it has is not known ({said}); give one: --switch {known}")
    return found


def _links(machine: Machine, part: Part, *, node_bytes_per_s: float, asked: Asked) -> tuple[float, int, int]:
    """Return the rate of a link, how many a server has, and the planes they are spread over.

    A link is a chip's port where a switch has such ports, else the fastest one that the server's rate is
    a multiple of.
    """
    rates = [part.number("port_bytes_per_s") / split for split in SPLITS]
    chip_rate = node_bytes_per_s / machine.chips_per_node
    planes = _planes(machine.fabric)
    wanted = chip_rate / planes if planes > 1 else chip_rate
    fits = [r for r in rates if abs(r - wanted) < 1e-3 * r] or [
        r for r in rates if r <= node_bytes_per_s and abs(node_bytes_per_s / r % 1.0) < 1e-3
    ]
    if not fits:
        told = fmt(node_bytes_per_s * 8, "bit/s")
        raise NoNetwork(f"a server's {told} are no whole number of links of {part.name}")
    link = fits[0]
    links = max(round(node_bytes_per_s / link), 1)
    count = asked.planes if asked.planes is not None else planes or links
    if count < 1 or links % count:
        raise InputError(f"planes = {count} does not divide the {links} links of a server of {machine.id!r}")
    return link, links, count


def _planes(fabric: str) -> int:
    return next((n for words, n in PLANES if re.search(words, fabric.lower())), 1)


def _upper(levels: list[Level]) -> float:
    """Return how many times less a chip can send beyond its pod than within it."""
    return max(levels[0].bytes_per_s / levels[-1].bytes_per_s, 1.0) if len(levels) > 1 else 1.0


def tiers_of(network: Network) -> tuple[Tier, ...]:
    """Return the tiers of switches of all planes and sites, from the servers up.

    Raises: NoNetwork when more endpoints are asked for than the shape holds.
    """
    return _dragonfly(network) if network.kind == "dragonfly" else _tree(network)


def _tree(network: Network) -> tuple[Tier, ...]:
    per_plane = network.endpoint_links / network.planes
    tree = fat_tree(
        math.ceil(per_plane),
        network.radix,
        oversubscription=network.oversubscription,
        pod_endpoints=network.pod_links,
        pod_oversubscription=network.pod_oversubscription,
    )
    if not np.isfinite(tree.tiers):
        raise NoNetwork(
            f"{network.endpoint_links:,} links of {network.planes} planes are more than three tiers of radix "
            f"{network.radix} hold; a higher --radix or more --planes would"
        )
    times = network.planes * network.sites
    down = down_ports(network.radix, network.oversubscription)
    pod = network.pod_links or down * down_ports(network.radix, network.pod_oversubscription)
    pod_nodes = min(pod * network.planes / network.links_per_node, network.nodes)
    leaf_nodes = network.nodes if tree.tiers == 1 else min(down, network.nodes)
    whole = float(network.nodes)
    below = (
        ("leaf", tree.leaf, network.endpoint_links / network.planes, "server", float(leaf_nodes)),
        ("spine", tree.spine, tree.spine_links, "leaf", pod_nodes if tree.tiers == 3 else whole),
        ("core", tree.core, tree.core_links, "spine", whole),
    )
    return tuple(
        Tier(name=n, switches=round(float(s) * times), links_below=round(float(links) * times), below=b,
             block_nodes=nodes)
        for n, s, links, b, nodes in below if s > 0
    )  # fmt: skip


def _dragonfly(network: Network) -> tuple[Tier, ...]:
    """Return a dragonfly's routers with their three kinds of links; only the first names switches."""
    taper = max(network.pod_oversubscription, network.oversubscription)
    fly = dragonfly(network.endpoint_links, network.radix, oversubscription=taper)
    if not np.isfinite(fly.groups):
        raise NoNetwork(
            f"{network.endpoint_links:,} links are more than a dragonfly of radix {network.radix} holds"
        )
    p = (network.radix + 1) // 4
    group = min(2 * p * p / network.links_per_node, float(network.nodes))
    whole = float(network.nodes)
    rows = (
        ("router", fly.routers, fly.endpoint_links, "server", min(float(p), group)),
        ("local", 0.0, fly.local_links, "router", group),
        ("global", 0.0, fly.global_links, "group", whole),
    )
    return tuple(
        Tier(name=n, switches=round(float(s)), links_below=round(float(links)), below=b, block_nodes=nodes)
        for n, s, links, b, nodes in rows
        if links > 0
    )
