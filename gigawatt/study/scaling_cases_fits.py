"""Published figures of fits to other public runs: isoFLOP lines, over-training, tasks, repetition."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gigawatt.scaling import (
    Approach2,
    ErrorCurve,
    Fit,
    Runs,
    Split,
    approach2,
    fit_error_curve,
    fit_runs,
    fitted_loss,
    law,
    power_law,
    repeated_nats,
)
from gigawatt.study.runs_file import RunTable, read_runs
from gigawatt.study.scaling_checks import RunFiles, ScalingCase

ISOFLOP, MISFITTING = "isoflop_llama3_marin.csv", "isoflop_llama3_marin_misfitting.csv"
PORIAN, GADRE, OLMO = "porian_optimal_pairs.csv", "gadre_overtraining_104.csv", "olmo_ladder_final_30.csv"
STEP = "steplaw_dense_1911.csv"
RECOMPUTED = "no paper prints it: the same steps carried out independently with SciPy"
ROUNDED = "the last digit that was printed"
SEQUENCE_TOKENS = 2048.0


Compute = Callable[[RunFiles], float]


def _case(id: str, what: str, *, published: float, compute: Compute, **more: Any) -> ScalingCase:
    words: dict[str, Any] = {"unit": "1", "where": RECOMPUTED, "why": ROUNDED, **more}
    return ScalingCase(id=id, what=what, published=published, compute=compute, **words)


def _attribute(of: Callable[[RunFiles], Any], name: str) -> Compute:
    return lambda runs: float(getattr(of(runs), name))


def _constant(of: Callable[[RunFiles], Fit], name: str) -> Compute:
    return lambda runs: of(runs).constants[name]


@lru_cache(maxsize=32)
def _table(path: str, where: tuple[str, ...], columns: tuple[tuple[str, str], ...] = ()) -> RunTable:
    return read_runs(path, where=where, columns=dict(columns))


@lru_cache(maxsize=8)
def _rows(path: str) -> tuple[dict[str, str], ...]:
    with open(path, encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


# ---- Approach 2


def _line(file: str, *where: str) -> Callable[[RunFiles], Approach2]:
    def line(runs: RunFiles) -> Approach2:
        table = _table(str(runs[file]), where)
        return approach2(table.runs, table.budgets)

    return line


def _isoflops() -> list[ScalingCase]:
    printed = "Llama 3, arXiv:2407.21783v3 sec. 3.2.1"
    read = "the runs were read from a figure"
    found = []
    for condition, exponent, factor in (("raw_loss", 0.5368, 0.2994), ("exp_loss", 0.5369, 0.2978)):
        line = _line(ISOFLOP, "dataset=llama_3", f"condition={condition}")
        b, A = _attribute(line, "tokens_exponent"), _attribute(line, "tokens_factor")
        for name, what, value, compute, words in (
            ("b", "b of D* = A C^b", exponent, b, {"absolute": 6e-5}),
            ("A", "A of D* = A C^b", factor, A, {"absolute": 6e-5}),
            ("printed-b", "b as printed", 0.537, b, {"absolute": 6e-4, "where": printed}),
            ("printed-A", "A as printed", 0.299, A, {"relative": 0.006, "where": printed, "why": read}),
        ):
            more: dict[str, Any] = {**words, "needs": (ISOFLOP,)}
            found.append(_case(f"T5.{condition}.{name}", f"{what}, {condition}", published=value,
                               compute=compute, **more))  # fmt: skip
    for name, file, exponent in (
        ("comma", ISOFLOP, 0.572),
        ("dclm", ISOFLOP, 0.552),
        ("nemotron", ISOFLOP, 0.553),
        ("fineweb_c4", MISFITTING, 0.494),
    ):
        b = _attribute(_line(file, f"dataset={name}"), "tokens_exponent")
        found.append(_case(f"T6.{name}.b", f"b of D* ~ C^b, {name}", published=exponent, compute=b,
                           absolute=6e-4, needs=(file,)))  # fmt: skip
    for name, value in (("alpha", 0.310), ("beta", 0.314)):
        found.append(_case(f"T5.approach3.{name}", f"{name} of mse on the same runs", published=value,
                           compute=_constant(_llama, name), absolute=6e-4, needs=(ISOFLOP,)))  # fmt: skip
    return found


def _llama(runs: RunFiles) -> Fit:
    table = _table(str(runs[ISOFLOP]), ("dataset=llama_3", "condition=raw_loss"))
    return fit_runs(table.runs, objective="mse")


# ---- Porian's ladder

LADDER = (  # step: hparams, warmup, decay, param_count, loss_kind; a of OWT2 and of RefinedWeb
    ("kaplan", ("base", "long", "kaplan", "kaplan", "train"), 0.864, 0.835),
    ("last-layer", ("base", "long", "kaplan", "standard", "val"), 0.699, 0.706),
    ("warmup", ("base", "short", "kaplan", "standard", "val"), 0.603, 0.602),
    ("cosine", ("base", "short", "chinchilla", "standard", "val"), 0.574, 0.571),
    ("tuned", ("tuned", "short", "const", "standard", "val"), 0.518, 0.497),
)
LADDER_COLUMNS = ("hparams", "warmup", "decay", "param_count", "loss_kind")


def _ladder(dataset: str, step: Sequence[str]) -> Callable[[RunFiles], float]:
    def exponent(runs: RunFiles) -> float:
        asked = {"dataset": dataset, **dict(zip(LADDER_COLUMNS, step, strict=True))}
        rows = [row for row in _rows(str(runs[PORIAN])) if row["n"] and asked.items() <= row.items()]
        flop, params, sd = (np.array([float(row[n]) for row in rows]) for n in ("flops", "n", "n_star_std"))
        return float(np.polyfit(np.log(flop), np.log(params), 1, w=1.0 / sd)[0])

    return exponent


def _porian() -> list[ScalingCase]:
    words: dict[str, Any] = {
        "absolute": 7e-4,
        "where": "Porian 2024, arXiv:2406.19146 table 1",
        "why": "three digits are printed, of released optima",
        "needs": (PORIAN,),
    }
    return [
        _case(f"T7.{dataset}.{step}", f"a of N* ~ C^a, {dataset}, {step}", published=value,
              compute=_ladder(dataset, names), **words)
        for step, names, owt2, rw in LADDER
        for dataset, value in (("owt2", owt2), ("rw", rw))
    ]  # fmt: skip


# ---- Gadre: five small runs, and what they foresee

FITTED = (("11M", 1), ("79M", 1), ("154M", 1), ("411M", 1), ("11M", 16))
SIZES = {"11M": 10569312.0, "79M": 78914048.0, "154M": 153677376.0, "411M": 411616256.0, "1.4B": 1439795200.0,
         "6.9B": 6889410560.0}  # fmt: skip
GADRE_LAWS = {  # train_data: a, b, eta, E
    "c4_original": (141.3, 189.5, 0.1212, 1.508),
    "rpj": (212.2, 366.7, 0.1364, 1.837),
    "rw_original": (157.1, 246.2, 0.1272, 1.735),
}
HELD = (  # train_data, size, multiplier, relative error of the loss foreseen
    ("rpj", "1.4B", 32, 0.0071),
    ("rpj", "6.9B", 1, 0.0073),
    ("rw_original", "1.4B", 16, -0.0001),
    ("rw_original", "6.9B", 1, -0.0162),
    ("c4_original", "6.9B", 1, -0.043),
)


def _gadre_table(runs: RunFiles, train_data: str) -> RunTable:
    return _table(str(runs[GADRE]), (f"train_data={train_data}",), (("loss", "loss_c4_val"),))


@lru_cache(maxsize=8)
def _gadre_fit(path: str, train_data: str) -> Fit:
    table = _table(path, (f"train_data={train_data}",), (("loss", "loss_c4_val"),))
    chosen = np.array([_is_one_of(n, m, FITTED) for n, m in _sized(table)])
    return fit_runs(table.runs.take(chosen), "gadre", objective="mse")


def _sized(table: RunTable) -> list[tuple[float, float]]:
    return [(float(n), float(m)) for n, m in zip(table.runs.params, table.cells["multiplier"], strict=True)]


def _is_one_of(params: float, multiplier: float, chosen: Sequence[tuple[str, int]]) -> bool:
    return any(params == SIZES[size] and multiplier == times for size, times in chosen)


def _five(train_data: str) -> Callable[[RunFiles], Fit]:
    return lambda runs: _gadre_fit(str(runs[GADRE]), train_data)


def _curve(runs: RunFiles) -> ErrorCurve:
    return _tasks(str(runs[GADRE]))


def _held(train_data: str, size: str, multiplier: int) -> Callable[[RunFiles], float]:
    def error(runs: RunFiles) -> float:
        table, fit = _gadre_table(runs, train_data), _gadre_fit(str(runs[GADRE]), train_data)
        (i,) = (i for i, (n, m) in enumerate(_sized(table)) if _is_one_of(n, m, ((size, multiplier),)))
        own = table.runs.take([i])
        return float(fitted_loss(own.params, own.tokens, by=fit)[0] / own.losses[0] - 1.0)  # type: ignore[index]

    return error


@lru_cache(maxsize=2)
def _tasks(path: str) -> ErrorCurve:
    rows = _rows(path)
    return fit_error_curve([float(row["loss_c4_val"]) for row in rows],
                           [1.0 - float(row["mean_icl_acc"]) for row in rows])  # fmt: skip


def _gadre() -> list[ScalingCase]:
    eq4 = f"{RECOMPUTED}: Gadre 2024, arXiv:2403.08540 eq. 4, on its released runs"
    found = [
        _case(f"T8.{data}.{name}", f"{name} of Gadre's law on 5 runs, {data}", published=value,
              compute=_constant(_five(data), name), relative=6e-4, where=eq4, needs=(GADRE,))
        for data, constants in GADRE_LAWS.items()
        for name, value in zip(("a", "b", "eta", "E"), constants, strict=True)
    ]  # fmt: skip
    found += [
        _case(f"T8.held-out.{data}.{size}", f"error of the loss foreseen, {data}, {size}, D/N = {20 * times}",
              published=value, compute=_held(data, size, times), absolute=1.1e-4, needs=(GADRE,))
        for data, size, times, value in HELD
    ]  # fmt: skip
    for name, value, slack in (("ceiling", 0.757, 5e-4), ("k", 2.045, 1e-3), ("gamma", 1.080, 6e-4),
                               ("rmse", 0.0081, 5e-5)):  # fmt: skip
        found.append(_case(f"T9.{name}", f"{name} of error over loss, 46 tasks, 104 models", published=value,
                           compute=_attribute(_curve, name), absolute=slack, needs=(GADRE,)))  # fmt: skip
    return found


# ---- Step law: how good is the run nearest to the law, in each cell


@lru_cache(maxsize=2)
def _losses_at_law(path: str) -> tuple[float, ...]:
    """Return for each (N, D) how much worse than the best run the one nearest to the law's recipe is."""
    cells: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in _rows(path):
        cells.setdefault((row["N"], row["D"]), []).append(row)
    rate, batch = law("step-law-rate"), law("step-law-batch")
    worse = []
    for (params, tokens), rows in cells.items():
        point = {
            "params": float(params),
            "tokens": float(tokens),
            "compute_flop": 1.0,
        }  # which it does not ask
        lr, sequences = (np.array([float(row[name]) for row in rows]) for name in ("lr", "bs_seq2048"))
        asked = float(power_law(batch, **point)) / SEQUENCE_TOKENS
        away = np.log(lr / float(power_law(rate, **point))) ** 2 + np.log(sequences / asked) ** 2
        losses = np.array([float(row["smooth_loss"]) for row in rows])
        worse.append(float(losses[np.argmin(away)] / losses.min() - 1.0))
    return tuple(worse)


