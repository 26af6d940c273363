"""What a machine is made of, level by level from the site to the chip: data for the picture and the table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from gigawatt.catalog.load import defaults
from gigawatt.catalog.records import Fact, Level, Machine
from gigawatt.study.bom_network import Asked, NoNetwork, network_of, tiers_of
from gigawatt.study.document import value_text
from gigawatt.units import format as fmt

Kind = Literal[
    "site",
    "sites",
    "switch",
    "dragonfly",
    "torus",
    "mesh",
    "ring",
    "domain",
    "tile",
    "rack",
    "server",
    "card",
    "slice",
    "chip",
]
WEAK = ("assumed", "estimated")
OPTICAL = ("OCS", "optical")  # how a record says that circuits are switched by light
NETWORKS: dict[str, Kind] = {"dragonfly": "dragonfly", "wide-area": "sites"}  # others are drawn as a Clos
FIRM, WHOLE, BITS = "spec", 1, 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One figure of a tier: what people read, and how it is known."""

    text: str
    kind: str = FIRM

    @property
    def weak(self) -> bool:
        return self.kind in WEAK


@dataclass(frozen=True, kw_only=True, slots=True)
class Tier:
    """One level of a machine: what one unit of it holds, and how its parts are joined."""

    name: str
    kind: Kind
    chips: int  # of one unit
    units: int  # in the whole machine
    holds: int  # units of the next tier in one unit
    dims: tuple[int, ...] = ()
    oversubscription: float = 1.0  # over the network level inside
    optical: bool = False
    layers: tuple[
        tuple[str, int], ...
    ] = ()  # switches of the whole machine by tier, where they can be counted
    figures: tuple[Figure, ...] = ()


def tiers(machine: Machine) -> tuple[Tier, ...]:
    """Return the levels of a machine, the site first and the chip last."""
    inside_out = [_chip(machine), *_card(machine), *_server(machine), *_tile(machine), *_rack(machine)]
    inside_out += [*_domain(machine), *_networks(machine)]
    inside_out = [*sorted(inside_out, key=lambda tier: tier.chips), _site(machine)]
    found, below = [], None
    for tier in inside_out:
        holds = _per(tier.chips, below.chips) if below else WHOLE
        found.append(_with(tier, holds=holds, units=_per(machine.chips, tier.chips)))
        below = tier
    return tuple(reversed(found))


def _with(tier: Tier, *, holds: int, units: int) -> Tier:
    names = [name for name in Tier.__slots__ if name not in ("holds", "units")]
    return Tier(**{name: getattr(tier, name) for name in names}, holds=holds, units=units)


def _per(many: int, few: int) -> int:
    return max(math.ceil(many / few), 1)


def _tier(name: str, kind: Kind, *, chips: int, figures: tuple[Figure, ...], **more: object) -> Tier:
    return Tier(name=name, kind=kind, chips=chips, units=1, holds=1, figures=figures, **more)  # type: ignore[arg-type]


def _figure(fact: Fact | None, words: str) -> tuple[Figure, ...]:
    """Return a fact as a figure, "{}" in the words standing for its value; nothing for no fact."""
    return () if fact is None else (Figure(text=words.format(value_text(fact)), kind=fact.kind),)


def _chip(machine: Machine) -> Tier:
    facts = machine.chip.facts
    dtype = next((d for d in ("bf16", "fp16") if d in machine.chip.dtypes), machine.chip.dtypes[0])
    figures = (
        *_figure(facts.get(f"peak_{dtype}_flop_per_s"), f"{{}} {dtype}, dense"),
        *_figure(facts.get("hbm_bytes"), "{} of memory"),
        *_figure(facts.get("hbm_bytes_per_s"), "{} from memory"),
        *_figure(facts.get("tdp_w"), "{} at most"),
    )
    kind: Kind = "slice" if "slices_per_card" in facts else "chip"
    return _tier(machine.chip.name, kind, chips=1, figures=figures)


