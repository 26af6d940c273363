"""gigawatt scaling: how big a model, how many tokens, what loss, and what more compute buys."""

from __future__ import annotations

import click

from gigawatt.cli.lazy import LazyGroup

COMMANDS = {
    "optimal": ("gigawatt.cli.scaling_optimal", "How big a model, on how many tokens, for this compute?"),
    "marginal": ("gigawatt.cli.scaling_marginal", "What does the next dollar, day or megawatt buy?"),
    "laws": ("gigawatt.cli.scaling_laws", "List the published laws, or show one."),
    "fit": ("gigawatt.cli.scaling_fit", "Fit a law to runs."),
}


@click.group("scaling", cls=LazyGroup, table=COMMANDS)
def command() -> None:
    """How big a model, how many tokens, what loss, and what does more compute buy?

    \b
    gigawatt scaling optimal --compute 1e26
    gigawatt scaling optimal --on colossus --days 90
    gigawatt scaling laws besiroglu-2024
    """
