"""The power of a machine by part; the parts add up to what the catalogue says the whole machine takes."""

from __future__ import annotations

from dataclasses import dataclass

from gigawatt.catalog.parts import parts_of
from gigawatt.catalog.records import Machine
from gigawatt.power import training_power_w
from gigawatt.study.bom_cables import Cables, Modules
from gigawatt.study.bom_network import Network, Tier


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """What one kind of part takes, at nameplate."""

    name: str  # chips, adapters, switches, modules, rest, cooling
    label: str
    power_w: float
    how: str


def power_of(
    machine: Machine,
    network: Network | None,
    *,
    tiers: tuple[Tier, ...],
    cables: tuple[Cables, ...],
    inner: Draw | None,
    missing: list[str],
) -> tuple[tuple[Draw, ...], float | None]:
    """Return power by part, and the mean at the meter while training; what is not known is said.

    The whole is the machine's nameplate IT power, as plans take it. What chips, adapters, switches and
    modules do not account for is the rest of the servers: processors, memory, fans, scale-up switches.
    """
    known = [_chips(machine, missing), inner, _adapters(network, missing), _switches(network, tiers, missing),
             _modules(cables, missing)]  # fmt: skip
    parts = [d for d in known if d is not None]
    if "it_power_per_chip_w" not in machine.facts:
        missing.append("power of the whole: no power of a chip with its share of the machine is known")
        return tuple(parts), None
    fact = machine.facts["it_power_per_chip_w"]
    whole_w = float(fact.value) * machine.chips
    rest_w = whole_w - sum(d.power_w for d in parts)
    if rest_w < 0:
        missing.append(
            f"the parts take {-rest_w / 1e3:,.0f} kW more than the {whole_w / 1e6:.3g} MW that the catalogue "
            "says of the whole; the rest is negative by that"
        )
    how = f"{float(fact.value):,.0f} W a chip in all: {fact.note or fact.where}"
    parts.append(Draw(name="rest", label="rest of servers, not told apart", power_w=rest_w, how=how))
    cooling_w = whole_w * (machine.site.pue - 1.0)
    how = f"PUE {machine.site.pue:g} of {machine.site.id}"
    parts.append(Draw(name="cooling", label="cooling and power losses", power_w=cooling_w, how=how))
    training_w = float(training_power_w(whole_w, busy_fraction=1.0)) * machine.site.pue
    return tuple(parts), training_w


def _chips(machine: Machine, missing: list[str]) -> Draw | None:
    if "tdp_w" not in machine.chip.facts:
        missing.append(f"power of {machine.chip.id} by itself: not known")
        return None
    watts = machine.chip.tdp_w
    return Draw(name="chips", label="chips", power_w=machine.chips * watts, how=f"{watts:,.0f} W each")


def _adapters(network: Network | None, missing: list[str]) -> Draw | None:
    if network is None:
        return None
    count = network.nodes * network.links_per_node * network.sites
    rate = network.link_bytes_per_s
    fits = [p for p in parts_of("nic") if abs(p.number("port_bytes_per_s") / rate - 1.0) < 1e-3]
    part = fits[0] if fits else None
    if part is None or not part.knows("power_w"):
        gbit = network.link_bytes_per_s * 8e-9
        missing.append(f"power of {count:,} adapter ports of {gbit:g} Gbit/s: not known, within the rest")
        return None
    each = part.number("power_w")
    how = f"{count:,} ports, {each:g} W each, {part.name}"
    return Draw(name="adapters", label="network adapters", power_w=count * each, how=how)


def _switches(network: Network | None, tiers: tuple[Tier, ...], missing: list[str]) -> Draw | None:
    if network is None:
        return None
    count = sum(t.switches for t in tiers)
    if not network.switch.knows("power_w"):
        missing.append(f"power of {network.switch.name}: not known, within the rest")
        return None
    each = network.switch.number("power_w")
    how = f"{count:,}, {each:,.0f} W each without modules"
    return Draw(name="switches", label="network switches", power_w=count * each, how=how)


def _modules(cables: tuple[Cables, ...], missing: list[str]) -> Draw | None:
    ends = plugged(cables)
    unknown = sorted({m.name for m in ends if m.power_w is None})
    missing += [f"power of each {name}: not known, within the rest" for name in unknown]
    known = [m for m in ends if m.power_w is not None]
    if not known:
        return None
    count, watts = sum(m.count for m in known), sum(m.power_w or 0.0 for m in known)
    return Draw(name="modules", label="optical modules", power_w=watts, how=f"{count:,} of them")


def plugged(cables: tuple[Cables, ...]) -> list[Modules]:
    """Return what is plugged in at both ends of all runs."""
    return [m for c in cables for m in (c.lower, c.upper) if m is not None]
