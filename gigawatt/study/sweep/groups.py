"""Groups: scenarios that share all that cannot be a column, resolved once with the layout that they use."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gigawatt.catalog.architecture import transformer
from gigawatt.catalog.records import Chip, Fact, Level, Machine, Model
from gigawatt.errors import InputError, NothingFeasibleError
from gigawatt.perf import Strategy, Verdict
from gigawatt.study.given import given_layout, held_words, one_layout, why_nothing
from gigawatt.study.plan import found_layout
from gigawatt.study.scenario import Scenario, named_model, peak_fact, scenario
from gigawatt.study.sweep.fields import DEGREES, SHAPE, fields
from gigawatt.study.sweep.study_file import Study, Sweep

MAX_GROUPS = 10_000
KWH_J = 3.6e6
Words = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """What some scenarios share: the base scenario, and a layout of which columns may replace degrees."""

    asked: Scenario
    degrees: Mapping[str, int]
    strategy: Strategy | None  # None: no layout was found, and `why` says why
    schedule_follows: bool  # of the chunks, where the study does not name it
    why: str = ""


def key_of(words: Words) -> str:
    """Return the name of a group: its words as canonical JSON."""
    return json.dumps(dict(words), sort_keys=True)


def apart(sweep: Sweep) -> dict[str, tuple[Any, ...]]:
    """Return what sets the groups of a set apart, with the values of each."""
    known = fields()
    found = {n: values for n, values in sweep.grid.items() if not known[n].together}
    return found | {n: draw.choices for n, draw in sweep.draw.items() if not known[n].together}


def group_words(study: Study) -> list[dict[str, Any]]:
    """Return the words of every group of a study, each once.

    Raises: InputError when there are too many.
    """
    found: dict[str, dict[str, Any]] = {}
    known = fields()
    base = {n: v for n, v in study.base.items() if not known[n].together}
    for sweep in study.sets:
        axes = apart(sweep)
        for combined in itertools.product(*axes.values()):
            words = {**base, **dict(zip(axes, combined, strict=True))}
            found.setdefault(key_of(words), words)
            if len(found) > MAX_GROUPS:
                raise InputError(
                    f"sets.{sweep.name}: more than {MAX_GROUPS:,} combinations of {', '.join(axes)}, each of "
                    "which is a question of its own; give fewer values of these"
                )
    return list(found.values())


def group_of(study: Study, words: Words, *, held: Mapping[str, Any] | None = None) -> Group:
    """Return one group; its layout as given, else as `held` from an earlier search, else from a search.

    A search is made on the base values of all columns, for least time.
    Raises: InputError for words that make no scenario.
    """
    asked = _scenario(study, words)
    if laid := _laid_out(study, words):
        varied = {n.removeprefix("layout.") for s in study.sets for n in (*s.grid, *s.draw) if _is_degree(n)}
        layout, strategy = given_layout(asked, laid)
        degrees = {n: int(getattr(layout, n)) for n in DEGREES}
        if varied and "dp_shard" not in laid:
            del degrees["dp_shard"]  # what the chips leave, row by row
        follows = "schedule" not in laid
        return Group(asked=asked, degrees=degrees, strategy=strategy, schedule_follows=follows)
    if held is None:
        held = searched(study, asked)
    if "why" in held:
        return Group(asked=asked, degrees={}, strategy=None, schedule_follows=False, why=str(held["why"]))
    part = dataclasses.replace(asked, machine=asked.machine.take(held["chips"]))
    strategy = Strategy(**held["strategy"])
    return Group(asked=part, degrees=held["degrees"], strategy=strategy, schedule_follows=False)


def searched(study: Study, asked: Scenario) -> dict[str, Any]:
    """Return the layout that a search finds for a group, as plain values; or why there is none."""
    try:
        part, best = found_layout(asked, study.fixed)
    except NothingFeasibleError as error:
        return {"why": str(error)}
    degrees = {n: int(getattr(best.layout, n)) for n in DEGREES}
    return {
        "chips": part.machine.chips,
        "degrees": degrees,
        "strategy": dataclasses.asdict(best.strategy),
    }


def is_laid_out(study: Study) -> bool:
    """Return whether the study gives a layout, in its base or by an axis; else one is searched."""
    return any(n.startswith("layout.") for n in study.base) or any(
        n.startswith("layout.") for sweep in study.sets for n in (*sweep.grid, *sweep.draw)
    )


def why_broken_layout(group: Group) -> str:
    """Return why the layout of a group cannot be, "" where it can.

    Definition: the first rule that it breaks, or the memory that it lacks.
    """
    laid = {**group.degrees, **{k: v for k, v in dataclasses.asdict(group.strategy).items() if k in KINDS}}  # type: ignore[arg-type]
    try:
        found = one_layout(group.asked, laid)
    except InputError as error:
        return str(error)
    return "" if found.counts[Verdict.OK] else why_nothing(group.asked, found, held={})


KINDS = ("recompute", "schedule", "zero_stage", "sequence_parallel")


def _is_degree(name: str) -> bool:
    return name.startswith("layout.") and name.removeprefix("layout.") in DEGREES


def _laid_out(study: Study, words: Words) -> dict[str, Any]:
    """Return the layout words of a group; the degrees of the base among them."""
    if not is_laid_out(study):
        return {}
    found = {**study.base, **words}
    laid = {n.removeprefix("layout."): v for n, v in found.items() if n.startswith("layout.")}
    return laid or {"tp": 1}


def _scenario(study: Study, words: Words) -> Scenario:
    """Return the base scenario of a group, the study's base values in it."""
    held_on = words.get("on")
    if held_on is None:
        raise InputError("base.on is missing; write the machine, e.g. on: eos")
    asked = scenario(
        _model(words),
        on=str(held_on),
        chips=words.get("chips"),
        tokens=study.base.get("tokens"),
        batch_tokens=words.get("batch_tokens"),
        batch_sequences=words.get("batch_sequences"),
        seq_tokens=words.get("seq_tokens"),
        dtype=words.get("dtype"),
        stack_id=words.get("stack"),
    )
    held_words(asked, study.fixed)
    known = fields()
    values = {n: v for n, v in study.base.items() if known[n].kind == "column" and n != "tokens"}
    return with_values(asked, values)


