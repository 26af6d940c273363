"""How low does the loss get?

Takes parameters and tokens; returns a loss by a named law, and whether the law was fitted near there.
Takes runs too; returns the law that fits them, how sure that is, and what it foresees.
"""

from gigawatt.scaling.bootstrap import GENERATORS, Bootstrap, bootstrap, floorless
from gigawatt.scaling.extrapolate import Foreseen, foresee, roll_out
from gigawatt.scaling.fit import (
    DEFAULT_FORM,
    DEFAULT_OBJECTIVE,
    DEFAULT_STARTS,
    Fit,
    fit_law,
    fit_runs,
    fitted_loss,
    loss_at,
)
from gigawatt.scaling.forms import FORMS, Form
from gigawatt.scaling.identify import (
    Profile,
    Spread,
    condition_number,
    correlations,
    profiles,
    raw_condition_number,
    spread_of,
)
from gigawatt.scaling.isoflop import Approach2, Valley, approach2
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
from gigawatt.scaling.objective import EXAMPLES, Objective
from gigawatt.scaling.runs import Runs
from gigawatt.scaling.split import optimal_params, params_exponent

__all__ = [
    "DEFAULT_FORM",
    "DEFAULT_LAW",
    "DEFAULT_OBJECTIVE",
    "DEFAULT_STARTS",
    "EXAMPLES",
    "FORMS",
    "GENERATORS",
    "Approach2",
    "Bootstrap",
    "Fit",
    "Foreseen",
    "Form",
    "Law",
    "LossEstimate",
    "Objective",
    "Profile",
    "Runs",
    "Spread",
    "Valley",
    "approach2",
    "bootstrap",
    "condition_number",
    "correlations",
    "critical_batch_tokens",
    "fit_law",
    "fit_runs",
    "fitted_loss",
    "floorless",
    "foresee",
    "law",
    "laws",
    "loss_at",
    "loss_nats",
    "optimal_params",
    "params_exponent",
    "predict_loss",
    "profiles",
    "raw_condition_number",
    "roll_out",
    "spread_of",
    "tokens_for_loss",
]
