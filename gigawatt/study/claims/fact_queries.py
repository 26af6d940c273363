"""Queries to the catalogue: facts of chips, machines, sites and models, peaks and power."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import ClassVar, Literal

from pydantic import Field

from gigawatt.catalog import Chip, Machine, chip, find_machine, find_model
from gigawatt.catalog.load import defaults
from gigawatt.errors import InputError
from gigawatt.study.claims.asked import Desk, Found, fact_found, machine_or_chip, weight
from gigawatt.study.claims.figures import weakest
from gigawatt.study.claims.query import Query
from gigawatt.workload.flop import model_flop_per_token
from gigawatt.workload.params import params


class _FactQuery(Query):
    of: str
    fact: str
    bound: Literal["value", "low", "high"] = "value"
    rival: int | None = Field(default=None, ge=1)  # the nth of the figures that contradict it

    def command(self) -> str:
        return f"gigawatt {self.KIND} show {shlex.quote(self.of)}"


class ChipQuery(_FactQuery):
    """A fact of a chip."""

    KIND: ClassVar[str] = "chip"

    def found(self, desk: Desk) -> Found:
        part = chip(self.of)
        return fact_found(part.facts, self.fact, owner=part.id, bound=self.bound, rival=self.rival)


class MachineQuery(_FactQuery):
    """A fact of a machine, or a count of its parts."""

    KIND: ClassVar[str] = "machine"

    def found(self, desk: Desk) -> Found:
        machine = find_machine(self.of)
        if self.fact in MACHINE_WORDS:
            unit, word = MACHINE_WORDS[self.fact]
            _, sources = weight(machine.facts, *OF_THE_MACHINE)
            own = sources or tuple(machine.source.split(";"))
            return Found(value=word(machine), unit=unit, kind="spec", sources=own)
        facts = {**machine.site.facts, **machine.facts}
        return fact_found(facts, self.fact, owner=machine.id, bound=self.bound, rival=self.rival)


OF_THE_MACHINE = ("release_date", "cost_usd", "facility_w")  # facts whose sources are the machine's own
MACHINE_WORDS: dict[str, tuple[str, Callable[[Machine], float | str]]] = {
    "chip": ("text", lambda m: m.chip.id),
    "chips": ("1", lambda m: float(m.chips)),
    "chips_per_node": ("1", lambda m: float(m.chips_per_node)),
    "nodes": ("1", lambda m: m.chips / m.chips_per_node),
    "scale_up_chips": ("1", lambda m: float(m.scale_up.chips)),
    "network_bytes_per_s": ("byte/s", lambda m: m.levels[-1].bytes_per_s),
    "memory_bytes": ("byte", lambda m: m.chips * m.chip.hbm_bytes),
}


class ModelQuery(Query):
    """A count or the published recipe of a model."""

    KIND: ClassVar[str] = "model"
    of: str
    fact: Literal["params", "active_params", "tokens", "training_flop"]

    def found(self, desk: Desk) -> Found:
        model = find_model(self.of)
        kinds, sources = weight(model.recipe, "tokens", "seq_tokens")
        count = params(model)
        if self.fact in ("params", "active_params"):
            value = float(count.total if self.fact == "params" else count.active)
            return Found(value=value, unit="1", kind="assumed" if model.rumoured else "derived")
        tokens = fact_found(model.recipe, "tokens", owner=model.id, bound="value", rival=None)
        if self.fact == "tokens":
            return tokens
        seq = float(model.recipe["seq_tokens"].value)
        flop = float(model_flop_per_token(model, seq)) * float(tokens.value)
        return Found(value=flop, unit="flop", kind=weakest(kinds), sources=sources)

    def command(self) -> str:
        return f"gigawatt model show {shlex.quote(self.of)}"


class PeakQuery(Query):
    """The dense peak rate of a chip, or of all chips of a machine."""

    KIND: ClassVar[str] = "peak"
    of: str
    dtype: str

    def found(self, desk: Desk) -> Found:
        owner = machine_or_chip(self.of)
        part, count = (owner, 1) if isinstance(owner, Chip) else (owner.chip, owner.chips)
        kinds, sources = weight(part.facts, f"peak_{self.dtype}_flop_per_s")
        value = count * part.peak_flop_per_s(self.dtype)
        return Found(value=value, unit="flop/s", kind=weakest(kinds), sources=sources, note="dense")

    def command(self) -> str:
        kind = "chip" if isinstance(machine_or_chip(self.of), Chip) else "machine"
        return f"gigawatt {kind} show {shlex.quote(self.of)}"


class PowerQuery(Query):
    """What a machine, or one chip with its share of a server and network, draws at nameplate."""

    KIND: ClassVar[str] = "power"
    of: str
    at: Literal["it", "meter"] = "meter"
    pue: float | int | None = Field(default=None, ge=1.0, le=3.0)  # for a chip, which stands nowhere

    def found(self, desk: Desk) -> Found:
        owner = machine_or_chip(self.of)
        if isinstance(owner, Machine):
            return _machine_power(owner, at=self.at)
        return _chip_power(owner, pue=1.0 if self.at == "it" else self.pue, at=self.at)

    def command(self) -> str:
        kind = "chip" if isinstance(machine_or_chip(self.of), Chip) else "machine"
        return f"gigawatt {kind} show {shlex.quote(self.of)}"


def _machine_power(machine: Machine, *, at: str) -> Found:
    each = fact_found(machine.facts, "it_power_per_chip_w", owner=machine.id, bound="value", rival=None)
    kinds, sources = weight({**machine.facts, **machine.site.facts}, "it_power_per_chip_w",
                            *(["pue"] if at == "meter" else []))  # fmt: skip
    pue = machine.site.pue if at == "meter" else 1.0
    told = f"chips x IT power a chip{' x PUE ' + format(pue, 'g') if at == 'meter' else ''}"
    value = machine.chips * float(each.value) * pue
    return Found(value=value, unit="W", kind=weakest(kinds), sources=sources, note=told)


def _chip_power(part: Chip, *, pue: float | None, at: str) -> Found:
    if pue is None:
        raise InputError(f"pue is missing: {part.id!r} is a chip and stands nowhere; write e.g. pue = 1.2")
    server = fact_found(part.facts, "system_w", owner=part.id, bound="value", rival=None)
    network = defaults()["network_power_ratio"]
    sources = (*server.sources, *network.source.split(";"))
    value = float(server.value) * float(network.value) * pue
    told = f"server's nameplate a chip x {float(network.value):g} for the network x PUE {pue:g}"
    return Found(value=value, unit="W", kind=weakest([server.kind, network.kind]), sources=sources, note=told)
