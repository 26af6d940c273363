"""The named queries of a claim file: each asks the catalogue or the model, and says how a reader can."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from gigawatt.catalog import Chip, Machine, chip, find_machine, find_model, site
from gigawatt.catalog.load import defaults
from gigawatt.errors import InputError, unknown_name
from gigawatt.perf.hpl import HplRun, hpl_run
from gigawatt.scaling import law
from gigawatt.scaling.laws import loss_nats
from gigawatt.study.claims.asked import Desk, Found, fact_found, machine_or_chip, weight
from gigawatt.study.claims.figures import weakest
from gigawatt.study.claims.packing import packed
from gigawatt.study.plan import Plan
from gigawatt.units import parse
from gigawatt.workload.flop import model_flop_per_token
from gigawatt.workload.params import params

Quantity = str | float | int


class Query(BaseModel):
    """A question to the catalogue or the model, as written in a claim file."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    KIND: ClassVar[str] = ""

    def found(self, desk: Desk) -> Found:
        """Return the answer."""
        raise NotImplementedError

    def command(self) -> str:
        """Return what a reader types to see it."""
        raise NotImplementedError


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
            return Found(value=word(machine), unit=unit, kind="spec", note=machine.note)
        facts = {**machine.site.facts, **machine.facts}
        return fact_found(facts, self.fact, owner=machine.id, bound=self.bound, rival=self.rival)


MACHINE_WORDS: dict[str, tuple[str, Callable[[Machine], float | str]]] = {
    "chip": ("text", lambda m: m.chip.id),
    "chips": ("1", lambda m: float(m.chips)),
    "chips_per_node": ("1", lambda m: float(m.chips_per_node)),
    "nodes": ("1", lambda m: m.chips / m.chips_per_node),
    "scale_up_chips": ("1", lambda m: float(m.scale_up.chips)),
    "network_bytes_per_s": ("byte/s", lambda m: m.levels[-1].bytes_per_s),
    "memory_bytes": ("byte", lambda m: m.chips * m.chip.hbm_bytes),
}


class SiteQuery(_FactQuery):
    """A fact of a site; a reader sees it on a machine that stands there."""

    KIND: ClassVar[str] = "site"

    def found(self, desk: Desk) -> Found:
        place = site(self.of)
        return fact_found(place.facts, self.fact, owner=place.id, bound=self.bound, rival=self.rival)

    def command(self) -> str:
        return "gigawatt catalog machines"


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


PLAN_FIGURES: dict[str, tuple[str, Callable[[Plan], float]]] = {
    "wall_s": ("s", lambda p: float(p.run.wall_s)),
    "useful_s": ("s", lambda p: float(p.run.useful_s)),
    "step_s": ("s", lambda p: float(p.step.total_s)),
    "chips": ("1", lambda p: float(p.scenario.machine.chips)),
    "chip_s": ("s", lambda p: float(p.run.chip_s)),
    "tokens": ("1", lambda p: float(p.scenario.tokens)),
    "mfu": ("%", lambda p: float(p.use.mfu)),
    "goodput": ("%", lambda p: float(p.run.lost.useful)),
    "interruptions": ("1", lambda p: float(p.run.interruptions)),
    "it_energy_j": ("J", lambda p: float(p.run.it_energy_j)),
    "meter_energy_j": ("J", lambda p: float(p.run.facility_energy_j)),
    "meter_power_w": ("W", lambda p: float(p.run.it_power_w) * p.scenario.machine.site.pue),
    "energy_j_per_token": ("J/token", lambda p: float(p.run.facility_energy_j) / float(p.scenario.tokens)),
    "it_energy_j_per_token": ("J/token", lambda p: float(p.run.it_energy_j) / float(p.scenario.tokens)),
    "tokens_per_s_per_chip": ("token/s", lambda p: float(p.use.tokens_per_s_per_chip)),
    "rent_usd": ("USD", lambda p: float(p.run.rent_usd)),
    "own_usd": ("USD", lambda p: float(p.run.own.total_usd)),
    "co2e_kg": ("kg", lambda p: float(p.run.co2e_kg)),
    "loss_nats": ("nat/token", lambda p: float(p.run.loss.loss_nats)),
}


class PlanQuery(Query):
    """One figure of the best plan for a model on a machine."""

    KIND: ClassVar[str] = "plan"
    model: str
    on: str
    get: str
    chips: Quantity | None = None
    tokens: Quantity | None = None
    batch_sequences: Quantity | None = None
    seq: Quantity | None = None
    dtype: str | None = None
    stack: str | None = None
    fixed: dict[str, Any] | None = None  # parts of the layout held in the search

    def words(self) -> dict[str, Any]:
        """Return the words of `gigawatt.plan`."""
        given: dict[str, Any] = {
            "chips": _count(self.chips, "chips"),
            "tokens": None if self.tokens is None else parse(self.tokens, "1", field="tokens"),
            "batch_sequences": _count(self.batch_sequences, "batch_sequences"),
            "seq_tokens": _count(self.seq, "seq"),
            "dtype": self.dtype,
            "stack": self.stack,
            "fixed": self.fixed,
        }
        return {"model": self.model, "on": self.on, **{k: v for k, v in given.items() if v is not None}}

    def found(self, desk: Desk) -> Found:
        if self.get not in PLAN_FIGURES:
            raise unknown_name("figure of a plan", self.get, PLAN_FIGURES)
        unit, take = PLAN_FIGURES[self.get]
        value = take(desk.plan(self.words()))
        if value != value:
            raise InputError(f"{self.get} of this plan needs a figure that nobody published for {self.on!r}")
        return Found(value=value, unit=unit, kind="predicted")

    def command(self) -> str:
        told = {"--chips": self.chips, "--tokens": self.tokens, "--batch-sequences": self.batch_sequences,
                "--seq": self.seq, "--dtype": self.dtype, "--stack": self.stack}  # fmt: skip
        words = [f"{option} {shlex.quote(str(v))}" for option, v in told.items() if v is not None]
        if self.fixed:
            words.append("--fixed " + ",".join(f"{k}={v}" for k, v in self.fixed.items()))
        return " ".join([f"gigawatt plan {shlex.quote(self.model)} --on {shlex.quote(self.on)}", *words])


