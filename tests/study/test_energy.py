"""Energy at equal work: each row is its plan, its factors make the ratio, the datasheet stands beside."""

from __future__ import annotations

import json
import math
from typing import Any

import jsonschema
import pytest

from gigawatt.catalog import machine
from gigawatt.errors import InputError, NothingFeasibleError
from gigawatt.study import Energy, energy, energy_document, plan, schema
from gigawatt.study.compare import meter_w
from gigawatt.study.energy import FACTORS, ON, power_basis, power_fact, power_range
from gigawatt.study.energy_chart import energy_chart
from gigawatt.workload.flop import model_flop_per_token

JOB: dict[str, Any] = {
    "tokens": 1e12,
    "seq_tokens": 4096,
    "batch_sequences": 512,
    "fixed": {"schedule": "1f1b"},
}
THREE = ("superpod-h100", "superpod-gb200", "ironwood-pod")


def asked(*machines: str, **more: Any) -> Energy:
    return energy("llama2-13b", on=machines or THREE, **{**JOB, **more})


def test_each_row_is_the_plan_of_that_machine_and_the_least_energy_comes_first():
    found = asked(equal="nothing")
    for row in found.rows:
        alone = plan("llama2-13b", on=row.plan.scenario.machine.id, dtype="bf16", **JOB)
        assert row.token_j == pytest.approx(alone.run.facility_energy_j / 1e12)
    assert [row.token_j for row in found.rows] == sorted(row.token_j for row in found.rows)


@pytest.mark.parametrize("equal", ["chips", "power", "nothing"])
def test_the_factors_multiply_to_the_ratio_of_joules(equal):
    for row in asked(dtypes=("bf16", "fp8"), equal=equal).rows:
        assert set(row.factors) == set(FACTORS)
        assert math.prod(row.factors.values()) == pytest.approx(row.energy_ratio, rel=1e-9)


def test_joules_a_token_are_flop_over_what_a_watt_gives():
    """An independent way: flop of a token / (peak x MFU x goodput), times watts at the meter of a chip."""
    for row in asked().rows:
        p = row.plan
        flop = float(model_flop_per_token(p.scenario.model, 4096))
        rate = p.scenario.machine.chip.peak_flop_per_s("bf16") * p.use.mfu * float(p.run.lost.useful)
        drawn = p.run.facility_energy_j / p.run.chip_s
        assert row.token_j == pytest.approx(flop / rate * drawn, rel=1e-9)


def test_no_token_takes_less_than_its_flop_at_the_datasheets_peak_and_idle_draw():
    for row in asked(dtypes=("bf16", "fp8")).rows:
        p, on = row.plan, row.plan.scenario.machine
        peak = on.chip.peak_flop_per_s(p.scenario.job.dtype)
        ideal_s = float(model_flop_per_token(p.scenario.model, 4096)) / peak
        least_w = 0.35 * float(power_fact(on).low or power_fact(on).value)
        assert ideal_s * least_w < row.low_j < row.token_j < row.high_j


def test_the_baseline_stands_at_one_in_everything():
    base = asked(against="superpod-gb200").baseline
    assert base.plan.scenario.machine.id == "superpod-gb200"
    assert {base.energy_ratio, base.speed_ratio, base.sheet_ratio, *base.factors.values()} == {1.0}


def test_swapping_the_baseline_turns_every_ratio_over():
    one, other = asked(*THREE[:2]), asked(*THREE[:2], against=THREE[1])
    ratio = {row.plan.scenario.machine.id: row.energy_ratio for row in one.rows}[THREE[1]]
    back = {row.plan.scenario.machine.id: row.energy_ratio for row in other.rows}[THREE[0]]
    assert ratio * back == pytest.approx(1.0)


def test_equal_chips_are_equal():
    assert len({row.plan.scenario.machine.chips for row in asked(amount=64).rows}) == 1


