"""The systems that the catalogue must know: each is a machine with its network, its site and its power."""

from __future__ import annotations

import math

import pytest

from gigawatt.catalog.load import chip, chip_ids
from gigawatt.catalog.machines import find_machine, machine, machine_ids, shipping_machine_ids
from gigawatt.catalog.records import Machine
from gigawatt.errors import InputError

NAMED = {  # what people say: machine, chip, chips
    "Microsoft Eagle": ("eagle", "h100-sxm", 14_400),
    "Microsoft's 2020 machine for OpenAI, the shark": ("azure-gpt3", "v100-sxm2-32gb", 10_000),
    "five Eagles a month": ("five-eagles", "h100-sxm", 72_000),
    "the blue whale": ("blue-whale", "h100-sxm", 100_000),
    "the cluster that trained GPT-4": ("ms-gpt4", "a100-sxm", 25_000),
    "Stargate, a 100 billion dollar campus": ("stargate", "gb200", 1_036_800),
    "Stargate Abilene": ("stargate-abilene", "gb200", 400_000),
    "xAI Colossus": ("colossus", "h100-sxm", 100_000),
    "xAI's 300,000 B200": ("colossus-300k-b200", "b200-sxm", 300_000),
    "GB200 NVL72, one rack": ("gb200-nvl72", "gb200", 72),
    "TPU v4 pod": ("tpu-v4-pod", "tpu-v4", 4096),
    "TPU v5e pod": ("tpu-v5e-pod", "tpu-v5e", 256),
    "TPU v5p pod": ("tpu-v5p-pod", "tpu-v5p", 8960),
    "Trillium pod": ("trillium-pod", "tpu-v6e", 256),
    "Ironwood pod": ("ironwood-pod", "tpu-v7", 9216),
    "Google A3": ("google-a3", "h100-sxm", 26_000),
    "Google's L4": ("google-l4", "l4", None),
    "Google's GB200 NVL72": ("google-gb200", "gb200", 72),
    "DGX Cloud": ("dgx-cloud-h100", "h100-sxm", None),
    "Tesla Dojo ExaPOD": ("dojo-exapod", "dojo-d1", 3000),
    "Tesla Cortex": ("cortex", "h100-sxm", 50_000),
    "AWS Trainium1 UltraCluster": ("trn1-ultracluster", "trn1", 30_000),
    "AWS Trainium2 UltraServer": ("trn2-ultraserver", "trn2", 64),
    "AWS Inferentia2": ("inferentia2", "inf2", None),
    "AWS Rainier": ("rainier", "trn2", 500_000),
    "Meta's RoCE cluster": ("meta-roce-24k", "h100-sxm", 24_576),
    "Meta's InfiniBand cluster": ("meta-ib-24k", "h100-sxm", 24_576),
    "the Llama 3 job": ("meta-llama3-16k", "h100-sxm", 16_384),
    "Huawei CloudMatrix384": ("cloudmatrix384", "ascend-910c", 384),
    "a cluster of CloudMatrix384": ("cloudmatrix-cluster", "ascend-910c", None),
    "ScaleX640": ("scalex640", "hygon-dcu-scalex", 640),
    "DGX SuperPOD A100": ("superpod-a100", "a100-sxm", 1120),
    "DGX SuperPOD H100": ("superpod-h100", "h100-sxm", 1016),
    "DGX SuperPOD B200": ("superpod-b200", "b200-sxm", 1016),
    "DGX SuperPOD B300": ("superpod-b300", "b300-sxm", 576),
    "DGX SuperPOD GB200": ("superpod-gb200", "gb200", 576),
    "Selene": ("selene", "a100-sxm", 4480),
    "Eos": ("eos", "h100-sxm", 4608),
    "DeepSeek's 2,048 H800": ("deepseek-2048", "h800-sxm", 2048),
    "Alibaba HPN": ("alibaba-hpn", "h800-sxm", 15_360),
    "Xiaomi's 10,000 cards": ("xiaomi-10k", "h800-sxm", 10_000),
    "a GPU-rental fleet": ("gpu-rental-fleet", "h100-sxm", None),
    "an HPC and AI fusion site": ("hpc-ai-fusion", "h100-sxm", None),
    "a card sliced to tenths": ("flexai-slice", "ascend-910b-tenth", None),
}


@pytest.mark.parametrize("said", NAMED)
def test_a_system_that_people_name_is_a_machine(said: str) -> None:
    id, part, chips = NAMED[said]
    found = machine(id)
    assert found.chip.id == part
    assert chips is None or found.chips == chips


