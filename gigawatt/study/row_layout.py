"""The job, layout, strategy and machine that a row of a table describes."""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass

from gigawatt.catalog.records import Machine, Model, Stack
from gigawatt.perf import Job, Layout, Strategy, memory_use, microbatch_passes, setting_of, step_parts
from gigawatt.perf.layout import Schedule
from gigawatt.perf.stacks import written
from gigawatt.study.row_cells import Row, RowError, accumulated, amount, positive, whole
from gigawatt.study.row_framework import Framework, document_tokens, row_framework, unpadded
from gigawatt.study.row_machine import row_dtype, row_machine
from gigawatt.study.row_model import row_model
from gigawatt.study.row_recompute import MODES, Mode, kept_modes, recompute_mode, recomputed_parts

# JAX sees a TPU's TensorCores as devices of their own, except where two make one megacore (v4, v5p).
# Google Cloud TPU documentation, "System architecture": cores per chip.
DEVICES_PER_CHIP = {"tpu-v2": 2, "tpu-v3": 2, "tpu-v7": 2}
ROUNDED = 0.02  # of the batch: tables round it to what no layout divides


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One row, resolved."""

    machine: Machine
    job: Job
    layout: Layout
    strategy: Strategy
    framework: Framework
    assumed: tuple[str, ...] = ()  # what the row leaves to its framework, and what that does

    @property
    def stack(self) -> Stack:
        return self.framework.stack


@dataclass(frozen=True, kw_only=True, slots=True)
class Degrees:
    """The parallel degrees of a row, in chips, and how many devices its framework sees in one."""

    tp: int
    pp: int
    cp: int
    dp: int
    devices: int = 1


def question(row: Row) -> Question:
    """Return what a row asks.

    Raises: RowError with a status and the missing or contradicting field.
    """
    assumed: list[str] = []
    machine, framework = row_machine(row), row_framework(row)
    job = row_job(row, machine, framework=framework, assumed=assumed)
    zero, offload = zero_stage(row["zero_or_fsdp_stage"], framework.stack)
    if "fsdp" in row["zero_or_fsdp_stage"].lower() and positive(row, "cp", default=1) > 1:
        zero = zero or 3  # context-parallel ranks shard weights too
    degrees = row_degrees(row, machine, framework=framework, zero=zero, assumed=assumed)
    job, size = batch_of(row, job, degrees=degrees, framework=framework, assumed=assumed)
    layout = row_layout(row, job, degrees=degrees, framework=framework, machine=machine)
    layout = dataclasses.replace(layout, microbatch_sequences=size)
    recompute = row["recompute"] or framework.recompute
    strategy = Strategy(
        recompute=recompute_mode(recompute),
        recomputed=recomputed_parts(recompute),
        schedule=schedule_of(row["overlap_notes"], chunks=int(layout.chunks)),
        drains=max(accumulated(row), 1) if framework.drains and degrees.pp > 1 else 1,
        zero_stage=zero,
        sequence_parallel=_sequence_parallel(row, framework, tp=degrees.tp),
        offload_optimizer=offload,
        offload_activations=offloaded(row["overlap_notes"], job.model.layers),
    )
    asked = Question(machine=machine, job=job, layout=layout, strategy=strategy, framework=framework)
    modes = kept_modes(recompute, framework)
    if is_plain(asked):
        modes, asked = MODES, dataclasses.replace(asked, framework=unpadded(framework))
        assumed.append("vocabulary not padded: plain model code")
    asked = lightest(asked, modes, assumed=assumed)
    if not strategy.offload_activations and re.search(r"activations?.offload", words_of(row)):
        asked = least_offload(asked, assumed=assumed)
    if framework.interleaves and degrees.pp > 1 and not row["vpp"] and strategy.schedule == "1f1b":
        asked = interleaved(asked, assumed=assumed)
    return dataclasses.replace(asked, assumed=tuple(assumed))


def is_plain(asked: Question) -> bool:
    """Return whether a row timed plain model code: of a model that one chip trains whole."""
    if not asked.framework.plain_when_small:
        return False
    job = dataclasses.replace(asked.job, batch_sequences=1)
    strategy = dataclasses.replace(asked.strategy, recompute="none")
    return fits(dataclasses.replace(asked, job=job, layout=Layout(), strategy=strategy))


def lightest(asked: Question, modes: tuple[Mode, ...], *, assumed: list[str]) -> Question:
    """Return a question with the first of some recompute modes that fits, the last where none does.

    A row that does not say what it recomputes was run as whoever ran it could: with the least that fits.
    """
    for mode in modes:
        strategy = dataclasses.replace(
            asked.strategy,
            recompute=mode.recompute,
            recompute_share=mode.share,
            offload_activations=mode.offload,
            keeps_attention=mode.keeps_attention,
        )
        tried = dataclasses.replace(asked, strategy=strategy)
        if fits(tried) or mode == modes[-1]:
            layers = f" in {mode.share:.0%} of the layers" if mode.share < 1.0 else ""
            moved = ", what is kept waits in host memory" if mode.offload else ""
            moved += " but for attention" if mode.keeps_attention else ""
            why = "the least that fits" if len(modes) > 1 else "the framework's own choice"
            assumed.append(f"recompute = {mode.recompute}{layers}{moved}: {why}")
            return tried
    return asked


def fits(asked: Question) -> bool:
    """Return whether a question's fullest chip has room."""
    needed = memory_use(asked.job, asked.layout, strategy=asked.strategy, stack=asked.stack).total_bytes
    return float(needed) <= asked.machine.chip.hbm_bytes


