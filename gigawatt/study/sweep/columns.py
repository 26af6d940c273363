"""Scenarios of one group as columns: every formula is called once for all of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigawatt.catalog.records import Fact
from gigawatt.comms.constants import narrow_below_bytes_per_s
from gigawatt.errors import InputError
from gigawatt.perf import (
    VERDICT_TEXT,
    Layout,
    Setting,
    StepTime,
    Strategy,
    Verdict,
    memory_use,
    microbatch_passes,
    setting_of,
    step_parts,
    verdict,
)
from gigawatt.study.band import band_of
from gigawatt.study.run import run_of, use_of
from gigawatt.study.scenario import Scenario, peak_fact
from gigawatt.study.sweep.draws import Z90, Draw, triangular, within
from gigawatt.study.sweep.fields import Field
from gigawatt.study.sweep.groups import Group, base_value, with_values
from gigawatt.study.sweep.outputs import OUTPUTS, Priced

BLOCK_ROWS = 2**13  # columns of a block stay within a core's cache
NOTHING_FITS = "no layout fits"
Column = NDArray[Any]
STATUS = (*VERDICT_TEXT.values(), NOTHING_FITS)


def drawn_values(draw: Draw, u: Column, *, field: Field, group: Group) -> Column:
    """Return the values of a column field that some uniform numbers mean in a group.

    `published` is triangular over the fact's own range; `band` is log-normal about 1, as wide as the measured
    errors of such predictions are.
    Raises: InputError when the scenario has no such range or base value.
    """
    least, most = field.least, field.most
    if draw.kind == "published":
        return np.clip(triangular(u, published_range(group.asked, field.name)), least, most)
    if draw.kind == "band":
        band = Draw(kind="log_normal", numbers=(1.0, 1.0 + band_width(group.asked)))
        return within(band, u, least=least, most=most)
    if not draw.of_base:
        return within(draw, u, least=least, most=most)
    base = base_value(group.asked, field.name)
    found = base * within(draw, u, least=least / base, most=most / base)
    return np.clip(found, least, most)


def published_range(asked: Scenario, name: str) -> tuple[float, float, float]:
    """Return low, value and high of a fact as its sources print them.

    Raises: InputError when no range is known.
    """
    owner, _, field = name.partition(".")
    machine = asked.machine
    owners = {"machine": machine.facts, "site": machine.site.facts, "chip": machine.chip.facts}
    key = {
        "usd_per_j": "usd_per_kwh",
        "kg_per_j": "kg_co2e_per_kwh",
        "peak_flop_per_s": peak_fact(asked.job.dtype),
    }
    fact: Fact | None = owners.get(owner, {}).get(key.get(field, field))
    if fact is None or fact.low is None or fact.high is None or not fact.low < fact.high:
        raise InputError(
            f"{name}: no published range is known for {machine.id!r}; write e.g. {{uniform: [...]}}"
        )
    return fact.low, float(np.clip(fact.value, fact.low, fact.high)), fact.high


def band_width(asked: Scenario) -> float:
    """Return the 90th percentile of a step over its prediction, less 1, of which errors within p90 are 90 %.

    .. math:: (1 + e_{90})^{z_{0.9} / z_{0.95}} - 1

    Definition: errors are log-normal about 0; 90 % of their sizes are below the band's p90.
    """
    return float((1.0 + band_of(asked).p90) ** (Z90 / 1.6448536269514722) - 1.0)


def priced_columns(
    group: Group, values: Mapping[str, Column], *, rows: int, outputs: tuple[str, ...]
) -> tuple[Column, dict[str, Column]]:
    """Return what becomes of each row (a place in `STATUS`), and the outputs; nan where it does not fit."""
    status = np.full(rows, len(STATUS) - 1, dtype=np.int8)
    found = {name: np.full(rows, np.nan) for name in outputs}
    if group.strategy is None:
        return status, found
    for these in _alike(group, values, rows):
        part = {n: v[these] for n, v in values.items()}
        seen, priced = _priced(group, group.strategy, part)
        status[these] = seen
        fits = np.broadcast_to(seen == Verdict.OK, len(these))
        for name in outputs:
            column = np.broadcast_to(np.asarray(OUTPUTS[name].of(priced), dtype=float), len(these))
            found[name][these] = np.where(fits, column, np.nan)
    return status, found


def _alike(group: Group, values: Mapping[str, Column], rows: int) -> Iterator[Column]:
    """Yield blocks of rows for which the formulas take the same way: network class, schedule."""
    code = np.zeros(rows, dtype=np.int8)
    narrow = narrow_below_bytes_per_s(group.asked.machine)
    if "network.bytes_per_s" in values and narrow:
        code += values["network.bytes_per_s"] < narrow
    if "layout.chunks" in values and group.schedule_follows:
        code += 2 * (values["layout.chunks"] > 1)
    for kind in np.unique(code):
        same = np.flatnonzero(code == kind)
        for first in range(0, len(same), BLOCK_ROWS):
            yield same[first : first + BLOCK_ROWS]


def _priced(group: Group, strategy: Strategy, values: Mapping[str, Column]) -> tuple[Column, Priced]:
    degrees = {n.removeprefix("layout."): v for n, v in values.items() if n.startswith("layout.")}
    if group.schedule_follows and "chunks" in degrees:
        interleaved = bool(degrees["chunks"].flat[0] > 1)
        strategy = dataclasses.replace(strategy, schedule="interleaved" if interleaved else "1f1b")
    layout = _layout({**group.degrees, **degrees}, group.asked.machine.chips)
    asked = with_values(group.asked, {n: v for n, v in values.items() if n not in degrees})
    setting = _setting(group, asked, strategy)
    step = step_parts(asked.job, layout, setting, passes=microbatch_passes(asked.job, layout, setting))
    if "step_ratio" in values:
        step = _times(step, values["step_ratio"])
    memory = memory_use(asked.job, layout, strategy=strategy, stack=asked.stack)
    found = verdict(
        asked.job, layout, machine=asked.machine, strategy=strategy, needed_bytes=memory.total_bytes
    )
    run = run_of(asked, step, replicas=layout.dp_replicate)
    priced = Priced(step=step, memory=memory, use=use_of(asked, step), run=run, chips=asked.machine.chips)
    return found, priced


def _layout(degrees: Mapping[str, Any], chips: int) -> Layout:
    if "dp_shard" in degrees:
        return Layout(**degrees)
    bare = Layout(**degrees)
    return dataclasses.replace(bare, dp_shard=np.maximum(chips // bare.chips, 1))


def _setting(group: Group, asked: Scenario, strategy: Strategy) -> Setting:
    """Return what all layers share: the group's kernel laws, with columns of rates where there are."""
    base = setting_of(
        group.asked.job, machine=group.asked.machine, strategy=strategy, stack=group.asked.stack
    )
    chip, laws = asked.machine.chip, base.laws
    rate, peak = chip.hbm_bytes_per_s, chip.number(peak_fact(asked.job.dtype))
    linear = dataclasses.replace(laws.linear, peak_flop_per_s=peak, hbm_bytes_per_s=rate)
    wide = linear if laws.wide == laws.linear else dataclasses.replace(laws.wide, hbm_bytes_per_s=rate)
    laws = dataclasses.replace(laws, linear=linear, wide=wide)
    return dataclasses.replace(base, machine=asked.machine, stack=asked.stack, laws=laws)


def _times(step: StepTime, ratio: Column) -> StepTime:
    return StepTime(**{f.name: getattr(step, f.name) * ratio for f in dataclasses.fields(step)})
