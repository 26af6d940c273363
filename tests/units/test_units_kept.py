"""Every formula of plain quantities answers the same in other units, and for one as for many."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, get_type_hints

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawatt.comms import busbw_bytes_per_s
from gigawatt.comms.collectives import filled_s
from gigawatt.cost import Prices, carbon_kg, own_usd, rent_usd
from gigawatt.perf.kernel_constants import EXAMPLE_LAW, KernelLaw
from gigawatt.perf.kernels import (
    attention_backward_s,
    attention_forward_s,
    attention_s,
    gemm_bound_s,
    gemm_s,
    grouped_gemm_s,
    memory_bound_s,
    useful_flop_fraction,
)
from gigawatt.perf.schedule import (
    MicrobatchTime,
    bubble_over_ideal,
    dualpipe_share,
    full_bubble,
    zero_bubble_share,
)
from gigawatt.power import energy_j, training_power_w
from gigawatt.reliability import (
    best_interval_s,
    daly_interval_s,
    ettr_first_order,
    lost_time,
    mtti_s,
    young_interval_s,
)
from gigawatt.scaling import (
    critical_batch_tokens,
    effective_params,
    effective_tokens,
    law,
    loss_nats,
    saturated_experts,
)
from gigawatt.units import Real, Seconds
from tests.units.rescale import call, call_in_other_units, hinted_unit, scale_of

EVERY_UNIT = ("s", "byte", "flop", "J", "USD", "kg")
# 2 flop a multiply-add, 2 bytes an element: such constants tie flop and bytes to counts; only time is free.
TIME_ONLY = ("s",)

REAL_LAW = dataclasses.replace(
    EXAMPLE_LAW, wave_loss=0.6, tile_half=4.0, k_half=128.0, kernel_floor_s=2.5e-6, keys_half=256.0
)
DIMS = {"qk_head_dim": 192.0, "v_head_dim": 128.0}
PRICES = Prices(
    capex_usd_per_chip=4e4,
    depreciation_s=1.3e8,
    facility_usd_per_w=10.0,
    facility_life_s=4.7e8,
    operations_per_year=0.08,
    capital_per_year=0.05,
)


@dataclass(frozen=True)
class Case:
    """One formula, the units in which it may be asked, and the arguments that are not drawn."""

    formula: Callable[..., Any]
    units: tuple[str, ...] = EVERY_UNIT
    given: dict[str, Any] = field(default_factory=dict)


CASES = (
    Case(filled_s, given={"fill": 0.7}),
    Case(busbw_bytes_per_s, given={"collective": "all_reduce"}),
    Case(training_power_w),
    Case(energy_j),
    Case(gemm_bound_s, given={"law": REAL_LAW}),
    Case(memory_bound_s, given={"law": REAL_LAW}),
    Case(gemm_s, TIME_ONLY, {"law": REAL_LAW, "bytes_per_input": 1.0, "bytes_per_output": 2.0}),
    Case(grouped_gemm_s, TIME_ONLY, {"law": REAL_LAW, "bytes_per_input": 1.0, "bytes_per_output": 2.0}),
    Case(useful_flop_fraction, TIME_ONLY, {"law": REAL_LAW}),
    Case(attention_s, TIME_ONLY, {"law": REAL_LAW, **DIMS, "flop_ratio": 2.5, "rate": 0.5}),
    Case(attention_forward_s, TIME_ONLY, {"law": REAL_LAW, **DIMS}),
    Case(attention_backward_s, TIME_ONLY, {"law": REAL_LAW, **DIMS}),
    Case(bubble_over_ideal),
    Case(full_bubble),
    Case(zero_bubble_share),
    Case(dualpipe_share),
    Case(mtti_s),
    Case(young_interval_s),
    Case(daly_interval_s),
    Case(best_interval_s),
    Case(ettr_first_order),
    Case(rent_usd),
    Case(own_usd, ("USD",), {"prices": dataclasses.replace(PRICES, facility_usd_per_w=0.0)}),
    Case(carbon_kg),
    Case(loss_nats, given={"by": law("hoffmann-2022")}),
    Case(effective_tokens),
    Case(effective_params),
    Case(saturated_experts),
    Case(critical_batch_tokens),
)
NAMES = [case.formula.__name__ for case in CASES]


def draw_arguments(case: Case, draw: Callable[[st.SearchStrategy[float]], Any]) -> dict[str, Any]:
    """Return the formula's arguments: the given ones, and a number or a record of numbers for each other."""
    hints = get_type_hints(case.formula, include_extras=True)
    hints.pop("return")
    number = st.floats(2.0, 1e6)
    arguments: dict[str, Any] = dict(case.given)
    for name, hint in hints.items():
        if name in arguments:
            continue
        if hint is MicrobatchTime:
            parts = {f.name: draw(number) for f in dataclasses.fields(MicrobatchTime)}
            arguments[name] = MicrobatchTime(**parts)
        else:
            arguments[name] = draw(number)
    return arguments