def words_of(row: Row) -> str:
    """Return what a configuration says in words of its recompute and overlap, lower case."""
    return f"{row['recompute']} | {row['overlap_notes']}".lower()


def least_offload(asked: Question, *, assumed: list[str]) -> Question:
    """Return a question that keeps in host memory the least eighths of its activations with which it fits.

    A row that says that activations are offloaded and not how many was run as whoever ran it could.
    """
    tried = asked
    for eighth in range(1, 9):
        strategy = dataclasses.replace(asked.strategy, offload_activations=eighth / 8.0)
        tried = dataclasses.replace(asked, strategy=strategy)
        if fits(tried):
            break
    assumed.append(f"offloaded activations = {tried.strategy.offload_activations:.0%}: the least that fits")
    return tried


def interleaved(asked: Question, *, assumed: list[str]) -> Question:
    """Return a question with the virtual stages that are fastest, of those on which the layers fall evenly.

    A row that does not say how it interleaves was run as whoever tuned it did.
    """
    job, layout = asked.job, asked.layout
    microbatches = job.batch_sequences // int(layout.dp * layout.microbatch_sequences)
    pp, padded = int(layout.pp), _padded(job.model.layers)
    counts = range(2, job.model.layers // pp + 1)
    even = [chunks for chunks in counts if any(layers % (pp * chunks) == 0 for layers in padded)]
    tried = [asked]
    for chunks in even if microbatches % pp == 0 else []:
        strategy = dataclasses.replace(asked.strategy, schedule="interleaved")
        own = dataclasses.replace(layout, chunks=chunks)
        tried.append(dataclasses.replace(asked, layout=own, strategy=strategy))
    fastest = min(tried, key=uncalibrated_s)
    if fastest is not asked:
        assumed.append(f"vpp = {int(fastest.layout.chunks)}: the fastest before calibration")
    return fastest


def _padded(layers: int) -> tuple[int, int, int]:
    """Return the layers, and with embedding, or embedding and head, counted as one each."""
    return layers, layers + 1, layers + 2


def uncalibrated_s(asked: Question) -> float:
    """Return the step time of a question by what is written of its stack, none of it fitted.

    What a row is taken to mean must not hang on a calibration to such rows.
    """
    software = written(asked.stack)
    setting = setting_of(asked.job, machine=asked.machine, strategy=asked.strategy, stack=software)
    setting = dataclasses.replace(setting, clock=1.0)
    passes = microbatch_passes(asked.job, asked.layout, setting)
    return float(step_parts(asked.job, asked.layout, setting, passes=passes).total_s)


def offloaded(notes: str, layers: int) -> float:
    """Return the share of the kept activations that waits in host memory, as overlap notes say.

    >>> offloaded("cpu_offloading_num_layers=40; use_megatron_fsdp=True", 80)
    0.5
    """
    found = re.search(r"cpu_offloading_num_layers=(\d+)", notes.lower())
    return min(int(found[1]) / layers, 1.0) if found else 0.0


def row_job(row: Row, machine: Machine, *, framework: Framework, assumed: list[str]) -> Job:
    """Return the model, sequence, batch and format of a row; only adapters are trained where it says LoRA."""
    return Job(
        model=row_model(row, prediction_layers=framework.prediction_layers, assumed=assumed),
        seq_tokens=positive(row, "seq_len"),
        document_tokens=document_tokens(row),
        batch_sequences=positive(row, "global_batch_seqs"),
        dtype=row_dtype(row, machine),
        frozen=bool(re.search(r"(?<![a-z])q?lora(?![a-z_])", f"{row['model_name']} | {row['id']}".lower())),
    )


def _sequence_parallel(row: Row, framework: Framework, *, tp: int) -> bool:
    said = row["sp"].lower()
    if tp == 1 or not said:
        return tp == 1 or framework.sequence_parallel
    return said.startswith(("true", "yes", "1", "on"))


def zero_stage(text: str, software: Stack) -> tuple[int, bool]:
    """Return the sharding stage and whether the optimizer is offloaded; the stack's default when blank.

    >>> from gigawatt.perf import stack
    >>> [zero_stage(t, stack("modern")) for t in ("FSDP FULL_SHARD (ZeRO-3)", "ZeRO-1 (DeepSpeed)")]
    [(3, False), (1, False)]
    """
    low = text.lower()
    offload = "offload" in low and "no offload" not in low
    if not low:
        return int(software["zero_default"]), offload
    rules = (
        (0, r"size 1\)|fsdp2 1$|zero-?0|^0(?= |$)|^none|^ddp"),
        (2, r"zero-?2|shard_grad_op|not resharded|^2(?= |$)"),
        (3, r"zero-?3|full_shard|fsdp|hsdp|mics|amsp|^3(?= |$)"),
        (1, r"zero-?1|distributed|^1(?= |$)"),
    )
    return next((stage for stage, words in rules if re.search(words, low)), 0), offload


def schedule_of(notes: str, *, chunks: int) -> Schedule:
    """Return the pipeline schedule that words name, else what the virtual stages mean.

    >>> [schedule_of(notes, chunks=2) for notes in ("DualPipe", "PP schedule v-half", "")]
    ['dualpipe', 'zero_bubble', 'interleaved']
    """
    low = notes.lower()
    if re.search(r"dualpipe|dual-pipe", low):
        return "dualpipe"
    if re.search(r"zero.?bubble|\bzbv?\b|\bzb-|v-min|v-half|zbv", low):
        return "zero_bubble"
    if "gpipe" in low:
        return "gpipe"
    return "interleaved" if chunks > 1 else "1f1b"


# ------------------------------------------------------------------------------------- degrees


def row_degrees(
    row: Row, machine: Machine, *, framework: Framework, zero: int, assumed: list[str]
) -> Degrees:
    """Return the parallel degrees of a row; data parallelism is what the others leave, in every framework.

    Raises: RowError when a degree is missing, or they contradict the chips.
    """
    chips, cp = machine.chips, positive(row, "cp", default=1)
    tp, pp = _model_degrees(row, chips, cp=cp, sharded=zero >= 3 or framework.per_chip)
    devices = DEVICES_PER_CHIP.get(machine.chip.id, 1) if framework.per_chip else 1
    tp, cp = in_chips(tp, cp, devices=devices)
    dp, rest = divmod(chips, tp * pp * cp)
    if rest or not dp:
        raise RowError("inconsistent", f"tp x pp x cp = {tp * pp * cp} does not divide n_accel = {chips}")
    said = whole(row, "dp", default=0)
    if said not in (0, dp, dp * cp) and not framework.per_chip:
        assumed.append(f"dp = {dp} = n_accel / (tp x pp x cp), not {said}")
    return Degrees(tp=tp, pp=pp, cp=cp, dp=dp, devices=devices)


def _model_degrees(row: Row, chips: int, *, cp: int, sharded: bool) -> tuple[int, int]:
    """Return tp and pp: printed; one of them from the rest; 1 where the states are sharded instead."""
    blank = [name for name in ("tp", "pp") if not row[name]]
    if not blank or sharded or chips == 1:
        return positive(row, "tp", default=1), positive(row, "pp", default=1)
    said = cp * math.prod(positive(row, name, default=1) for name in ("tp", "pp", "dp"))
    if len(blank) == 2 or not row["dp"] or chips % said:
        raise RowError("incomplete", blank[0])
    rest = chips // said
    return positive(row, "tp", default=rest), positive(row, "pp", default=rest)


def in_chips(tp: int, cp: int, *, devices: int) -> tuple[int, int]:
    """Return tensor and context degrees in chips when they are printed in devices, `devices` of them a chip.

    >>> in_chips(1, 8, devices=2), in_chips(4, 1, devices=2), in_chips(1, 1, devices=2)
    ((1, 4), (2, 1), (1, 1))
    """
    inside = math.gcd(tp, devices)
    return tp // inside, cp // math.gcd(cp, devices // inside)


# ------------------------------------------------------------------------------------- batch


def batch_of(
    row: Row, job: Job, *, degrees: Degrees, framework: Framework, assumed: list[str]
) -> tuple[Job, int]:
    """Return the job, its batch rounded to whole microbatches, and the sequences of a microbatch.

    Raises: RowError when the microbatch is neither given nor follows, or the batch is not made of such.
    """
    dp, batch = degrees.dp, job.batch_sequences
    size = microbatch(row, batch, degrees=degrees, framework=framework, assumed=assumed)
    steps = max(round(batch / (dp * size)), 1)
    rounded = steps * dp * size
    if abs(rounded - batch) > ROUNDED * batch:
        raise RowError(
            "inconsistent", f"dp x micro_batch = {dp * size} does not divide global_batch_seqs = {batch}"
        )
    if rounded != batch:
        assumed.append(f"global_batch_seqs = {rounded}, a multiple of dp x micro_batch = {dp * size}")
    return dataclasses.replace(job, batch_sequences=rounded), size


def microbatch(row: Row, batch: int, *, degrees: Degrees, framework: Framework, assumed: list[str]) -> int:
    """Return the sequences of a microbatch: given, or what the framework makes of the batch.

    Raises: RowError when it is neither given nor follows.
    """
    given = amount(row, "micro_batch")
    per_replica = batch / degrees.dp
    if framework.per_chip:
        if per_replica < 1 and not row["tp"]:
            raise RowError("incomplete", "tp")
        return _per_chip(given, batch, degrees=degrees, framework=framework, assumed=assumed)
    if given is not None:
        if given != int(given):
            raise RowError("unsupported", f"micro_batch = {given:g}: parts of a sequence are not modelled")
        return int(given)
    steps = accumulated(row)
    if not steps:
        steps = _default_steps(degrees, framework=framework, per_replica=per_replica)
    if not steps or per_replica % steps:
        raise RowError("incomplete", "micro_batch")
    size = int(per_replica / steps)
    assumed.append(f"micro_batch = {size}: {steps} a step")
    return size


def _default_steps(degrees: Degrees, *, framework: Framework, per_replica: float) -> int:
    """Return into how many microbatches a framework cuts a replica's batch, 0 where it must be told."""
    if per_replica == 1:
        return 1
    if degrees.pp == 1:
        return 0 if framework.accumulates else 1
    return degrees.pp if framework.microbatches == "pp" else 0


def _per_chip(
    given: float | None, batch: int, *, degrees: Degrees, framework: Framework, assumed: list[str]
) -> int:
    """Return the microbatch of a replica of several chips, each device of which brings its own part of it.

    A batch that is several times what all devices bring at once is accumulated.
    """
    replica = degrees.tp * degrees.cp * degrees.pp
    at_once = given * degrees.devices * replica * degrees.dp if given else batch
    times = batch / at_once
    steps = int(times) if times == int(times) else 1
    steps *= degrees.pp if framework.microbatches == "pp" else 1
    size, rest = divmod(batch, degrees.dp * steps)
    if rest or not size:
        raise RowError(
            "inconsistent",
            f"dp x microbatches = {degrees.dp * steps} does not divide global_batch_seqs = {batch}",
        )
    if given != size:
        assumed.append(f"microbatch of {size} sequences a replica of {replica} chips")
    return size


# ------------------------------------------------------------------------------------- layout


def row_layout(row: Row, job: Job, *, degrees: Degrees, framework: Framework, machine: Machine) -> Layout:
    """Return the layout of a row: its degrees, how states are sharded, and where experts are.

    Raises: RowError when virtual stages or expert ranks contradict the rest.
    """
    tp, pp, cp, dp = degrees.tp, degrees.pp, degrees.cp, degrees.dp
    model = tp * cp
    shard = shard_ranks(row["zero_or_fsdp_stage"], dp, model=model, chips_per_node=machine.chips_per_node)
    ep = positive(row, "ep", default=1) if job.model.blocks[-1].moe else 1
    return Layout(
        tp=tp,
        pp=pp,
        cp=cp,
        chunks=_chunks(row, pp, job.model),
        dp_shard=shard,
        dp_replicate=dp // shard,
        ep=ep,
        etp=expert_tensor_degree(row, degrees, ep=ep, framework=framework) if job.model.blocks[-1].moe else 1,
    )


def _chunks(row: Row, pp: int, model: Model) -> int:
    """Return the virtual stages of a pipeline rank; a count that layers do not allow is a contradiction."""
    chunks = max(whole(row, "vpp", default=1), 1)
    if pp == 1:
        return 1
    if not row["vpp"] and re.search(r"\binterleaved", row["overlap_notes"].lower()):
        chunks = 2 if model.layers >= 2 * pp else 1  # the fewest that interleave
    if chunks * pp > model.layers + 2:
        raise RowError("inconsistent", f"vpp x pp = {chunks * pp} is more than layers = {model.layers}")
    return chunks


def shard_ranks(text: str, dp: int, *, model: int = 1, chips_per_node: int = 8) -> int:
    """Return over how many replicas states are sharded: a group that the words give, else all.

    `model` chips share a replica's layers; they are in a group that is given in chips.

    Hybrid sharding without a number shards within a server (PyTorch HYBRID_SHARD; MiCS, arXiv:2205.00119).

    >>> [shard_ranks(words, 64) for words in ("FSDP 32 x DP 2", "ZeRO-1", "FSDP (ICI); DP=4 over DCN slices")]
    [32, 64, 16]
    >>> [shard_ranks(words, 64) for words in ("FSDP2 (ZeRO-3)", "HSDP", "FSDP ici_dp=4, ici_fsdp=-1")]
    [64, 8, 16]
    """
    low = text.lower()
    copies = re.search(r"dp=(\d+) over dcn|ici_dp=(\d+)|ici_data_parallelism=(\d+)|x(\d+) pods", low)
    groups = (
        r"(?:fsdp2?|size|group|zero1|ici_fsdp|ici|shard)\s*[ =]\s*(\d+)",
        r"(\d+)-way fsdp",
        r"(?:hsdp|mics).*?(\d+)",
    )
    own = next((int(found[1]) for words in groups if (found := re.search(words, low))), 0)
    pod = re.search(r"per (\d+)-chip", low)
    if pod:
        own = int(pod[1]) // model
    if not own and copies:
        own = dp // max(int(next(found for found in copies.groups() if found)), 1)
    if not own and re.search(r"hsdp|mics|hybrid_shard|node-local", low):
        own = max(chips_per_node // model, 1)
    if own and dp % own and own % model == 0:
        own //= model
    return own if own and dp % own == 0 else dp


def expert_tensor_degree(row: Row, degrees: Degrees, *, ep: int, framework: Framework) -> int:
    """Return how experts are cut: as written ("ETP=1"), else as the framework does where the ranks allow."""
    ranks = degrees.tp * degrees.cp * degrees.dp
    said = re.search(r"\(?etp\)?=(\d+)", row["overlap_notes"].lower())
    etp = int(said[1]) if said else degrees.tp if framework.experts_follow_tp else 1
    if not said and ranks % (ep * etp):
        etp = 1
    if not etp or ranks % (ep * etp):
        raise RowError("inconsistent", f"ep x etp = {ep * etp} does not divide tp x cp x dp = {ranks}")
    return etp
