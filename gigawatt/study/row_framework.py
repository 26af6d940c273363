"""What a framework's printed name and year say: its stack, its defaults, and how it counts flop."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from gigawatt.catalog.records import Model, Stack
from gigawatt.perf import Job, stack
from gigawatt.study.row_cells import Row, whole
from gigawatt.units import Flop
from gigawatt.workload.flop import FLOP_CONVENTIONS
from gigawatt.workload.params import params

FALLBACK = "modern"


@dataclass(frozen=True, kw_only=True, slots=True)
class Framework:
    """One training framework of one year, as far as its documentation and reports say.

    A microbatch `per_chip` is the framework's batch of one device whatever the layout (JAX); without
    `accumulates` a step is one microbatch of all sequences of a replica when nothing else is said.
    """

    stack: Stack
    flop: str  # how its reports count: a name of `reported_flop_per_token`
    mfu_dtype: str = ""  # whose peak its MFU divides by; "": the job's own
    per_chip: bool = False
    accumulates: bool = True
    microbatches: str = ""  # how many in a pipeline when not said: "pp"
    sequence_parallel: bool = True
    recompute: str = ""  # what its recipes recompute where a row does not say
    prediction_layers: bool = False  # multi-token-prediction layers are trained unless a row says not
    selects_layers: bool = False  # "selective" recompute picks layers or operators, not cheap outputs
    selective_share: float = 0.0  # of the forward work that its "selective" recomputes; 0: any
    drains: bool = False  # a pipeline is emptied after each local batch that is accumulated
    all_or_none: bool = False  # recompute is one switch for all layers
    interleaves: bool = False  # its tuned runs interleave where a row does not say
    offloads: bool = False  # kept layer inputs wait in host memory where they do not fit
    plain_when_small: bool = False  # a model that one chip trains whole: no recompute, tokens not padded
    experts_follow_tp: bool = False  # each expert is cut over tp ranks unless a row says otherwise


@lru_cache(maxsize=1)
def _tables() -> dict[str, Any]:
    text = (files("gigawatt.catalog") / "data" / "calibration" / "frameworks.toml").read_text("utf-8")
    return tomllib.loads(text)


def row_framework(row: Row) -> Framework:
    """Return what the first rule that a row meets says, the plain stack where none does."""
    text = f"{row['framework']} | {row['accelerator']} | {row['zero_or_fsdp_stage']}".lower()
    notes = row["overlap_notes"].lower()
    year = whole(row, "year", default=2024)
    model = row["model_name"].lower()
    rules = (r for r in _tables()["rule"] if _meets(r, text, notes=notes, year=year, model=model))
    found = framework_of(next(rules, {"stack": FALLBACK}))
    return dataclasses.replace(found, stack=switched(found.stack, notes, text=f"{text} | {model}"))


def switched(software: Stack, notes: str, *, text: str = "") -> Stack:
    """Return a stack with what the overlap notes of a configuration switch on or off.

    A switch that has `words` acts only where they, a regular expression, are found in the framework's text
    and the model's name.

    >>> switched(stack("modern"), "dispatcher deepep")["ep_dedup"], stack("modern")["ep_dedup"]
    (1.0, 0.0)
    """
    values = dict(software.values)
    for switch in _tables()["switch"]:
        if re.search(switch["notes"], notes) and re.search(switch.get("words", ""), text):
            values |= {name: float(value) for name, value in switch["set"].items()}
    return dataclasses.replace(software, values=values)


def unpadded(framework: Framework) -> Framework:
    """Return a framework that cuts the vocabulary over the ranks as the tokenizer has it."""
    values = {**framework.stack.values, "vocab_multiple": 1.0}
    return dataclasses.replace(framework, stack=dataclasses.replace(framework.stack, values=values))


def _meets(rule: dict[str, Any], text: str, *, notes: str, year: int, model: str) -> bool:
    named = all(word in text for word in rule["words"]) and all(w in notes for w in rule.get("notes", ()))
    named = named and bool(re.search(rule.get("model", ""), model))
    return named and rule.get("from", year) <= year <= rule.get("until", year)


def framework_of(rule: dict[str, Any]) -> Framework:
    """Return the framework of a rule; attention is counted as its stack says unless the rule says."""
    software = stack(rule["stack"])
    names = Framework.__dataclass_fields__.keys() - {"stack", "flop"}
    own = {k: v for k, v in rule.items() if k in names}
    counted = "full_attention" if software["full_attention_flop"] else "causal"
    return Framework(stack=software, flop=rule.get("flop", counted), **own)


def default_vocab(row: Row, *, gated: bool) -> tuple[int, str]:
    """Return the vocabulary of a model whose row does not say, and where it is from.

    The tokenizer of the model's family where its name says, else the framework's default.
    """
    name = row["model_name"].lower()
    known = next((t for t in _tables()["tokenizer"] if re.search(t["name"], name)), None)
    if known is None:
        known = _tables()["default_tokenizer"]["gated" if gated else "plain"]
    return int(known["vocab"]), str(known["source"])


def document_tokens(row: Row) -> int:
    """Return the tokens of the examples that a run packs into a sequence, 0 where attention spans it.

    >>> names = ("framework", "model_name", "id")
    >>> [document_tokens(dict.fromkeys(names, name)) for name in ("NeMo 24.09 sft", "NeMo 24.09")]
    [200, 0]
    """
    text = " | ".join(row[name].lower() for name in ("framework", "model_name", "id"))
    return next((int(d["tokens"]) for d in _tables()["documents"] if re.search(d["words"], text)), 0)


def reported_flop_per_token(job: Job, convention: str) -> Flop:
    """Return the flop per token of one training step as a framework's own reports count them.

    causal: attention as the mask leaves it. full_attention: over the whole square. all_params: 6 for every
    parameter, embeddings too, and the whole square. wide_keys: as full_attention, with keys and values of a
    plain feed-forward model as wide as its queries. Frozen weights have no weight gradient: two thirds.
    Source: Chowdhery 2022, arXiv:2204.02311 App. B; llm-foundry scripts/train/benchmarking README
    (all_params); NVIDIA DGX Cloud benchmarking, Nemotron recipes README (wide_keys).

    >>> from gigawatt.catalog.models import model
    >>> job = Job(model=model("gpt3-175b"), seq_tokens=2048, batch_sequences=1)
    >>> names = ("causal", "full_attention", "all_params")
    >>> [round(float(reported_flop_per_token(job, name)) / 1e12, 4) for name in names]
    [1.0619, 1.0764, 1.0766]
    """
    model, seq = job.model, job.seq_tokens
    frozen = 2.0 / 3.0 if job.frozen else 1.0
    if convention == "all_params":
        half = FLOP_CONVENTIONS["full_attention"](model, seq) - FLOP_CONVENTIONS["causal"](model, seq)
        return frozen * (6.0 * params(model).total + 2.0 * half)
    if convention == "wide_keys":
        return frozen * (FLOP_CONVENTIONS["full_attention"](model, seq) + _narrow_keys_flop(model))
    return frozen * FLOP_CONVENTIONS[convention](model, seq)


def _narrow_keys_flop(model: Model) -> Flop:
    """Return the flop per token that grouped keys and values save, in layers with a plain feed-forward."""
    saved = 0.0
    for block in model.blocks:
        if block.mlp is not None and not block.mlp.gated:
            core = block.mixer.core
            width = (core.heads - core.kv_heads) * (core.qk_head_dim + core.v_head_dim)
            saved += 6.0 * block.count * model.hidden * width
    return saved
