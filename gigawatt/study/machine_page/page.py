"""Everything that is known of one machine, as one document: text, page and picture are drawn from it."""

from __future__ import annotations

from typing import Any

from gigawatt.catalog import load, machines
from gigawatt.catalog.records import Fact, Machine
from gigawatt.reliability import lost_time, replica_lost_time
from gigawatt.study.catalogue import show
from gigawatt.study.document import known, layout_of, value_text, warnings_of
from gigawatt.study.machine_page.picture import plural, status_words
from gigawatt.study.machine_page.standard_job import Planned, planned, rule
from gigawatt.study.machine_page.structure import tiers
from gigawatt.study.plan import Plan
from gigawatt.study.run import DAY_S, recovery_of
from gigawatt.units import format as fmt


def machine_page(name: str, *, job: bool = True) -> dict[str, Any]:
    """Return a machine fact by fact, its levels, its contradictions and a standard job planned on it.

    Raises: InputError for a name that is not known; UnknownFactError where a figure is missing.
    """
    machine = machines.find_machine(name)
    basis = show("machine", name)
    told = {
        **basis,
        "id": machine.id,
        "shipping": machine.shipping,
        "status": status_words(machine),
        "levels": levels_of(machine),
        "contradictions": contradictions_of(machine),
        "sources": sources_of(machine),
    }
    if job:
        told["job"] = job_of(planned(machine, on=name), machine)
    plain: dict[str, Any] = known(told)
    return plain


def levels_of(machine: Machine) -> list[dict[str, str]]:
    """Return the levels of a machine as rows for people, the place first."""
    found = tiers(machine)
    rows = []
    for tier, inner in zip(found, [*found[1:], None], strict=True):
        torus = f", {' x '.join(map(str, tier.dims))} torus" if tier.kind == "torus" else ""
        stars = [figure.text + ("*" if figure.weak else "") for figure in tier.figures]
        rows.append(
            {
                "level": tier.name,
                "in all": f"{tier.units:,}",
                "of each": (plural(inner, tier.holds) if inner is not None else "") + torus,
                "chips": f"{tier.chips:,}",
                "figures": "; ".join(stars),
            }
        )
    return rows


def contradictions_of(machine: Machine) -> list[dict[str, str]]:
    """Return every figure of a machine and its chip that another source contradicts, with both."""
    owners = ((machine.id, {**machine.facts, **machine.site.facts}), (machine.chip.id, machine.chip.facts))
    rows, seen = [], set()
    for owner, facts in owners:
        for name, fact in sorted(facts.items()):
            for rival in fact.rivals:
                row = _contradiction(owner, fact, rival)
                if (name, row["not"]) not in seen:
                    rows.append(row)
                    seen.add((name, row["not"]))
    return rows


def _contradiction(owner: str, fact: Fact, rival: Fact) -> dict[str, str]:
    return {
        "of": owner,
        "fact": fact.name,
        "chosen": f"{value_text(fact)} ({fact.kind}: {fact.source})",
        "not": f"{value_text(rival)} ({rival.kind}: {rival.source})",
        "where": rival.where,
    }


def sources_of(machine: Machine) -> list[dict[str, str]]:
    """Return who says what is said of a machine: its own record, its facts and its chip's."""
    facts = [*machine.facts.values(), *machine.site.facts.values(), *machine.chip.facts.values()]
    facts += [rival for fact in facts for rival in fact.rivals]
    cited = {part for fact in facts for part in fact.source.split(";")}
    cited |= {part for part in machine.source.split(";") if part}
    bibliography = load.sources()
    rows = [bibliography[id] for id in sorted(cited) if id in bibliography]
    return [{"id": s.id, "producer": s.producer, "title": s.title, "published": s.published} for s in rows]


def job_of(found: Planned, machine: Machine) -> dict[str, Any]:
    """Return the standard job as a document: a plan in figures, or why there is none."""
    if found.plan is None:
        return {
            "status": "refused",
            "brief": found.brief,
            "reason": found.refusal,
            "source": found.source,
        }
    assert found.job is not None
    one, job = found.plan, found.job
    used = one.scenario.machine.chips
    return {
        "status": "planned",
        "model": one.scenario.model.id,
        "model_name": one.scenario.model.name,
        "tokens": one.scenario.tokens,
        "batch_tokens": one.scenario.job.batch_tokens,
        "seq_tokens": one.scenario.job.seq_tokens,
        "dtype": one.scenario.job.dtype,
        "stack": one.scenario.stack.id,
        "why": why_this(machine, job.why),
        "chips": used,
        "chips_of_machine": machine.chips,
        "chips_left": machine.chips - used,
        "tried": [{"chips": chips, "days": wall / DAY_S} for chips, wall in found.parts],
        "layout": layout_of(one),
        **_figures(one),
        "goodput_by_recovery": goodputs(one),
        "warnings": [w["message"] for w in warnings_of(one) if w["code"] in TOLD],
    }


