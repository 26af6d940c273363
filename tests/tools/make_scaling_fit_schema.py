"""Write the JSON Schemas of fits and of scaling cases from some: run after a document changes, read the diff.

python -m tests.tools.make_scaling_fit_schema
"""

import dataclasses
import json
import tempfile
from pathlib import Path

from gigawatt.study import fit_isoflop, fit_scaling, scaling_fit_document, validate_scaling
from gigawatt.study.scaling_checks import RunFiles, ScalingCase, check_all, checks_document
from gigawatt.study.scaling_validation import scaling_cases
from tests.tools.make_plan_schema import write

ISOFLOP, LADDER = "isoflop_llama3_marin.csv", "olmo_ladder_final_30.csv"
LLAMA = ("dataset=llama_3", "condition=raw_loss")
WORDS = {"columns": {"loss": "ce_c4_en"}, "resamples": 20}
FLAT = "params,loss,flop\n" + "".join(f"{n},2.{n},{6 * n * 20 * n}\n" for n in range(1, 9))


def fits() -> list[dict]:
    """Return documents between which every field appears, and every field that can be null is."""
    found = [
        fit_scaling(LADDER, flop=[1e24], holdout="rollout", accuracy="acc_hellaswag_val", **WORDS),
        fit_scaling(LADDER, "kaplan-joint", objective="mse", **WORDS),
        fit_scaling(LADDER, "compute", objective="lad", flop=[1e24], **WORDS),
        fit_scaling(ISOFLOP, where=LLAMA, flop=[1e24], holdout="largest:0.2"),
        fit_isoflop(ISOFLOP, where=LLAMA, flop=[1e24], resamples=20),
        fit_isoflop(ISOFLOP, where=LLAMA, flop=[1e24]),
    ]
    with tempfile.TemporaryDirectory() as folder:
        flat = Path(folder) / "flat.csv"
        flat.write_text(FLAT)
        found.append(fit_scaling(flat, flop=[1e24], resamples=20))
    return [json.loads(json.dumps(scaling_fit_document(one))) for one in found]


def checks() -> list[dict]:
    """Return the cases that the package's own files allow, and one that fails."""
    cases = scaling_cases()
    wrong: ScalingCase = dataclasses.replace(cases[0], needs=(), compute=lambda runs: 0.0, explains="")
    documents = [validate_scaling(), checks_document(check_all([wrong], RunFiles()), folder="runs")]
    return [json.loads(json.dumps(one)) for one in documents]


def unknown(value: object) -> object:
    """Return a document in which no number is known: of degenerate runs any may be infinite."""
    if isinstance(value, dict):
        return {key: unknown(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [unknown(inner) for inner in value]
    return None if isinstance(value, float) else value


def main() -> None:
    found = fits()
    open_ = [{**one, "result": unknown(one["result"])} for one in found]
    write("scaling-fit", "A law fitted to runs; null was not asked for, or is not known.", found + open_)
    write("scaling-validation", "Published figures of scaling laws beside what is computed.", checks())


if __name__ == "__main__":
    main()
