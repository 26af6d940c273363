"""The whole question in one call.

Takes a model, a machine and what to do there; returns a plan, from which every face is drawn.
"""

from gigawatt.study.catalogue import KINDS, catalogue, show
from gigawatt.study.designs import PRICES as SIZE_PRICES
from gigawatt.study.limits import OBJECTIVE as SIZE_OBJECTIVES
from gigawatt.study.plan import OBJECTIVES, Plan, plan
from gigawatt.study.rows import Prediction, predict, read_rows, write_predictions
from gigawatt.study.schema import SCHEMAS, schema
from gigawatt.study.size import Size, size
from gigawatt.study.size_document import size_document
from gigawatt.study.validation import Validation, validate, validation_document

__all__ = [
    "KINDS",
    "OBJECTIVES",
    "SCHEMAS",
    "SIZE_OBJECTIVES",
    "SIZE_PRICES",
    "Plan",
    "Prediction",
    "Size",
    "Validation",
    "catalogue",
    "plan",
    "predict",
    "read_rows",
    "schema",
    "show",
    "size",
    "size_document",
    "validate",
    "validation_document",
    "write_predictions",
]
