"""Runs that are made of a known law, for tests."""

from __future__ import annotations

import numpy as np

TRUE = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}


def law_loss(params, tokens, *, E, A, B, alpha, beta):
    return E + A * params**-alpha + B * tokens**-beta


def made(count=120, *, noise=0.0, seed=0, constants=TRUE, span=(1e8, 1e10), tokens_per_param=(2.0, 200.0)):
    """Return parameters, tokens and losses of a law, with relative noise."""
    rng = np.random.default_rng(seed)
    params = np.exp(rng.uniform(*np.log(span), count))
    tokens = params * np.exp(rng.uniform(*np.log(tokens_per_param), count))
    return params, tokens, law_loss(params, tokens, **constants) * np.exp(noise * rng.standard_normal(count))


def as_csv(path, params, tokens, losses):
    """Write runs as the file that a user would have."""
    rows = "".join(
        f"{n!r},{d!r},{loss!r}\n" for n, d, loss in zip(*map(np.ndarray.tolist, (params, tokens, losses)))
    )
    path.write_text("params,tokens,loss\n" + rows)
    return path
