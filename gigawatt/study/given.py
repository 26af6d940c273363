"""A layout as the user wrote it: read, checked rule by rule, and priced; and why nothing fits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, get_args

from gigawatt.errors import InputError, unknown_name
from gigawatt.perf import (
    VERDICT_TEXT,
    Layout,
    Strategy,
    Verdict,
    memory_use,
    microbatches_of,
    step_time,
    verdict,
)
from gigawatt.perf.layout import Recompute, Schedule
from gigawatt.perf.verdict import rules
from gigawatt.search import Candidate, SearchResult
from gigawatt.study.scenario import Scenario

DEGREES = ("tp", "cp", "pp", "chunks", "dp_replicate", "dp_shard", "ep", "etp", "microbatch_sequences")
KINDS: dict[str, tuple[Any, ...]] = {
    "recompute": get_args(Recompute),
    "schedule": get_args(Schedule),
    "zero_stage": (0, 1, 2, 3),
    "sequence_parallel": (True, False),
}
SHORT = {  # what frameworks call them
    "vp": "chunks",
    "vpp": "chunks",
    "mbs": "microbatch_sequences",
    "micro_batch": "microbatch_sequences",
    "zero": "zero_stage",
    "sp": "sequence_parallel",
    "dp": "dp_shard",
}
ORDER = (  # what one degree breaks by itself first, then what they break together
    Verdict.HEADS,
    Verdict.WIDTH,
    Verdict.LAYERS,
    Verdict.CHIPS,
    Verdict.EXPERTS,
    Verdict.SEQUENCE,
    Verdict.BATCH,
    Verdict.SCHEDULE,
)
FOLLOWS = ("dp", "dp_shard")  # in a search they are what the chips leave
MOST = 10**8


def read_words(words: Mapping[str, Any], *, option: str) -> dict[str, Any]:
    """Return layout words under their full names, each value checked; a list stays a list.

    Raises: InputError for an unknown or doubled name, or a value that is not one.

    >>> read_words({"tp": 8, "zero": [1, 3]}, option="fixed")
    {'tp': 8, 'zero_stage': [1, 3]}
    """
    found: dict[str, Any] = {}
    said: dict[str, str] = {}
    for word, value in words.items():
        name = SHORT.get(word, word)
        if name not in DEGREES and name not in KINDS:
            raise unknown_name(f"{option} field", str(word), (*DEGREES, *KINDS, *SHORT))
        if name in found:
            raise InputError(f"{option}.{name} is given twice, as {said[name]!r} and {word!r}")
        several = isinstance(value, list | tuple)
        values = [_checked(f"{option}.{word}", name, value=v) for v in (value if several else [value])]
        found[name], said[name] = (values if several else values[0]), word
    return found


def _checked(field: str, name: str, *, value: Any) -> Any:
    if name in KINDS:
        if value not in KINDS[name] or isinstance(value, bool) != (name == "sequence_parallel"):
            allowed = ", ".join(str(v).lower() for v in KINDS[name])
            raise InputError(f"{field} = {value!r} is not one of: {allowed}")
    elif isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST:
        raise InputError(f"{field} = {value!r} is not a whole number in 1 .. {MOST:,}")
    return value


def held_words(asked: Scenario, fixed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a search holds.

    Raises: InputError, also for data parallelism, which is what the chips leave.
    """
    for word in FOLLOWS:
        if word in fixed:
            raise InputError(
                f"fixed.{word} = {fixed[word]!r} cannot be held: it is what tp x cp x pp leave of the "
                f"{asked.machine.chips:,} chips; hold these, or give the whole layout"
            )
    return read_words(fixed, option="fixed")


def one_layout(asked: Scenario, words: Mapping[str, Any]) -> SearchResult:
    """Return one priced layout as a search of one.

    Raises: InputError for the first rule that it breaks, with the numbers that break it.
    """
    layout, strategy = given_layout(asked, words)
    job, machine = asked.job, asked.machine
    broken = rules(job, layout, machine=machine, strategy=strategy)
    for rule in ORDER:
        if bool(broken[rule]):
            raise InputError(why_broken(asked, layout, strategy=strategy, rule=rule))
    memory = float(memory_use(job, layout, strategy=strategy, stack=asked.stack).total_bytes)
    step_s = float(step_time(job, layout, machine=machine, strategy=strategy, stack=asked.stack).total_s)
    candidate = Candidate(layout=layout, strategy=strategy, step_s=step_s, score=step_s, memory_bytes=memory)
    found = Verdict(int(verdict(job, layout, machine=machine, strategy=strategy, needed_bytes=memory)))
    counts = {v: int(v == found) for v in Verdict}
    fits = (candidate,) if found == Verdict.OK else ()
    return SearchResult(best=fits, front=fits, counts=counts, nearest_miss=None if fits else candidate)