def _count(written: Quantity | None, field: str) -> int | None:
    if written is None:
        return None
    found = parse(written, "1", field=field)
    if found != int(found):
        raise InputError(f"{field} = {written!r} is not a whole number")
    return int(found)


HPL_FIGURES: dict[str, tuple[str, Callable[[HplRun, Machine], float]]] = {
    "rate": ("flop/s", lambda run, m: float(run.rate_flop_per_s)),
    "time_s": ("s", lambda run, m: float(run.total_s)),
    "order": ("1", lambda run, m: float(run.order)),
    "rate_per_chip": ("flop/s", lambda run, m: float(run.rate_flop_per_s) / m.chips),
}


class HplQuery(Query):
    """High-Performance Linpack on a machine."""

    KIND: ClassVar[str] = "hpl"
    of: str
    get: Literal["rate", "time_s", "order", "rate_per_chip"] = "rate"
    order: Quantity | None = None

    def found(self, desk: Desk) -> Found:
        machine = find_machine(self.of)
        order = None if self.order is None else parse(self.order, "1", field="order")
        run: HplRun = desk.kept(f"hpl {self.of} {order}", lambda: hpl_run(machine, order))
        unit, take = HPL_FIGURES[self.get]
        return Found(value=take(run, machine), unit=unit, kind="predicted", note=run.origin)

    def command(self) -> str:
        return f"gigawatt machine show {shlex.quote(self.of)}"


class LossQuery(Query):
    """The loss of a law, at parameters and tokens or at the best split of some compute."""

    KIND: ClassVar[str] = "loss"
    law: str = "besiroglu-2024"
    params: Quantity | None = None
    tokens: Quantity | None = None
    compute: Quantity | None = None

    def found(self, desk: Desk) -> Found:
        chosen = law(self.law)
        if (self.compute is None) == (self.params is None or self.tokens is None):
            raise InputError("a loss needs either compute, or params and tokens")
        if self.compute is not None:
            n, d = best_split(parse(self.compute, "flop", field="compute"), self.law)
        else:
            n, d = (
                parse(v or 0.0, "1", field=f) for f, v in (("params", self.params), ("tokens", self.tokens))
            )
        value = float(loss_nats(n, d, by=chosen))
        return Found(value=value, unit="nat/token", kind="predicted", note=f"{chosen.name}: {chosen.source}")

    def command(self) -> str:
        return "gigawatt plan llama3.1-8b --on eos"


def best_split(compute_flop: float, name: str) -> tuple[float, float]:
    r"""Return the parameters and tokens of the least loss at some compute.

    .. math:: N = G (C/6)^{\beta/(\alpha+\beta)}, \quad D = (C/6) / N, \quad
        G = (\alpha A / \beta B)^{1/(\alpha+\beta)}

    Valid for: C = 6 N D.
    Source: Hoffmann 2022, arXiv:2203.15556 eq. 4.

    >>> n, d = best_split(5.76e23, "besiroglu-2024")
    >>> round(n / 1e9, 1), round(d / n, 1)
    (72.2, 18.4)
    """
    L, C = law(name), compute_flop
    G = (L.alpha * L.A / (L.beta * L.B)) ** (1.0 / (L.alpha + L.beta))
    N = G * (C / 6.0) ** (L.beta / (L.alpha + L.beta))
    return N, C / 6.0 / N


class PackingQuery(Query):
    """How full cards get that jobs want a part of: a small model of a queue, not a measurement."""

    KIND: ClassVar[str] = "packing"
    get: Literal["whole", "sliced", "cards_whole", "cards_sliced"]
    mean_need: float = Field(gt=0.0, lt=1.0)
    jobs: int = Field(default=2000, ge=1, le=20_000)
    slices: int = Field(default=10, ge=1, le=1000)
    seed: int = Field(default=7, ge=0)

    def found(self, desk: Desk) -> Found:
        words = {"jobs": self.jobs, "mean_need": self.mean_need, "slices": self.slices, "seed": self.seed}
        run = desk.kept(f"packing {words}", lambda: packed(**words))  # type: ignore[arg-type]
        value, unit = {
            "whole": (run.whole_fraction, "%"),
            "sliced": (run.sliced_fraction, "%"),
            "cards_whole": (float(run.cards_whole), "1"),
            "cards_sliced": (float(run.cards_sliced), "1"),
        }[self.get]
        return Found(value=value, unit=unit, kind="predicted", note="first-fit of drawn needs onto slices")

    def command(self) -> str:
        return ""


QUERIES: dict[str, type[Query]] = {
    kind.KIND: kind
    for kind in (
        ChipQuery, HplQuery, LossQuery, MachineQuery, ModelQuery, PackingQuery, PeakQuery, PlanQuery,
        PowerQuery, SiteQuery,
    )
}  # fmt: skip


def query_fields(kind: str) -> Mapping[str, Any]:
    """Return the fields of a kind of query."""
    return QUERIES[kind].model_fields
