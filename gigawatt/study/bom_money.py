"""What a machine costs to buy, by part: low, middle and high of what sources print."""

from __future__ import annotations

from dataclasses import dataclass

from gigawatt.catalog.parts import parts_of
from gigawatt.catalog.records import Fact, Machine
from gigawatt.study.bom_cables import Cables
from gigawatt.study.bom_network import Network, Tier
from gigawatt.study.bom_power import Draw, plugged

Range = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """What one kind of part costs."""

    name: str  # servers, switches, modules, facility
    label: str
    usd: Range  # low, middle, high
    how: str
    source: str  # ids in sources.toml


def capex_of(
    machine: Machine,
    network: Network | None,
    *,
    tiers: tuple[Tier, ...],
    cables: tuple[Cables, ...],
    draws: tuple[Draw, ...],
    missing: list[str],
) -> tuple[Price, ...]:
    """Return the price of each kind of part that is known; what is not is added to `missing`."""
    found = [
        _servers(machine, missing),
        _switches(network, tiers, missing),
        _modules(cables, missing),
        _facility(machine, draws, missing),
    ]
    return tuple(price for price in found if price is not None)


def range_of(fact: Fact) -> Range:
    """Return low, middle and high of a fact; without a range all three are its value."""
    middle = float(fact.value)
    low = middle if fact.low is None else fact.low
    high = middle if fact.high is None else fact.high
    return low, middle, high


def _times(count: float, prices: Range) -> Range:
    low, middle, high = (count * p for p in prices)
    return low, middle, high


def server_price(machine: Machine, missing: list[str]) -> tuple[Range, str, Fact] | None:
    """Return the price of a chip with its share of the server, or alone; how it is known; and its fact."""
    for part in parts_of("server", chip=machine.chip.id):
        fact, chips = part.facts["price_usd"], part.number("chips")
        low, middle, high = range_of(fact)
        return (low / chips, middle / chips, high / chips), f"{part.name}, {fact.where}", fact
    if "price_usd" in machine.chip.facts:
        missing.append(f"price of the servers around {machine.chip.id}: not known, only the chips are priced")
        fact = machine.chip.facts["price_usd"]
        return range_of(fact), f"chips alone, {fact.where}", fact
    missing.append(f"price of {machine.chip.id} and its servers: not known")
    return None


def _servers(machine: Machine, missing: list[str]) -> Price | None:
    found = server_price(machine, missing)
    if found is None:
        return None
    each, how, fact = found
    return Price(name="servers", label="chips and servers", usd=_times(machine.chips, each), how=how,
                 source=fact.source)  # fmt: skip


def _switches(network: Network | None, tiers: tuple[Tier, ...], missing: list[str]) -> Price | None:
    if network is None:
        return None
    part, count = network.switch, sum(t.switches for t in tiers)
    if not part.knows("price_usd"):
        missing.append(f"price of {part.name}: not known")
        return None
    fact = part.facts["price_usd"]
    return Price(name="switches", label="network switches", usd=_times(count, range_of(fact)),
                 how=f"{count:,} x {part.name}", source=fact.source)  # fmt: skip


def _modules(cables: tuple[Cables, ...], missing: list[str]) -> Price | None:
    if not cables:
        return None
    ends = plugged(cables)
    missing += [
        f"price of each {name}: not known" for name in sorted({m.name for m in ends if m.price_usd is None})
    ]
    missing.append("price of fibre, copper cables, panels and trays: not known")
    known = [m.price_usd for m in ends if m.price_usd is not None]
    if not known:
        return None
    low, middle, high = (sum(p[i] for p in known) for i in range(3))
    count = sum(m.count for m in ends if m.price_usd is not None)
    sources = {s for p in parts_of("module") if p.knows("price_usd") and p.id in {m.part for m in ends}
               for s in p.facts["price_usd"].source.split(";")}  # fmt: skip
    how = f"{count:,} modules, generic prices of 2025"
    return Price(name="modules", label="optical modules", usd=(low, middle, high), how=how,
                 source=";".join(sorted(sources)))  # fmt: skip


def _facility(machine: Machine, draws: tuple[Draw, ...], missing: list[str]) -> Price | None:
    if not any(d.name == "cooling" for d in draws):
        missing.append("price of the facility: its power is not known")
        return None
    fact, watts = machine.facts["facility_usd_per_w"], sum(d.power_w for d in draws)
    return Price(name="facility", label="facility", usd=_times(watts, range_of(fact)),
                 how=f"{watts / 1e6:.3g} MW at the meter, {fact.where}", source=fact.source)  # fmt: skip
