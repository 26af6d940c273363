"""The bill of materials of a machine: chips, servers, racks, switches, cables, modules, watts and dollars."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

from gigawatt.catalog.load import defaults
from gigawatt.catalog.parts import parts_of
from gigawatt.catalog.records import Fact, Machine
from gigawatt.errors import InputError
from gigawatt.fabric import CLASSES, Hall, optical_switches, torus_links
from gigawatt.study.bom_cables import Cables, cables_of, default_hall
from gigawatt.study.bom_money import Price, capex_of
from gigawatt.study.bom_network import Asked, Network, NoNetwork, Tier, network_of, tiers_of
from gigawatt.study.bom_power import Draw, power_of
from gigawatt.study.scenario import named_machine


@dataclass(frozen=True, kw_only=True, slots=True)
class ScaleUp:
    """What joins the chips of the scale-up domains; None is not known."""

    topology: str
    domains: int
    domain_chips: int
    name: str  # of the switch, empty where there is none
    switches: int | None
    links: int | None
    optical_switches: int | None
    modules: int | None  # optical ones, within the domains; None: not known to have such


@dataclass(frozen=True, kw_only=True, slots=True)
class Racks:
    """Racks of servers and of switches."""

    chips_per_rack: int
    servers: int
    network: int | None  # of switches; None: their height is not known

    @property
    def total(self) -> int:
        """Return the racks that are known."""
        return self.servers + (self.network or 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bom:
    """What a machine is made of. What is not known is in `missing` by name, never counted as nothing."""

    machine: Machine
    whole: bool  # False: only some of its chips, so what is published of it is not comparable
    nodes: int
    racks: Racks | None
    scale_up: ScaleUp
    network: Network | None
    network_told: str  # why there is none; empty where there is one
    tiers: tuple[Tier, ...]  # of switches, from the servers up
    cables: tuple[Cables, ...]
    draws: tuple[Draw, ...]  # power by part at nameplate; they add up to the machine's power at the meter
    training_power_w: float | None  # at the meter, mean while training
    capex: tuple[Price, ...]
    missing: tuple[str, ...]
    assumptions: tuple[Fact, ...]

    @property
    def adapters(self) -> int | None:
        """Return the network ports of all servers."""
        net = self.network
        return None if net is None else net.nodes * net.links_per_node * net.sites

    @property
    def switches(self) -> int | None:
        return None if self.network is None else sum(t.switches for t in self.tiers)

    @property
    def cable_m(self) -> float | None:
        return sum(c.cable_m for c in self.cables) if self.cables else None

    @property
    def strand_m(self) -> float | None:
        """Return the metres of fibre strands; None when the fibre of some cables is not known."""
        known = self.cables and all(c.medium != "not known" for c in self.cables)
        return sum(c.strand_m for c in self.cables) if known else None

    @property
    def power_w(self) -> float | None:
        """Return the nameplate power at the meter: the sum of the parts, where the whole is known."""
        return sum(d.power_w for d in self.draws) if self.whole_power else None

    @property
    def whole_power(self) -> bool:
        return "it_power_per_chip_w" in self.machine.facts

    @property
    def capex_usd(self) -> tuple[float, float, float]:
        """Return low, middle and high of the parts whose price is known."""
        low, middle, high = (sum(p.usd[i] for p in self.capex) for i in range(3))
        return low, middle, high


def bom(
    machine: str | Machine,
    *,
    chips: int | None = None,
    switch: str | None = None,
    radix: int | None = None,
    oversubscription: float | None = None,
    planes: int | None = None,
    area_per_rack_m2: float | None = None,
    lengths_m: Mapping[str, float] | None = None,
    geometry: str = "middle",
) -> Bom:
    """Return what a machine is made of.

    `switch`, `radix`, `oversubscription` (of a leaf) and `planes` replace what the machine's fabric says;
    `lengths_m` gives cable lengths by class ("in rack", "in row", "in hall", "between halls"); `geometry`
    takes the low, middle or high end of what is assumed of racks and trays.
    Raises: InputError for a machine, a switch or a number that is none.
    """
    found = named_machine(machine, chips=chips) if isinstance(machine, str) else machine
    if isinstance(machine, Machine) and chips is not None:
        found = machine.take(chips)
    asked = Asked(switch=switch, radix=radix, oversubscription=oversubscription, planes=planes)
    _refuse(asked, area_per_rack_m2, lengths=lengths_m or {}, geometry=geometry)
    missing: list[str] = []
    network, tiers, why = _network(found, asked, missing)
    racks = _racks(found, tiers, network, missing)
    hall = default_hall(area_per_rack_m2, bound=geometry)
    cables = _cables(tiers, network, racks, nodes=_nodes(found), hall=hall, lengths=lengths_m or {})
    scale_up = _scale_up(found, missing)
    inner = _inner_modules(found, scale_up)
    draws, training = power_of(found, network, tiers=tiers, cables=cables, inner=inner, missing=missing)
    return Bom(
        machine=found,
        whole=chips is None,
        nodes=_nodes(found),
        racks=racks,
        scale_up=scale_up,
        network=network,
        network_told=why,
        tiers=tiers,
        cables=cables,
        draws=draws,
        training_power_w=training,
        capex=capex_of(found, network, tiers=tiers, cables=cables, draws=draws, missing=missing),
        missing=(*missing, "storage, management and front-end networks: not counted"),
        assumptions=_assumptions(found, cables),
    )


def _refuse(asked: Asked, area_m2: float | None, *, lengths: Mapping[str, float], geometry: str) -> None:
    given = {
        "radix": (asked.radix, 2, 100_000),
        "oversubscription": (asked.oversubscription, 1, 1000),
        "planes": (asked.planes, 1, 1024),
        "area_per_rack_m2": (area_m2, 0.2, 1000),
        **{f"length {name!r}": (value, 0.1, 100_000) for name, value in lengths.items()},
    }
    for name, (value, least, most) in given.items():
        if value is not None and not least <= value <= most:
            raise InputError(f"{name} = {value:g} is not in {least:g}..{most:,}")
    if geometry not in ("low", "middle", "high"):
        raise InputError(f"geometry = {geometry!r} is not low, middle or high")
    for name in lengths:
        if name not in CLASSES:
            raise InputError(f"length class = {name!r} is not one of: {', '.join(CLASSES)}")


def _nodes(machine: Machine) -> int:
    return math.ceil(machine.chips / machine.chips_per_node)


def _network(
    machine: Machine, asked: Asked, missing: list[str]
) -> tuple[Network | None, tuple[Tier, ...], str]:
    """Return the network and its tiers, and why there is none."""
    try:
        network = network_of(machine, asked)
        tiers = tiers_of(network)
    except NoNetwork as reason:
        if not str(reason).startswith("none"):
            missing.append(f"network between servers: {reason}")
        return None, (), str(reason)
    if network.sites > 1:
        missing.append(f"network between the {network.sites} sites: not counted")
    return network, tiers, ""


def _racks(
    machine: Machine, tiers: tuple[Tier, ...], network: Network | None, missing: list[str]
) -> Racks | None:
    """Return the racks: by the machine's own density, its chip's rack, or as many servers as power allows."""
    per_rack = chips_per_rack(machine)
    if per_rack is None:
        missing.append("racks: neither chips a rack nor power a chip is known; nor are lengths of cables")
        return None
    units: float | None = 0.0
    if network is not None and tiers:
        if network.switch.knows("rack_units"):
            units = sum(t.switches for t in tiers) * network.switch.number("rack_units")
        else:
            units = None
            missing.append(f"racks of switches: the height of {network.switch.name} is not known")
    return Racks(
        chips_per_rack=per_rack,
        servers=math.ceil(machine.chips / per_rack),
        network=None if units is None else math.ceil(units / float(defaults()["network_rack_units"].value)),
    )


def chips_per_rack(machine: Machine) -> int | None:
    """Return the chips of a rack: what its machine or chip is known to have, else what power allows."""
    facts = machine.facts
    if "chips_per_rack" in facts:
        return int(float(facts["chips_per_rack"].value))
    for part in parts_of("rack", chip=machine.chip.id):
        return int(part.number("chips_per_rack"))
    server = machine.chip.facts.get("system_w", facts.get("it_power_per_chip_w"))
    if server is None:
        return None
    node_w = float(server.value) * machine.chips_per_node
    nodes = max(int(float(defaults()["rack_power_w"].value) / node_w), 1)
    return nodes * machine.chips_per_node


def _cables(
    tiers: tuple[Tier, ...],
    network: Network | None,
    racks: Racks | None,
    *,
    nodes: int,
    hall: Hall,
    lengths: Mapping[str, float],
) -> tuple[Cables, ...]:
    if network is None or racks is None:
        return ()
    per_node = racks.total / nodes
    return tuple(cables_of(t, network, racks_per_node=per_node, hall=hall, lengths_m=lengths) for t in tiers)


def _scale_up(machine: Machine, missing: list[str]) -> ScaleUp:
    level = machine.scale_up
    domains = math.ceil(machine.chips / level.chips)
    known = next((p for p in parts_of("scale-up", chip=machine.chip.id)
                  if int(p.number("domain_chips")) == level.chips), None)  # fmt: skip
    plain = ScaleUp(topology=level.topology, domains=domains, domain_chips=level.chips, name="",
                    switches=None, links=None, optical_switches=None, modules=None)  # fmt: skip
    if level.topology == "torus":
        optical = _optical(machine, missing)
        return dataclasses.replace(
            plain, links=domains * torus_links(level.dims), optical_switches=optical, switches=0
        )
    if level.topology == "mesh" or level.chips == 1:
        return dataclasses.replace(plain, switches=0)
    if known is None:
        missing.append(f"scale-up switches of {level.chips} x {machine.chip.id}: not known")
        return plain
    counts = {n: domains * int(known.number(n)) for n in ("switches", "links", "modules") if known.knows(n)}
    if "switches" not in counts:
        missing.append(f"scale-up switches of {level.chips} x {machine.chip.id}: how many is not published")
    return dataclasses.replace(
        plain,
        name=known.name,
        switches=counts.get("switches"),
        links=counts.get("links"),
        modules=counts.get("modules"),
    )


def _inner_modules(machine: Machine, up: ScaleUp) -> Draw | None:
    """Return the power of the modules within the scale-up domains, where they are known."""
    if not up.modules:
        return None
    each = next(p for p in parts_of("scale-up", chip=machine.chip.id)).number("module_power_w")
    how = f"{up.modules:,} of them, {each:g} W each, estimated"
    return Draw(name="scale-up modules", label="scale-up modules", power_w=up.modules * each, how=how)


def _optical(machine: Machine, missing: list[str]) -> int | None:
    """Return the optical switches that join the cubes of a torus; 0 where it is not built of cubes."""
    level = machine.scale_up
    for part in parts_of("optical-switch", chip=machine.chip.id):
        if len(level.dims) != 3 or any(d % 4 for d in level.dims):
            return None
        count = optical_switches(level.dims, (4, 4, 4), ports=int(part.number("ports")))
        if math.isinf(float(count)):
            missing.append(
                f"optical switches: one of {part.number('ports'):.0f} ports does not take both ends of "
                f"{math.prod(level.dims) // 64} cubes, and what is built instead is not published"
            )
            return None
        return int(count) * math.ceil(machine.chips / level.chips)
    return 0


def _assumptions(machine: Machine, cables: tuple[Cables, ...]) -> tuple[Fact, ...]:
    """Return the facts behind the answer that are weak: lengths, racks, power."""
    stand_ins = defaults()
    found = []
    if cables:
        found += [
            f for n, f in stand_ins.items() if n.startswith(("rack", "row_", "hall_", "cable_", "in_rack"))
        ]
        found.append(stand_ins["network_rack_units"])
    for name in ("it_power_per_chip_w", "chips_per_rack", "facility_usd_per_w"):
        if name in machine.facts and machine.facts[name].kind in ("assumed", "estimated", "derived"):
            found.append(machine.facts[name])
    if "chips_per_rack" in machine.facts or parts_of("rack", chip=machine.chip.id):
        found = [f for f in found if f.name != "rack_power_w"]
    return tuple(found)