def _card(machine: Machine) -> list[Tier]:
    fact = machine.chip.facts.get("slices_per_card")
    if fact is None:
        return []
    slices = int(fact.value)
    told = Figure(text=f"{slices} slices, each planned as a chip of its own", kind=fact.kind)
    return [_tier("card", "card", chips=slices, figures=(told,))]


def _server(machine: Machine) -> list[Tier]:
    chips, domain = machine.chips_per_node, machine.scale_up.chips
    if not 1 < chips < domain:
        return []
    return [_tier("server", "server", chips=chips, figures=_server_power(machine))]


def _server_power(machine: Machine) -> tuple[Figure, ...]:
    fact = machine.facts.get("it_power_per_chip_w")
    if fact is None or isinstance(fact.value, str):
        return ()
    text = fmt(fact.value * machine.chips_per_node, "W")
    return (Figure(text=f"{text} with its share of the network", kind=fact.kind),)


def _tile(machine: Machine) -> list[Tier]:
    """Return the wafer or tile on which chips are joined, where the scale-up domain is made of such."""
    facts = machine.chip.facts
    shape, chips = facts.get("scale_up_topology"), facts.get("scale_up_chips")
    if shape is None or chips is None or shape.value != "mesh" or isinstance(chips.value, str):
        return []
    if machine.scale_up.topology != "torus" or not 1 < chips.value < machine.scale_up.chips:
        return []
    name = "tile" if "tile" in shape.where else "wafer"
    rate = _figure(facts.get("scale_up_bytes_per_s"), "{} a chip, each way")
    return [_tier(name, "tile", chips=int(chips.value), figures=rate)]


def _rack(machine: Machine) -> list[Tier]:
    fact = machine.facts.get("chips_per_rack")
    if fact is None or isinstance(fact.value, str):
        return []
    chips = int(fact.value)
    outer = [level.chips for level in machine.levels if level.chips > machine.chips_per_node]
    if not machine.chips_per_node < chips < min(outer, default=chips):
        return []
    weak = (Figure(text="its size", kind=fact.kind),) if fact.kind in WEAK else ()
    return [_tier("rack", "rack", chips=chips, figures=weak)]


def _rate(level: Level, kind: str) -> tuple[Figure, ...]:
    late = defaults()
    usual = {float(late[n].value) for n in ("scale_up_latency_s", "network_latency_s")}
    bits = "" if level.name == "scale_up" else f" ({level.bytes_per_s * BITS / 1e9:.4g} Gbit/s)"
    found = [Figure(text=f"{fmt(level.bytes_per_s, 'byte/s')} a chip, each way{bits}", kind=kind)]
    waits = "assumed" if level.latency_s in usual else kind
    found.append(Figure(text=f"{fmt(level.latency_s, 's')} a hop", kind=waits))
    return tuple(found)


def _kind_of(machine: Machine, level: Level, fact: str) -> str:
    """Return how a rate is known: as its chip's fact is, or as the machine's own record is."""
    own = machine.chip.facts.get(fact)
    if own is not None and own.value == level.bytes_per_s:
        return own.kind
    return "assumed" if "assumed" in f"{machine.status} {machine.source} {machine.note}" else FIRM


def _domain(machine: Machine) -> list[Tier]:
    level = machine.scale_up
    if level.chips <= 1:
        return []
    figures = _rate(level, _kind_of(machine, level, "scale_up_bytes_per_s"))
    if level.reduces_in_network:
        figures += (Figure(text="reduces in the switch"),)
    if machine.chips_per_node >= level.chips:
        figures += _server_power(machine)
    kind: Kind = {"switch": "domain", "mesh": "mesh", "torus": "torus"}[level.topology]  # type: ignore[assignment]
    shape = machine.chip.facts.get("scale_up_topology")
    if kind == "mesh" and shape is not None and "ring" in shape.where.split():
        kind = "ring"
    if kind in ("mesh", "ring"):
        words = shape.where.split(";")[0].split(",")[0] if shape is not None else ""
        figures += (Figure(text=f"no switch: {words}" if words else "no switch", kind=FIRM),)
    optical = any(word in machine.fabric for word in OPTICAL)
    name = "scale-up domain" if machine.chips_per_node < level.chips else "server, the scale-up domain"
    return [_tier(name, kind, chips=level.chips, figures=figures, dims=level.dims, optical=optical)]


