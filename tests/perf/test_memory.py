"""Memory: parts that add up, published numbers, and microbatches as a schedule played out holds them."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawatt.catalog import machine
from gigawatt.catalog.models import find_model
from gigawatt.catalog.records import Stack
from gigawatt.perf import Job, Layout, MemoryUse, Strategy, memory_use, setting_of, stack
from gigawatt.perf.memory import layer_kept_bytes
from gigawatt.perf.sharded import reduced_bytes
from gigawatt.perf.step import pipeline_comm_s
from gigawatt.workload.params import params
from gigawatt.workload.shard import Shard
from tests.perf.jobs import Asked, asked
from tests.perf.played import Slot, dualpipe, gpipe, interleaved, one_f_one_b, play

GPT3 = find_model("gpt3-175b")
MODERN, OLD = stack("modern"), stack("megatron-2021")


def use(job: Job, layout: Layout, strategy: Strategy, software: str = "modern") -> MemoryUse:
    """Return the memory of the fullest chip."""
    return memory_use(job, layout, strategy=strategy, stack=stack(software))


@given(a=asked())
@settings(max_examples=40)
def test_memory_is_the_sum_of_parts_that_are_no_less_than_nothing(a: Asked) -> None:
    held = memory_use(a.job, a.layout, strategy=a.strategy, stack=a.stack)
    parts = {f.name: float(getattr(held, f.name)) for f in dataclasses.fields(held)}
    assert min(parts.values()) >= 0, parts
    assert sum(parts.values()) == pytest.approx(float(held.total_bytes))


@given(a=asked())
@settings(max_examples=40)
def test_all_chips_together_hold_every_parameter(a: Asked) -> None:
    held = memory_use(a.job, a.layout, strategy=a.strategy, stack=a.stack)
    count = params(a.job.model).total
    for part, name in (("weights_bytes", "weight_bytes"), ("optimizer_bytes", "optimizer_bytes")):
        assert float(getattr(held, part)) * float(a.layout.chips) >= a.stack[name] * count * (1 - 1e-9), part


@given(a=asked())
@settings(max_examples=40)
def test_sharding_more_never_holds_more_states(a: Asked) -> None:
    stages = [dataclasses.replace(a.strategy, zero_stage=z) for z in range(4)]
    held = [memory_use(a.job, a.layout, strategy=s, stack=a.stack) for s in stages]
    states = [float(h.weights_bytes + h.gradients_bytes + h.optimizer_bytes) for h in held]
    assert states == sorted(states, reverse=True)


@pytest.mark.parametrize(("zero", "per_param"), [(0, 16.0), (1, 4 + 12 / 64), (2, 2 + 14 / 64), (3, 16 / 64)])
def test_states_are_the_bytes_of_the_zero_paper(zero: int, per_param: float) -> None:
    # Rajbhandari 2019, arXiv:1910.02054 fig. 1: 7.5 B on 64 ranks: 120, 31.4, 16.6, 1.9 GB, 16-bit gradients
    sixteen_bit = dataclasses.replace(
        MODERN, values={**MODERN.values, "weight_bytes": 2.0, "grad_bytes": 2.0}
    )
    sixteen_bit = dataclasses.replace(sixteen_bit, values={**sixteen_bit.values, "optimizer_bytes": 12.0})
    model = find_model("llama2-7b")
    job = Job(model=model, seq_tokens=2048, batch_sequences=64)
    held = memory_use(job, Layout(dp_shard=64), strategy=Strategy(zero_stage=zero), stack=sixteen_bit)
    states = float(held.weights_bytes + held.gradients_bytes + held.optimizer_bytes)
    assert states == pytest.approx(per_param * params(model).total)


@pytest.mark.parametrize(("dtype", "per_param"), [("fp16", 2 + 2 + 16 / 8), ("bf16", 2 + 6 + 12 / 8)])
def test_deepspeed_keeps_32_bit_gradients_in_bf16_only(dtype: str, per_param: float) -> None:
    # a flat 32-bit copy of its share under a loss scale; a 32-bit sum of all of them without one
    job = Job(model=GPT3, seq_tokens=2048, batch_sequences=64, dtype=dtype)
    held = use(job, Layout(dp_shard=8), Strategy(zero_stage=1), "deepspeed-pipeline")
    states = float(held.weights_bytes + held.gradients_bytes + held.optimizer_bytes)
    assert states == pytest.approx(per_param * params(GPT3).total)


@pytest.mark.parametrize("software", ["megatron-2021", "deepspeed-pipeline", "deepspeed-zero3"])
def test_gradients_of_fp16_are_held_in_the_16_bits_that_they_travel_in(software: str) -> None:
    job = Job(model=GPT3, seq_tokens=2048, batch_sequences=64, dtype="fp16")
    held = use(job, Layout(dp_shard=8), Strategy(zero_stage=1), software)
    assert float(held.gradients_bytes) == reduced_bytes(job, stack(software)) * params(GPT3).total


def test_what_passes_between_layers_is_as_wide_as_all_residual_streams() -> None:
    four = find_model("deepseek-v4-flash")
    one = dataclasses.replace(four, blocks=tuple(dataclasses.replace(b, streams=1) for b in four.blocks))
    eos, layout, strategy = machine("eos"), Layout(pp=4, ep=8, dp_shard=8), Strategy(recompute="full")
    sent, kept = [], []
    for model in (four, one):
        job = Job(model=model, seq_tokens=4096, batch_sequences=64)
        asked = setting_of(job, machine=eos, strategy=strategy, stack=MODERN)
        sent.append(float(pipeline_comm_s(job, layout, asked, microbatches=8)))
        cut = Shard(sequences=1, seq_tokens=4096)
        kept.append(layer_kept_bytes(model.blocks[0], job, shard=cut, strategy=strategy, stack=MODERN))
    assert kept[0] == 4.0 * kept[1] == 4.0 * 2.0 * 4096 * four.hidden
    assert 2.0 * sent[1] < sent[0] <= 4.0 * sent[1]


def kept_again(name: str, index: int, recomputed: str) -> float:
    """Return what a layer of a model keeps when some of its parts are computed again."""
    model = find_model(name)
    job = Job(model=model, seq_tokens=4096, batch_sequences=8)
    strategy = Strategy(recompute="selective" if recomputed else "none", recomputed=recomputed)
    cut = Shard(sequences=1, seq_tokens=4096)
    return float(layer_kept_bytes(model.blocks[index], job, shard=cut, strategy=strategy, stack=MODERN))


def test_of_parts_that_are_named_only_what_goes_into_them_is_kept() -> None:
    # DeepSeek-V3, elements a token: hidden 7168, 8 of 256 experts of 2048, 128 heads of 192 and 128
    all_kept = kept_again("deepseek-v3", -1, "")
    parts = ("norms", "activations", "routed")
    saved = {part: all_kept - kept_again("deepseek-v3", -1, part) for part in parts}
    assert saved["norms"] == 2 * 2 * 4096 * 7168
    assert saved["activations"] == 2 * 8 * 4096 * 2048
    assert saved["routed"] == 2 * 8 * 4096 * (7168 + 3 * 2048)
    assert all_kept - kept_again("deepseek-v3", -1, "up") == 2 * 4096 * 128 * (2 * 192 + 128)
    assert kept_again("deepseek-v3", -1, "dense+core") == all_kept
    assert kept_again("llama3.1-8b", 0, "") - kept_again("llama3.1-8b", 0, "dense") == 2 * 4096 * 3 * 14336


def test_a_stage_that_keeps_its_outputs_holds_one_for_each_microbatch_in_flight() -> None:
    # arXiv:2205.05198 appendix B: 2 s b h a microbatch, 4 of them on the first of 4 stages
    job = Job(model=GPT3, seq_tokens=2048, batch_sequences=64)
    keeps = dataclasses.replace(MODERN, values={**MODERN.values, "keeps_stage_outputs": 1.0})
    layout, strategy = Layout(pp=4), Strategy(recompute="none")
    held = [memory_use(job, layout, strategy=strategy, stack=s).activations_bytes for s in (MODERN, keeps)]
    assert float(held[1] - held[0]) == pytest.approx(4 * 2 * 2048 * GPT3.hidden)


@pytest.mark.parametrize("tp", [1, 8])
def test_activations_without_fused_attention_are_those_of_korthikanti(tp: int) -> None:
    # arXiv:2205.05198 table 2: s b h L / t (34 + 5 a s / h), of which 2 are dropout masks, not used
    job = Job(model=GPT3, seq_tokens=2048, batch_sequences=1)
    s, h, heads, layers = 2048, GPT3.hidden, 96, GPT3.layers
    found = use(job, Layout(tp=tp), Strategy(recompute="none"), "megatron-2021").activations_bytes
    assert float(found) == pytest.approx(s * h * layers / tp * (32 + 5 * heads * s / h))
    selective = use(job, Layout(tp=tp), Strategy(recompute="selective"), "megatron-2021").activations_bytes
    assert float(selective) == pytest.approx(s * h * layers / tp * 32)


def test_full_recompute_keeps_the_input_of_each_layer_and_one_layer_whole() -> None:
    job = Job(model=GPT3, seq_tokens=2048, batch_sequences=1)
    found = float(use(job, Layout(), Strategy(recompute="full")).activations_bytes)
    one_layer = float(use(job, Layout(), Strategy(recompute="none")).activations_bytes) / GPT3.layers
    assert found == pytest.approx(2.0 * 2048 * GPT3.hidden * GPT3.layers + one_layer)


def test_recompute_that_keeps_attention_holds_four_widths_more() -> None:
    # queries, keys, values and output, h each in 16 bits: 8 h bytes per token and layer of GPT-3
    job = Job(model=GPT3, seq_tokens=2048, batch_sequences=1)
    whole, kept = (
        float(use(job, Layout(), Strategy(recompute="full", keeps_attention=keeps)).activations_bytes)
        for keeps in (False, True)
    )
    assert kept - whole == pytest.approx(8.0 * 2048 * GPT3.hidden * GPT3.layers)


def orders_of(schedule: str, stages: int, microbatches: int, chunks: int) -> list[list[Slot]]:
    """Return the work of each rank."""
    if schedule == "interleaved":
        return interleaved(stages, microbatches, chunks)
    return {"gpipe": gpipe, "1f1b": one_f_one_b, "dualpipe": dualpipe}[schedule](stages, microbatches)


@pytest.mark.parametrize(
    ("schedule", "chunks"),
    [("gpipe", 1), ("1f1b", 1), ("interleaved", 2), ("interleaved", 6), ("dualpipe", 1)],
)
@pytest.mark.parametrize("stages", [2, 4, 8])
def test_activations_are_the_microbatches_that_a_schedule_has_in_flight(
    schedule: str, chunks: int, stages: int
) -> None:
    microbatches = 4 * stages
    job = Job(model=GPT3, seq_tokens=2048, batch_sequences=microbatches)
    strategy = Strategy(schedule=schedule)  # type: ignore[arg-type]
    found = use(job, Layout(pp=stages, chunks=chunks), strategy).activations_bytes
    alone = use(dataclasses.replace(job, batch_sequences=1), Layout(), Strategy()).activations_bytes
    played = play(
        orders_of(schedule, stages, microbatches, chunks), stages=stages * chunks, time_of=lambda _: 1.0
    )
    assert float(found) == pytest.approx(float(alone) / stages / chunks * max(played.peak_in_flight))


@given(a=asked(), more=st.sampled_from((2, 4)))
@settings(max_examples=40)
def test_larger_microbatches_or_longer_sequences_never_need_less(a: Asked, more: int) -> None:
    here = float(memory_use(a.job, a.layout, strategy=a.strategy, stack=a.stack).total_bytes)
    longer = dataclasses.replace(a.job, seq_tokens=more * a.job.seq_tokens)
    assert float(memory_use(longer, a.layout, strategy=a.strategy, stack=a.stack).total_bytes) >= here
    size = more * int(a.layout.microbatch_sequences)
    batch = dataclasses.replace(a.job, batch_sequences=more * a.job.batch_sequences)
    wider = dataclasses.replace(a.layout, microbatch_sequences=size)
    assert float(memory_use(batch, wider, strategy=a.strategy, stack=a.stack).total_bytes) >= here


def with_values(name: str, **values: float) -> Stack:
    """Return a stack with some values of its own."""
    known = stack(name)
    return dataclasses.replace(known, values={**known.values, **values})


def test_an_unfused_gated_layer_keeps_what_every_operator_reads() -> None:
    # a token of Llama 2 70B: two norms at (4 + 2 + 2) h, q, k, v and the output, and 8 f in the feed-forward
    model = find_model("llama2-70b")
    job = Job(model=model, seq_tokens=4096, batch_sequences=1)
    eager = with_values("modern", fused_kept=0.0)
    held = memory_use(job, Layout(), strategy=Strategy(), stack=eager).activations_bytes
    token = 2 * 8 * 8192 + 2 * 2 * (64 + 8) * 128 + 8 * 28672
    assert float(held) == pytest.approx(80 * 4096 * token)


def test_frozen_8_bit_weights_and_activation_inputs_take_a_byte() -> None:
    model = find_model("llama2-70b")
    job = Job(model=model, seq_tokens=4096, batch_sequences=1, dtype="fp8", frozen=True)
    narrow, wide = (
        memory_use(job, Layout(), strategy=Strategy(), stack=with_values("modern", narrow_frozen=n))
        for n in (1.0, 0.0)
    )
    assert float(narrow.weights_bytes) == pytest.approx(params(model).total)
    assert float(wide.weights_bytes) == pytest.approx(2 * params(model).total)
    token = 2 * 2 * 8192 + 2 * 2 * (64 + 8) * 128 + 2 * 28672
    assert float(narrow.activations_bytes) == pytest.approx(80 * 4096 * token)