def answers(case: Case, found: Any) -> dict[str, tuple[str, Any]]:
    """Return each number of an answer with its unit."""
    if dataclasses.is_dataclass(found):
        hints = get_type_hints(type(found), include_extras=True)
        return {k: (hinted_unit(h) or "1", getattr(found, k)) for k, h in hints.items()}
    unit = hinted_unit(get_type_hints(case.formula, include_extras=True)["return"]) or "1"
    return {"answer": (unit, found)}


@pytest.mark.parametrize("case", CASES, ids=NAMES)
@given(data=st.data(), factor=st.sampled_from((1e-3, 60.0, 1e6)))
@settings(max_examples=8)
def test_a_formula_keeps_its_units(case: Case, data: st.DataObject, factor: float) -> None:
    arguments = draw_arguments(case, data.draw)
    for unit in case.units:
        scales = {unit: factor}
        old = answers(case, call(case.formula, arguments))
        new = answers(case, call_in_other_units(case.formula, arguments, scales))
        for name, (unit_of_answer, value) in old.items():
            expected = value * scale_of(unit_of_answer, scales)
            # 1 - 1e-9 of the best checkpoint interval is lost to digits near Lambert's branch point
            assert new[name][1] == pytest.approx(expected, rel=1e-7, abs=1e-12), (unit, name)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
@given(data=st.data())
@settings(max_examples=5)
def test_one_is_a_row_of_many(case: Case, data: st.DataObject) -> None:
    rows = [draw_arguments(case, data.draw) for _ in range(3)]
    columns = {name: _column([row[name] for row in rows]) for name in rows[0]}
    many = answers(case, call(case.formula, columns))
    for i, row in enumerate(rows):
        for name, (_, value) in answers(case, call(case.formula, row)).items():
            at = np.broadcast_to(many[name][1], (3,))[i]
            assert float(at) == pytest.approx(float(value), rel=1e-12, nan_ok=True), name


def _column(values: list[Any]) -> Any:
    if isinstance(values[0], MicrobatchTime):
        names = [f.name for f in dataclasses.fields(MicrobatchTime)]
        return MicrobatchTime(**{n: np.array([getattr(v, n) for v in values]) for n in names})
    return np.array(values) if isinstance(values[0], float) and len(set(values)) > 1 else values[0]


@given(factor=st.sampled_from((1e-3, 3600.0)), hours=st.floats(0.5, 1e4), checkpoint=st.floats(0.1, 3e3))
@settings(max_examples=30)
def test_lost_time_is_a_fraction_in_any_unit_of_time(factor: float, hours: float, checkpoint: float) -> None:
    asked = {"mtti_s": 3600.0 * hours, "checkpoint_s": checkpoint, "restart_s": 600.0}
    here = lost_time(**asked)
    there = lost_time(**{name: value * factor for name, value in asked.items()})
    for part in dataclasses.fields(here):
        assert getattr(there, part.name) == pytest.approx(getattr(here, part.name), abs=1e-9)


def mixed_up_s(latency_s: Seconds, stream_s: Seconds, *, fill: Real) -> Seconds:
    """Return a sum whose last term is no time."""
    return latency_s + stream_s + 2.0 * fill * (latency_s * stream_s) ** 0.4


def test_a_formula_that_mixes_units_up_is_caught() -> None:
    old = call(mixed_up_s, {"latency_s": 7.0, "stream_s": 9.0, "fill": 0.7})
    new = call_in_other_units(mixed_up_s, {"latency_s": 7.0, "stream_s": 9.0, "fill": 0.7}, {"s": 60.0})
    assert new != pytest.approx(60.0 * old, rel=0.01)


def test_every_kernel_law_field_is_named_or_typed_by_its_unit() -> None:
    hints = get_type_hints(KernelLaw, include_extras=True)
    rates = [name for name in hints if name.endswith("_s")]
    assert rates
    assert all(hinted_unit(hints[name]) for name in rates)
