"""The job, layout, strategy and machine that a row of a table describes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from gigawatt.catalog.cluster import cluster
from gigawatt.catalog.load import chip_by_alias
from gigawatt.catalog.records import Machine, Model, Stack
from gigawatt.errors import InputError, UnknownFactError
from gigawatt.perf import Job, Layout, Strategy, stack
from gigawatt.study.row_cells import RowError, number_in, positive, whole
from gigawatt.study.row_model import row_model

Row = Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One row, resolved."""

    machine: Machine
    job: Job
    layout: Layout
    strategy: Strategy
    stack: Stack


def question(row: Row) -> Question:
    """Return what a row asks.

    Raises: RowError with a status and the missing or contradicting field.
    """
    machine = row_machine(row)
    arch = row_model(row)
    software = row_stack(row)
    dtype = row_dtype(row, machine)
    job = Job(
        model=arch,
        seq_tokens=positive(row, "seq_len"),
        batch_sequences=positive(row, "global_batch_seqs"),
        dtype=dtype,
        frozen=bool(re.search(r"\blora\b", row["model_name"].lower())),
    )
    zero, offload = zero_stage(row["zero_or_fsdp_stage"], software)
    layout = row_layout(row, job, chips=machine.chips, zero=zero)
    strategy = Strategy(
        recompute=recompute_mode(row["recompute"]),
        schedule="interleaved" if int(layout.chunks) > 1 else "1f1b",
        zero_stage=zero,
        sequence_parallel=row["sp"].strip().lower().startswith("true") or not _tensor_parallel(row),
        offload_optimizer=offload,
    )
    return Question(machine=machine, job=job, layout=layout, strategy=strategy, stack=software)


def _tensor_parallel(row: Row) -> bool:
    return whole(row, "tp", default=1) > 1


FABRICS = (  # words of a system's description, and the fabric they mean
    ("slingshot", "Slingshot"), ("frontier", "Slingshot"), ("perlmutter", "Slingshot"), ("efa", "EFA"),
    ("aws", "EFA"), ("p5", "EFA"), ("trn", "EFA"), ("a3 mega", "Ethernet"), ("gcp", "Ethernet"),
    ("google", "Ethernet"), ("roce", "RoCE"), ("ethernet", "RoCE"), ("spectrum", "RoCE"),
)  # fmt: skip


def row_machine(row: Row) -> Machine:
    """Return the machine of a row: chips, servers and network.

    Raises: RowError for an unknown chip or an unknown network rate.
    """
    if not row["accelerator"].strip():
        raise RowError("incomplete", "accelerator")
    try:
        part = chip_by_alias(row["accelerator"])
    except InputError as error:
        raise RowError("unknown_chip", str(error)) from None
    text = f"{row['system']} {row['interconnect_intra']}".lower()
    fabric = next((name for word, name in FABRICS if word in text), "InfiniBand")
    rate = row["interconnect_inter_GBps_per_gpu"].strip()
    try:
        return cluster(
            part,
            chips=positive(row, "n_accel"),
            chips_per_node=positive(row, "accel_per_node", default=8),
            network_bytes_per_s=number_in(rate) * 1e9 if rate else None,
            fabric=fabric,
        )
    except ValueError:
        raise RowError(
            "inconsistent", f"interconnect_inter_GBps_per_gpu = {rate!r} is not a number"
        ) from None
    except UnknownFactError as error:
        raise RowError("incomplete", f"interconnect_inter_GBps_per_gpu ({error})") from None


def row_dtype(row: Row, machine: Machine) -> str:
    """Return the dtype of a row's linear layers.

    Raises: RowError when it is not given, or not a format of the chip.
    """
    text = row["precision"].lower()
    if not text.strip():
        raise RowError("incomplete", "precision")
    name = next(
        (n for n in ("mxfp8", "nvfp4", "fp8", "int8", "fp16", "bf16", "tf32", "fp32") if n in text), None
    )
    if name is None:
        raise RowError("unsupported", f"precision = {row['precision']!r}")
    if name == "fp8" and "int8" in text and "fp8" not in machine.chip.dtypes:
        name = "int8"
    peak = {"mxfp8": "fp8", "nvfp4": "fp4"}.get(name, name)
    if peak not in machine.chip.dtypes:
        if name == "fp16" and "bf16" in machine.chip.dtypes:
            return "bf16"
        raise RowError(
            "unsupported", f"precision = {row['precision']!r} on {machine.chip.id}, which has no {peak} rate"
        )
    return name


def zero_stage(text: str, software: Stack) -> tuple[int, bool]:
    """Return the sharding stage and whether the optimizer is offloaded; the stack's default when blank.

    >>> zero_stage("FSDP FULL_SHARD (ZeRO-3)", stack("modern")), zero_stage("ZeRO-1 (DeepSpeed)", stack("modern"))
    ((3, False), (1, False))
    """
    low = text.lower()
    offload = "offload" in low
    if not low.strip():
        return int(software["zero_default"]), offload
    rules = (
        (0, r"size 1\)|fsdp2 1$"),
        (2, r"zero-?2|shard_grad_op|not resharded"),
        (3, r"zero-?3|full_shard|fsdp|hsdp|mics|amsp|^3\b"),
        (1, r"zero-?1|distributed|^1\b"),
    )
    return next((stage for stage, words in rules if re.search(words, low)), 0), offload


