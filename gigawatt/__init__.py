"""gigawatt: design an AI supercomputer, and account for every card in it, before anyone buys it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "__version__",
    "bom",
    "cards",
    "claims",
    "compare",
    "energy",
    "growth",
    "hpl",
    "plan",
    "predict",
    "run_study",
    "size",
]

if TYPE_CHECKING:
    from gigawatt.study.bom import bom
    from gigawatt.study.cards import cards
    from gigawatt.study.claims.run import claims
    from gigawatt.study.compare import compare
    from gigawatt.study.energy import energy
    from gigawatt.study.growth import growth
    from gigawatt.study.hpl import hpl
    from gigawatt.study.plan import plan
    from gigawatt.study.rows import predict
    from gigawatt.study.size import size
    from gigawatt.study.sweep.run import run_study


def __getattr__(name: str) -> Any:
    """Load the public functions when they are first asked for: `import gigawatt` stays light."""
    if name in __all__:
        return getattr(import_module("gigawatt.study"), name)
    raise AttributeError(f"module 'gigawatt' has no attribute {name!r}")
