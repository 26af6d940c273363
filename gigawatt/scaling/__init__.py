"""How low does the loss get?

Takes parameters and tokens; returns a loss by a named law, and whether the law was fitted near there.
"""

from gigawatt.scaling.laws import (
    DEFAULT_LAW,
    Law,
    LossEstimate,
    critical_batch_tokens,
    law,
    laws,
    loss_nats,
    predict_loss,
    tokens_for_loss,
)

__all__ = [
    "DEFAULT_LAW",
    "Law",
    "LossEstimate",
    "critical_batch_tokens",
    "law",
    "laws",
    "loss_nats",
    "predict_loss",
    "tokens_for_loss",
]