def switches_of(machine: Machine) -> tuple[dict[str, tuple[tuple[str, int], ...]], str]:
    """Return the switches of each network level by tier, and why they are not counted where they are not.

    Tiers are those of the whole network; where pods are told apart, theirs are the leaves and spines.
    """
    within = [level.name for level in machine.levels[1:] if NETWORKS.get(level.name) != "sites"]
    try:
        network = network_of(machine, Asked())
        layers = tuple((tier.name, tier.switches) for tier in tiers_of(network) if tier.switches)
    except NoNetwork as why:
        unknown = bool(within) and machine.levels[-1].chips > machine.scale_up.chips
        return {}, str(why).split(" (")[0].split(";")[0] if unknown else ""
    if network.pod_links is None or len(within) < 2 or len(layers) < 2:
        return {within[-1]: layers}, ""
    return {within[0]: layers[:-1], within[-1]: layers[-1:]}, ""


def _networks(machine: Machine) -> list[Tier]:
    found, inner = [], None
    switches, uncounted = switches_of(machine)
    for level in machine.levels[1:]:
        over = inner.bytes_per_s / level.bytes_per_s if inner is not None else level.oversubscription
        figures = _rate(level, _kind_of(machine, level, "nic_bytes_per_s"))
        if over > 1.001:
            figures += (Figure(text=f"{over:.3g}:1 oversubscribed"),)
        if level.reduces_in_network:
            figures += (Figure(text="reduces in the switches"),)
        layers = switches.get(level.name, ())
        if layers:
            told = ", ".join(f"{count:,} {name}" for name, count in layers)
            figures += (Figure(text=f"switches in all: {told}", kind="derived"),)
        elif uncounted and level is machine.levels[-1]:
            figures += (Figure(text=f"switches not counted: {uncounted}"),)
        kind = NETWORKS.get(level.name, "switch")
        if level.chips > machine.scale_up.chips or level is machine.levels[-1]:
            found.append(
                _tier(
                    level.name, kind, chips=level.chips, figures=figures, oversubscription=over, layers=layers
                )
            )
        inner = level
    return found


def _site(machine: Machine) -> Tier:
    site, facts = machine.site, machine.facts
    built = facts.get("buildings")
    figures: tuple[Figure, ...] = ()
    if "facility_w" in facts:
        figures += _figure(facts["facility_w"], "{} at the meter")
    elif "it_power_per_chip_w" in facts:
        fact = facts["it_power_per_chip_w"]
        text = fmt(float(fact.value) * machine.chips * site.pue, "W")
        figures += (Figure(text=f"{text} at the meter", kind="estimated"),)
    else:
        figures += (Figure(text="power not known", kind="estimated"),)
    figures += _figure(site.facts.get("pue"), "PUE {}")
    if site.cooling or "cooling" in facts:
        words = str(facts["cooling"].value) if "cooling" in facts else site.cooling
        figures += (Figure(text=f"cooled: {words.split(';')[0]}"),)
    if built is not None:
        figures += _figure(built, "{} buildings or halls")
    apart = [level.chips for level in machine.levels if level.name == "site"]
    dims = (_per(machine.chips, apart[0]),) if apart else ()
    if built is not None and not isinstance(built.value, str):
        dims = (int(built.value),)
    return _tier(f"place: {site.id}", "site", chips=machine.chips, figures=figures, dims=dims)
