"""The questions of the gate: ten models on eight machines, and layouts that use every mechanism."""

from __future__ import annotations

from typing import Any

MODELS = (
    "deepseek-v3",
    "gemma3-27b",
    "gpt-oss-120b",
    "gpt3-175b",
    "llama2-70b",
    "llama3.1-405b",
    "llama3.1-8b",
    "megatron-1008b",
    "nemotron-4-340b",
    "qwen3-235b-a22b",
)
MACHINES: tuple[tuple[str, int | None], ...] = (
    ("azure-gpt3", 2048),
    ("cloudmatrix384", None),
    ("deepseek-2048", None),
    ("eos", 4096),
    ("gb200-nvl72", 64),
    ("rainier", 1024),
    ("selene", 1024),
    ("tpu-v5p-pod", 2048),
)
STANDARD = {
    "seq_tokens": 4096,
    "batch_tokens": 4_194_304,
    "tokens": 1e12,
    "dtype": "bf16",
}  # what a recipe leaves open
NARROW = {"tp": 8, "schedule": "1f1b", "zero_stage": 1}  # a search of a few hundred layouts
SHORT = {"seq_tokens": 2048, "batch_sequences": 512, "tokens": 3e11, "dtype": "bf16"}
LONG = {"seq_tokens": 131072, "batch_sequences": 128, "tokens": 1e11, "dtype": "bf16"}
LARGE = {"seq_tokens": 4096, "batch_sequences": 2048, "tokens": 1e12, "dtype": "bf16"}

LAYOUTS: tuple[tuple[str, str, int, str, dict[str, Any]], ...] = (
    ("llama3.1-8b", "eos", 8, "tp=1,zero=3", SHORT),
    ("llama3.1-8b", "eos", 64, "tp=2,mbs=2", SHORT),
    ("llama3.1-8b", "eos", 64, "tp=8,cp=4,recompute=selective", LONG),
    ("llama3.1-8b", "tpu-v5p-pod", 256, "zero=3,recompute=full", SHORT),
    ("llama3.1-8b", "frontier", 256, "tp=2,zero=2", SHORT),
    ("llama2-70b", "selene", 512, "tp=8,pp=4,vp=5", SHORT),
    ("llama2-70b", "eos", 512, "tp=4,pp=4,schedule=zero_bubble", SHORT),
    ("llama2-70b", "eos", 256, "tp=1,zero=3,dp_replicate=2,recompute=full", SHORT),
    ("llama2-70b", "gb200-nvl72", 64, "tp=8,pp=2", {**SHORT, "dtype": "mxfp8"}),
    ("llama2-70b", "rainier", 1024, "tp=8,pp=8", SHORT),
    ("gpt3-175b", "selene", 512, "tp=8,pp=8,vp=6,recompute=selective", SHORT),
    ("gpt3-175b", "selene", 512, "tp=8,pp=8,vp=6,recompute=full,sp=false", SHORT),
    ("gpt3-175b", "selene", 1024, "tp=8,pp=16,schedule=gpipe,recompute=full", SHORT),
    ("megatron-1008b", "selene", 3072, "tp=8,pp=64,recompute=full", {**SHORT, "batch_sequences": 3072}),
    (
        "llama3.1-405b",
        "meta-llama3-16k",
        8192,
        "tp=8,pp=16,vp=4,recompute=full",
        {**LARGE, "seq_tokens": 8192},
    ),
    ("llama3.1-405b", "meta-llama3-16k", 16384, "tp=8,cp=16,pp=16,recompute=full", LONG),
    ("llama3.1-405b", "eos", 2048, "tp=8,pp=16", {**LARGE, "dtype": "fp8"}),
    (
        "deepseek-v3",
        "deepseek-2048",
        2048,
        "pp=16,ep=64,schedule=dualpipe,recompute=full",
        {**LARGE, "batch_sequences": 15360, "dtype": "fp8"},
    ),
    ("deepseek-v3", "eos", 1024, "tp=2,pp=16,ep=32,recompute=full", LARGE),
    ("qwen3-235b-a22b", "eos", 512, "tp=2,pp=8,ep=32,vp=4,recompute=selective", LARGE),
    ("gpt-oss-120b", "eos", 64, "ep=32,etp=2,zero=1,recompute=full", LARGE),
)
