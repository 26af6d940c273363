"""The whole question in one call.

Takes a model, a machine and what to do there; returns a plan, from which every face is drawn.
"""

from gigawatt.scaling import DEFAULT_LAW
from gigawatt.scaling import GENERATORS as FIT_GENERATORS
from gigawatt.study.catalogue import KINDS, catalogue, show
from gigawatt.study.compare import EQUAL, Comparison, Refusal, compare
from gigawatt.study.compare_document import compare_document
from gigawatt.study.designs import PRICES as SIZE_PRICES
from gigawatt.study.limits import EXAMPLES as SIZE_EXAMPLES
from gigawatt.study.limits import OBJECTIVE as SIZE_OBJECTIVES
from gigawatt.study.plan import OBJECTIVES, Plan, plan
from gigawatt.study.rows import Prediction, predict, read_rows, write_predictions
from gigawatt.study.scaling_fit import FORM_NAMES as FIT_FORMS
from gigawatt.study.scaling_fit import METHODS as FIT_METHODS
from gigawatt.study.scaling_fit import OBJECTIVES as FIT_OBJECTIVES
from gigawatt.study.scaling_fit import IsoflopFit, ScalingFit, fit_isoflop, fit_scaling
from gigawatt.study.scaling_fit_document import scaling_fit_document
from gigawatt.study.scaling_laws import LAW_KINDS, laws_document
from gigawatt.study.scaling_marginal import Marginal, marginal, marginal_document
from gigawatt.study.scaling_optimal import Optimal, optimal
from gigawatt.study.scaling_optimal_document import optimal_document
from gigawatt.study.scaling_validation import validate_scaling
from gigawatt.study.schema import SCHEMAS, schema
from gigawatt.study.size import Size, size
from gigawatt.study.size_document import size_document
from gigawatt.study.sweep.query import query
from gigawatt.study.sweep.run import ENGINES, Ran, run_study
from gigawatt.study.sweep.sensitivity import sensitivity
from gigawatt.study.sweep.summary import study_document
from gigawatt.study.validation import Validation, validate, validation_document

__all__ = [
    "DEFAULT_LAW",
    "ENGINES",
    "EQUAL",
    "FIT_FORMS",
    "FIT_GENERATORS",
    "FIT_METHODS",
    "FIT_OBJECTIVES",
    "KINDS",
    "LAW_KINDS",
    "OBJECTIVES",
    "SCHEMAS",
    "SIZE_EXAMPLES",
    "SIZE_OBJECTIVES",
    "SIZE_PRICES",
    "Comparison",
    "IsoflopFit",
    "Marginal",
    "Optimal",
    "Plan",
    "Prediction",
    "Ran",
    "Refusal",
    "ScalingFit",
    "Size",
    "Validation",
    "catalogue",
    "compare",
    "compare_document",
    "fit_isoflop",
    "fit_scaling",
    "laws_document",
    "marginal",
    "marginal_document",
    "optimal",
    "optimal_document",
    "plan",
    "predict",
    "query",
    "read_rows",
    "run_study",
    "scaling_fit_document",
    "schema",
    "sensitivity",
    "show",
    "size",
    "size_document",
    "study_document",
    "validate",
    "validate_scaling",
    "validation_document",
    "write_predictions",
]
