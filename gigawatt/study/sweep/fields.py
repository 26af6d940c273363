"""Every field of a scenario that a study may set or vary: unit, range, and whether it may be a column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from gigawatt.catalog.machine_file import FACTS
from gigawatt.catalog.machine_words import quantity_of, refuse_outside
from gigawatt.errors import InputError, unknown_name
from gigawatt.perf import stacks
from gigawatt.perf.layout import Recompute, Schedule
from gigawatt.study.scenario import MAX_BATCH_TOKENS, MAX_CHIPS, MAX_SEQ_TOKENS, MAX_TOKENS

Kind = Literal["column", "degree", "count", "word"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One field. Columns and degrees are computed side by side; the others set scenarios apart."""

    name: str
    kind: Kind  # column: any number; degree: whole, of a layout; count and word: set a group apart
    unit: str = ""
    least: float = 1.0
    most: float = 1.0
    words: tuple[Any, ...] = ()  # all that is allowed; () for names of the catalogue

    @property
    def together(self) -> bool:
        """Return whether scenarios that differ in it are computed in one call."""
        return self.kind in ("column", "degree")

    @property
    def column(self) -> str:
        """Return its name in tables: without the dot, which SQL would take for its own."""
        return self.name.replace(".", "_")


PRICES = (
    "rent_usd_per_s", "capex_usd_per_chip", "failures_per_chip_s", "restart_s", "storage_bytes_per_s",
    "it_power_per_chip_w", "depreciation_s", "facility_usd_per_w", "facility_life_s", "operations_per_year",
    "capital_per_year",
)  # fmt: skip
RATE = ("byte/s", 1e6, 1e16)
LATENCY = ("s", 0.0, 1.0)
COLUMNS: dict[str, tuple[str, float, float]] = {  # unit, least, most
    "tokens": ("1", 1.0, MAX_TOKENS),
    **{f"machine.{name}": FACTS[name] for name in PRICES},
    "site.pue": ("1", 1.0, 5.0),
    "site.usd_per_j": ("USD/J", 0.0, 10 / 3.6e6),
    "site.kg_per_j": ("kg/J", 0.0, 10 / 3.6e6),
    "chip.peak_flop_per_s": ("flop/s", 1e9, 1e19),
    "chip.hbm_bytes": ("byte", 1e6, 1e15),
    "chip.hbm_bytes_per_s": RATE,
    "scale_up.bytes_per_s": RATE,
    "scale_up.latency_s": LATENCY,
    "network.bytes_per_s": RATE,
    "network.latency_s": LATENCY,
    "step_ratio": ("1", 0.01, 100.0),  # a step over the predicted one: how wrong the model may be
}
SWITCHES = (  # of a stack: on or off, and not more or less
    "flash_attention", "tp_overlap_on", "ep_overlap_on", "ep_dedup", "partition_activations", "zero_default",
    "full_attention_flop",
)  # fmt: skip
DEGREES = ("tp", "cp", "pp", "chunks", "dp_replicate", "dp_shard", "ep", "etp", "microbatch_sequences")
SHAPE = ("layers", "hidden", "heads", "kv_heads", "ffn_hidden", "vocab")
COUNTS = {
    "chips": MAX_CHIPS,
    "seq_tokens": MAX_SEQ_TOKENS,
    "batch_sequences": int(MAX_BATCH_TOKENS),
    "batch_tokens": int(MAX_BATCH_TOKENS),
    **{f"model.{name}": 10**7 for name in SHAPE},
}
WORDS: dict[str, tuple[Any, ...]] = {
    "model": (),
    "on": (),
    "dtype": (),
    "stack": (),
    "layout.recompute": get_args(Recompute),
    "layout.schedule": get_args(Schedule),
    "layout.zero_stage": (0, 1, 2, 3),
    "layout.sequence_parallel": (True, False),
}


def fields() -> dict[str, Field]:
    """Return every field by name."""
    values = {name for stack in stacks().values() for name in stack.values} - set(SWITCHES)
    found = [Field(name=n, kind="word", words=words) for n, words in WORDS.items()]
    found += [Field(name=n, kind="count", unit="1", most=most) for n, most in COUNTS.items()]
    found += [Field(name=f"layout.{n}", kind="degree", unit="1", most=MAX_CHIPS) for n in DEGREES]
    found += [
        Field(name=n, kind="column", unit=u, least=least, most=most)
        for n, (u, least, most) in COLUMNS.items()
    ]
    found += [Field(name=f"stack.{n}", kind="column", unit="1", least=0.0, most=1e15) for n in sorted(values)]
    return {field.name: field for field in found}


def field_of(name: str, *, known: Mapping[str, Field]) -> Field:
    """Return one field.

    Raises: InputError with the nearest names.
    """
    if name not in known:
        raise unknown_name("field", name, known)
    return known[name]


def value_of(field: Field, written: Any, *, where: str, ratio: bool = False) -> Any:
    """Return one value of a field as written: SI floats, whole numbers, words; a ratio has no unit.

    Raises: InputError with field, value, what is allowed and the nearest fix.
    """
    if field.kind == "word":
        return _word(field, written, where)
    unit = "1" if ratio else field.unit
    value = quantity_of(written, unit, field=where)
    if field.kind in ("count", "degree") and value != int(value):
        raise InputError(
            f"{where} = {written!r} is not a whole number; the nearest is {max(round(value), 1)}"
        )
    least, most = (1e-6, 1e6) if ratio else (field.least, field.most)
    refuse_outside(value, written, unit=unit, field=where, least=least, most=most)
    return int(value) if field.kind in ("count", "degree") else value


def _word(field: Field, written: Any, where: str) -> Any:
    if field.words:
        same = [w for w in field.words if w == written and isinstance(w, bool) == isinstance(written, bool)]
        if not same:
            allowed = ", ".join(str(w).lower() for w in field.words)
            raise InputError(f"{where} = {written!r} is not one of: {allowed}")
        return same[0]
    if not isinstance(written, str) or not written.strip() or "\0" in written:
        raise InputError(f"{where} = {written!r} is not a name; write e.g. {EXAMPLES[field.name]}")
    return written.strip()


EXAMPLES = {"model": "llama3.1-405b", "on": "meta-llama3-16k", "dtype": "bf16", "stack": "megatron-core-2024"}
