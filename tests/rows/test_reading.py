"""A careful reader's answer to what rows print: chips, formats, degrees, batches, models, software."""

from __future__ import annotations

import pytest

from gigawatt.study.measured import measured, measured_step_s
from gigawatt.study.row_cells import RowError
from gigawatt.study.row_framework import row_framework
from gigawatt.study.row_machine import row_chip
from gigawatt.study.row_model import known_model
from gigawatt.workload.params import params
from tests.rows.examples import asked, predicted

JAX = {"accelerator": "TPU v5p", "framework": "MaxText (JAX)", "accel_per_node": "4", "dp": ""}


def degrees(**changes):
    layout = asked(**changes).layout
    return tuple(int(getattr(layout, n)) for n in ("tp", "cp", "pp", "dp", "microbatch_sequences"))


# ---- chips and formats


@pytest.mark.parametrize(
    "printed, id",
    [
        ("NVIDIA H100-SXM-80GB HBM3, liquid cooled", "h100-sxm"),
        ("H100 PCIe 80GB", "h100-pcie"),
        ("NVIDIA A100-SXM4-40GB", "a100-sxm-40gb"),
        ("AMD Instinct MI300X 192GB", "mi300x"),
        ("Cloud TPU v6e-256", "tpu-v6e"),
        ("TPU v5 lite", "tpu-v5e"),
        ("AWS Trainium2", "trn2"),
        ("Ascend 910B3", "ascend-910b"),
        ("Gaudi(R) 3", "gaudi3"),
    ],
)
def test_a_printed_name_that_is_nobodys_alias_is_read_by_its_words(printed, id):
    assert row_chip(printed).id == id


@pytest.mark.parametrize("printed", ["V100-SXM2-16GB", "A100 PCIe", "Ascend (unnamed)", "a very fast chip"])
def test_a_chip_of_another_memory_or_form_is_not_guessed(printed):
    with pytest.raises(RowError) as error:
        row_chip(printed)
    assert error.value.status == "unknown_chip"


@pytest.mark.parametrize(
    "chip, precision, dtype",
    [
        ("H100-SXM5-80GB", "fp8 (per-tensor)", "fp8"),
        ("H100-SXM5-80GB", "mxfp8", "fp8"),  # Hopper has no scaled blocks: the recipe runs as fp8
        ("GB200-NVL72 186GB", "FP8-MX", "mxfp8"),
        ("GB300-NVL72 288GB", "nvfp4", "nvfp4"),
        ("TPU v6e (Trillium)", 'fp8 (folder "fp8"; int8 path)', "int8"),
        ("TPU v5p", "int8 (AQT) + bf16", "int8"),
        ("A100-80GB-SXM", "bfloat16 mixed", "bf16"),
    ],
)
def test_a_precision_is_read_as_the_chip_multiplies_it(chip, precision, dtype):
    assert asked(accelerator=chip, precision=precision).job.dtype == dtype


@pytest.mark.parametrize(
    "chip, precision", [("A100-80GB-SXM", "fp8"), ("V100-SXM2-32GB", "bf16"), ("TPU v5p", "fp8")]
)
def test_a_format_that_a_chip_lacks_is_unsupported(chip, precision):
    assert predicted(accelerator=chip, precision=precision).status == "unsupported"


def test_a_servers_published_network_stands_over_a_misprinted_one():
    machine = asked(system="ND_H100_v5 x8", interconnect_inter_GBps_per_gpu="6.2").machine
    assert machine.levels[-1].bytes_per_s == 50e9


# ---- degrees and batches


def test_data_parallelism_is_what_the_other_degrees_leave():
    answer = predicted(dp="16")
    assert degrees(dp="16") == (2, 1, 1, 32, 2)
    assert answer.status == "ok"
    assert "dp = 32" in answer.reason


def test_one_missing_degree_follows_from_the_rest():
    assert degrees(pp="") == (2, 1, 1, 32, 2)
    assert degrees(tp="", pp="4", dp="8") == (2, 1, 4, 8, 2)


def test_sharded_weights_without_degrees_are_sharded_alone():
    question = asked(tp="", pp="", dp="", zero_or_fsdp_stage="FSDP", framework="PyTorch FSDP")
    assert (question.layout.dp_shard, question.strategy.zero_stage) == (64, 3)


