"""Build-outs: the named ones say what their sources say, dates are dates, and jobs are done when they are."""

from __future__ import annotations

import datetime
import json
import math
from functools import lru_cache
from typing import Any

import jsonschema
import numpy as np
import pytest

from gigawatt.catalog import machine
from gigawatt.errors import FileFormatError, InputError
from gigawatt.study import Growth, growth, growth_document, growth_names, plan, schema
from gigawatt.study.growth import growth_of_file
from gigawatt.study.growth_chart import growth_chart
from gigawatt.study.growth_file import find_growth, growth_of

POD: dict[str, Any] = {"machine": "superpod-h100", "date": "2024-05-01"}
STATED = {"mfu": 0.4, "goodput": 0.9}


@lru_cache
def named(name: str) -> Growth:
    return growth(name)


def built(*deliveries: dict[str, Any], **more: Any) -> Growth:
    rows = {"work": STATED, "jobs": [], "deliveries": list(deliveries), **more}
    return growth_of_file(growth_of(rows, where="case.yaml"))


def at(found: Growth, month: str) -> int:
    return [f"{m:%Y-%m}" for m in found.months].index(month)


def test_five_eagles_a_month_are_72_000_cards_and_2_8_exaflop_of_hpl():
    """The sentence of May 2024; the HPL rate is modelled, and within 8 % as the model is of Eagle's."""
    found = growth("five-eagles")
    assert found.totals.chips[:12] == pytest.approx(72_000 * np.arange(1, 13))
    assert np.diff(found.hpl_flop_per_s)[0] == pytest.approx(5 * 561.2e15, rel=0.08)
    assert found.peak_flop_per_s["bf16"][0] == pytest.approx(72_000 * 989e12, rel=1e-3)


@pytest.mark.parametrize(
    ("month", "cards", "megawatts", "paid"),
    [
        ("2024-08", 25_000, 45, None),
        ("2024-09", 100_000, 181, 4.7e9),
        ("2025-02", 200_000, 361, None),
        ("2025-07", 230_000, 442, None),
        ("2025-10", 340_000, 442 + 299, 11.5e9 + 8.8e9),
        ("2026-05", 780_000, 442 + 1494, 11.5e9 + 44.0e9),
    ],
)
def test_colossus_has_the_cards_power_and_cost_of_its_timeline(month, cards, megawatts, paid):
    found = named("colossus")
    i = at(found, month)
    assert found.totals.chips[i] == cards
    assert found.totals.facility_w[i] == pytest.approx(megawatts * 1e6)
    if paid is not None:
        assert np.sum(found.totals.capital_usd[: i + 1]) == pytest.approx(paid, rel=1e-9)


@pytest.mark.parametrize(
    ("month", "megawatts"),
    [("2025-06", 147), ("2025-09", 295), ("2026-04", 590), ("2026-07", 1180), ("2027-03", 2121)],
)
def test_abilene_has_the_power_of_its_timeline_and_in_the_end_its_cost(month, megawatts):
    found = named("stargate-abilene")
    assert found.totals.facility_w[at(found, month)] == pytest.approx(megawatts * 1e6)
    assert np.sum(found.totals.capital_usd) == pytest.approx(58.03e9, rel=1e-6)


@pytest.mark.parametrize("name", growth_names())
def test_every_line_of_a_named_build_out_has_a_source_and_says_where(name):
    for delivery in find_growth(name).deliveries:
        assert delivery.source != "user"
        assert delivery.where


def test_the_fleet_that_trained_llama_3_would_do_it_in_the_days_of_its_plan():
    """One machine alone, from its first day: the same date as the plan's wall time."""
    rows = {
        "deliveries": [{"machine": "meta-llama3-16k", "date": "2024-01-01"}],
        "work": {"model": "llama2-7b"},
        "jobs": [{"model": "llama3.1-405b", "tokens": "15.6T"}],
    }
    (done,) = growth_of_file(growth_of(rows, where="case.yaml")).jobs
    days = plan("llama3.1-405b", on="meta-llama3-16k", tokens=15.6e12).run.wall_s / 86400.0
    assert done.alone == done.together == datetime.date(2024, 1, 1) + datetime.timedelta(days=int(days))


def test_a_stated_use_is_cards_times_peak_times_that_use():
    found = built(POD)
    rate = 1016 * machine("superpod-h100").chip.peak_flop_per_s("bf16") * 0.4 * 0.9
    assert found.totals.useful_flop_per_s[0] == pytest.approx(rate)