def _steplaw() -> list[ScalingCase]:
    what = "loss of the run nearest to Step law over the best of its N and D, less 1"
    parts: tuple[tuple[str, str, float, Callable[[Sequence[float]], Any], float], ...] = (
        ("cells", "cells of equal N and D", 17.0, len, 0.0),
        ("worst", f"worst {what}", 0.0031, max, 6e-5),
        ("median", f"median {what}", 0.0007, np.median, 6e-5),
    )
    return [
        _case(f"T12.{name}", words, published=value, compute=_over(reduce), absolute=slack, needs=(STEP,))
        for name, words, value, reduce, slack in parts
    ]


def _over(reduce: Callable[[Sequence[float]], Any]) -> Compute:
    return lambda runs: float(reduce(_losses_at_law(str(runs[STEP]))))


# ---- Repeated data: what repetition costs in the released losses, and by the law's printed constants

CANNOT_OVERFIT = "the law cannot overfit, and 44 epochs do: use it for about ten epochs at most"
ONE_EPOCH = 5.5e10  # tokens of the runs compared
RELEASED = {5.5e10: 2.5741, 1.4e10: 2.5894, 1.25e9: 3.4228}  # unique tokens: loss of the released run


def _cost(unique: float) -> Compute:
    """Return what repeating `unique` tokens costs a model of 2.8e9 on 55e9 tokens, by the law."""
    once, by = Split(params=2.8e9, tokens=ONE_EPOCH), law("muennighoff-2023")
    return lambda _runs: float(repeated_nats(once, unique, by=by) - repeated_nats(once, ONE_EPOCH, by=by))


