"""Search the spaces that another planner is known for, whole: `python -m bench.rival`.

Calculon's exhaustive search (Isaev 2023, doi:10.1145/3581784.3607102) goes over tensor, pipeline and data
parallelism, microbatch, recompute, optimizer sharding and interleaving. On 4,096 chips with a batch of 4,096
it counts 7,126,368 layouts of GPT-3 175B and 7,276,848 of Megatron-1T. `same kinds` holds what it does not
have (context parallelism, replicas of shards, zero-bubble schedules); `all kinds` is everything that gigawatt
has, with every microbatch that divides the batch.
"""

from __future__ import annotations

import dataclasses
import time
from typing import Any

from gigawatt.catalog.machines import find_machine
from gigawatt.catalog.models import find_model
from gigawatt.perf import Job, Verdict, default_stack
from gigawatt.search import Candidate, Space, full_space, search
from gigawatt.search.space import divisors

CASES = {  # name: model, machine, layouts that Calculon counts
    "GPT-3 175B on 4,096 A100": ("gpt3-175b", "selene", 7_126_368),
    "Megatron-1T on 4,096 H100": ("megatron-1008b", "eos", 7_276_848),
}
CHIPS, BATCH, SEQ_TOKENS = 4096, 4096, 2048
MOST_CPU_S = 20.0  # of a whole space
SAME_KINDS: dict[str, Any] = {"cp": 1, "dp_replicate": 1, "schedule": ["1f1b", "interleaved"]}


def spaces(job: Job, machine: Any, stack: Any) -> dict[str, Space]:
    """Return the rival's space, and all that there is: each with every microbatch that divides the batch."""
    layers = job.model.layers
    every: dict[str, Any] = {
        "microbatch_sequences": list(divisors(job.batch_sequences, job.batch_sequences)),
        "chunks": list(range(1, layers + 1)),
    }
    more = dataclasses.replace(stack, schedules=("gpipe", "1f1b", "interleaved", "zero_bubble", "dualpipe"))
    return {
        "same kinds": full_space(job, machine, stack=stack, fixed={**every, **SAME_KINDS}),
        "all kinds": full_space(job, machine, stack=more, fixed=every),
    }


def told(best: Candidate) -> str:
    """Return a layout in words."""
    layout, kinds = best.layout, best.strategy
    return (
        f"tp {layout.tp}, cp {layout.cp}, pp {layout.pp}, vp {layout.chunks}, dp {layout.dp}, "
        f"mbs {layout.microbatch_sequences}, ZeRO {kinds.zero_stage}, recompute {kinds.recompute}, "
        f"schedule {kinds.schedule}"
    )


def main() -> int:
    """Search each space, print what was found beside the rival's count; 1 when one takes too long."""
    slow = 0
    for name, (model, on, rival) in CASES.items():
        machine = find_machine(on, chips=CHIPS)
        stack = default_stack(machine.chip)
        job = Job(model=find_model(model), seq_tokens=SEQ_TOKENS, batch_sequences=BATCH, dtype="bf16")
        print(
            f"{name}, batch {BATCH:,}, sequence {SEQ_TOKENS:,}, {stack.id}; Calculon counts {rival:,} layouts"
        )
        for kinds, space in spaces(job, machine, stack).items():
            start = time.process_time()
            found = search(job, space, machine=machine, stack=stack)
            cpu_s = time.process_time() - start
            slow += cpu_s > MOST_CPU_S
            best = found.best[0]
            seen = f"{found.candidates:,} candidates, {found.priced:,} priced"
            fit = found.counts[Verdict.OK]
            print(f"  {kinds}: {seen}, {fit:,} fit, {cpu_s:.2f} CPU-s, {found.candidates / cpu_s:,.0f}/CPU-s")
            gives = f"{best.step_s:.3f} s, {BATCH / best.step_s:,.1f} sequences/s, "
            print(f"    best {gives}{best.memory_bytes / 1e9:.1f} GB: {told(best)}")
    return 1 if slow else 0


if __name__ == "__main__":
    raise SystemExit(main())
