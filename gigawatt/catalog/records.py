"""The records of the catalogue: what is known, in SI floats, with each fact's source beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gigawatt.errors import InputError, UnknownFactError

Kind = Literal["assumed", "estimated", "spec", "measured", "derived"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Who says so."""

    id: str
    producer: str
    title: str
    published: str = ""
    accessed: str = ""
    url: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """One number or word with its parents. `value` is in SI units (`unit`)."""

    name: str
    value: float | str
    unit: str
    kind: Kind
    source: str  # an id in sources.toml
    where: str = ""
    low: float | None = None
    high: float | None = None
    note: str = ""
    rivals: tuple[Fact, ...] = ()  # contradicting facts that were kept, not chosen


Facts = Mapping[str, Fact]


def number(facts: Facts, name: str, owner: str) -> float:
    """Return the value of one numeric fact, or say which are known."""
    fact = facts.get(name)
    if fact is None or isinstance(fact.value, str):
        known = ", ".join(sorted(k for k, f in facts.items() if not isinstance(f.value, str)))
        raise UnknownFactError(f"no {name} is known for {owner!r}; known: {known}")
    return fact.value


@dataclass(frozen=True, kw_only=True, slots=True)
class Chip:
    """One accelerator as the software sees it (a GPU, a TPU chip, an NPU)."""

    id: str
    name: str
    vendor: str
    family: str  # calibration is looked up by id, then by family ("hopper", "tpu")
    shipping: bool  # False: announced only, kept out of defaults
    facts: Facts = field(hash=False, compare=False)
    note: str = ""

    def number(self, name: str) -> float:
        """Return the value of one numeric fact.

        Raises: UnknownFactError that says which are known.
        """
        return number(self.facts, name, self.id)

    @property
    def hbm_bytes(self) -> float:
        return self.number("hbm_bytes")

    @property
    def hbm_bytes_per_s(self) -> float:
        return self.number("hbm_bytes_per_s")

    @property
    def tdp_w(self) -> float:
        return self.number("tdp_w")

    @property
    def price_usd(self) -> float:
        return self.number("price_usd")

    @property
    def dtypes(self) -> tuple[str, ...]:
        """Return the dtypes with a known dense peak, fastest first."""
        rates = ((n, f) for n, f in self.facts.items() if n.startswith("peak_") and n.endswith("_flop_per_s"))
        peaks = {n[5:-11]: f.value for n, f in rates if not n.startswith("peak_fp64_matrix")}
        return tuple(sorted(peaks, key=lambda d: -float(peaks[d])))

    def peak_flop_per_s(self, dtype: str) -> float:
        """Return the dense peak rate at a dtype: bf16, fp16, fp8, fp4, int8, tf32, fp32, fp64."""
        name = f"peak_{dtype}_flop_per_s"
        if name not in self.facts:
            raise UnknownFactError(f"no {name} is known for {self.id!r}; known: {', '.join(self.dtypes)}")
        return self.number(name)


