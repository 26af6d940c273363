"""What a failure stops: the whole job, or one replica group, as the machine's record says."""

from __future__ import annotations

import pytest

from gigawatt.catalog.machines import load_machine_file, machine, machine_ids
from gigawatt.errors import FileFormatError
from gigawatt.study import plan
from gigawatt.study.machine_page.page import goodputs

GROUPS = {"tp": 8, "pp": 8, "dp_replicate": 8, "zero": 1, "mbs": 1}
MACHINE = """
chip: h100-sxm
chips: 262144
chips_per_node: 8
network: 400 Gbit/s
facts: {recovery: %s, restart_s: 10 min, failures_per_chip_s: 19.73e-6 /h}
"""


def planned(folder, recovery, **layout):
    file = folder / f"{recovery}.yaml"
    file.write_text(MACHINE % recovery, encoding="utf-8")
    asked = {"tokens": 1e12, "batch_sequences": 8192, "layout": {**GROUPS, **layout}}
    return plan("llama3.1-70b", on=str(file), chips=65_536, **asked)


def test_a_job_of_groups_loses_less_where_one_of_them_stops_alone(tmp_path):
    whole, part = (planned(tmp_path, word) for word in ("restart", "replica"))
    assert whole.step == part.step
    assert float(part.run.lost.useful) > float(whole.run.lost.useful)
    assert part.run.useful_s == whole.run.useful_s
    ways = goodputs(whole)
    assert ways["restart"] == pytest.approx(float(whole.run.lost.useful))
    assert ways["replica"] == pytest.approx(float(part.run.lost.useful))


def test_a_job_of_one_group_restarts_as_a_whole_on_any_machine(tmp_path):
    whole, part = (planned(tmp_path, word, dp_replicate=1) for word in ("restart", "replica"))
    assert float(part.run.lost.useful) == float(whole.run.lost.useful)
    assert goodputs(part)["replica"] is None


def test_where_failures_eat_the_time_the_plan_says_that_it_is_in_doubt(tmp_path):
    file = tmp_path / "m.yaml"
    file.write_text(MACHINE % "restart", encoding="utf-8")
    asked = {"tokens": 1e12, "batch_sequences": 8192, "top": 1}
    few = plan("llama3.1-70b", on=str(file), chips=1024, **asked).document()
    many = plan("llama3.1-70b", on=str(file), chips=262_144, **asked).document()
    codes = [{w["code"] for w in found["warnings"]} for found in (few, many)]
    assert "failures_in_doubt" not in codes[0]
    assert "failures_in_doubt" in codes[1]


def test_only_machines_that_could_not_be_restarted_recover_by_replica():
    """A restart of the whole machine would take longer than the time between failures, or nearly so."""
    for id in machine_ids():
        found = machine(id)
        fact = found.facts.get("recovery")
        rate = float(found.facts["failures_per_chip_s"].value) * found.chips
        ratio = rate * float(found.facts["restart_s"].value)
        assert (fact is not None) == (ratio > 0.6), (id, ratio)
        assert fact is None or (fact.kind == "assumed" and "regroup_s" in found.facts)


def test_another_word_for_recovery_is_refused_with_the_words_that_are_known(tmp_path):
    file = tmp_path / "m.yaml"
    file.write_text(MACHINE % "elastic", encoding="utf-8")
    with pytest.raises(FileFormatError, match=r"facts.recovery = 'elastic' is not one of: restart, replica"):
        load_machine_file(file)
