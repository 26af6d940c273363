"""What is asked of the machine: one training step of a model."""

from dataclasses import dataclass

from gigawatt.catalog.records import Model


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One optimizer step: `batch_sequences` sequences of `seq_tokens` through `model`, computed in `dtype`."""

    model: Model
    seq_tokens: int
    batch_sequences: int
    dtype: str = "bf16"

    @property
    def batch_tokens(self) -> float:
        return float(self.seq_tokens) * self.batch_sequences