Topology = Literal["switch", "mesh", "torus"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """One level of the network, seen from a chip. Levels nest: scale-up domain, pod, fabric, site.

    `bytes_per_s` is what one chip can send, one direction, payload at line rate, to chips in the same
    unit of this level that are outside its unit of the level below, when all chips send at once
    (so oversubscription is already in it).
    """

    name: str  # "scale_up", "rail", "pod", "fabric", "site"
    chips: int  # chips in one unit of this level
    bytes_per_s: float
    latency_s: float  # one hop through this level, software included
    topology: Topology = "switch"
    dims: tuple[int, ...] = ()  # of a torus, innermost first; their product is `chips`
    reduces_in_network: bool = False  # NVLS, SHARP
    oversubscription: float = 1.0  # that is already in `bytes_per_s`


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """Where a machine stands."""

    id: str
    pue: float
    usd_per_kwh: float
    kg_co2e_per_kwh: float
    cooling: str = ""
    facts: Facts = field(default_factory=dict, hash=False, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """A composition: chip -> node -> scale-up domain -> fabric -> site."""

    id: str
    name: str
    owner: str
    shipping: bool
    chip: Chip
    chips: int
    chips_per_node: int
    levels: tuple[Level, ...]  # innermost first; the last one spans the machine
    site: Site
    fabric: str = ""  # "rail-optimised fat tree, InfiniBand NDR"
    status: str = ""  # "operational", "plan, slipped", "assumed shape"
    source: str = ""  # ids in sources.toml of what has no source of its own: shape, chips, network
    facts: Facts = field(
        default_factory=dict, hash=False, compare=False
    )  # node_power_w, capex_usd_per_chip, rent_usd_per_chip_hour, failure rates, storage
    note: str = ""

    def take(self, chips: int) -> Machine:
        """Return the same machine with only `chips` of its chips.

        Raises: InputError when there are fewer, or none are asked for.
        """
        if not 1 <= chips <= self.chips:
            raise InputError(f"chips = {chips} is not in 1..{self.chips}, all that {self.id!r} has")
        return dataclasses.replace(self, chips=chips)

    @property
    def scale_up(self) -> Level:
        return self.levels[0]


# ------------------------------------------------------------------------------------------------ models

Split = Literal["column", "row", "none"]  # how tensor parallelism cuts a weight
Span = Literal["full", "window", "chunk", "linear", "sparse"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Linear:
    """One weight matrix: outputs x inputs."""

    name: str
    inputs: int
    outputs: int
    split: Split
    bias: bool = False

    @property
    def params(self) -> int:
        return self.inputs * self.outputs + (self.outputs if self.bias else 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Core:
    """The part of an attention (or its substitute) that has no weights."""

    heads: int
    kv_heads: int
    qk_head_dim: int
    v_head_dim: int
    span: Span = "full"  # linear: a recurrent state of qk_head_dim x v_head_dim per head
    span_tokens: int = 0  # window, chunk, or tokens chosen by sparse attention; 0 for full and linear


@dataclass(frozen=True, kw_only=True, slots=True)
class Mixer:
    """What mixes tokens: attention, or a linear recurrence."""

    linears: tuple[Linear, ...]
    core: Core
    vector_params: int = 0  # norms inside, sinks, convolutions, decays


@dataclass(frozen=True, kw_only=True, slots=True)
class Mlp:
    """A feed-forward network of one token. Gated: up and gate projections are one Linear of 2 x width."""

    linears: tuple[Linear, ...]
    width: int
    gated: bool

    @property
    def params(self) -> int:
        return sum(linear.params for linear in self.linears)


@dataclass(frozen=True, kw_only=True, slots=True)
class Moe:
    """A mixture of experts: `topk` of `experts`, and what every token passes."""

    experts: int
    topk: int
    expert: Mlp
    router: Linear
    shared: Mlp | None = None
    latent: tuple[Linear, ...] = ()  # into and out of a narrower space in which the experts work
    vector_params: int = 0
    groups: int = 1  # node-limited routing: experts are in `groups` groups,
    topk_groups: int = 1  # of which a token may use `topk_groups`


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """`count` equal transformer layers."""

    count: int
    mixer: Mixer
    mlp: Mlp | None  # dense feed-forward
    moe: Moe | None
    vector_params: int = 0  # norms
    streams: int = 1  # residual streams, as wide as the model each


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """An architecture, exact to the parameter."""

    id: str
    name: str
    hidden: int
    vocab: int
    blocks: tuple[Block, ...]  # in order; equal neighbours are merged
    tied_embedding: bool
    position_params: int = 0  # learned positions
    vector_params: int = 0  # final norm and the like
    extra_params: int = 0  # counted in the total, in no block (stated in note)
    mtp_layers: int = 0  # multi-token-prediction layers trained beside, not in the counts
    max_seq_tokens: int = 0
    rumoured: bool = False
    recipe: Facts = field(
        default_factory=dict, hash=False, compare=False
    )  # seq_tokens, batch_tokens, tokens, dtype
    facts: Facts = field(default_factory=dict, hash=False, compare=False)  # published_params
    note: str = ""

    @property
    def layers(self) -> int:
        return sum(block.count for block in self.blocks)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """A training software and its era: what it fuses, overlaps, keeps and costs. Calibration, not facts."""

    id: str
    name: str
    year: int
    values: Mapping[str, float] = field(default_factory=dict, hash=False)
    schedules: tuple[str, ...] = ("1f1b", "interleaved")  # pipeline schedules that it has
    note: str = ""

    def __getitem__(self, name: str) -> float:
        if name not in self.values:
            raise UnknownFactError(
                f"stack {self.id!r} has no {name!r}; it has: {', '.join(sorted(self.values))}"
            )
        return self.values[name]