@pytest.mark.parametrize("id", machine_ids())
def test_a_machine_is_whole(id: str) -> None:
    found = machine(id)
    assert found.id == id
    assert found.name
    assert found.owner
    assert found.fabric or len(found.levels) == 1
    sizes = [level.chips for level in found.levels]
    assert sizes == sorted(sizes)
    assert sizes[-1] >= found.chips
    assert all(level.bytes_per_s > 0 and level.latency_s > 0 for level in found.levels)
    assert 1 <= found.chips_per_node <= max(found.scale_up.chips, 8)
    site = found.site
    assert 1.0 <= site.pue < 1.6
    assert 0.03 < site.usd_per_kwh < 0.3
    assert 0.05 < site.kg_co2e_per_kwh < 0.7
    assert site.cooling


def power_w(found: Machine) -> float:
    return float(found.facts["it_power_per_chip_w"].value) * found.chips


@pytest.mark.parametrize("id", [i for i in machine_ids() if "facility_w" in machine(i).facts])
def test_facility_power_is_that_of_the_machine_within_a_half(id: str) -> None:
    """The facility's figure and the sum of nameplates are two sources: they must tell one story."""
    found = machine(id)
    assert power_w(found) * found.site.pue == pytest.approx(float(found.facts["facility_w"].value), rel=0.5)


def test_wider_levels_are_not_faster_than_the_ones_inside() -> None:
    for found in map(machine, machine_ids()):
        rates = [level.bytes_per_s for level in found.levels]
        assert rates == sorted(rates, reverse=True), found.id


def test_every_kind_of_network_is_there() -> None:
    fabrics = {id: machine(id).fabric.lower() for id in machine_ids()}
    for word in ("rail-optimised", "clos", "dragonfly", "3d torus", "ocs", "ub scale-up"):
        assert any(word in text for text in fabrics.values()), word
    meta = machine("meta-roce-24k").levels
    assert meta[1].bytes_per_s == pytest.approx(7 * meta[2].bytes_per_s)  # 7:1 above the pods
    torus = machine("tpu-v4-pod").scale_up
    assert torus.topology == "torus"
    assert torus.dims == (16, 16, 16)
    assert machine("cloudmatrix384").scale_up.chips == 384  # a supernode
    sites = machine("five-eagles").levels
    assert [level.name for level in sites[1:]] == ["site", "wide-area"]
    assert sites[1].chips == 14_400


def test_torus_axes_multiply_to_the_pod() -> None:
    tori = [found.scale_up for found in map(machine, machine_ids()) if found.scale_up.topology == "torus"]
    assert len(tori) >= 10
    assert all(math.prod(level.dims) == level.chips for level in tori)


def test_what_is_announced_is_kept_out_of_the_defaults() -> None:
    announced = {id for id in machine_ids() if not machine(id).shipping}
    assert announced.isdisjoint(shipping_machine_ids())
    assert announced | set(shipping_machine_ids()) == set(machine_ids())
    assert {"stargate", "colossus-300k-b200", "atlas950", "tpu-8t-pod", "vera-rubin-nvl72"} <= announced
    parts = {id for id in chip_ids() if not chip(id).shipping}
    assert parts == {"ascend-950dt", "b100-sxm", "mi455x", "rubin", "tpu-8i", "tpu-8t"}
    assert all(machine(id).chip.shipping for id in shipping_machine_ids())


@pytest.mark.parametrize("id", machine_ids())
def test_any_part_of_a_machine_may_be_taken(id: str) -> None:
    whole = machine(id)
    for chips in {1, (whole.chips + 1) // 2, whole.chips}:
        part = find_machine(id, chips)
        assert part.chips == chips
        assert part.levels == whole.levels
        assert part.chip == whole.chip
    for chips in (0, -1, whole.chips + 1):
        with pytest.raises(InputError, match=f"chips = {chips} is not in 1..{whole.chips}"):
            find_machine(id, chips)


def test_published_sums_come_out() -> None:
    def peak(id: str, dtype: str) -> float:
        return machine(id).chips * machine(id).chip.peak_flop_per_s(dtype)

    assert peak("gb200-nvl72", "fp4") == pytest.approx(0.72e18, rel=1e-3)
    assert peak("gb200-nvl72", "fp8") == pytest.approx(0.36e18, rel=1e-3)
    assert peak("ironwood-pod", "fp8") == pytest.approx(42.5e18, rel=1e-3)
    assert peak("tpu-v5p-pod", "bf16") == pytest.approx(4.11e18, rel=2e-3)
    assert peak("dojo-exapod", "bf16") == pytest.approx(1.09e18, rel=5e-3)
    assert peak("cloudmatrix384", "bf16") == pytest.approx(299.5e15, rel=1e-3)
    assert peak("five-eagles", "bf16") == pytest.approx(71.2e18, rel=1e-3)
    eagle = machine("eagle")
    hpl = float(eagle.facts["hpl_rmax_flop_per_s"].value)
    assert hpl / eagle.chips == pytest.approx(38.97e12, rel=1e-3)
    assert hpl / float(eagle.facts["hpl_rpeak_flop_per_s"].value) == pytest.approx(0.663, abs=1e-3)
