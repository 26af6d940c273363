"""The whole question in one call: Scenario in, Plan out."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gigawatt.errors import InputError, NothingFeasibleError
from gigawatt.perf import (
    VERDICT_TEXT,
    Layout,
    MemoryUse,
    StepTime,
    Strategy,
    Verdict,
    memory_use,
    step_time,
    verdict,
)
from gigawatt.perf.verdict import rules
from gigawatt.power import training_power_w
from gigawatt.search import Candidate, Objective, SearchResult, full_space, search, smaller_counts, step_seconds
from gigawatt.study.band import Band, band_of
from gigawatt.study.ledger import Entry, ledger
from gigawatt.study.run import Run, Use, busy_s, run_of, use_of
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
    on: str,
    chips: int | None = None,
    tokens: float | None = None,
    batch_tokens: float | None = None,
    batch_sequences: int | None = None,
    seq_tokens: int | None = None,
    dtype: str | None = None,
    stack: str | None = None,
    by: str = "time",
    fixed: Mapping[str, Any] | None = None,
    layout: Mapping[str, Any] | None = None,
    top: int = 5,
    progress: Callable[[float], None] | None = None,
) -> Plan:
    """Return the best plan for training a model on a machine, or the price of one given layout.

    `fixed` holds layout fields in the search; `layout` gives all that differ from 1 and prices just that.
    Raises: InputError for what cannot be read; NothingFeasibleError when no layout fits.
    """
    if by not in OBJECTIVES:
        raise InputError(f"by = {by!r} is not one of: {', '.join(OBJECTIVES)}")
    if not isinstance(top, int) or not 1 <= top <= 1000:
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
    )
    started = time.perf_counter()
    if layout:
        found = _one(asked, layout)
    else:
        asked, found = _search(asked, fixed, top=top, progress=progress)
    elapsed = time.perf_counter() - started
    if not found.best:
        raise NothingFeasibleError(
            _why_nothing(asked, found), {VERDICT_TEXT[v]: n for v, n in found.counts.items()}
        )
    return price(asked, found.best[0], found=found, search_s=elapsed)


def price(asked: Scenario, best: Candidate, *, found: SearchResult, search_s: float) -> Plan:
    """Return the full plan of one candidate."""
    step = step_time(asked.job, best.layout, machine=asked.machine, strategy=best.strategy, stack=asked.stack)
    use = use_of(asked, step)
    run = run_of(asked, step)
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
    """Return what the search finds; where nothing can divide all chips, on the part of them that can be used."""
    found = _search_all(asked, fixed, top=top, progress=progress)
    if found.best or found.counts[Verdict.MEMORY]:
        return asked, found
    whole, best = asked.machine, (asked, found)
    for chips in smaller_counts(asked.job, whole.chips, node=whole.chips_per_node):
        part = dataclasses.replace(asked, machine=whole.take(chips))
        tried = _search_all(part, fixed, top=top, progress=progress)
        if tried.best and (not best[1].best or tried.best[0].score < best[1].best[0].score):
            why = f"no layout divides all {whole.chips:,}; the other {whole.chips - chips:,} are neither used nor paid for"
            note = Assumption(what="chips", value=f"{chips:,}", why=why)
            best = (dataclasses.replace(part, assumptions=(*asked.assumptions, note)), tried)
    return best


def _search_all(
    asked: Scenario, fixed: Mapping[str, Any] | None, *, top: int, progress: Callable[[float], None] | None
) -> SearchResult:
    return search(
        asked.job,
        full_space(asked.job, asked.machine, fixed),
        machine=asked.machine,
        stack=asked.stack,
        objective=OBJECTIVES[asked.by],
        top=top,
        progress=progress,
    )


LAYOUT_FIELDS = ("tp", "cp", "pp", "chunks", "dp_replicate", "dp_shard", "ep", "etp", "microbatch_sequences")
LAYOUT_WORDS = {
    "vp": "chunks",
    "vpp": "chunks",
    "mbs": "microbatch_sequences",
    "micro_batch": "microbatch_sequences",
    "zero": "zero_stage",
    "sp": "sequence_parallel",
    "dp": "dp_shard",
}


def given_layout(asked: Scenario, words: Mapping[str, Any]) -> tuple[Layout, Strategy]:
    """Return one layout from what the user wrote; dp is what the chips leave when it is not given.

    Raises: InputError for an unknown field or value.
    """
    named = {LAYOUT_WORDS.get(key, key): value for key, value in words.items()}
    numbers = {k: v for k, v in named.items() if k in LAYOUT_FIELDS}
    kinds = {k: v for k, v in named.items() if k not in LAYOUT_FIELDS}
    checked = full_space(asked.job, asked.machine, {**numbers_for_space(numbers), **kinds})
    model_ranks = int(numbers.get("tp", 1)) * int(numbers.get("cp", 1)) * int(numbers.get("pp", 1))
    replicate = int(numbers.get("dp_replicate", 1))
    if "dp_shard" not in numbers:
        numbers["dp_shard"] = max(asked.machine.chips // (model_ranks * replicate), 1)
    chunks = int(numbers.get("chunks", 1))
    schedule = kinds.get("schedule", "interleaved" if chunks > 1 else "1f1b")
    strategy = Strategy(
        recompute=checked.recompute[0] if "recompute" in kinds else "none",
        schedule=schedule,
        zero_stage=kinds.get("zero_stage", 1),
        sequence_parallel=kinds.get("sequence_parallel", True),
    )
    return Layout(**numbers), strategy


def numbers_for_space(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the layout numbers that a search space also has; dp_shard is what the chips leave there.

    Definition: all but dp_shard.
    """
    return {k: v for k, v in numbers.items() if k != "dp_shard"}