def test_two_places_are_two_machines_for_a_job_that_stays_at_one():
    flop = {"jobs": [{"flop": "1e24 flop"}]}
    apart = built({**POD, "place": "a"}, {**POD, "place": "b"}, **flop).jobs[0]
    same = built({**POD, "place": "a"}, {**POD, "place": "a"}, **flop).jobs[0]
    assert apart.together == same.together == same.alone
    assert apart.alone > apart.together


def test_without_a_place_a_job_has_one_machine_of_those_that_come():
    many, one = ({"count": 5, **POD}, POD)
    flop = {"jobs": [{"flop": "1e24 flop"}]}
    assert built(many, **flop).jobs[0].alone == built(one, **flop).jobs[0].alone
    assert built(many, **flop).jobs[0].together < built(one, **flop).jobs[0].together


def test_a_job_that_is_never_done_says_so():
    done = built({**POD, "retire_after": "1 y"}, jobs=[{"flop": "1e30 flop"}]).jobs[0]
    assert (done.together, done.alone) == (None, None)


def test_cards_that_are_retired_are_gone_and_written_off():
    found = built({**POD, "retire_after": "1 y"}, until="2026-01")
    i = at(found, "2025-06")
    assert found.totals.chips[i] == 0
    assert found.totals.book_usd[i] == pytest.approx(0.0, abs=1.0)


def test_capital_is_paid_when_it_is_ordered_and_written_off_from_when_it_works():
    found = built({**POD, "date": "2024-09-01", "lead": "100 d"})
    assert f"{found.months[0]:%Y-%m}" == "2024-05"
    assert found.totals.capital_usd[0] > 0
    assert np.all(found.totals.written_off_usd[:4] == 0)
    assert found.totals.written_off_usd[4] > 0


def test_an_owners_year_costs_what_the_bill_of_the_plan_says():
    """Hardware of a year in service, from another formula of the package: straight line over five years."""
    found = built(POD, until="2025-04")
    price = machine("superpod-h100").facts["capex_usd_per_chip"].value * 1016
    off = found.totals.written_off_usd.sum()
    building = float(machine("superpod-h100").facts["facility_usd_per_w"].value) * found.totals.facility_w[0]
    assert off == pytest.approx((price / 5 + building / 15) * 365 / 365.25, rel=1e-9)
    assert found.totals.operations_usd.sum() == pytest.approx(0.08 * price * 365 / 365.25, rel=1e-9)


def test_dates_four_years_later_give_the_same_four_years_later():
    """1,461 days: the leap years fall alike."""
    here = built({**POD, "date": "2024-05-17", "lead": "40 d"}, {**POD, "date": "2025-01"})
    there = built({**POD, "date": "2028-05-17", "lead": "40 d"}, {**POD, "date": "2029-01"})
    for name in ("chips", "energy_j", "book_usd", "worked_flop"):
        assert getattr(here.totals, name) == pytest.approx(getattr(there.totals, name))
    assert there.months[0].year == here.months[0].year + 4


def test_half_as_busy_does_half_the_work_and_draws_less():
    full, half = built(POD), built(POD, busy="50 %")
    assert half.totals.worked_flop[-1] == pytest.approx(full.totals.worked_flop[-1] / 2)
    assert 0.5 < half.totals.energy_j[-1] / full.totals.energy_j[-1] < 1.0


def test_a_price_that_nobody_published_is_unknown_and_named():
    found = built({"machine": "ironwood-pod", "date": "2025-12"})
    assert math.isnan(found.totals.book_usd[-1])
    assert any("no price of a chip is known for 'ironwood-pod'" in text for text in found.warnings)
    month = growth_document(found)["result"]["months"][-1]
    assert month["capital_so_far_usd"] is None
    assert month["energy_usd"] > 0


def test_a_chip_without_fp64_is_left_out_of_the_hpl_sum_and_said_so():
    found = built(POD, {"machine": "ironwood-pod", "date": "2024-05"})
    assert found.hpl_flop_per_s[0] == pytest.approx(built(POD).hpl_flop_per_s[0])
    assert any("left out of the HPL sum" in text for text in found.warnings)


def test_a_machine_on_which_nothing_fits_gets_nothing_done_and_says_why():
    found = built({"machine": "google-l4", "date": "2024-05"}, work={"model": "llama3.1-405b"})
    assert found.totals.worked_flop[-1] == 0.0
    assert any("gets nothing done: " in text and "fit" in text for text in found.warnings)


def test_the_document_keeps_its_schema():
    rows = built(
        POD, {"machine": "ironwood-pod", "date": "2025-12", "place": "x"}, jobs=[{"flop": "1e25 flop"}]
    )
    document = json.loads(json.dumps(growth_document(rows), allow_nan=False))
    jsonschema.validate(document, json.loads(schema("growth")), jsonschema.Draft202012Validator)
    del document["result"]["months"][0]["book_usd"]
    with pytest.raises(jsonschema.ValidationError, match="book_usd"):
        jsonschema.validate(document, json.loads(schema("growth")), jsonschema.Draft202012Validator)