@pytest.mark.parametrize(
    "words, shard",
    [
        ("FSDP2 (ZeRO-3), fp8 all-gather", 64),
        ("FSDP2 16", 16),
        ("HSDP", 8),
        ("FSDP ici=16; ici_data_parallelism=4", 16),
        ("FSDP (ICI); DP=2 over DCN slices", 32),
        ("FSDP (ICI, per 32-chip pod) + DP over DCN slices", 32),
    ],
)
def test_a_sharding_group_is_read_from_its_words(words, shard):
    layout = asked(tp="1", dp="", zero_or_fsdp_stage=words).layout
    assert (layout.dp_shard, layout.dp) == (shard, 64)


def test_a_jax_batch_is_per_device_whatever_the_layout():
    assert degrees(**JAX, tp="4", global_batch_seqs="384", micro_batch="6") == (4, 1, 1, 16, 24)


def test_a_jax_batch_of_several_passes_is_accumulated():
    assert degrees(**JAX, tp="1", global_batch_seqs="512", micro_batch="2") == (1, 1, 1, 64, 2)


def test_devices_that_share_a_chip_hold_one_replica_of_its_sequences():
    ironwood = {**JAX, "accelerator": "TPU7x (Ironwood)", "tp": "1"}
    assert degrees(**ironwood, global_batch_seqs="256", micro_batch="2") == (1, 1, 1, 64, 4)
    long = degrees(**ironwood, cp="8", global_batch_seqs="16", micro_batch="0.125", seq_len="131072")
    assert long == (1, 4, 1, 16, 1)


def test_a_framework_that_does_not_accumulate_takes_its_batch_at_once():
    answer = asked(framework="torchtitan", micro_batch="", tp="1", dp="64")
    assert answer.layout.microbatch_sequences == 4


def test_torchtitan_cut_a_batch_into_as_many_microbatches_as_stages():
    pipelined = {"framework": "torchtitan", "micro_batch": "", "tp": "2", "pp": "4", "dp": "8"}
    assert asked(**pipelined).layout.microbatch_sequences == 8
    assert predicted(**pipelined, year="2025").reason == "micro_batch"


def test_accumulation_in_the_notes_gives_the_microbatch():
    assert degrees(micro_batch="", overlap_notes="grad_accum=4") == (2, 1, 1, 32, 2)


def test_a_megatron_microbatch_is_never_guessed():
    answer = predicted(micro_batch="")
    assert (answer.status, answer.reason) == ("incomplete", "micro_batch")


def test_a_rounded_batch_is_that_of_whole_microbatches():
    assert asked(global_batch_seqs="260").job.batch_sequences == 256
    assert predicted(global_batch_seqs="96").status == "inconsistent"


# ---- models


def test_a_known_name_with_other_dimensions_is_another_model():
    named = {"model_name": "Llama-3.1-8B", "vocab": "128256", "params_B": ""}
    assert params(asked(**named).job.model).total == 8030261248
    assert asked(**named, layers="30").job.model.layers == 30
    assert asked(**named, ffn_hidden="8192").job.model.blocks[0].mlp.width == 8192


def test_a_dense_row_is_not_a_mixture_that_shares_its_digits():
    dense = {"model_name": "Qwen2.5 7B [LoRA]", "layers": "28", "hidden": "3584", "ffn_hidden": "18944"}
    question = asked(**dense, heads="28", kv_heads="4", vocab="152064")
    assert question.job.model.blocks[-1].moe is None
    assert question.job.frozen


def test_a_shortened_mixture_keeps_the_dense_layers_that_it_says():
    short = {"model_name": "deepseek-v3 (4 layers)", "layers": "4", "hidden": "7168", "heads": "128"}
    rest = {
        "kv_heads": "128",
        "ffn_hidden": "18432",
        "n_experts": "256",
        "experts_topk": "8",
        "vocab": "129280",
    }
    notes = "MLA; REDUCED to 4 layers; dense_layers=1"
    model = asked(**{**short, **rest, "other_arch_notes": notes}).job.model
    assert [(block.count, block.moe is not None) for block in model.blocks] == [(1, False), (3, True)]


def test_latent_attention_of_an_unknown_model_is_read_from_its_notes():
    notes = "gated; MLA (q_lora 1536, kv_lora 512, qk 128+64 rope, v 128)"
    core = asked(other_arch_notes=notes, vocab="1000").job.model.blocks[0].mixer.core
    assert (core.qk_head_dim, core.v_head_dim) == (192, 128)
    assert predicted(other_arch_notes="gated; MLA").status == "unknown_model"


