"""Which software a row's framework and year mean."""

from __future__ import annotations

from collections import defaultdict

import pytest

from gigawatt.perf import stack as software
from gigawatt.study.row_framework import row_framework


@pytest.mark.parametrize(
    ("framework", "year", "stack"),
    [
        ("Megatron-LM + DeepSpeed ZeRO-3", 2021, "deepspeed-zero3-2021"),
        ("Megatron-LM + DeepSpeed ZeRO-3", 2022, "deepspeed-zero3"),
        ("DeepSpeed 0.19.2", 2026, "deepspeed-2025"),
        ("metaseq (fairscale FSDP + Megatron TP)", 2022, "metaseq"),
        ("PyTorch FSDP + torch.compile", 2024, "fsdp-compiled"),
        ("torchtitan (torch.compile)", 2024, "torchtitan"),
    ],
)
def test_a_framework_of_a_year_is_its_software(framework, year, stack):
    row = defaultdict(str, framework=framework, year=str(year))
    assert row_framework(row).stack.id == stack


@pytest.mark.parametrize(
    ("stack", "loops"), [("deepspeed-zero3", True), ("metaseq", False), ("modern", False)]
)
def test_only_deepspeed_joins_shards_on_the_host(stack, loops):
    assert (software(stack)["s_per_shard"] > 0) is loops
