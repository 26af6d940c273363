"""Write the bootstrap draws of a law's constants: refits of resampled runs, kept so that bands need no data.

python -m tests.tools.make_law_draws ../shared/facts/scaling/chinchilla_epoch_245.csv

The runs are those that Besiroglu 2024 digitised; five are left out, as there. Each draw resamples the 240
with numpy's RandomState(42) and minimises the paper's stated objective, a sum of Huber losses of ln L.
Of the 4,000 draws the first 1,000 are kept.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from gigawatt.catalog.load import DATA

HUBER, DRAWS, KEPT, SEED = 1e-3, 4000, 1000, 42
START = (np.log(477.8), np.log(2143.0), np.log(1.817), 0.3473, 0.3672)


def objective(x, ln_n, ln_d, ln_loss):
    """Return the Huber sum over 1e-3 squared, and its gradient; x is centred a, b, e, alpha, beta."""
    terms = np.stack([x[0] - x[3] * ln_n, x[1] - x[4] * ln_d, np.full_like(ln_n, x[2])])
    top = terms.max(0)
    weights = np.exp(terms - top)
    weights /= weights.sum(0)
    over = (top - np.log(weights.max(0)) - ln_loss) / HUBER
    small = np.abs(over) <= 1
    value = np.where(small, 0.5 * over**2, np.abs(over) - 0.5).sum()
    slope = np.where(small, over, np.sign(over)) / HUBER
    a, b, e = (weights * slope).sum(1)
    return value, np.array([a, b, e, -(weights[0] * slope * ln_n).sum(), -(weights[1] * slope * ln_d).sum()])


def fitted(runs):
    """Return A, B, E, alpha, beta."""
    ln_n, ln_d, ln_loss = np.log(runs).T
    mid_n, mid_d = ln_n.mean(), ln_d.mean()
    a, b, e, alpha, beta = START
    start = (a - alpha * mid_n, b - beta * mid_d, e, alpha, beta)
    options = {"maxiter": 5000, "maxfun": 20000, "ftol": 1e-14, "gtol": 1e-6, "maxcor": 30}
    centred = (ln_n - mid_n, ln_d - mid_d, ln_loss)
    best = minimize(objective, start, args=centred, jac=True, method="L-BFGS-B", options=options)
    a, b, e, alpha, beta = best.x
    return np.exp(a + alpha * mid_n), np.exp(b + beta * mid_d), np.exp(e), alpha, beta


def main() -> None:
    with Path(sys.argv[1]).open() as file:
        rows = [row for row in csv.DictReader(file) if row["excluded_in_epoch_fit"] == "0"]
    params, flop, loss = (np.array([float(row[k]) for row in rows]) for k in ("params", "train_flop", "loss"))
    runs = np.column_stack([params, flop / 6 / params, loss])
    print("all runs:", fitted(runs))
    picks = np.random.RandomState(SEED).randint(0, len(runs), (DRAWS, len(runs)))
    found = [fitted(runs[pick]) for pick in picks]
    lines = ["A,B,E,alpha,beta", *(",".join(f"{v:.7g}" for v in row) for row in found[:KEPT])]
    file = Path(str(DATA / "law_draws" / "besiroglu-2024.csv"))
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("standard deviations of all draws:", np.std(found, 0))
    print("standard deviations of those kept:", np.std(found[:KEPT], 0))


if __name__ == "__main__":
    main()