def _repeated() -> list[ScalingCase]:
    return [
        _case(
            f"T15.cost-of-{name}",
            f"what {name} cost over one at 2.8e9, 55e9 tokens: measured, by the law",
            published=RELEASED[unique] - RELEASED[ONE_EPOCH],
            compute=_cost(unique),
            unit="nat/token",
            absolute=0.01,
            where="Muennighoff 2023, arXiv:2305.16264, released runs",
            why="noise of a run",
            explains=why,
        )
        for name, unique, why in (("4-epochs", 1.4e10, ""), ("44-epochs", 1.25e9, CANNOT_OVERFIT))
    ]


# ---- OLMo's ladder

OLMO_LAW = {  # constant: value, half of its last digit
    "E": (1.558, 6e-4),
    "A": (25.45, 6e-3),
    "B": (35.66, 6e-3),
    "alpha": (0.1686, 6e-5),
    "beta": (0.1601, 6e-5),
}
OLMO_HELD = {"0.5xC": -0.0195, "1xC": -0.0055, "2xC": 0.0003, "5xC": 0.0007, "10xC": -0.0040}


def _is_rung(name: str) -> bool:
    return not name.endswith("-rerun") and not name.startswith("3B")


@lru_cache(maxsize=2)
def _olmo_fit(path: str) -> Fit:
    table = _table(path, (), (("loss", "ce_c4_en"),))
    rungs = np.array([_is_rung(name) for name in table.cells["run"]])
    return fit_runs(table.runs.take(rungs), objective="mse")


