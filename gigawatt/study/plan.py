"""The whole question in one call: Scenario in, Plan out."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gigawatt.catalog.records import Machine
from gigawatt.errors import InputError, NothingFeasibleError
from gigawatt.perf import VERDICT_TEXT, Layout, MemoryUse, StepTime, Strategy, Verdict, memory_use, step_time
from gigawatt.power import training_power_w
from gigawatt.scaling import DEFAULT_LAW
from gigawatt.search import (
    Candidate,
    Objective,
    SearchResult,
    full_space,
    search,
    smaller_counts,
    step_seconds,
)
from gigawatt.study.band import Band, band_of
from gigawatt.study.given import held_words, one_layout, why_nothing
from gigawatt.study.ledger import Entry, ledger
from gigawatt.study.run import Run, Use, busy_s, plain, run_of, use_of
from gigawatt.study.scenario import Assumption, Scenario, scenario

OBJECTIVES: dict[str, Objective] = {
    "time": step_seconds,
    "cost": step_seconds,  # chips are paid by the hour, busy or not
    "energy": lambda step, total_s: training_power_w(total_s, busy_fraction=busy_s(step) / total_s),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The answer: the best layout found, what it takes, what it costs, and where the cards went."""

    scenario: Scenario
    layout: Layout
    strategy: Strategy
    step: StepTime
    memory: MemoryUse
    use: Use
    run: Run
    ledger: tuple[Entry, ...]
    band: Band
    search: SearchResult
    search_s: float

    def document(self) -> dict[str, Any]:
        """Return the plan as one JSON-ready document, from which every face is drawn."""
        from gigawatt.study.document import document

        return document(self)

    def to_json(self) -> str:
        """Return the document as text; the same inputs give the same bytes, but for the search time."""
        return json.dumps(self.document(), indent=1, sort_keys=True, allow_nan=False)


def plan(
    model: str,
    *,
    on: str | Machine,
    chips: int | None = None,
    tokens: float | None = None,
    batch_tokens: float | None = None,
    batch_sequences: int | None = None,
    seq_tokens: int | None = None,
    dtype: str | None = None,
    stack: str | None = None,
    by: str = "time",
    law: str = DEFAULT_LAW,
    fixed: Mapping[str, Any] | None = None,
    layout: Mapping[str, Any] | None = None,
    top: int = 5,
    progress: Callable[[float], None] | None = None,
) -> Plan:
    """Return the best plan for training a model on a machine, or the price of one given layout.

    `fixed` holds layout fields in the search; `layout` gives all that differ from 1 and prices just that.
    Raises: InputError for what cannot be read; NothingFeasibleError when no layout fits.
    """
    if fixed is not None and layout is not None:
        raise InputError("fixed holds a search and layout prices one layout; give one of them")
    if by not in OBJECTIVES:
        raise InputError(f"by = {by!r} is not one of: {', '.join(OBJECTIVES)}")
    if isinstance(top, bool) or not isinstance(top, int) or not 1 <= top <= 1000:
        raise InputError(f"top = {top!r} is not a whole number in 1..1000")
    asked = scenario(
        model,
        on=on,
        chips=chips,
        tokens=tokens,
        batch_tokens=batch_tokens,
        batch_sequences=batch_sequences,
        seq_tokens=seq_tokens,
        dtype=dtype,
        stack_id=stack,
        by=by,
        law_id=law,
    )
    held = held_words(asked, fixed or {})
    started = time.perf_counter()
    if layout is None:
        asked, found = _search(asked, held, top=top, progress=progress)
    else:
        found = one_layout(asked, layout)
    elapsed = time.perf_counter() - started
    if not found.best:
        counts = {VERDICT_TEXT[v]: n for v, n in found.counts.items()}
        raise NothingFeasibleError(why_nothing(asked, found, held=held), counts)
    return price(asked, found.best[0], found=found, search_s=elapsed)


def price(asked: Scenario, best: Candidate, *, found: SearchResult, search_s: float) -> Plan:
    """Return the full plan of one candidate."""
    step = step_time(asked.job, best.layout, machine=asked.machine, strategy=best.strategy, stack=asked.stack)
    use = use_of(asked, step)
    run = run_of(asked, step, replicas=plain(best.layout.dp_replicate))
    return Plan(
        scenario=asked,
        layout=best.layout,
        strategy=best.strategy,
        step=step,
        memory=memory_use(asked.job, best.layout, strategy=best.strategy, stack=asked.stack),
        use=use,
        run=run,
        ledger=ledger(asked, step, use, run=run),
        band=band_of(asked),
        search=found,
        search_s=search_s,
    )


def _search(
    asked: Scenario, fixed: Mapping[str, Any] | None, *, top: int, progress: Callable[[float], None] | None
) -> tuple[Scenario, SearchResult]:
    """Return what the search finds; where nothing divides all chips, on the part of them that can be used."""
    found = _search_all(asked, fixed, top=top, progress=progress)
    if found.best or found.counts[Verdict.MEMORY]:
        return asked, found
    whole, best = asked.machine, (asked, found)
    for chips in smaller_counts(asked.job, whole.chips, node=whole.chips_per_node):
        part = dataclasses.replace(asked, machine=whole.take(chips))
        tried = _search_all(part, fixed, top=top, progress=progress)
        if _better(tried, than=best[1]):
            rest = whole.chips - chips
            why = f"no layout divides all {whole.chips:,}; the other {rest:,} are neither used nor paid for"
            note = Assumption(what="chips", value=f"{chips:,}", why=why)
            best = (dataclasses.replace(part, assumptions=(*asked.assumptions, note)), tried)
    return best


def found_layout(asked: Scenario, fixed: Mapping[str, Any]) -> tuple[Scenario, Candidate]:
    """Return the best layout of a resolved question, and the question on the chips that it uses.

    Raises: NothingFeasibleError when no layout fits.
    """
    held = held_words(asked, fixed)
    part, found = _search(asked, held, top=1, progress=None)
    if not found.best:
        counts = {VERDICT_TEXT[v]: n for v, n in found.counts.items()}
        raise NothingFeasibleError(why_nothing(part, found, held=held), counts)
    return part, found.best[0]


def _better(tried: SearchResult, *, than: SearchResult) -> bool:
    """Return whether a search on a part of the machine tells more: something fits, or how far it is off."""
    if tried.best:
        return not than.best or tried.best[0].score < than.best[0].score
    return not than.best and than.nearest_miss is None and tried.nearest_miss is not None


def _search_all(
    asked: Scenario, fixed: Mapping[str, Any] | None, *, top: int, progress: Callable[[float], None] | None
) -> SearchResult:
    return search(
        asked.job,
        full_space(asked.job, asked.machine, stack=asked.stack, fixed=fixed),
        machine=asked.machine,
        stack=asked.stack,
        objective=OBJECTIVES[asked.by],
        top=top,
        progress=progress,
    )