def test_the_picture_has_its_panels_and_a_line_for_each_job_in_reach():
    chart = growth_chart(growth_document(built(POD, jobs=[{"flop": "1e24 flop"}, {"flop": "1e35 flop"}])))
    assert len(chart["vconcat"]) == 3
    assert [row["flop"] for row in chart["vconcat"][2]["layer"][1]["data"]["values"]] == [1e24]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ({}, "deliveries is missing"),
        ({"deliveries": []}, "brings nothing"),
        ({"deliveries": [{"date": "2024-05"}]}, "neither a machine nor a chip"),
        ({"deliveries": [{**POD, "chip": "h100-sxm"}]}, "both a machine and a chip"),
        ({"deliveries": [{"chip": "h100-sxm", "date": "2024-05"}]}, "deliveries.0.chips is missing"),
        ({"deliveries": [{"machine": "eagle"}]}, "neither date nor from"),
        ({"deliveries": [{**POD, "from": "2024-05"}]}, "date and from"),
        ({"deliveries": [{"machine": "eagle", "from": "2024-05"}]}, "to is missing"),
        ({"deliveries": [{"machine": "eagle", "from": "2024-05", "to": "2024-04"}]}, "is before from"),
        ({"deliveries": [{"machine": "eagle", "from": "2024-05-31", "to": "2024-08"}]}, "the last is 28"),
        ({"deliveries": [{**POD, "date": 2024}]}, "did you mean 2024-01"),
        ({"deliveries": [{**POD, "date": "2024-02-30"}]}, "not a day of the calendar"),
        ({"deliveries": [{**POD, "date": "1066-10"}]}, "not in 1990 .. 2100"),
        ({"deliveries": [{**POD, "lead": "4 MW"}]}, "lead = '4 MW'"),
        ({"deliveries": [{**POD, "facility_power": "45"}]}, "facility_power = '45'"),
        ({"deliveries": [{**POD, "hardware_cost": "-1 B$"}]}, "hardware_cost = '-1 B$'"),
        ({"deliveries": [{**POD, "site": "abilene"}]}, "goes with chip"),
        ({"deliveries": [{**POD, "source": "hearsay"}]}, "'hearsay' is not known"),
        ({"deliveries": [{**POD, "facility": "1 W"}]}, "did you mean 'facility_power'"),
        ({"deliveries": [{**POD, "status": "maybe"}]}, "status = 'maybe'"),
        ({"deliveries": [POD], "jobs": [{"model": "llama2-7b"}]}, "tokens is missing"),
        ({"deliveries": [POD], "jobs": [{"name": "x"}]}, "takes a model with tokens, or flop"),
        ({"deliveries": [POD], "jobs": [{"flop": "1e26 W"}]}, "flop = '1e26 W'"),
        ({"deliveries": [POD], "work": {"mfu": 0.4}}, "work.goodput is missing"),
        ({"deliveries": [POD], "work": {"mfu": 40, "goodput": 1}}, "work.mfu = 40"),
        ({"deliveries": [POD], "busy": 2}, "busy = 2"),
        ({"deliveries": [POD], "until": "2023-05"}, "is before the first delivery"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_sentence(rows, words):
    with pytest.raises(FileFormatError) as told:
        growth_of(rows, where="case.yaml")
    assert words in str(told.value)
    assert "\n" not in str(told.value)
    assert str(told.value).startswith("case.yaml: ")


def test_a_wrong_field_of_a_file_is_told_with_its_line(tmp_path):
    (tmp_path / "g.yaml").write_text("deliveries:\n  - machine: eagle\n    date: 2024-13\n")
    with pytest.raises(FileFormatError, match=r"g\.yaml:3:5: deliveries\.0\.date = '2024-13'"):
        growth(str(tmp_path / "g.yaml"))


@pytest.mark.parametrize(
    ("name", "until", "words"),
    [
        ("six-eagles", None, "did you mean 'five-eagles'"),
        ("", None, "is not a name"),
        ("five-eagles", "2027", "is not a month"),
        ("five-eagles", "2020-01", "before the first delivery"),
        ("five-eagles", "2999-01", "the most is"),
        ("nowhere.yaml", None, "cannot be read"),
    ],
)
def test_bad_words_are_refused_in_one_sentence(name, until, words):
    with pytest.raises(InputError, match=words):
        growth(name, until=until)
