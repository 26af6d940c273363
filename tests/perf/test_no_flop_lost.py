"""On a machine that loses nothing a step takes model flop over peak, however it is cut."""

from __future__ import annotations

import dataclasses

import pytest

from gigawatt.catalog import machine
from gigawatt.catalog.models import find_model
from gigawatt.perf import Job, Layout, StepTime, Strategy
from gigawatt.study.run import peak_flop_per_s, step_bound_s
from gigawatt.workload.flop import core_flop_per_token, layer_flop_per_token, model_flop_per_token
from tests.perf.ideal import BACKWARD_PRODUCTS, PEAK, ideal_step

CUTS = (
    Layout(),
    Layout(tp=8),
    Layout(cp=4),
    Layout(tp=2, cp=2, dp_shard=4),
    Layout(pp=4, dp_shard=2),
    Layout(tp=4, pp=2, dp_replicate=2, microbatch_sequences=2),
)
EXPERT_CUTS = (
    Layout(ep=8, dp_shard=8),
    Layout(tp=2, ep=4, etp=2, dp_shard=8),
    Layout(cp=2, ep=4, dp_shard=4),
)
EXTRA = ("bubble_s", "imbalance_s", "recompute_s")
WORK = ("matmul_s", "attention_s")


def bound_s(job: Job, layout: Layout) -> float:
    """Return model flop at peak over all chips, and the scores that fused attention computes again."""
    cores = sum(b.count * float(core_flop_per_token(b.mixer.core, job.seq_tokens)) for b in job.model.blocks)
    flop = float(model_flop_per_token(job.model, job.seq_tokens)) + 2.0 * (BACKWARD_PRODUCTS - 1.0) * cores
    return flop * job.batch_tokens / (PEAK * float(layout.chips))


def job_of(name: str) -> Job:
    """Return a job of 64 sequences, its vocabulary padded to whole columns a chip."""
    model = dataclasses.replace(find_model(name), mtp_layers=0, vocab=51_200)
    return Job(model=model, seq_tokens=4096, batch_sequences=64)


@pytest.mark.parametrize("name", ["llama3.1-8b", "gpt3-175b"])
@pytest.mark.parametrize("layout", CUTS, ids=str)
def test_a_dense_step_takes_model_flop_over_peak(
    monkeypatch: pytest.MonkeyPatch, name: str, layout: Layout
) -> None:
    job = job_of(name)
    step = ideal_step(monkeypatch, job, layout, Strategy())
    assert only_work_and_waiting(step) == pytest.approx(bound_s(job, layout), rel=1e-9)


@pytest.mark.parametrize("name", ["deepseek-v3", "qwen3-235b-a22b", "mixtral-8x7b"])
@pytest.mark.parametrize("layout", EXPERT_CUTS, ids=str)
def test_a_sparse_step_takes_model_flop_over_peak(
    monkeypatch: pytest.MonkeyPatch, name: str, layout: Layout
) -> None:
    job = job_of(name)
    step = ideal_step(monkeypatch, job, layout, Strategy())
    assert only_work_and_waiting(step) == pytest.approx(bound_s(job, layout), rel=1e-9)


def only_work_and_waiting(step: StepTime) -> float:
    """Return the time of the mathematics, having checked that all the rest is waiting."""
    spent = {f.name for f in dataclasses.fields(step) if float(getattr(step, f.name)) > 1e-12}
    assert spent <= {*WORK, *EXTRA}
    return float(sum(getattr(step, part) for part in WORK))


def test_full_recompute_adds_one_forward_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    job, layout = job_of("gpt3-175b"), Layout(tp=8, pp=2)
    step = ideal_step(monkeypatch, job, layout, Strategy(recompute="full"))
    forward = sum(b.count * float(layer_flop_per_token(b, job.seq_tokens)) for b in job.model.blocks)
    assert float(step.recompute_s) == pytest.approx(forward * job.batch_tokens / (PEAK * 16), rel=1e-9)


