"""Studies: a row of a column is the plan of that scenario, and the same rows come whoever computes them."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import numpy as np
import pytest

from gigawatt.errors import InputError, NothingFeasibleError
from gigawatt.perf import memory_use, step_time
from gigawatt.study import plan, run_study
from gigawatt.study.given import given_layout
from gigawatt.study.run import DAY_S, run_of, use_of
from gigawatt.study.scenario import scenario
from gigawatt.study.sweep.design import uniforms
from gigawatt.study.sweep.draws import Z90
from gigawatt.study.sweep.groups import with_values
from gigawatt.study.sweep.query import query
from gigawatt.study.sweep.sensitivity import sensitivity, sobol_indices, tornado
from gigawatt.study.sweep.study_file import Sweep
from gigawatt.study.sweep.summary import study_document
from tests.study.sweeps import BASE, DRAWS, PRICES, contents, study, table

OUTPUTS = [
    "days",
    "cost_usd",
    "cost_own_usd",
    "co2e_kg",
    "mfu",
    "goodput",
    "step_s",
    "memory_bytes",
    "loss_nats",
]


def grid(base: dict[str, Any], axes: dict[str, Any], **more: Any) -> dict[str, list[Any]]:
    return table(
        study({"base": {**BASE, **base}, "sets": {"grid": {"grid": axes}}, "outputs": OUTPUTS, **more})
    )


def one(row: int, found: dict[str, list[Any]]) -> dict[str, Any]:
    return {name: values[row] for name, values in found.items()}


def test_a_row_is_the_plan_of_its_scenario():
    """Layouts, chips and tokens by another path: the plan of one given layout."""
    axes = {"chips": [256, 512], "tokens": ["1T", "3T"], "layout.tp": [4, 8], "layout.pp": [1, 4, 8]}
    found = grid({"layout": {"recompute": "full", "zero": 3}}, axes)
    assert found["status"].count("fits") > 12
    for i in range(len(found["row"])):
        row = one(i, found)
        laid = {"tp": row["layout_tp"], "pp": row["layout_pp"], "recompute": "full", "zero": 3}
        try:
            p = plan("llama2-70b", on="eos", chips=row["chips"], tokens=row["tokens"], seq_tokens=4096,
                     batch_sequences=512, dtype="bf16", layout=laid)  # fmt: skip
        except NothingFeasibleError:
            assert (row["status"], row["days"]) == ("out of memory", None)
            continue
        told = {"days": p.run.wall_s / DAY_S, "cost_usd": p.run.rent_usd, "mfu": p.use.mfu,
                "cost_own_usd": p.run.own.total_usd, "co2e_kg": p.run.co2e_kg,
                "loss_nats": p.run.loss.loss_nats,
                "memory_bytes": p.memory.total_bytes, "step_s": p.step.total_s}  # fmt: skip
        assert {name: row[name] for name in told} == pytest.approx(told, rel=1e-12)


HARDWARE = {
    "machine.rent_usd_per_s": ("1.1 $/h", "5 $/h"),
    "machine.failures_per_chip_s": ("5e-6 /h", "5e-5 /h"),
    "machine.restart_s": ("1 min", "20 min"),
    "machine.storage_bytes_per_s": ("10 GB/s", "200 GB/s"),
    "machine.it_power_per_chip_w": ("900 W", "2 kW"),
    "site.pue": (1.05, 1.6),
    "site.usd_per_j": ("0.03 $/kWh", "0.2 $/kWh"),
    "site.kg_per_j": ("0.02 kg/kWh", "0.7 kg/kWh"),
    "chip.peak_flop_per_s": ("500 TFLOP/s", "2000 TFLOP/s"),
    "chip.hbm_bytes": ("70 GB", "200 GB"),
    "chip.hbm_bytes_per_s": ("1 TB/s", "8 TB/s"),
    "scale_up.bytes_per_s": ("100 GB/s", "900 GB/s"),
    "scale_up.latency_s": ("0.5 us", "5 us"),
    "network.bytes_per_s": ("10 GB/s", "100 GB/s"),
    "network.latency_s": ("2 us", "20 us"),
    "stack.tp_overlap": (0.0, 0.9),
    "stack.jitter": (0.0, 0.02),
    "tokens": ("300B", "30T"),
}


@pytest.mark.parametrize("where", ["eos", "rainier"])  # the second has a class of narrow links
def test_every_field_as_a_column_is_the_same_field_one_by_one(where):
    """The oracle prices each row alone, from records with plain numbers, by the formulas of a plan."""
    draws = {name: {"uniform": list(ends)} for name, ends in HARDWARE.items()}
    base = {**BASE, "on": where, "layout": {"tp": 8, "pp": 4, "recompute": "full"}}
    asked = study({"base": base, "sets": {"s": {"draw": draws, "samples": 40}}, "outputs": OUTPUTS})
    found = table(asked)
    plain = scenario(
        "llama2-70b", on=where, chips=512, tokens=1e12, seq_tokens=4096, batch_sequences=512, dtype="bf16"
    )
    for i in range(40):
        row = one(i, found)
        own = with_values(plain, {name: row[name.replace(".", "_")] for name in HARDWARE})
        layout, strategy = given_layout(own, {"tp": 8, "pp": 4, "recompute": "full"})
        step = step_time(own.job, layout, machine=own.machine, strategy=strategy, stack=own.stack)
        run, use = run_of(own, step), use_of(own, step)
        memory = memory_use(own.job, layout, strategy=strategy, stack=own.stack)
        assert (row["status"] == "fits") == (memory.total_bytes <= own.machine.chip.hbm_bytes)
        told = {"days": run.wall_s / DAY_S, "cost_usd": run.rent_usd, "cost_own_usd": run.own.total_usd,
                "co2e_kg": run.co2e_kg, "mfu": use.mfu, "step_s": step.total_s}  # fmt: skip
        told = {n: value for n, value in told.items() if not math.isnan(value)}  # no capex of Trainium2
        if row["status"] == "fits":
            assert {name: row[name] for name in told} == pytest.approx(told, rel=1e-9)


def test_a_step_ratio_stretches_the_step_and_nothing_else():
    found = grid({}, {"step_ratio": [1, 2]})
    assert found["step_s"][1] == pytest.approx(2 * found["step_s"][0])
    assert found["mfu"][1] == pytest.approx(found["mfu"][0] / 2)
    assert found["memory_bytes"][1] == found["memory_bytes"][0]


def test_without_a_layout_each_group_has_the_best_one(tmp_path):
    base = {k: v for k, v in BASE.items() if k != "layout"} | {
        "fixed": {"schedule": "1f1b", "zero": 1, "tp": 8}
    }
    rows = {"base": base, "sets": {"s": {"grid": {"chips": [256, 512]}}}, "outputs": ["step_s"]}
    file = tmp_path / "best.yaml"
    file.write_text(json.dumps(rows))
    run_study(file, folder=tmp_path / "out", workers=1)
    told = query(tmp_path / "out", "select chips, step_s from s order by chips")["rows"]
    for chips, step_s in told:
        p = plan("llama2-70b", on="eos", chips=chips, tokens=1e12, seq_tokens=4096, batch_sequences=512,
                 dtype="bf16", fixed=base["fixed"])  # fmt: skip
        assert step_s == pytest.approx(float(p.step.total_s))


def test_a_model_by_its_shape_is_that_model():
    shape = {"layers": 80, "hidden": 8192, "heads": 64, "kv_heads": 8, "ffn_hidden": 28672, "vocab": 32000}
    named, shaped = grid({}, {"tokens": ["1T"]}), grid({"model": shape}, {"tokens": ["1T"]})
    assert shaped["step_s"] == pytest.approx(named["step_s"], rel=1e-3)
    deeper = grid({"model": {k: v for k, v in shape.items() if k != "layers"}}, {"model.layers": [40, 80]})
    assert deeper["step_s"][0] == pytest.approx(deeper["step_s"][1] / 2, rel=0.1)


def test_rows_do_not_depend_on_how_they_are_cut():
    whole, cut = table(study(PRICES)), table(study({**PRICES, "part_rows": 333}))
    assert whole == cut


def test_another_seed_gives_other_draws_and_the_same_grid():
    first, second = table(study(PRICES)), table(study({**PRICES, "seed": 6}))
    assert first["tokens"] == second["tokens"]
    assert first["machine_rent_usd_per_s"] != second["machine_rent_usd_per_s"]


@pytest.mark.parametrize("method", ["random", "sobol"])
def test_uniform_numbers_are_uniform_and_the_same_wherever_a_range_begins(method):
    draw = dict.fromkeys("abc")
    sweep = Sweep(name="s", grid={}, draw=draw, samples=2**14, method=method)  # type: ignore[arg-type]
    rows = np.arange(2**14)
    u = uniforms(sweep, rows, seed=1)
    assert np.array_equal(u[5000:9000], uniforms(sweep, rows[5000:9000], seed=1))
    quarters = np.stack([np.histogram(column, bins=4, range=(0, 1))[0] for column in u.T])
    spread = {"random": 5 * math.sqrt(2**14 * 0.25 * 0.75), "sobol": 1.0}[method]  # 5 sigma; balanced
    assert abs(quarters - 2**12).max() <= spread


def test_every_grid_point_has_the_same_draws():
    found = table(study(PRICES))
    rents = np.reshape(found["machine_rent_usd_per_s"], (4, 1024))
    assert (rents == rents[0]).all()


def test_draws_have_the_quantiles_that_the_file_says():
    rows = {**PRICES, "sets": {"s": {"draw": DRAWS, "samples": 2**14, "method": "sobol"}}, "part_rows": 2**14}
    found = table(study(rows))
    failures = np.array(found["machine_failures_per_chip_s"])
    assert np.quantile(failures, 0.9) / np.median(failures) == pytest.approx(1.7, rel=0.01)
    rent = np.array(found["machine_rent_usd_per_s"]) * 3600
    below = (2.35 - 1.5) / (4 - 1.5)  # of a triangle, left of its top
    assert np.mean(rent < 2.35) == pytest.approx(below, abs=0.005)
    restart = np.array(found["machine_restart_s"])
    assert 60 <= restart.min() < 120
    assert 840 < restart.max() <= 900


def test_a_band_is_as_wide_as_the_measured_errors():
    from gigawatt.study.band import band_of

    rows = {
        **PRICES,
        "sets": {"s": {"draw": {"step_ratio": {"band": True}}, "samples": 2**14, "method": "sobol"}},
    }
    ratio = np.array(table(study(rows))["step_ratio"])
    asked = scenario("llama2-70b", on="eos", chips=512, tokens=1e12, batch_sequences=512, seq_tokens=4096)
    p90 = band_of(dataclasses.replace(asked)).p90
    within = np.mean(np.abs(np.log(ratio)) <= math.log(1 + p90))
    assert within == pytest.approx(0.9, abs=0.005)
    assert np.median(ratio) == pytest.approx(1.0, abs=0.002)
    assert pytest.approx(1.2816, abs=1e-3) == Z90


def test_sobol_indices_of_ishigami_are_the_known_ones():
    """An independent truth: Ishigami & Homma 1990, a = 7, b = 0.1."""
    sweep = Sweep(name="s", grid={}, draw=dict.fromkeys("abc"), samples=2**13, method="saltelli")  # type: ignore[arg-type]
    x = (2 * uniforms(sweep, np.arange(sweep.rows), seed=0) - 1) * math.pi
    y = np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    found = sobol_indices(y, 3)
    assert [s["first"] for s in found] == pytest.approx([0.3139, 0.4424, 0.0], abs=0.02)
    assert [s["total"] for s in found] == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.02)
    assert all(s["total_low"] <= s["total"] <= s["total_high"] for s in found)


def test_a_tornado_moves_one_draw_at_a_time():
    sweep = Sweep(name="s", grid={}, draw=dict.fromkeys("ab"), samples=0, method="tornado")  # type: ignore[arg-type]
    rows = uniforms(sweep, np.arange(5), seed=0)
    assert rows.tolist() == [[0.5, 0.5], [0.1, 0.5], [0.9, 0.5], [0.5, 0.1], [0.5, 0.9]]
    assert tornado(rows @ [1.0, 10.0])[1][1] == pytest.approx({"at_p10": 1.5, "at_p90": 9.5})


def test_workers_interrupts_and_order_do_not_change_a_byte(tmp_path):
    file = tmp_path / "prices.yaml"
    file.write_text(json.dumps(PRICES))
    one_worker = run_study(file, folder=tmp_path / "one", workers=1)

    class Stop(Exception):
        pass

    seen = []

    def stop(part):
        seen.append(part)
        if len(seen) == 3:
            raise Stop

    with pytest.raises(Stop):
        run_study(file, folder=tmp_path / "two", workers=1, done=stop)
    kept = contents(tmp_path / "two")
    two = run_study(file, folder=tmp_path / "two", workers=2)
    assert (one_worker.parts, one_worker.kept, two.kept) == (9, 0, 3)
    assert kept.items() <= contents(tmp_path / "two").items()
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    document = study_document(tmp_path / "two")
    point = document["result"]["sets"][0]["points"][0]
    assert (document["status"], point["rows"], point["fit"]) == ("ok", 1024, 1024)
    assert (
        point["quantiles"]["days"]["p10"]
        < point["quantiles"]["days"]["p50"]
        < point["quantiles"]["days"]["p90"]
    )


def test_a_folder_of_another_study_is_refused(tmp_path):
    file = tmp_path / "prices.yaml"
    small = {**PRICES, "sets": {"s": {"grid": {"tokens": ["1T", "2T"]}}}}
    file.write_text(json.dumps(small))
    run_study(file, folder=tmp_path / "out", workers=1)
    file.write_text(json.dumps({**small, "seed": 9}))
    with pytest.raises(InputError, match="holds another study"):
        run_study(file, folder=tmp_path / "out", workers=1)


def test_what_a_rent_does_to_a_rented_cost_is_all_and_to_days_nothing(tmp_path):
    file = tmp_path / "s.yaml"
    draw = {
        "machine.rent_usd_per_s": {"uniform": ["1 $/h", "3 $/h"]},
        "machine.restart_s": {"published": True},
    }
    rows = {**PRICES, "sets": {"s": {"draw": draw, "samples": 256, "method": "saltelli"}}}
    file.write_text(json.dumps(rows))
    run_study(file, folder=tmp_path / "out", workers=1)
    cost = sensitivity(tmp_path / "out", output="cost_usd")["points"][0]["inputs"]
    assert cost[0]["input"] == "machine.rent_usd_per_s"
    assert cost[0]["total"] > 0.95
    days = sensitivity(tmp_path / "out", output="days")["points"][0]["inputs"]
    assert {row["input"]: round(row["total"], 2) for row in days}["machine.rent_usd_per_s"] == 0
    with pytest.raises(InputError, match="output = 'loss'"):
        sensitivity(tmp_path / "out", output="loss")