def _model(words: Words) -> str | Model:
    """Return the model by name, or one of a given shape: gated, untied, as Llama is built."""
    shape = {n: words[f"model.{n}"] for n in SHAPE if f"model.{n}" in words}
    if "model" in words and shape:
        raise InputError(
            f"model = {words['model']!r} and model.{next(iter(shape))} both say the model; give one"
        )
    if "model" in words:
        named_model(words["model"])
        return str(words["model"])
    missing = [n for n in ("layers", "hidden", "heads", "vocab") if n not in shape]
    if missing:
        raise InputError(
            f"base.model.{missing[0]} is missing; name a model, or give layers, hidden, heads and vocab"
        )
    kv_heads, heads, hidden = shape.get("kv_heads", shape["heads"]), shape["heads"], shape["hidden"]
    if hidden % heads or heads % kv_heads:
        raise InputError(
            f"model.hidden = {hidden}, heads = {heads} and kv_heads = {kv_heads} do not divide one another"
        )
    name = f"{shape['layers']} layers of {hidden}"
    return transformer(id="shape", name=name, **shape, gated=True, tied=False, bias=False)


def with_values(asked: Scenario, values: Mapping[str, Any]) -> Scenario:
    """Return a scenario with numbers, or columns, for its own; a network's levels keep their ratios."""
    machine, site = asked.machine, asked.machine.site
    of = {owner: {n.partition(".")[2]: v for n, v in values.items() if n.startswith(f"{owner}.")}
          for owner in ("machine", "site", "chip", "scale_up", "network", "stack")}  # fmt: skip
    prices = of["site"]
    site = dataclasses.replace(
        site,
        pue=prices.get("pue", site.pue),
        usd_per_kwh=prices["usd_per_j"] * KWH_J if "usd_per_j" in prices else site.usd_per_kwh,
        kg_co2e_per_kwh=prices["kg_per_j"] * KWH_J if "kg_per_j" in prices else site.kg_co2e_per_kwh,
    )
    chip_values = {
        peak_fact(asked.job.dtype) if n == "peak_flop_per_s" else n: v for n, v in of["chip"].items()
    }
    return dataclasses.replace(
        asked,
        tokens=values.get("tokens", asked.tokens),
        stack=dataclasses.replace(asked.stack, values={**asked.stack.values, **of["stack"]}),
        machine=dataclasses.replace(
            machine,
            site=site,
            chip=_chip(machine.chip, chip_values),
            levels=_levels(machine, of["scale_up"], of["network"]),
            facts={
                **machine.facts,
                **{n: _fact(machine.facts.get(n), n, v) for n, v in of["machine"].items()},
            },
        ),
    )


def _chip(chip: Chip, values: Mapping[str, Any]) -> Chip:
    if not values:
        return chip
    own = {n: _fact(chip.facts.get(n), n, v) for n, v in values.items()}
    return dataclasses.replace(chip, facts={**chip.facts, **own})


def _fact(fact: Fact | None, name: str, value: Any) -> Fact:
    if fact is None:
        return Fact(name=name, value=value, unit="", kind="assumed", source="user")
    return dataclasses.replace(fact, value=value)


def _levels(machine: Machine, scale_up: Mapping[str, Any], network: Mapping[str, Any]) -> tuple[Level, ...]:
    inner, *outer = machine.levels
    found = [dataclasses.replace(inner, **scale_up)]
    for level in outer:
        last, changed = outer[-1], dict(network)
        if "bytes_per_s" in changed:
            changed["bytes_per_s"] = changed["bytes_per_s"] * (level.bytes_per_s / last.bytes_per_s)
        found.append(dataclasses.replace(level, **changed))
    return tuple(found)


def base_value(asked: Scenario, name: str) -> float:
    """Return the value that a scenario has of a column field.

    Raises: InputError when it has none.
    """
    owner, _, field = name.partition(".")
    machine = asked.machine
    facts = {"machine": machine.facts, "chip": machine.chip.facts}
    if owner in facts:
        key = peak_fact(asked.job.dtype) if field == "peak_flop_per_s" else field
        fact = facts[owner].get(key)
        if fact is None or isinstance(fact.value, str):
            raise InputError(f"{name}: no value is known for {machine.id!r} to start from; give it in base")
        return fact.value
    if owner == "network" and len(machine.levels) < 2:
        raise InputError(f"{name}: {machine.id!r} has no network above its scale-up domain")
    own: dict[str, Any] = {
        "tokens": lambda: asked.tokens,
        "step_ratio": lambda: 1.0,
        "site": lambda: {"pue": machine.site.pue, "usd_per_j": machine.site.usd_per_kwh / KWH_J,
                         "kg_per_j": machine.site.kg_co2e_per_kwh / KWH_J}[field],
        "scale_up": lambda: getattr(machine.scale_up, field),
        "network": lambda: getattr(machine.levels[-1], field),
        "stack": lambda: asked.stack[field],
    }  # fmt: skip
    return float(own[owner]())
