"""The counts of a published design, of any size."""

from __future__ import annotations

from dataclasses import dataclass

from gigawatt.catalog.fabrics import Design
from gigawatt.fabric.dragonfly import dragonfly
from gigawatt.fabric.tree import Tree, fat_tree
from gigawatt.units import Count


@dataclass(frozen=True, kw_only=True, slots=True)
class Built:
    """A design at a size, as its own tables count it: each field is a number, or a column of them."""

    nodes: Count
    chips: Count
    leaf: Count
    spine: Count
    core: Count
    endpoint_cables: Count
    spine_cables: Count
    core_cables: Count


def built_units(design: Design, units: Count) -> Built:
    """Return a design of so many scalable units.

    Valid for: designs that count in units.
    Source: the design's own; fat_tree.

    >>> from gigawatt.catalog.fabrics import design
    >>> four = built_units(design("dgx-h100"), 4)
    >>> [int(n) for n in (four.nodes, four.leaf, four.spine, four.endpoint_cables, four.spine_cables)]
    [127, 32, 16, 1020, 1024]
    """
    slots = units * design.unit_nodes
    nodes = slots - design.manager_slots
    tree = planes_of(slots * design.node_links, design)
    used = nodes * design.node_links + design.manager_links
    return Built(
        nodes=nodes,
        chips=nodes * design.node_chips,
        leaf=tree.leaf,
        spine=tree.spine,
        core=tree.core,
        endpoint_cables=used / design.links_per_cable,
        spine_cables=tree.spine_links / design.links_per_cable,
        core_cables=tree.core_links / design.links_per_cable,
    )


def built_chips(design: Design, chips: Count) -> Built:
    """Return a design of so many chips.

    Valid for: all designs; a dragonfly's routers are its leaves, its local and global links those above.
    Source: the design's own; fat_tree, dragonfly.

    >>> from gigawatt.catalog.fabrics import design
    >>> found = built_chips(design("mpft"), 16_384)
    >>> int(found.leaf), int(found.spine), int(found.spine_cables)
    (512, 256, 16384)
    """
    nodes = chips / design.node_chips
    links = nodes * design.node_links
    if design.kind == "dragonfly":
        fly = dragonfly(links, design.radix)
        tree = Tree(tiers=1.0, leaf=fly.routers, spine=0.0, core=0.0, endpoint_links=links,
                    spine_links=fly.local_links + fly.global_links, core_links=0.0)  # fmt: skip
    else:
        tree = planes_of(links, design)
    return Built(
        nodes=nodes,
        chips=chips,
        leaf=tree.leaf,
        spine=tree.spine,
        core=tree.core,
        endpoint_cables=tree.endpoint_links / design.links_per_cable,
        spine_cables=tree.spine_links / design.links_per_cable,
        core_cables=tree.core_links / design.links_per_cable,
    )


def planes_of(links: Count, design: Design) -> Tree:
    """Return all planes of a design's network: equal trees, each with its share of the links.

    Definition: planes x fat_tree(links / planes).
    """
    return fat_tree(links / design.planes, design.radix).times(design.planes)
