"""Queries to the model: plans, energy at equal work, laws of loss, and packing of jobs."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any, ClassVar, Literal

from pydantic import Field

from gigawatt.errors import InputError, unknown_name
from gigawatt.scaling import DEFAULT_LAW, frontier_nats, law, loss_nats
from gigawatt.study.claims.asked import Desk, Found
from gigawatt.study.claims.packing import packed
from gigawatt.study.claims.query import Quantity, Query
from gigawatt.study.energy import Energy, energy
from gigawatt.study.growth import growth
from gigawatt.study.growth_document import growth_document
from gigawatt.study.plan import Plan
from gigawatt.units import parse

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


class LossQuery(Query):
    """The loss of a law, at parameters and tokens or at the best split of some compute."""

    KIND: ClassVar[str] = "loss"
    law: str = DEFAULT_LAW
    params: Quantity | None = None
    tokens: Quantity | None = None
    compute: Quantity | None = None

    def found(self, desk: Desk) -> Found:
        chosen = law(self.law)
        if (self.compute is None) == (self.params is None or self.tokens is None):
            raise InputError("a loss needs either compute, or params and tokens")
        if self.compute is not None:
            value = frontier_nats(parse(self.compute, "flop", field="compute"), by=chosen)
        else:
            n = parse(self.params or 0.0, "1", field="params")
            value = loss_nats(n, parse(self.tokens or 0.0, "1", field="tokens"), by=chosen)
        return Found(value=float(value), unit="nat/token", kind="predicted", note=chosen.name)

    def command(self) -> str:
        if self.compute is not None:
            flop, size = parse(self.compute, "flop", field="compute"), ""
        else:
            n, d = (parse(v or 0.0, "1", field="params") for v in (self.params, self.tokens))
            flop, size = 6.0 * n * d, f" --params {n:g}"
        return f"gigawatt scaling optimal --compute {flop:g}{size} --law {self.law}"


ENERGY_FIGURES = {
    "token_j": "J/token",  # at the meter, failures and waiting included
    "low_j": "J/token",
    "high_j": "J/token",
    "energy_ratio": "x",  # the first machine's joules a token over this one's
    "speed_ratio": "x",  # tokens a second of a chip, over the first machine's
    "sheet_ratio": "x",  # what the datasheets say: peak a watt, over the first machine's
}


class EnergyQuery(Query):
    """Joules a token and speed of one machine against the first, at the same job on equal parts of all."""

    KIND: ClassVar[str] = "energy"
    model: str
    among: str  # two to eight machines, with commas; the first is the baseline
    on: str  # whose figure it is
    get: Literal["token_j", "low_j", "high_j", "energy_ratio", "speed_ratio", "sheet_ratio"]
    tokens: Quantity = "1T"
    dtypes: str = "bf16"  # with commas; the baseline is in the first
    dtype: str = "bf16"  # whose figure it is
    equal: Literal["chips", "power", "cost", "nothing"] = "chips"
    amount: Quantity | None = None

    def found(self, desk: Desk) -> Found:
        run: Energy = desk.kept(self.command(), self._run)
        asked = (self.on, self.dtype)
        rows = [r for r in run.rows if (r.plan.scenario.machine.id, r.plan.scenario.job.dtype) == asked]
        if not rows:
            why = "; ".join(r.why for r in run.refusals if r.machine == self.on) or "it is not among them"
            raise InputError(f"on = {self.on!r} has no such plan in {self.dtype!r}: {why}")
        value = float(getattr(rows[0], self.get))
        return Found(value=value, unit=ENERGY_FIGURES[self.get], kind="predicted")

    def _run(self) -> Energy:
        return energy(
            self.model,
            on=self.among.split(","),
            dtypes=self.dtypes.split(","),
            equal=self.equal,
            amount=self.amount,
            tokens=parse(self.tokens, "1", field="tokens"),
        )

    def command(self) -> str:
        amount = "" if self.amount is None else f" --amount {shlex.quote(str(self.amount))}"
        return (
            f"gigawatt energy {shlex.quote(self.model)} --on {shlex.quote(self.among)} "
            f"--tokens {self.tokens} --dtype {self.dtypes} --equal {self.equal}{amount}"
        )


GROWTH_FIGURES = {
    "chips": "cards",
    "it_power_w": "W",
    "facility_power_w": "W",
    "hpl_flop_per_s": "flop/s",
    "useful_flop_per_s": "flop/s",
    "capital_so_far_usd": "USD",
    "worked_flop": "flop",
}


class GrowthQuery(Query):
    """What stands at the end of one month of a build-out."""

    KIND: ClassVar[str] = "growth"
    of: str
    month: str
    get: str

    def found(self, desk: Desk) -> Found:
        if self.get not in GROWTH_FIGURES:
            raise unknown_name("figure of a build-out", self.get, GROWTH_FIGURES)
        months = desk.kept(self.command(), self._months)
        if self.month not in months:
            raise unknown_name("month", self.month, months)
        value = months[self.month][self.get]
        if value is None:
            raise InputError(f"{self.get} of {self.of!r} is not known in {self.month}")
        return Found(value=float(value), unit=GROWTH_FIGURES[self.get], kind="predicted")

    def _months(self) -> dict[str, Any]:
        rows = growth_document(growth(self.of))["result"]["months"]
        return {row["month"]: row for row in rows}

    def command(self) -> str:
        return f"gigawatt fleet growth {shlex.quote(self.of)}"


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