def given_layout(asked: Scenario, words: Mapping[str, Any]) -> tuple[Layout, Strategy]:
    """Return one layout from what the user wrote; dp is what the chips leave when it is not given.

    Raises: InputError for an unknown field or value.
    """
    said = read_words(words, option="layout")
    for word, value in said.items():
        if isinstance(value, list):
            raise InputError(
                f"layout.{word} = {value!r} is a list; one layout has one value (fixed takes lists)"
            )
    numbers = {k: v for k, v in said.items() if k in DEGREES}
    ranks = math.prod(numbers.get(name, 1) for name in ("tp", "cp", "pp", "dp_replicate"))
    numbers.setdefault("dp_shard", max(asked.machine.chips // ranks, 1))
    interleaved = numbers.get("chunks", 1) > 1
    strategy = Strategy(
        recompute=said.get("recompute", "none"),
        schedule=said.get("schedule", "interleaved" if interleaved else "1f1b"),
        zero_stage=said.get("zero_stage", 1),
        sequence_parallel=said.get("sequence_parallel", True),
    )
    return Layout(**numbers), strategy


def why_broken(asked: Scenario, layout: Layout, *, strategy: Strategy, rule: Verdict) -> str:
    """Return which rule a given layout breaks, with the numbers that break it and the nearest that do not."""
    tellers: dict[Verdict, Callable[[Scenario, Layout, Strategy], str]] = {
        Verdict.CHIPS: _chips,
        Verdict.HEADS: _heads,
        Verdict.WIDTH: _width,
        Verdict.LAYERS: _layers,
        Verdict.EXPERTS: _experts,
        Verdict.SEQUENCE: _sequence,
        Verdict.BATCH: _batch,
        Verdict.SCHEDULE: _schedule,
    }
    return tellers[rule](asked, layout, strategy)


def _chips(asked: Scenario, layout: Layout, _: Strategy) -> str:
    chips, model_ranks = asked.machine.chips, int(layout.tp * layout.cp * layout.pp)
    product = (
        f"tp {layout.tp} x cp {layout.cp} x pp {layout.pp} x dp {layout.dp} = {int(layout.chips):,} chips, "
        f"but {asked.machine.id!r} has {chips:,} here"
    )
    if chips % model_ranks == 0:
        return f"layout: {product}; try dp={chips // model_ranks}, or leave dp out"
    usable = chips // model_ranks * model_ranks
    more = f", or --chips {usable}" if usable else ""
    return f"layout: {product}; tp x cp x pp = {model_ranks:,} should divide {chips:,}{more}"


def _heads(asked: Scenario, layout: Layout, _: Strategy) -> str:
    heads = math.gcd(*(b.mixer.core.heads for b in asked.model.blocks))
    return _divides("tp", int(layout.tp), of=f"the {heads} attention heads of {asked.model.id!r}", n=heads)


def _width(asked: Scenario, layout: Layout, _: Strategy) -> str:
    blocks = asked.model.blocks
    dense = [b.mlp.width for b in blocks if b.mlp] + [
        b.moe.shared.width for b in blocks if b.moe and b.moe.shared
    ]
    for name, widths in (("tp", dense), ("etp", [b.moe.expert.width for b in blocks if b.moe])):
        degree, width = int(getattr(layout, name)), math.gcd(*widths)
        if width % degree:
            return _divides(
                name, degree, of=f"the feed-forward width {width:,} of {asked.model.id!r}", n=width
            )
    return f"layout.tp = {layout.tp} does not divide a feed-forward width of {asked.model.id!r}"


def _layers(asked: Scenario, layout: Layout, _: Strategy) -> str:
    layers, slots = asked.model.layers, int(layout.pp * layout.chunks)
    name = f"layout.pp = {layout.pp}" if int(layout.chunks) == 1 else f"layout.pp x chunks = {slots}"
    if slots > layers:
        return f"{name} is more than the {layers} layers of {asked.model.id!r}; the most is {layers}"
    near = [
        s for n in (layers, layers + 1, layers + 2) for s in _divisors(n) if s % int(layout.pp) == 0 and s > 1
    ]
    tries = sorted(
        {s // int(layout.pp) for s in near if s <= layers}, key=lambda c: abs(c - int(layout.chunks))
    )
    fix = f"; try chunks={tries[0]}" if tries else ""
    return (
        f"{name} divides none of {layers}, {layers + 1} and {layers + 2}, the layers of {asked.model.id!r} "
        f"with embedding and head counted or not{fix}"
    )


def _experts(asked: Scenario, layout: Layout, _: Strategy) -> str:
    experts = [b.moe.experts for b in asked.model.blocks if b.moe]
    if not experts:
        product = int(layout.ep * layout.etp)
        return f"layout.ep x etp = {product}, but {asked.model.id!r} has no experts; leave both out"
    common, ep = math.gcd(*experts), int(layout.ep)
    if common % ep:
        return _divides("ep", ep, of=f"the {common} experts of {asked.model.id!r}", n=common)
    ranks = int(layout.tp * layout.cp * layout.dp)
    return (
        f"layout.ep x etp = {int(layout.ep * layout.etp)} does not divide the tp x cp x dp = {ranks:,} ranks "
        f"of a stage; try ep={math.gcd(common, ranks)},etp=1"
    )


def _sequence(asked: Scenario, layout: Layout, strategy: Strategy) -> str:
    sp = f" x tp {layout.tp} (sequence parallel)" if strategy.sequence_parallel else ""
    cp = f"2 x cp {layout.cp}" if int(layout.cp) > 1 else "cp 1"
    return f"layout: {cp}{sp} does not divide the {asked.job.seq_tokens:,} tokens of a sequence; see --seq"


def _batch(asked: Scenario, layout: Layout, _: Strategy) -> str:
    batch, dp, size = asked.job.batch_sequences, int(layout.dp), int(layout.microbatch_sequences)
    whole = batch % dp == 0
    near = f"mbs={_nearest(batch // dp, size)[0]}" if whole else ""
    better = [n for n in (batch // dp * dp, (batch // dp + 1) * dp) if n]
    fix = f"try {near}" if whole else "try --batch-sequences " + " or ".join(map(str, better))
    return (
        f"layout: dp {dp} x microbatch {size} = {dp * size:,} does not divide the {batch:,} sequences of a "
        f"batch; {fix}"
    )


def _schedule(asked: Scenario, layout: Layout, strategy: Strategy) -> str:
    pp, chunks, m = int(layout.pp), int(layout.chunks), int(microbatches_of(asked.job, layout))
    needs = {
        "interleaved": "pp of 2 or more, chunks of 2 or more, and microbatches that pp divides",
        "dualpipe": "chunks=1, an even pp, and at least 2 x pp microbatches",
        "zero_bubble": "chunks=1 and pp of 2 or more",
        "gpipe": "chunks=1 and pp of 2 or more",
        "1f1b": "chunks=1 (schedule=interleaved takes more)",
    }
    return (
        f"layout.schedule = {strategy.schedule!r} needs {needs[strategy.schedule]}; here pp is {pp}, chunks "
        f"{chunks}, microbatches {m}"
    )


def _divides(name: str, degree: int, *, of: str, n: int) -> str:
    near = " or ".join(str(d) for d in _nearest(n, degree))
    return f"layout.{name} = {degree} does not divide {of}; try {near}"


def _nearest(n: int, near: int) -> list[int]:
    below = max((d for d in _divisors(n) if d <= near), default=1)
    above = min((d for d in _divisors(n) if d > near), default=n)
    return sorted({below, above})


def _divisors(n: int) -> list[int]:
    small = [d for d in range(1, math.isqrt(n) + 1) if n % d == 0]
    return sorted({*small, *(n // d for d in small)})


def why_nothing(asked: Scenario, found: SearchResult, *, held: Mapping[str, Any]) -> str:
    """Return why no layout fits, and what would."""
    model, machine = asked.model, asked.machine
    what = f"{model.id!r} on {machine.chips:,} x {machine.chip.id!r}"
    lost = {v: n for v, n in found.counts.items() if n and v != Verdict.OK}
    told = ", ".join(f"{n:,} {VERDICT_TEXT[v]}" for v, n in sorted(lost.items(), key=lambda x: -x[1]))
    if not lost:
        words = ",".join(f"{k}={v}" for k, v in held.items())
        return f"no layout of {what}: tp x cp x pp as held ({words}) does not divide {machine.chips:,} chips"
    if found.nearest_miss is None:
        return f"no layout of {what} divides: {found.candidates:,} tried: {told}"
    tried = "" if found.candidates == 1 else f" ({found.candidates:,} layouts: {told})"
    return f"{what} does not fit: {_short_of(asked, found.nearest_miss, one=found.candidates == 1)}{tried}"


def _short_of(asked: Scenario, miss: Candidate, *, one: bool) -> str:
    """Return how much memory a layout lacks, and about how many chips would have it."""
    limit, layout = asked.machine.chip.hbm_bytes, miss.layout
    which = "the layout" if one else "the leanest layout"
    chips = math.ceil(asked.machine.chips * miss.memory_bytes / limit)
    fix = (
        "try recompute=full, a smaller microbatch, more tp, cp or pp, or zero=3"
        if one
        else f"it would take some {chips:,} chips of this kind, or a chip with more memory"
    )
    return (
        f"{which} (tp={layout.tp} cp={layout.cp} pp={layout.pp} dp={int(layout.dp)} ep={layout.ep} "
        f"mbs={layout.microbatch_sequences} recompute={miss.strategy.recompute}) needs "
        f"{miss.memory_bytes / 2**30:,.1f} GiB a chip of {limit / 2**30:,.1f} GiB; {fix}"
    )