def _olmo_held(multiple: str) -> Callable[[RunFiles], float]:
    def error(runs: RunFiles) -> float:
        table = _table(str(runs[OLMO]), (f"run=3B-{multiple}",), (("loss", "ce_c4_en"),))
        own: Runs = table.runs
        predicted = fitted_loss(own.params, own.tokens, by=_olmo_fit(str(runs[OLMO])))
        return float(predicted[0] / own.losses[0] - 1.0)  # type: ignore[index]

    return error


def _rungs(runs: RunFiles) -> Fit:
    return _olmo_fit(str(runs[OLMO]))


def _olmo() -> list[ScalingCase]:
    found = [
        _case(f"T21.{name}", f"{name} of mse on the 20 rungs up to 1.3e9, C4", published=value,
              compute=_constant(_rungs, name), absolute=slack, needs=(OLMO,))
        for name, (value, slack) in OLMO_LAW.items()
    ]  # fmt: skip
    found += [
        _case(f"T21.held-out.{multiple}", f"error of the loss foreseen at 3.2e9, {multiple}", published=value,
              compute=_olmo_held(multiple), absolute=6e-5, needs=(OLMO,))
        for multiple, value in OLMO_HELD.items()
    ]  # fmt: skip
    return found


CASES = (*_isoflops(), *_porian(), *_gadre(), *_steplaw(), *_repeated(), *_olmo())