def test_a_copy_of_a_machine_with_half_the_power_takes_half_the_energy(tmp_path):
    for name, watts in (("a", 1200), ("b", 600)):
        text = f"chip: h100-sxm\nchips: 64\nnetwork: 400 Gbit/s\nfacts: {{it_power_per_chip_w: {watts} W}}\n"
        (tmp_path / f"{name}.yaml").write_text(text)
    found = asked(str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml"))
    assert [row.energy_ratio for row in found.rows] == pytest.approx([2.0, 1.0])
    assert found.rows[0].factors["system"] == pytest.approx(2.0)


def test_a_chip_without_a_format_is_left_out_of_that_format_alone_and_told_why():
    found = asked("superpod-h100", "superpod-a100", dtypes=("bf16", "fp8"))
    rows = {(row.plan.scenario.machine.id, row.plan.scenario.job.dtype) for row in found.rows}
    assert rows == {("superpod-h100", "bf16"), ("superpod-h100", "fp8"), ("superpod-a100", "bf16")}
    (left,) = found.refusals
    assert left.machine == "superpod-a100"
    assert "no fp8 rate is known for 'a100-sxm'" in left.why


def test_a_baseline_that_cannot_be_planned_is_an_error_that_says_why():
    with pytest.raises(NothingFeasibleError, match="'superpod-a100' cannot be the baseline: no fp8"):
        asked("superpod-h100", "superpod-a100", against="superpod-a100", dtypes=("fp8",))


def test_estimated_power_is_marked_and_its_range_is_in_the_band():
    ironwood, h100 = machine("ironwood-pod"), machine("superpod-h100")
    assert power_basis(ironwood) == "assumed"
    low, high = power_range(power_fact(ironwood))
    assert (low, high) == pytest.approx((1.4 / 1.8, 2.05 / 1.8))
    assert power_range(power_fact(h100)) == (1.0, 1.0)
    document = energy_document(asked())
    assert {w["machine"] for w in document["warnings"] if w["code"] == "power_estimated"} == {"ironwood-pod"}


def test_a_whole_job_in_4_bit_saves_less_than_the_datasheets_peaks_say():
    found = asked(dtypes=("bf16", "nvfp4"), amount=64)
    row = next(r for r in found.rows if r.plan.scenario.job.dtype == "nvfp4")
    assert 1.0 < row.energy_ratio < row.sheet_ratio


def test_h100_at_the_meter_is_within_what_sites_report():
    """Site power a GPU: 1.43 kW (the source's default) to 1.81 kW (Colossus 1: 181 MW of 100,000)."""
    assert 1427.0 < meter_w(machine("eagle")) < 1810.0


def test_what_a_trainium2_site_reports_is_within_the_range():
    """478 MW of about 500,000 chips at New Carlisle."""
    low, high = power_range(power_fact(machine("rainier")))
    assert low < 956.0 / meter_w(machine("rainier")) < high


def test_the_mean_draw_of_a_published_run_is_met_within_a_fifth():
    """Apertus 70B, arXiv:2509.14233 sec. 6.2: about 5 GWh in 90 days of 4,096 GH200, 565 W each."""
    words = {"tokens": 15e12, "seq_tokens": 4096, "batch_tokens": 16.8e6}
    run = plan("llama3.1-70b", on="alps", chips=4096, **words).run
    assert run.facility_energy_j / run.chip_s == pytest.approx(5e9 / (90 * 24 * 4096), rel=0.2)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"dtypes": ()}, "names no format"),
        ({"dtypes": ("bf17",)}, "dtype = 'bf17'"),
        ({"dtypes": ("bf16", "bf16")}, "twice"),
        ({"equal": "size"}, "equal = 'size'"),
        ({"against": "eos"}, "against = 'eos'"),
        ({"amount": "-1"}, "not above 0"),
        ({"equal": "nothing", "amount": "4"}, "--equal"),
        ({"by": "speed"}, "by = 'speed'"),
    ],
)
def test_bad_words_are_refused_in_one_sentence(more, words):
    with pytest.raises(InputError, match=words):
        asked(**more)


def test_the_eight_that_are_meant_are_planned_by_default():
    found = energy(tokens=15e12)
    assert {row.plan.scenario.machine.id for row in found.rows} == set(ON)
    assert found.refusals == ()


def test_the_document_keeps_its_schema_and_a_sentence_for_all_but_the_baseline():
    document = json.loads(json.dumps(energy_document(asked(dtypes=("bf16", "fp8"))), allow_nan=False))
    jsonschema.validate(document, json.loads(schema("energy")), jsonschema.Draft202012Validator)
    assert len(document["result"]["why"]) == len(document["result"]["rows"]) - 1
    del document["result"]["sheet"]
    with pytest.raises(jsonschema.ValidationError, match="sheet"):
        jsonschema.validate(document, json.loads(schema("energy")), jsonschema.Draft202012Validator)


def test_the_picture_has_a_bar_for_each_row_and_both_ratios():
    document = energy_document(asked())
    chart = energy_chart(document)
    assert len(chart["data"]["values"]) == len(document["result"]["rows"])
    assert len(chart["hconcat"][1]["data"]["values"]) == 2 * len(document["result"]["rows"])