def _one(asked: Scenario, words: Mapping[str, Any]) -> SearchResult:
    """Return one priced layout as a search of one."""
    layout, strategy = given_layout(asked, words)
    job, machine = asked.job, asked.machine
    broken = rules(job, layout, machine=machine, strategy=strategy)
    for rule, breaks in broken.items():
        if bool(breaks):
            raise InputError(_broken(asked, layout, rule))
    memory = float(memory_use(job, layout, strategy=strategy, stack=asked.stack).total_bytes)
    step_s = float(step_time(job, layout, machine=machine, strategy=strategy, stack=asked.stack).total_s)
    candidate = Candidate(layout=layout, strategy=strategy, step_s=step_s, score=step_s, memory_bytes=memory)
    found = Verdict(int(verdict(job, layout, machine=machine, strategy=strategy, needed_bytes=memory)))
    counts = {v: int(v == found) for v in Verdict}
    fits = (candidate,) if found == Verdict.OK else ()
    return SearchResult(best=fits, front=fits, counts=counts, nearest_miss=None if fits else candidate)


def _broken(asked: Scenario, layout: Layout, rule: Verdict) -> str:
    """Return which rule a given layout breaks, with the numbers that break it."""
    job, machine, model = asked.job, asked.machine, asked.model
    heads = model.blocks[0].mixer.core.heads
    details = {
        Verdict.CHIPS: f"tp x cp x pp x dp = {layout.chips}, but {machine.id!r} has {machine.chips} chips here; "
        f"try dp_shard={max(machine.chips // max(int(layout.tp * layout.cp * layout.pp), 1), 1)}",
        Verdict.HEADS: f"layout.tp = {layout.tp} does not divide model.heads = {heads} ({model.id}); "
        f"try {_nearest_divisors(heads, int(layout.tp))}",
        Verdict.LAYERS: f"layout.pp x chunks = {int(layout.pp) * int(layout.chunks)} does not suit model.layers = "
        f"{model.layers} ({model.id}); with interleaving it must divide {model.layers}, {model.layers + 1} or "
        f"{model.layers + 2}",
        Verdict.BATCH: f"dp x microbatch = {int(layout.dp) * int(layout.microbatch_sequences)} does not divide "
        f"batch_sequences = {job.batch_sequences}; try {_nearest_divisors(job.batch_sequences, int(layout.dp))}",
        Verdict.SEQUENCE: f"2 cp x tp does not divide seq_tokens = {job.seq_tokens} "
        f"(cp = {layout.cp}, tp = {layout.tp})",
    }
    return details.get(
        rule,
        f"layout {VERDICT_TEXT[rule]}: tp={layout.tp} cp={layout.cp} pp={layout.pp} "
        f"chunks={layout.chunks} ep={layout.ep} etp={layout.etp} dp={layout.dp}",
    )


def _nearest_divisors(n: int, near: int) -> str:
    below = max((d for d in range(1, min(near, n) + 1) if n % d == 0), default=1)
    above = next((d for d in range(near + 1, n + 1) if n % d == 0), n)
    return f"{below} or {above}"


def _why_nothing(asked: Scenario, found: SearchResult) -> str:
    """Return why no layout fits, and what would."""
    model, machine = asked.model, asked.machine
    lost = {v: n for v, n in found.counts.items() if n and v != Verdict.OK}
    total = max(sum(lost.values()), 1)
    shares = ", ".join(
        f"{100 * n / total:.0f} % {VERDICT_TEXT[v]}" for v, n in sorted(lost.items(), key=lambda x: -x[1])
    )
    text = f"none of {total:,} layouts of {model.id!r} fits {machine.chips:,} x {machine.chip.id!r}: {shares}"
    miss = found.nearest_miss
    if miss is None:
        return text
    short = (miss.memory_bytes - machine.chip.hbm_bytes) / 2**30
    return (
        f"{text}; the nearest (tp={miss.layout.tp} pp={miss.layout.pp} ep={miss.layout.ep}, "
        f"{miss.strategy.recompute} recompute) needs {short:,.1f} GiB more than a chip's "
        f"{machine.chip.hbm_bytes / 2**30:,.1f} GiB"
    )