def recompute_mode(text: str) -> Any:
    """Return the recompute mode that a configuration's words mean; none when blank, as frameworks default.

    >>> recompute_mode("remat_policy=full"), recompute_mode("selective: mla_up_proj"), recompute_mode("")
    ('full', 'selective', 'none')
    """
    low = text.strip().lower()
    if not low or low.startswith("none"):
        return "none"
    if "full" in low:
        return "full"
    return "selective"


def row_layout(row: Row, job: Job, *, chips: int, zero: int) -> Layout:
    """Return the layout of a row; data parallelism is what the other degrees leave.

    Raises: RowError when degrees contradict the chips, or the microbatch is not given and cannot be derived.
    """
    tp, pp, cp = (positive(row, name, default=1) for name in ("tp", "pp", "cp"))
    blank = [name for name in ("tp", "pp") if not row[name]]
    if blank and not row["zero_or_fsdp_stage"]:
        raise RowError("incomplete", blank[0])
    if "given as cp" in row["sp"]:
        cp = positive(row, "cp", default=1)
    dp, rest = chips // (tp * pp * cp), chips % (tp * pp * cp)
    said = whole(row, "dp", default=0)
    if rest or not dp:
        raise RowError("inconsistent", f"tp x pp x cp = {tp * pp * cp} does not divide n_accel = {chips}")
    if said not in (0, dp) and zero < 3 and said != dp * cp:
        raise RowError("inconsistent", f"tp x pp x cp x dp = {tp * pp * cp * said}, but n_accel = {chips}")
    shard = shard_ranks(row["zero_or_fsdp_stage"], dp * cp)
    ep = positive(row, "ep", default=1)
    if job.model.blocks[-1].moe is None:
        ep = 1
    etp = expert_tensor_degree(row, tp, ep, ranks=tp * cp * dp)
    return Layout(
        tp=tp,
        pp=pp,
        cp=cp,
        chunks=_chunks(row, pp, job.model),
        dp_shard=max(shard // cp, 1) if shard % cp == 0 else dp,
        dp_replicate=dp // max(shard // cp, 1) if shard % cp == 0 and dp % max(shard // cp, 1) == 0 else 1,
        ep=ep,
        etp=etp,
        microbatch_sequences=microbatch(row, job, dp),
    )


def _chunks(row: Row, pp: int, model: Model) -> int:
    """Return the virtual stages of a pipeline stage; a count that layers do not allow is a contradiction."""
    chunks = max(whole(row, "vpp", default=1), 1)
    if pp == 1:
        return 1
    if chunks * pp > model.layers + 2:
        raise RowError("inconsistent", f"vpp x pp = {chunks * pp} is more than layers = {model.layers}")
    return chunks


def shard_ranks(text: str, dp: int) -> int:
    """Return over how many ranks states are sharded: a group that the words give, else all replicas.

    >>> shard_ranks("FSDP 128 x DP 2", 256), shard_ranks("ZeRO-1", 64), shard_ranks("FSDP (ICI); DP=4 over DCN slices", 64)
    (128, 64, 16)
    """
    low = text.lower()
    slices = re.search(r"dp=(\d+) over dcn", low)
    if slices and dp % int(slices[1]) == 0:
        return dp // int(slices[1])
    own = re.search(r"(?:fsdp2?|size|group|zero1|ici_fsdp|ici)[ =]*(\d+)", low)
    if own and 0 < int(own[1]) <= dp and dp % int(own[1]) == 0:
        return int(own[1])
    return dp


def expert_tensor_degree(row: Row, tp: int, ep: int, *, ranks: int) -> int:
    """Return how experts are cut: as written ("ETP=1"), else not when the ranks allow it."""
    said = re.search(r"etp=(\d+)", row["overlap_notes"].lower())
    etp = int(said[1]) if said else 1
    if ranks % (ep * etp):
        raise RowError("inconsistent", f"ep x etp = {ep * etp} does not divide tp x cp x dp = {ranks}")
    return etp


def microbatch(row: Row, job: Job, dp: int) -> int:
    """Return the sequences of a microbatch: given, or what the batch, the replicas and the accumulation leave.

    Raises: RowError when it is neither given nor follows.
    """
    batch = job.batch_sequences
    per_replica = batch / dp
    if row["micro_batch"]:
        try:
            size = number_in(row["micro_batch"])
        except ValueError:
            raise RowError("inconsistent", f"micro_batch = {row['micro_batch']!r} is not a number") from None
        if size < 1 or size != int(size):
            raise RowError("unsupported", f"micro_batch = {size:g}: parts of a sequence are not modelled")
        if batch % (dp * size):
            raise RowError(
                "inconsistent",
                f"dp x micro_batch = {dp * size:g} does not divide global_batch_seqs = {batch}",
            )
        return int(size)
    steps = re.search(r"\bga=(\d+)|grad_accum=(\d+)", row["overlap_notes"].lower())
    if steps:
        size = per_replica / int(steps[1] or steps[2])
        if size >= 1 and size == int(size):
            return int(size)
    if per_replica == 1:
        return 1
    raise RowError("incomplete", "micro_batch")


@lru_cache(maxsize=1)
def _rules() -> list[dict[str, Any]]:
    text = (files("gigawatt.catalog") / "data" / "calibration" / "frameworks.toml").read_text("utf-8")
    return list(tomllib.loads(text)["rule"])


def row_stack(row: Row) -> Stack:
    """Return the software stack that a row's framework and year mean."""
    text = f"{row['framework']} | {row['accelerator']} | {row['zero_or_fsdp_stage']}".lower()
    year = whole(row, "year", default=2024)
    for rule in _rules():
        if all(word in text for word in rule["words"]) and year <= rule.get("until", year):
            return stack(rule["stack"])
    return stack("modern")