@pytest.mark.parametrize(
    "name, vocab",
    [
        ("Baichuan2-13B", 125696),
        ("LLaMA-33B", 32000),
        ("Llama3 9B", 128256),
        ("Yi-34B", 64000),
        ("Other", 32000),
    ],
)
def test_a_missing_vocabulary_is_the_familys_and_said(name, vocab):
    assert asked(model_name=name, vocab="").job.model.vocab == vocab
    assert f"vocab = {vocab}" in predicted(model_name=name, vocab="").reason


@pytest.mark.parametrize("name", ["mT5 390M", "T5-11B", "Switch Transformer 1.5T", "BERT-large"])
def test_models_that_are_no_decoders_are_unsupported(name):
    assert predicted(model_name=name).status == "unsupported"


def test_prediction_layers_are_trained_where_the_framework_does():
    v3 = {
        "model_name": "DeepSeek-V3", "layers": "61", "hidden": "7168", "heads": "128", "kv_heads": "",
        "ffn_hidden": "", "vocab": "", "n_experts": "256", "other_arch_notes": "",
    }  # fmt: skip
    bridge = {**v3, "framework": "Megatron-Bridge", "ep": "32", "tp": "1", "dp": "64"}
    assert asked(**bridge).job.model.mtp_layers == 1
    assert asked(**{**bridge, "model_name": "DeepSeekV3 (w/o MTP)"}).job.model.mtp_layers == 0
    assert asked(**{**bridge, "framework": "torchtitan"}).job.model.mtp_layers == 0


# ---- software


@pytest.mark.parametrize(
    "framework, year, stack",
    [
        ("Megatron-LM", "2021", "megatron-2021"),
        ("NeMo 24.09", "2024", "megatron-core-2024"),
        ("Megatron-Bridge", "2026", "megatron-bridge-2025"),
        ("Megatron-Core dev", "2025", "megatron-bridge-2025"),
        ("Megatron-Core dev", "2026", "megatron-bridge-2026"),
        ("DeepSpeed", "2022", "deepspeed-zero3"),
        ("DeepSpeed 0.19", "2026", "deepspeed-2025"),
        ("Megatron-DeepSpeed", "2022", "megatron-deepspeed"),
        ("Megatron + Deepspeed 3D (new branch)", "2021", "deepspeed-pipeline"),
        ("Composer + PyTorch FSDP (llm-foundry)", "2023", "fsdp-2023"),
        ("Paxml (JAX)", "2023", "paxml-plain-2023"),
        ("Paxml (JAX)", "2024", "paxml-plain"),
        ("Paxml (JAX) + TransformerEngine", "2023", "paxml-2023"),
        ("Paxml (JAX) + TransformerEngine", "2024", "paxml"),
    ],
)
def test_a_frameworks_name_and_year_say_its_stack(framework, year, stack):
    assert asked(framework=framework, year=year).stack.id == stack


def test_modellinks_own_transformer_is_a_stack_of_its_own():
    npu = {"accelerator": "Ascend 910B", "framework": "ModelLink (Legacy)"}
    assert asked(**npu).stack.id == "modellink-legacy"
    assert asked(**npu | {"framework": "ModelLink (Mcore)"}).stack.id == "modellink"


def test_a_framework_recomputes_what_its_recipes_do_where_a_row_does_not_say():
    core = {"accelerator": "Trainium1 (NeuronCore-v2)", "framework": "Neuron 2.16.0 neuronx-nemo-megatron"}
    assert asked(**core, recompute="").strategy.recompute == "full"
    assert asked(**core, recompute="none").strategy.recompute == "none"
    assert asked(**core, model_name="GPT3-175B").strategy.recompute == "selective"
    assert asked(**core).strategy.zero_stage == 0


def test_custom_rematerialisation_keeps_attention_where_it_fits():
    ironwood = {**JAX, "accelerator": "TPU7x (Ironwood)", "tp": "1", "recompute": "remat_policy custom/full"}
    small = asked(**ironwood, global_batch_seqs="256", micro_batch="2").strategy
    assert (small.recompute, small.keeps_attention) == ("full", True)
    large = asked(**ironwood, global_batch_seqs="4096", micro_batch="32").strategy
    assert (large.recompute, large.keeps_attention) == ("full", False)


def test_a_pipeline_engine_that_a_row_names_is_its_stack():
    engine = {"framework": "Megatron-DeepSpeed", "year": "2022", "overlap_notes": "DeepSpeed 1F1B pipeline"}
    assert asked(**engine).stack.id == "deepspeed-pipeline"


