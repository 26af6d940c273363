"""What is asked of the machine: one training step of a model."""

from dataclasses import dataclass

from gigawatt.catalog.records import Model


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One optimizer step: `batch_sequences` sequences of `seq_tokens` through `model`, computed in `dtype`.

    `frozen` trains only low-rank adapters beside the weights (LoRA, arXiv:2106.09685): no weight gradients,
    no gradient exchange, no optimizer states of the weights. Of the adapters only the traffic counts.
    Documents packed into a sequence do not attend to one another (`document_tokens` each; 0: one a sequence).
    """

    model: Model
    seq_tokens: int
    batch_sequences: int
    dtype: str = "bf16"
    frozen: bool = False
    document_tokens: int = 0

    @property
    def batch_tokens(self) -> float:
        return float(self.seq_tokens) * self.batch_sequences
