"""What data parallelism sends: whole gradients and weights, or the shards of ZeRO, and in which messages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from gigawatt.catalog.records import Machine, Model, Stack
from gigawatt.comms import Group, all_gather_s, all_reduce_s, reduce_scatter_s
from gigawatt.perf.job import Job
from gigawatt.perf.layout import Layout
from gigawatt.perf.setting import BF16_BYTES, Setting
from gigawatt.units import Count, Fraction, Seconds
from gigawatt.workload.params import params


@dataclass(frozen=True, kw_only=True, slots=True)
class RankParams:
    """Parameters that one chip holds, before ZeRO: dense ones and routed experts have different groups."""

    dense: Count
    routed: Count


def rank_params(model: Model, layout: Layout) -> RankParams:
    """Return the parameters of an average chip.

    .. math:: \\frac{P - P_{routed}}{t p}, \\quad \\frac{P_{routed}}{e_p e_{tp} p}

    Source: parallel folding, arXiv:2504.14960 sec. 3.
    """
    count = params(model)
    dense = (count.total - count.routed) / (layout.tp * layout.pp)
    return RankParams(dense=dense, routed=count.routed / (layout.ep * layout.etp * layout.pp))


def sync_s(
    held: Count,
    group: Group,
    *,
    replicas: Group,
    machine: Machine,
    zero_stage: int,
    grad_bytes: float,
    units: Count = 1.0,
    shard_s: Seconds = 0.0,
) -> tuple[Seconds, Seconds]:
    """Return the time to reduce the gradients and to gather the weights of one parameter set.

    ZeRO 0: one all-reduce. ZeRO 1 and 2: reduce-scatter within the shard group, all-reduce of the shard
    over the replicas, all-gather of 16-bit weights. What is sent in `units` pays their latency each time, and
    where each of them is cut, joined or passed on shard by shard that time for every other rank.
    Source: Rajbhandari 2019, arXiv:1910.02054 sec. 7; units: Zhao 2023, arXiv:2304.11277 sec. 3; shards:
    DeepSpeed 0.6, runtime/zero/partition_parameters.py and runtime/comm/coalesced_collectives.py.
    """
    if zero_stage == 0:
        both = Group(ranks=group.ranks * replicas.ranks, stride=group.stride)
        return all_reduce_s(grad_bytes * held, both, machine=machine), 0.0
    one, shards_s = held / units, shard_s * (group.ranks - 1.0)
    reduce = shards_s + reduce_scatter_s(grad_bytes * one, group, machine=machine)
    reduce = reduce + all_reduce_s(grad_bytes * one / group.ranks, replicas, machine=machine)
    return units * reduce, units * (shards_s + all_gather_s(BF16_BYTES * one, group, machine=machine))


def data_groups(layout: Layout, *, expert: bool) -> tuple[Group, Group]:
    """Return the shard group and the replica group of dense parameters or of experts.

    Context-parallel ranks hold the same weights, so they reduce with the data-parallel ones.
    Source: parallel folding, arXiv:2504.14960 sec. 3.
    """
    stride = layout.ep * layout.etp if expert else layout.tp
    ranks = layout.tp * layout.cp * layout.dp_shard / stride
    outer = layout.tp * layout.cp * layout.dp_shard
    inside = Group(ranks=np.maximum(ranks, 1.0), stride=stride)
    return inside, Group(ranks=layout.dp_replicate, stride=np.maximum(outer, stride))


def reduced_bytes(job: Job, stack: Stack) -> float:
    """Return the bytes of one gradient element as it is sent: 16 bits of an fp16 job, else by the stack.

    The loss scale keeps fp16 gradients in range; bf16 has too few digits to be added up in.
    Source: Megatron-LM arguments.py (accumulate_allreduce_grads_in_fp32 is set for bf16 alone); Micikevicius
    2017, arXiv:1710.03740 sec. 3.2.
    """
    return min(BF16_BYTES, stack["grad_reduce_bytes"]) if job.dtype == "fp16" else stack["grad_reduce_bytes"]


def data_messages_s(job: Job, layout: Layout, *, setting: Setting) -> tuple[Seconds, Seconds]:
    """Return the time to reduce all gradients and to gather all weights of a chip, hidden or not.

    ZeRO 3 sends by units, a layer or its parts. With DualPipe a rank keeps two stages.
    Source: see `sync_s`, over dense parameters and routed experts.
    """
    held, layers = rank_params(job.model, layout), job.model.layers / layout.pp
    if setting.strategy.schedule == "dualpipe":  # a rank keeps two stages
        held = RankParams(dense=2.0 * held.dense, routed=2.0 * held.routed)
    reduce: Seconds = 0.0
    gather: Seconds = 0.0
    for count, expert in ((held.dense, False), (held.routed, True)):
        if np.any(np.asarray(count) > 0):
            groups = data_groups(layout, expert=expert)
            width = reduced_bytes(job, setting.stack)
            r, g = set_messages_s(count, groups, layers=layers, grad_bytes=width, setting=setting)
            reduce, gather = reduce + r, gather + g
    return reduce, gather


def set_messages_s(
    held: Count, groups: tuple[Group, Group], *, layers: Count, grad_bytes: float, setting: Setting
) -> tuple[Seconds, Seconds]:
    """Return the time to reduce the gradients and to gather the weights of one parameter set in its messages.

    With ZeRO 3 a message for each of the units of a layer. With ZeRO 1 and 2 as few as one, but where ranks
    own whole tensors: these reduce all gradients on all ranks, and each owner then sends what it updated.
    Source: see `sync_s`; owners: InternEvo, internlm/solver/optimizer/hybrid_zero_optim.py.
    """
    stack, zero = setting.stack, setting.strategy.zero_stage
    units, tensors = layers * stack["units_per_layer"], layers * stack["whole_tensors"]
    group, others = groups
    owned = zero in (1, 2) and stack["whole_tensors"] > 0
    by_shard = owned or (zero >= 3 and not stack["whole_tensors"])
    asked = partial(sync_s, held, group, replicas=others, machine=setting.machine)
    sent = partial(asked, grad_bytes=grad_bytes)
    reduce, gather = sent(
        zero_stage=zero,
        units=np.minimum(tensors, group.ranks) if owned else units if zero >= 3 else 1.0,
        shard_s=stack["s_per_shard"] if by_shard else 0.0,
    )
    return sent(zero_stage=0)[0] if owned else reduce, gather


def regathered_fraction(job: Job, layout: Layout, *, setting: Setting) -> Fraction:
    """Return the share of the weights that a backward pass gathers again after it recomputed with them.

    .. math:: r \\max\\left(0,\\ 1 - \\frac{W}{2 P}\\right)

    Recomputation and gradients both use the x parameters of a layer that lie behind a weight before its own
    gradient does; a stack keeps what it meets again within W parameters. r is the share of recomputed layers.
    Valid for: recomputation by whole layers of P parameters; 0 where a layer stays gathered through both.
    Source: Rajbhandari 2021, arXiv:2104.07857 sec. 4.1 (three loads); DeepSpeed config-json,
    stage3_max_reuse_distance (1e9).

    A layer of GPT-3 has 1.82e9 parameters; those with fewer than 0.5e9 behind them stay.

    >>> from gigawatt.catalog import machine
    >>> from gigawatt.catalog.models import model
    >>> from gigawatt.perf.layout import Strategy
    >>> from gigawatt.perf.stacks import stack
    >>> from gigawatt.perf.step import setting_of
    >>> job = Job(model=model("gpt3-175b"), seq_tokens=2048, batch_sequences=1)
    >>> strategy, software = Strategy(recompute="full"), stack("deepspeed-zero3")
    >>> own = setting_of(job, machine=machine("eagle"), strategy=strategy, stack=software)
    >>> round(float(regathered_fraction(job, Layout(), setting=own)), 3)
    0.725
    """
    if setting.strategy.recompute != "full":
        return 0.0 * np.asarray(layout.pp)
    held = rank_params(job.model, layout)
    layer = (held.dense + held.routed) * layout.pp / job.model.layers
    again = np.maximum(1.0 - 0.5 * setting.stack["kept_params"] / layer, 0.0)
    return setting.strategy.recompute_share * again