def test_only_asynchronous_tensor_parallelism_hides_its_messages_in_torchtitan():
    titan = {"framework": "torchtitan (PyTorch)", "year": "2025"}
    assert asked(**titan).stack["tp_overlap_on"] == 0
    assert asked(**titan, overlap_notes="async TP; torch.compile").stack["tp_overlap_on"] == 1


def test_each_framework_counts_flop_its_own_way():
    counted = {
        name: predicted(framework=name).model_tflops_per_accel
        / predicted(framework=name).tokens_per_s_per_accel
        for name in ("Megatron-Bridge", "NeMo 24.09", "Composer + PyTorch FSDP (llm-foundry)")
    }
    causal, full, everything = counted.values()
    assert causal < full < everything


def test_mfu_of_an_fp8_job_divides_by_the_peak_that_its_source_divides_by():
    fp8 = {"precision": "fp8", "tp": "1", "dp": "", "micro_batch": "4"}
    own = predicted(**fp8, framework="MaxText (JAX)", year="2025")
    bf16 = predicted(**fp8, framework="MaxText (JAX-Toolbox image)", year="2025")
    assert bf16.mfu_pct == pytest.approx(2 * own.mfu_pct, rel=1e-2)


def test_experts_follow_tensor_parallelism_until_they_had_a_degree_of_their_own():
    moe = {"n_experts": "8", "experts_topk": "2", "ep": "8", "tp": "4", "dp": "16"}
    assert asked(**moe).layout.etp == 4
    assert asked(**moe, overlap_notes="ETP=1").layout.etp == 1
    assert asked(**moe, framework="Megatron-Bridge").layout.etp == 1


def test_low_rank_adapters_are_seen_in_the_name_or_the_id():
    assert asked(id="llama2-13b-8-32-lora").job.frozen
    assert not asked(id="explorations", other_arch_notes="gated, q_lora 5").job.frozen


# ---- recipes and proxies


@pytest.mark.parametrize(
    "accelerator, name, dedup",
    [
        ("H100-SXM5-80GB", "Qwen3_235B_a22B", 0),
        ("GB200-NVL72 186GB", "Qwen3_235B_a22B", 1),
        ("GB200-NVL72 186GB", "Nemotron_3_Super", 0),
        ("GB200-NVL72 186GB", "Nemotron_3_Nano", 1),
    ],
)
def test_a_dispatcher_that_a_recipe_names_and_does_not_switch_on_is_not_in_force(accelerator, name, dedup):
    framework = row_framework(
        {
            "framework": "Megatron-Bridge / Megatron-Core, NeMo container 26.04",
            "accelerator": accelerator,
            "zero_or_fsdp_stage": "",
            "model_name": name,
            "overlap_notes": "moe_flex_dispatcher_backend=hybridep",
            "year": "2026",
        }
    )
    assert framework.stack["ep_dedup"] == dedup
    assert framework.stack["routed_copies"] == (1.0 if dedup else 1.5)


@pytest.mark.parametrize("layers, vpp, read", [("32", "12", 48), ("32", "8", 32), ("32", "", 32)])
def test_a_proxy_whose_layers_do_not_fall_on_its_stages_is_the_whole_model(layers, vpp, read):
    row = {name: "" for name in ("params_B", "n_experts", "experts_topk", "heads", "kv_heads", "head_dim")}
    row |= {"model_name": "Llama 4 Maverick (proxy)", "layers": layers, "hidden": "5120", "n_experts": "128"}
    row |= {"ffn_hidden": "", "vocab": "", "other_arch_notes": "", "pp": "2", "vpp": vpp}
    assert known_model(row).layers == read


SWEEP = {
    "framework": "Megatron-DeepSpeed",
    "accelerator": "A100-80GB-SXM",
    "n_accel": "8",
    "overlap_notes": "1F1B; validation configs set use_gradient_bucket=false",
    "recompute": "full (validation configs set use_checkpoint=true)",
    "other_arch_notes": "GPT; ffn 4h",
    "kv_heads": "",
    "vocab": "",
    "micro_batch": "1",
    "global_batch_seqs": "8",
    "seq_len": "1024",
    "tp": "1",
    "dp": "8",
}


def test_a_sweep_times_models_that_one_chip_trains_whole_as_plain_code():
    small = asked(**SWEEP, layers="12", hidden="1024", heads="16", ffn_hidden="4096", model_name="GPT 0.2B")
    assert small.strategy.recompute == "none"
    assert (small.job.model.vocab, small.stack["vocab_multiple"]) == (50257, 1.0)


