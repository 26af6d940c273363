"""How many parameters a model has, part by part, exactly."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import lru_cache

from gigawatt.catalog.records import Block, Model


@dataclass(frozen=True, kw_only=True, slots=True)
class ParamCount:
    """Parameters by part. The parts add up to the total; multi-token-prediction layers are beside it."""

    embedding: int
    head: int  # 0 when tied to the embedding
    position: int
    mixers: int
    dense_mlps: int
    routed_experts: int
    shared_experts: int
    routers: int
    vectors: int  # norms, sinks, convolutions
    extra: int
    inactive: int  # of the routed experts, those that a token does not pass; not a part of the sum

    @property
    def total(self) -> int:
        parts = (f.name for f in dataclasses.fields(self) if f.name != "inactive")
        return sum(getattr(self, name) for name in parts)

    @property
    def routed(self) -> int:
        return self.routed_experts

    @property
    def active(self) -> int:
        return self.total - self.inactive


def block_params(block: Block) -> dict[str, int]:
    """Return the parameters of the layers of one block, by part.

    Definition: weights and biases of its linears, and its vectors, times its count.
    """
    n, moe = block.count, block.moe
    routed = moe.experts * moe.expert.params if moe else 0
    return {
        "mixers": n * sum(linear.params for linear in block.mixer.linears),
        "dense_mlps": n * (block.mlp.params if block.mlp else 0),
        "routed_experts": n * routed,
        "shared_experts": n * (moe.shared.params if moe and moe.shared else 0),
        "routers": n
        * (moe.router.params + sum(x.params for x in moe.latent) + moe.vector_params if moe else 0),
        "vectors": n * (block.vector_params + block.mixer.vector_params),
        "inactive": n * (routed - moe.topk * moe.expert.params if moe else 0),
    }


@lru_cache(maxsize=256)
def params(model: Model) -> ParamCount:
    """Return the parameter count of a model, embeddings included, multi-token-prediction layers not.

    Definition: sum over all weights, biases, norms and learned vectors.

    >>> from gigawatt.catalog.architecture import transformer
    >>> llama = transformer(id="l", name="Llama 3.1 8B", layers=32, hidden=4096, heads=32, kv_heads=8,
    ...     ffn_hidden=14336, vocab=128256, gated=True, tied=False, bias=False)
    >>> params(llama).total
    8030261248
    """
    parts: dict[str, int] = {}
    for block in model.blocks:
        for name, value in block_params(block).items():
            parts[name] = parts.get(name, 0) + value
    table = model.vocab * model.hidden
    parts["vectors"] += model.vector_params
    return ParamCount(
        embedding=table,
        head=0 if model.tied_embedding else table,
        position=model.position_params,
        extra=model.extra_params,
        **parts,
    )
