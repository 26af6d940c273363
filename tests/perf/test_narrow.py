"""Eight bits: what they move between tensor-parallel ranks, and what slows products and attention in them."""

from __future__ import annotations

import pytest

from gigawatt.catalog.machines import find_machine
from gigawatt.catalog.models import find_model
from gigawatt.catalog.records import Stack
from gigawatt.perf import Job, Strategy, setting_of, stack
from gigawatt.perf.layer import attention_pass_s, cast_bytes, fused_bytes, product_s, tensor_comm_s
from gigawatt.perf.setting import Setting
from gigawatt.workload.shard import Shard, adapter_bytes, linear_product

BLOCK = find_model("llama2-70b").blocks[0]
SHARD = Shard(sequences=1, seq_tokens=4096, tp=8)
EOS = find_machine("eos")


def setting(*, frozen: bool = False, dtype: str = "fp8", **values: float) -> Setting:
    """Return the setting of a job on H100 chips with some values of the stack changed."""
    known = stack("modern")
    software = Stack(id="modern", name="", year=2024, values={**known.values, **values})
    job = Job(model=find_model("llama2-70b"), seq_tokens=4096, batch_sequences=1, dtype=dtype, frozen=frozen)
    return setting_of(job, machine=EOS, strategy=Strategy(), stack=software)


def test_operands_gathered_in_8_bits_save_a_quarter_of_what_is_sent() -> None:
    # an all-gather and a reduce-scatter of 16 bits; one of them halves: but for latency, 3/4 of the time
    wide, narrow = (float(tensor_comm_s(BLOCK, SHARD, setting(narrow_gather=n))) for n in (0.0, 1.0))
    assert 0.75 * wide <= narrow <= 0.85 * wide


@pytest.mark.parametrize("changed", [{"frozen": True}, {"dtype": "bf16"}])
def test_adapters_and_16_bit_jobs_gather_16_bits(changed: dict[str, object]) -> None:
    wide, narrow = (
        float(tensor_comm_s(BLOCK, SHARD, setting(narrow_gather=n, **changed))) for n in (0.0, 1.0)
    )
    assert narrow == wide


def test_a_scale_for_each_row_slows_8_bit_products_only() -> None:
    product = linear_product(BLOCK.mlp.linears[0], SHARD)
    for dtype, ratio in (("fp8", 2.0), ("bf16", 1.0)):
        plain, rows = (product_s(product, setting(dtype=dtype, row_scaled_rate=r)) for r in (1.0, 0.5))
        assert float(rows) == pytest.approx(ratio * float(plain))


def test_operands_of_frozen_weights_are_cast_without_their_transpose() -> None:
    # read 2 bytes, write 1 and, for a weight gradient, 1 more
    products = (linear_product(BLOCK.mlp.linears[0], SHARD),)
    trained, frozen = (float(cast_bytes(products, setting(frozen=f, cast_passes=1.0))) for f in (False, True))
    assert (trained, frozen) == (4096 * 8192 * 4, 4096 * 8192 * 3)


def test_attention_in_8_bits_takes_its_share_of_the_time() -> None:
    wide, narrow = (
        attention_pass_s(BLOCK, SHARD, setting(attention_8bit=r), backward=False)[0] for r in (1.0, 1.3)
    )
    assert float(narrow) == pytest.approx(float(wide) / 1.3)


def test_adapters_read_each_input_once_and_their_outputs_twice() -> None:
    # h = 8192, q, k and v together 10240: 2 bytes x (8192 + 2 x 10240 + 8192 + 2 x 8192) a token
    one = Shard(sequences=1, seq_tokens=1)
    assert float(adapter_bytes(BLOCK, one)) == 2 * (8192 + 2 * 10240 + 8192 + 2 * 8192)
    everywhere = 2 * (8192 + 2 * 57344 + 28672 + 2 * 8192)  # beside the feed-forward weights too
    for on, more in ((0.0, 0), (1.0, everywhere)):
        plain, frozen = (
            float(fused_bytes(BLOCK, one, setting=setting(frozen=f, adapter_passes=2.0, adapts_all=on)))
            for f in (False, True)
        )
        assert frozen - plain == pytest.approx(2 * (float(adapter_bytes(BLOCK, one)) + more))