TOLD = ("unknown_fact", "failures_in_doubt", "machine_not_shipping")


def why_this(machine: Machine, differs: str) -> str:
    """Return by which rule a standard job was chosen, in words."""
    said = rule()["rule"]
    text = f"of the standard jobs the one nearest to what {machine.chips:,} chips do in {said['aim']} "
    text += f"at {100 * said['mfu']:.0f} % MFU"
    return f"{text}; {differs}" if differs else text


def _figures(one: Plan) -> dict[str, Any]:
    run, use = one.run, one.use
    pue = one.scenario.machine.site.pue
    return {
        "step_s": float(one.step.total_s),
        "band_p50": one.band.p50,
        "band_p90": one.band.p90,
        "band_of": f"{one.band.rows} measured: {one.band.like}",
        "mfu": use.mfu,
        "tokens_per_s": use.tokens_per_s,
        "days": run.wall_s / DAY_S,
        "days_without_failures": run.useful_s / DAY_S,
        "interruptions": run.interruptions,
        "mtti_s": run.mtti_s,
        "goodput": float(run.lost.useful),
        "recovery": recovery_of(one.scenario.machine),
        "facility_power_w": run.it_power_w * pue,
        "facility_energy_j": run.facility_energy_j,
        "co2e_kg": run.co2e_kg,
        "rent_usd": run.rent_usd,
        "own_usd": run.own.total_usd,
        "loss_nats": float(run.loss.loss_nats),
    }


def goodputs(one: Plan) -> dict[str, float | None]:
    """Return the goodput of a plan by what a failure stops; null where no replica could go on."""
    run, facts = one.run, one.scenario.machine.facts
    regroup = facts.get("regroup_s", load.defaults()["regroup_s"])
    restart, copies = float(facts["restart_s"].value), int(one.layout.dp_replicate)
    whole = lost_time(mtti_s=run.mtti_s, checkpoint_s=run.checkpoint_s, restart_s=restart)
    part = replica_lost_time(
        mtti_s=run.mtti_s,
        restart_s=restart,
        regroup_s=float(regroup.value),
        replicas=copies,
        step_s=float(one.step.total_s),
    )
    return {"restart": float(whole.useful), "replica": float(part.useful) if copies > 1 else None}


def job_rows(job: dict[str, Any]) -> dict[str, str]:
    """Return a planned standard job as names and values for people."""
    left = job["chips_left"]
    rest = f"; the other {left:,} are left: spares, other jobs" if left else ""
    power = job["facility_power_w"]
    days, ideal = fmt(job["days"] * DAY_S, "s"), fmt(job["days_without_failures"] * DAY_S, "s")
    return {
        "job": f"{job['model_name']}, {fmt(job['tokens'], '1')} tokens, {fmt(job['batch_tokens'], '1')} "
        f"a step, {job['dtype']}, stack {job['stack']}",
        "chosen": job["why"],
        "chips": f"{job['chips']:,} of {job['chips_of_machine']:,}{rest}",
        "by size": ", ".join(f"{r['chips']:,} chips {fmt(r['days'] * DAY_S, 's')}" for r in job["tried"]),
        "step": f"{fmt(job['step_s'], 's')} (median error {fmt(job['band_p50'], '%')}, 90th percentile "
        f"{fmt(job['band_p90'], '%')} on {job['band_of']})",
        "MFU": f"{fmt(job['mfu'], '%')}; {fmt(job['tokens_per_s'], 'token/s')}",
        "time": f"{days}, of which {ideal} without failures",
        "failures": failures_text(job),
        "power": f"{fmt(power, 'W')} at the meter" if power else "not known",
        "energy": f"{fmt(job['facility_energy_j'], 'J')} at the meter, {fmt(job['co2e_kg'], 'kg')} CO2e"
        if power
        else "not known",
        "cost": _cost(job),
        "loss": f"{job['loss_nats']:.3f} nat/token",
    }


def failures_text(job: dict[str, Any]) -> str:
    """Return interruptions and goodput, both ways of recovering, in words."""
    ways = job["goodput_by_recovery"]
    stops = {"restart": "the whole job", "replica": "one replica group"}[job["recovery"]]
    if ways["replica"] is None:
        stops = "the whole job"
    text = f"{job['interruptions']:,.0f} interruptions, one in {fmt(job['mtti_s'], 's')}; goodput "
    text += f"{fmt(job['goodput'], '%')} where each stops {stops}"
    if ways["replica"] is not None:
        other = "replica" if job["recovery"] == "restart" else "restart"
        named = {"restart": "the whole job", "replica": "one replica group alone"}[other]
        text += f"; {fmt(ways[other], '%')} if {named}"
    return text


def _cost(job: dict[str, Any]) -> str:
    said = {"rent_usd": "to rent", "own_usd": "to own"}
    told = [f"{fmt(job[name], 'USD')} {words}" for name, words in said.items() if job[name] is not None]
    return ", ".join(told) or "not known"