def test_a_sweep_of_models_that_one_chip_cannot_hold_recomputes_as_it_is_configured_to():
    shape = {"layers": "40", "hidden": "6144", "heads": "48", "ffn_hidden": "24576", "dp": "1", "tp": "8"}
    large = asked(**{**SWEEP, **shape}, model_name="GPT 18.4B")
    assert large.strategy.recompute == "full"
    assert large.stack["vocab_multiple"] == 128


def test_a_size_that_is_no_number_leaves_the_frameworks_own_count():
    printed = {"hw_tflops_per_accel": "100", "params_B": "20B", "flops_formula_notes": "size*4*2*seq*gbs"}
    found = measured(printed)
    assert found is not None
    assert (found.value, found.flop_per_token) == (100.0, 0.0)


def test_a_rate_is_turned_round_by_the_formula_that_its_source_prints():
    printed = {
        "hw_tflops_per_accel": "100",
        "params_B": "20",
        "flops_formula_notes": "size*4*2*seq*gbs/(t*gpus)",
    }
    question = asked()
    found = measured(printed)
    assert found is not None
    tokens = 4096 * 256
    assert float(measured_step_s(found, question)) == pytest.approx(8 * 20e9 * tokens / (100e12 * 64))


# ---- what frameworks recompute, drain and run in 8 bits


def test_torchtitans_selective_recompute_is_half_of_the_work_whatever_fits():
    chosen = asked(framework="torchtitan", tp="1", dp="64", recompute="selective op").strategy
    assert (chosen.recompute, chosen.recompute_share) == ("full", 0.5)


@pytest.mark.parametrize("batch, recompute", [("1", "none"), ("8", "full")])
def test_automodel_recomputes_all_layers_or_none(batch, recompute):
    chosen = asked(framework="NeMo AutoModel", tp="1", dp="64", micro_batch=batch, global_batch_seqs="512")
    assert (chosen.strategy.recompute, chosen.strategy.recompute_share) == (recompute, 1.0)


@pytest.mark.parametrize(
    "kernels, stack, recompute",
    [
        ("kernels: -", "automodel-hf", "none"),
        ("kernels: TE + DeepEP", "automodel", "none"),
        ("kernels: TE + triton + fsdp2_prefetch", "automodel-compiled", "full"),
    ],
)
def test_automodels_kernels_say_whose_models_it_runs(kernels, stack, recompute):
    row = {"tp": "1", "dp": "64", "micro_batch": "1", "global_batch_seqs": "512", "overlap_notes": kernels}
    chosen = asked(framework="NeMo AutoModel", **row)
    assert (chosen.stack.id, chosen.strategy.recompute) == (stack, recompute)


@pytest.mark.parametrize("framework, drains", [("NeMo AutoModel", 4), ("Megatron-LM", 1)])
def test_a_framework_that_runs_its_pipeline_by_local_batches_drains_it_each_time(framework, drains):
    row = {"pp": "4", "tp": "2", "dp": "8", "micro_batch": "1", "overlap_notes": "LBS=8, GA=4"}
    assert asked(framework=framework, **row).strategy.drains == drains


@pytest.mark.parametrize(
    "notes, framework, name, value",
    [
        ("FP8_DPA=1", "NeMo", "attention_8bit", 1.3),
        ("FP8_DPA=0", "NeMo", "attention_8bit", 1.0),
        ("float8 rowwise; async TP", "torchtitan", "row_scaled_rate", 0.65),
        ("float8 tensorwise; async TP", "torchtitan", "row_scaled_rate", 1.0),
        ("no TP userbuffer overlap", "NeMo", "tp_overlap_on", 0.0),
    ],
)
def test_words_of_a_configuration_switch_values_of_its_stack(notes, framework, name, value):
    row = {"accelerator": "NVIDIA H100-SXM5-80GB", "overlap_notes": notes, "framework": framework}
    assert asked(**row).stack[name] == value


def test_pax_fuses_attention_with_transformer_engine_only():
    pax = {"tp": "1", "dp": "64", "year": "2024"}
    assert asked(framework="Paxml (JAX)", **pax).stack["flash_attention"] == 0
    assert asked(framework="Paxml (JAX) + TransformerEngine", **pax).stack["flash_attention"] == 3


@pytest.mark.parametrize(
    "framework, name, tokens",
    [("NeMo 24.12ft", "Llama 3 8B", 200), ("NeMo 24.12", "Llama 3 8B", 0), ("NeMo AutoModel", "x lora", 0)],
)
def test_fine_tuning_packs_short_examples_where_its_framework_does(framework, name, tokens):
    assert asked(framework=framework, model_name=name, params_B="").job.document_tokens == tokens
