"""The error that a plan shows beside its step time is one that was measured on rows left out."""

from __future__ import annotations

import dataclasses

import pytest

from gigawatt.perf.stacks import stack
from gigawatt.study.band import Band, band_of, residuals
from gigawatt.study.scenario import Scenario
from tests.study.questions import one


def scenario(software: str) -> Scenario:
    """Return one question on Hopper chips, run by a named stack."""
    return dataclasses.replace(one({"tp": 8, "pp": 4}).scenario, stack=stack(software))


def test_a_measured_stack_shows_the_error_of_its_own_rows() -> None:
    stored = residuals("residuals.toml")["both"]["megatron-core-2024/hopper"]
    band = band_of(scenario("megatron-core-2024"))
    assert (band.rows, band.p50, band.p90) == (stored["rows"], stored["p50"], stored["p90"])
    assert "megatron-core-2024" in band.like


@pytest.mark.parametrize("software", ["habana", "internevo"])
def test_a_stack_not_measured_on_the_chip_is_never_said_to_be_more_certain_than_new_software(
    software: str,
) -> None:
    band: Band = band_of(scenario(software))
    others = residuals("source_residuals.toml")["all"]
    assert band.p90 >= others["p90"]
    assert software not in band.like


def test_new_software_is_predicted_worse_than_a_new_model() -> None:
    models, sources = residuals("residuals.toml")["all"], residuals("source_residuals.toml")["all"]
    assert sources["p50"] > models["p50"]
    assert sources["p90"] > models["p90"]
