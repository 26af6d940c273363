"""Whatever a table of configurations holds, each row gets an answer or a status with a reason."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from gigawatt.errors import GigawattError
from gigawatt.study import predict, read_rows
from gigawatt.study.rows import CONFIGURATION

GOOD = dict.fromkeys(CONFIGURATION, "") | {
    "id": "r1", "year": "2023", "system": "cluster", "accelerator": "H100 SXM", "n_accel": "64",
    "accel_per_node": "8", "interconnect_inter_GBps_per_gpu": "50", "model_name": "llama2-7b",
    "seq_len": "4096", "global_batch_seqs": "512", "micro_batch": "1", "tp": "2", "pp": "1", "dp": "32",
    "recompute": "none", "precision": "bf16", "framework": "Megatron-Core", "zero_or_fsdp_stage": "ZeRO-1",
}  # fmt: skip
CELLS = (
    st.text(max_size=8)
    | st.integers(-(10**12), 10**12).map(str)
    | st.floats().map(str)
    | st.sampled_from(
        ("", "0", "1", "2", "8", "64", "nan", "1e400", "true", "full", "fp8", "A100", "ZeRO-3", "gpt")
    )
)


def names(error, file):
    """Check that an error starts with the file that it is about."""
    assert str(error).startswith(str(file))


def test_the_row_to_be_changed_is_good():
    (found,) = predict([GOOD])
    assert (found.status, found.reason) == ("ok", "")
    assert found.step_time_s > 0


@settings(max_examples=150)
@given(changed=st.dictionaries(st.sampled_from(CONFIGURATION), CELLS, max_size=4))
def test_a_good_row_with_some_cells_changed(changed):
    (found,) = predict([GOOD | changed])
    if found.status == "ok":
        assert math.isfinite(found.step_time_s)
        assert found.step_time_s > 0
        assert found.fits in ("true", "false")
    else:
        assert found.reason
        assert math.isnan(found.step_time_s)


@given(content=st.text(max_size=200) | st.binary(max_size=200))
def test_any_file_is_a_table_or_one_sentence(content, tmp_path_factory):
    file = tmp_path_factory.getbasetemp() / "any.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    try:
        assert isinstance(read_rows(file), list)
    except GigawattError as error:
        names(error, file)


@given(tail=st.text(max_size=100))
def test_any_rows_under_a_right_head(tail, tmp_path_factory):
    file = tmp_path_factory.getbasetemp() / "tail.csv"
    file.write_bytes((",".join(CONFIGURATION) + "\n" + tail).encode("utf-8", "surrogatepass"))
    try:
        rows = read_rows(file)
    except GigawattError as error:
        names(error, file)
    else:
        assert all(p.status != "ok" for p in predict(rows))
