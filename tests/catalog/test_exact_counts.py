"""Parameters counted to the unit: 23 models as their own code builds them, by name and from config.json.

The counts are those of the models' classes in the transformers library, text part only, without
multi-token-prediction layers; active = all but the experts that a token does not pass.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gigawatt.catalog.hf import read_hf_config
from gigawatt.catalog.models import find_model
from gigawatt.catalog.records import Model
from gigawatt.workload.params import params

CONFIGS = Path(__file__).parent / "hf"
COUNTS = (  # name, all, of routed experts, active
    ("llama-3.1-8b", 8_030_261_248, 0, 8_030_261_248),
    ("llama-3.1-70b", 70_553_706_496, 0, 70_553_706_496),
    ("llama-3.1-405b", 405_853_388_800, 0, 405_853_388_800),
    ("qwen3-0.6b", 596_049_920, 0, 596_049_920),
    ("qwen3-8b", 8_190_735_360, 0, 8_190_735_360),
    ("qwen3-32b", 32_762_123_264, 0, 32_762_123_264),
    ("qwen3-30b-a3b", 30_532_122_624, 28_991_029_248, 3_353_032_704),
    ("qwen3-235b-a22b", 235_093_634_560, 227_096_395_776, 22_190_763_520),
    ("mixtral-8x7b", 46_702_792_704, 45_097_156_608, 12_879_925_248),
    ("mixtral-8x22b", 140_620_634_112, 135_291_469_824, 39_152_031_744),
    ("deepseek-v3", 671_026_404_352, 653_908_770_816, 37_552_282_624),
    ("deepseek-v3.2", 671_877_929_216, 653_908_770_816, 38_403_807_488),
    ("deepseek-v4-flash", 284_332_230_231, 277_025_390_592, 13_799_622_231),
    ("gpt-oss-20b", 20_914_757_184, 19_116_933_120, 4_187_440_704),
    ("gpt-oss-120b", 116_829_156_672, 114_701_598_720, 5_711_982_912),
    ("gemma-4-26b-a4b", 25_233_141_760, 22_837_985_280, 3_822_530_560),
    ("gemma-4-31b", 30_697_345_280, 0, 30_697_345_280),
    ("llama-4-scout", 107_769_861_120, 96_636_764_160, 17_172_894_720),
    ("llama-4-maverick", 400_711_848_960, 386_547_056_640, 17_184_691_200),
    ("qwen3.5-27b", 26_895_998_464, 0, 26_895_998_464),
    ("qwen3.5-397b-a17b", 396_346_350_336, 386_547_056_640, 17_349_040_896),
    ("minimax-m2.5", 228_689_748_992, 224_680_476_672, 11_030_537_216),
    ("glm-5", 743_911_199_232, 724_775_731_200, 41_784_709_632),
)
CATALOGUE_NAMES = {"gemma-4": "gemma4", "llama-4": "llama4"}  # the catalogue's spelling


def catalogue_model(name: str) -> Model:
    for spelled, ours in CATALOGUE_NAMES.items():
        name = name.replace(spelled, ours)
    return find_model(name)


@pytest.mark.parametrize(("name", "total", "routed", "active"), COUNTS)
def test_the_catalogue_counts_a_model_to_the_parameter(
    name: str, total: int, routed: int, active: int
) -> None:
    count = params(catalogue_model(name))
    assert (count.total, count.routed, count.active) == (total, routed, active)


@pytest.mark.parametrize(("name", "total", "routed", "active"), COUNTS)
def test_a_config_json_is_counted_to_the_parameter(name: str, total: int, routed: int, active: int) -> None:
    found = read_hf_config(CONFIGS / f"{name}.json")
    count = params(found)
    assert (count.total, count.routed, count.active) == (total, routed, active)
    assert found.note == ""  # its architecture is known, not taken for a Llama


@pytest.mark.parametrize("name", [row[0] for row in COUNTS])
def test_a_config_json_describes_the_model_of_the_catalogue(name: str) -> None:
    read, ours = read_hf_config(CONFIGS / f"{name}.json"), catalogue_model(name)
    assert (read.blocks, read.hidden, read.vocab) == (ours.blocks, ours.hidden, ours.vocab)
    assert read.mtp_layers == ours.mtp_layers


def test_the_counts_are_those_of_the_fact_file(shared_facts: Path) -> None:
    text = (shared_facts / "ecosystem.md").read_text("utf-8")
    table = text.split("Exact-parameter oracle", 1)[1].split("\n### ", 1)[0]
    printed = [line.replace(" ", "").split("|")[2:5] for line in table.splitlines() if line[:1] == "|"]
    rows = [cells for cells in printed if cells[0].isdigit()]
    said = [(int(a), int(r), int(a) if act == "=" else int(act)) for a, r, act in rows]
    assert said == [row[1:] for row in COUNTS]