@pytest.mark.parametrize(
    ("keeps_attention", "recomputes_output", "widths"), [(True, 1.0, 18.0), (True, 0.0, 10.0)]
)
def test_full_recompute_leaves_out_what_is_kept_and_what_backward_does_not_need(
    monkeypatch: pytest.MonkeyPatch, keeps_attention: bool, recomputes_output: float, widths: float
) -> None:
    # GPT-3, flop per token and layer over h^2: output projection 2, up 8, down 8
    job, layout = job_of("gpt3-175b"), Layout(tp=8)
    strategy = Strategy(recompute="full", keeps_attention=keeps_attention)
    step = ideal_step(monkeypatch, job, layout, strategy, recomputes_output=recomputes_output)
    flop = widths * job.model.hidden**2 * job.model.layers * job.batch_tokens
    assert float(step.recompute_s) == pytest.approx(flop / (PEAK * 8), rel=1e-9)


def test_recompute_makes_the_outputs_of_experts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    job, layout = job_of("mixtral-8x7b"), Layout(ep=8, dp_shard=8)
    steps = [
        ideal_step(monkeypatch, job, layout, Strategy(recompute="full"), recomputes_output=value)
        for value in (0.0, 1.0)
    ]
    assert float(steps[0].recompute_s) == pytest.approx(float(steps[1].recompute_s))


@pytest.mark.parametrize(("stages", "chunks", "share"), [(4, 1, 3 / 16), (4, 2, 3 / 32), (8, 1, 7 / 16)])
def test_the_bubble_of_even_stages_is_the_textbook_one(
    monkeypatch: pytest.MonkeyPatch, stages: int, chunks: int, share: float
) -> None:
    model = dataclasses.replace(find_model("gpt3-175b"), vocab=1)  # no head: all stages alike
    job = Job(model=model, seq_tokens=2048, batch_sequences=16)
    schedule = "interleaved" if chunks > 1 else "1f1b"
    step = ideal_step(monkeypatch, job, Layout(pp=stages, chunks=chunks), Strategy(schedule=schedule))
    assert float(step.bubble_s) / only_work_and_waiting(step) == pytest.approx(share, rel=1e-4)


def test_a_pipeline_that_drains_four_times_idles_four_times(monkeypatch: pytest.MonkeyPatch) -> None:
    job, layout = job_of("gpt3-175b"), Layout(pp=8, chunks=2)
    once = ideal_step(monkeypatch, job, layout, Strategy(schedule="interleaved"))
    often = ideal_step(monkeypatch, job, layout, Strategy(schedule="interleaved", drains=4))
    assert float(often.bubble_s) == pytest.approx(4.0 * float(once.bubble_s))
    assert float(often.matmul_s) == float(once.matmul_s)


def test_packed_documents_attend_to_themselves_only(monkeypatch: pytest.MonkeyPatch) -> None:
    # a causal mask leaves (s + 1) / 2 keys a query: of 256 tokens 128.5, of 4096 tokens 2048.5
    job = job_of("llama3.1-8b")
    whole = ideal_step(monkeypatch, job, Layout(), Strategy())
    packed = ideal_step(monkeypatch, dataclasses.replace(job, document_tokens=256), Layout(), Strategy())
    assert float(packed.attention_s) == pytest.approx(128.5 / 2048.5 * float(whole.attention_s), rel=1e-2)
    assert float(packed.matmul_s) == float(whole.matmul_s)


def test_frozen_weights_have_no_weight_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    job = dataclasses.replace(job_of("llama3.1-8b"), frozen=True)
    trained = ideal_step(monkeypatch, job_of("llama3.1-8b"), Layout(), Strategy())
    frozen = ideal_step(monkeypatch, job, Layout(), Strategy())
    assert float(frozen.matmul_s) == pytest.approx(2 / 3 * float(trained.matmul_s))
    assert float(frozen.attention_s) == pytest.approx(float(trained.attention_s))


def test_the_bound_of_packed_documents_is_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = dataclasses.replace(job_of("llama3.1-8b"), seq_tokens=131_072, document_tokens=256)
    eos = machine("eos")
    bound = step_bound_s(packed, eos) * eos.chips * peak_flop_per_s(eos, "bf16") / PEAK
    step = ideal_step(monkeypatch, packed, Layout(), Strategy())
    assert 0.99 * only_work_and_waiting(step) < float(bound) <= only_work_and_waiting(step)
