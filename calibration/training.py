"""Fit the software stacks and the sustained clocks to measured training steps.

One unknown per mechanism: a stack's value is its base's plus a deviation, a chip's clock is its family's
plus a deviation, and deviations are held near 0 by a prior, so that a stack of few rows stays near its base.
A source counts by the root of its rows, and less the more its repeated runs differ.
Run: python -m calibration.training, then python -m calibration.training --by family (minutes each).
"""

from __future__ import annotations

import argparse
import dataclasses
import multiprocessing
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gigawatt.catalog import load
from gigawatt.catalog.records import Stack
from gigawatt.errors import GigawattError
from gigawatt.perf import microbatch_passes, setting_of, step_parts
from gigawatt.perf.stacks import DATA, chain, initial, stack
from gigawatt.study.measured import measured_step_s, read_measured, read_notes
from gigawatt.study.row_cells import RowError
from gigawatt.study.row_layout import Question, question
from gigawatt.study.rows import read_rows

ROWS = Path(__file__).resolve().parents[2] / "shared" / "facts" / "training"
NOT_ROWS = ("accelerator_alias.csv", "sanity_flags.csv")
NOT_FITTED = ("papers_secondary",)  # quoted by third parties: for plausibility only
HUBER = 0.06  # relative error beyond which a row pulls with constant force
REPEATS = 0.10  # scatter of a source's repeated runs at which its rows count half
STEPS = 12
PROBE = 0.02
SETTLED = 1e-3  # of a coordinate
PROCESSES, CHUNK = 2, 64
NOISY = 0.1  # weight of rows whose source warns of noise

Where = Mapping[tuple[str, str], int]  # the place of each (owner, unknown) in the vector


@dataclass(frozen=True, kw_only=True, slots=True)
class Unknown:
    """One fitted number, kept in a coordinate that has no bounds."""

    name: str
    to: Callable[[Any], Any]  # value -> coordinate
    back: Callable[[Any], Any]
    spread: float  # of a stack's deviation from its base, in the coordinate
    root_spread: float  # of the root's deviation from its first value


def _log(name: str, spread: float, root: float) -> Unknown:
    return Unknown(name=name, to=np.log, back=np.exp, spread=spread, root_spread=root)


def _at_least_1(name: str, spread: float, root: float) -> Unknown:
    plain = _log(name, spread, root)
    return dataclasses.replace(plain, back=lambda u: np.maximum(np.exp(u), 1.0))


def _logit(name: str, spread: float, root: float, *, most: float = 1.0) -> Unknown:
    return Unknown(
        name=name,
        to=lambda v: np.log(v / (most - v)),
        back=lambda u: most / (1.0 + np.exp(-u)),
        spread=spread,
        root_spread=root,
    )


UNKNOWNS = {
    u.name: u
    for u in (
        _log("sustained", 0.12, 0.01),
        _log("elementwise_passes", 0.2, 0.4),
        _log("residual_passes", 0.2, 0.1),
        _log("routed_passes", 0.35, 0.4),
        _log("softmax_passes", 0.3, 0.5),
        _log("warmth", 0.05, 0.3),
        _logit("attention_rate", 0.4, 0.3, most=1.15),  # little above the best kernel that was measured
        _log("linear_passes", 0.1, 0.5),
        _log("cast_passes", 0.5, 1.0),
        _log("host_s_per_kernel", 0.3, 0.4),
        _log("host_s_per_peer", 0.7, 0.7),
        _log("s_per_shard", 0.5, 0.5),
        _log("host_s_per_step", 0.2, 0.5),
        _logit("tp_overlap", 0.7, 1.0),
        _logit("cp_overlap", 0.5, 1.0),
        _logit("ep_overlap", 0.7, 1.0),
        _logit("ep_overlap_asked", 0.7, 1.0),
        _logit("pp_overlap", 0.7, 1.0),
        _logit("dp_overlap", 0.7, 1.0),
        _log("jitter", 0.3, 0.3),
        _log("optimizer_pass_bytes", 0.2, 0.2),
        _log("loss_bytes", 0.3, 0.3),
        _at_least_1("ep_imbalance", 0.1, 0.1),
    )
}
CLOCK = _log("clock", 0.08, 0.15)  # of a chip from its family, of a family from 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """One measured row that can be predicted."""

    id: str
    family: str  # the source file
    model: str
    asked: Question
    step_s: float
    weight: float = 1.0


def observations(folder: Path = ROWS) -> list[Observation]:
    """Return every predictable measured row, weighted so that a source counts by the root of its rows."""
    found: list[Observation] = []
    for file in sorted(folder.glob("*.csv")):
        if file.name in NOT_ROWS or file.stem in NOT_FITTED:
            continue
        own = [o for o in _file(file) if o is not None]
        if own:
            share = len(own) ** -0.5 / (1.0 + (repeat_scatter(own) / REPEATS) ** 2)
            found += [dataclasses.replace(o, weight=share * o.weight) for o in own]
    scale = len(found) / sum(o.weight for o in found)
    return [dataclasses.replace(o, weight=o.weight * scale) for o in found]


def repeat_scatter(rows: Sequence[Observation]) -> float:
    """Return the standard deviation of log step times of runs that ask the same question, pooled.

    No model that reads configurations can be nearer than this. 0 where nothing was run twice.
    Source: pooled variance within groups, sum of squares / (n - groups).
    """
    groups: dict[str, list[float]] = {}
    for o in rows:
        groups.setdefault(repr(dataclasses.replace(o.asked, assumed=())), []).append(np.log(o.step_s))
    squares = sum(len(g) * float(np.var(g)) for g in groups.values())
    degrees = len(rows) - len(groups)
    return float(np.sqrt(squares / degrees)) if degrees else 0.0


def _file(file: Path) -> Iterator[Observation | None]:
    notes = read_notes(file)
    for row, seen in zip(read_rows(file), read_measured(file), strict=True):
        if seen is None:
            continue
        try:
            asked = question(row)
        except (RowError, GigawattError):
            continue
        model = row["model_name"].split("[")[0].split("(")[0].strip().lower()
        seconds = float(measured_step_s(seen, asked))
        weight = NOISY if "run-to-run noise" in notes[row["id"]] else 1.0
        yield Observation(
            id=row["id"], family=file.stem, model=model, asked=asked, step_s=seconds, weight=weight
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Coordinates:
    """Where each unknown's root and deviations stand in the vector."""

    names: tuple[tuple[str, str], ...]  # (owner, unknown): owner is a stack, "family:x" or "chip:y"
    first: NDArray[Any]  # the roots' first values; 0 for deviations
    spread: NDArray[Any]

    def index(self) -> dict[tuple[str, str], int]:
        return {name: i for i, name in enumerate(self.names)}


def free(software: str) -> list[str]:
    """Return which unknowns a stack has: a value of 0 says that the mechanism is absent."""
    values = initial(software)
    return [name for name in UNKNOWNS if values[name] > 0]


def coordinates(rows: Sequence[Observation]) -> Coordinates:
    """Return every coordinate that some row depends on, in a fixed order."""
    wanted: dict[tuple[str, str], tuple[float, float]] = {}
    for o in rows:
        for owner in chain(o.asked.stack.id):
            for name in free(o.asked.stack.id):
                wanted.setdefault((owner, name), _first(owner, name))
        chip = o.asked.machine.chip
        wanted.setdefault((f"family:{chip.family}", "clock"), (0.0, CLOCK.root_spread))
        wanted.setdefault((f"chip:{chip.id}", "clock"), (0.0, CLOCK.spread))
    names = tuple(sorted(wanted))
    first, spread = zip(*(wanted[name] for name in names), strict=True)
    return Coordinates(names=names, first=np.array(first), spread=np.array(spread))


def _first(owner: str, name: str) -> tuple[float, float]:
    """Return a coordinate's first value and spread: a stack that writes a value of its own starts there."""
    unknown, line = UNKNOWNS[name], chain(owner)
    value = initial(owner)[name]
    if value <= 0:
        return 0.0, 1e-6
    if len(line) == 1:
        return float(unknown.to(value)), unknown.root_spread
    base = initial(line[1])[name]
    return (
        float(unknown.to(value) - unknown.to(base)) if base > 0 else float(unknown.to(value))
    ), unknown.spread


def owners(o: Observation, name: str, where: Where) -> list[int]:
    """Return the coordinates whose sum is an observation's value of one unknown."""
    chip = o.asked.machine.chip
    line = (f"family:{chip.family}", f"chip:{chip.id}") if name == "clock" else chain(o.asked.stack.id)
    return [where[(owner, name)] for owner in line if (owner, name) in where]


def log_step(o: Observation, values: Mapping[str, Any]) -> NDArray[Any]:
    """Return the log of the predicted step time, for columns of values of the unknowns."""
    asked = o.asked
    own = {**asked.stack.values, **{k: v for k, v in values.items() if k != "clock"}}
    software = Stack(id=asked.stack.id, name="", year=asked.stack.year, values=own)
    setting = setting_of(asked.job, machine=asked.machine, strategy=asked.strategy, stack=software)
    setting = dataclasses.replace(setting, clock=values["clock"])
    passes = microbatch_passes(asked.job, asked.layout, setting)
    return np.log(step_parts(asked.job, asked.layout, setting, passes=passes).total_s)


def residual_and_slope(o: Observation, at: NDArray[Any], *, where: Where) -> tuple[float, dict[int, float]]:
    """Return a row's log(predicted / measured), and its slope along each coordinate that it depends on."""
    names, places = _places(o, where)
    point = np.array([at[p].sum() for p in places])
    probes = np.tile(point[:, None], (1, len(names) + 1))
    probes[np.arange(len(names)), np.arange(1, len(names) + 1)] += PROBE
    values = {n: (UNKNOWNS.get(n) or CLOCK).back(probes[k]) for k, n in enumerate(names)}
    found = np.broadcast_to(log_step(o, values), (len(names) + 1,))
    slope: dict[int, float] = {}
    for place, d in zip(places, (found[1:] - found[0]) / PROBE, strict=True):
        for i in place:
            slope[i] = slope.get(i, 0.0) + float(d)
    return float(found[0] - np.log(o.step_s)), slope


def _places(o: Observation, where: Where) -> tuple[list[str], list[list[int]]]:
    own, known = o.asked.stack, stack(o.asked.stack.id)
    names = [name for name in free(own.id) if own[name] == known[name]]  # the others a row's words have set
    names.append("clock")
    return names, [owners(o, name, where) for name in names]


def residual_of(o: Observation, at: NDArray[Any], *, where: Where) -> float:
    """Return a row's log(predicted / measured)."""
    names, places = _places(o, where)
    values = {n: (UNKNOWNS.get(n) or CLOCK).back(at[p].sum()) for n, p in zip(names, places, strict=True)}
    return float(log_step(o, values)) - float(np.log(o.step_s))


_shared: dict[str, Any] = {}  # of a worker process: the rows, which do not change, are sent once


def _share(rows: Sequence[Observation], where: Where) -> None:
    _shared.update(rows=rows, where=where)


def _task(job: tuple[range, NDArray[Any]]) -> list[tuple[float, dict[int, float]]]:
    return [residual_and_slope(_shared["rows"][i], job[1], where=_shared["where"]) for i in job[0]]


class Evaluator:
    """Residuals and slopes of some rows, computed by a few processes; the order is that of the rows."""

    def __init__(self, rows: Sequence[Observation], c: Coordinates) -> None:
        self.rows, self.width = rows, len(c.names)
        self.weight = np.array([o.weight for o in rows])
        fork = multiprocessing.get_context("fork")
        self.pool = ProcessPoolExecutor(PROCESSES, fork, initializer=_share, initargs=(rows, c.index()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.shutdown()

    def __call__(self, at: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return log(predicted / measured) of every row, and the slopes: rows x coordinates."""
        n = len(self.rows)
        jobs = [(range(i, min(i + CHUNK, n)), at) for i in range(0, n, CHUNK)]
        found = [one for part in self.pool.map(_task, jobs) for one in part]
        slope = np.zeros((n, self.width))
        for row, (_, slopes) in enumerate(found):
            slope[row, list(slopes)] = list(slopes.values())
        return np.array([residual for residual, _ in found]), slope


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """The coordinates of least error, and the normal matrix there."""

    at: NDArray[Any]
    normal: NDArray[Any]

    @property
    def sigma(self) -> NDArray[Any]:
        """Return the standard deviation of each coordinate, its prior counted."""
        found: NDArray[Any] = np.sqrt(np.diag(np.linalg.inv(self.normal)))
        return found


def fit(rows: Sequence[Observation], c: Coordinates, *, start: NDArray[Any], steps: int = STEPS) -> Fit:
    """Return the coordinates of least robust error: Gauss-Newton on Huber weights, priors as pseudo-rows."""
    at, damp, best_cost = start.copy(), 1.0, np.inf
    best, normal, direction = at, np.eye(len(at)), np.zeros(len(at))
    with Evaluator(rows, c) as evaluate:
        for _ in range(steps):
            residual, slope = evaluate(at)
            cost = _cost(residual, evaluate.weight) + float(np.sum(((at - c.first) / c.spread) ** 2) / 2)
            if cost > best_cost * (1 - 1e-4):
                if damp < 0.1:
                    break
                damp /= 3
            else:
                best, best_cost, damp = at, cost, min(damp * 1.5, 1.0)
                pull = evaluate.weight / np.maximum(np.abs(residual) / HUBER, 1.0) / HUBER**2
                normal = slope.T @ (pull[:, None] * slope) + np.diag(c.spread**-2.0)
                gradient = slope.T @ (pull * residual) + (at - c.first) / c.spread**2
                direction = np.linalg.solve(normal, gradient)
            at = best - damp * np.clip(direction, -1.5, 1.5)
    return Fit(at=best, normal=normal)


def _cost(residual: NDArray[Any], weight: NDArray[Any]) -> float:
    size = np.abs(residual)
    near = np.where(size < HUBER, size**2 / 2, HUBER * (size - HUBER / 2))
    return float(np.sum(weight * near)) / HUBER**2


def errors(rows: Sequence[Observation], c: Coordinates, *, at: NDArray[Any]) -> NDArray[Any]:
    """Return predicted / measured - 1."""
    with Evaluator(rows, c) as evaluate:
        found: NDArray[Any] = np.exp(evaluate(at)[0]) - 1.0
    return found


def table(rows: Sequence[Observation], error: NDArray[Any]) -> str:
    """Return errors by source as text."""
    lines = []
    families = sorted({o.family for o in rows})
    for family in [*families, "all"]:
        e = error[[o.family == family or family == "all" for o in rows]]
        half, most = np.quantile(abs(e), [0.5, 0.9])
        lines.append(
            f"{family:24s} {len(e):5d}  median {half:6.3f}  p90 {most:6.3f}  bias {np.median(e):+.3f}"
        )
    return "\n".join(lines)


def architecture(o: Observation) -> tuple[int, int, int]:
    """Return what tells models apart, whatever a source calls them: layers, width, experts."""
    model = o.asked.job.model
    moe = model.blocks[-1].moe
    return model.layers, model.hidden, moe.experts if moe else 0


def refitted(
    residual: NDArray[Any], slope: NDArray[Any], c: Coordinates, *, at: NDArray[Any], weight: NDArray[Any]
) -> NDArray[Any]:
    """Return the coordinates of least error of rows whose residuals are linear around `at`.

    Gauss-Newton on Huber weights until nothing moves: near the optimum of all rows, leaving a few out moves
    little, and the slopes hold.
    """
    move, prior = np.zeros(len(at)), c.spread**-2.0
    for _ in range(STEPS):
        now = residual + slope @ move
        pull = weight / np.maximum(np.abs(now) / HUBER, 1.0) / HUBER**2
        gradient = slope.T @ (pull * now) + (at + move - c.first) * prior
        step = np.linalg.solve(slope.T @ (pull[:, None] * slope) + np.diag(prior), gradient)
        move = move - step
        if np.max(np.abs(step)) < SETTLED:
            break
    return at + move


def models_left_out(rows: Sequence[Observation], c: Coordinates, *, at: NDArray[Any]) -> NDArray[Any]:
    """Return each row's error when its model is left out, of every source, from the fit.

    The fit to the rest is linear around the optimum of all; the rows left out are then predicted in full.
    """
    kinds = [architecture(o) for o in rows]
    left = np.array([kinds.index(kind) for kind in kinds])
    error, where = np.zeros(len(rows)), c.index()
    with Evaluator(rows, c) as evaluate:
        residual, slope = evaluate(at)
        weight = evaluate.weight
    for kind in sorted(set(left)):
        kept = left != kind
        own = refitted(residual[kept], slope[kept], c, at=at, weight=weight[kept])
        for i in np.flatnonzero(~kept):
            error[i] = np.exp(residual_of(rows[int(i)], own, where=where)) - 1.0
    return error


def sources_left_out(rows: Sequence[Observation], c: Coordinates, *, start: NDArray[Any]) -> NDArray[Any]:
    """Return each row's error when its whole source is left out of the fit."""
    families = sorted({o.family for o in rows})
    error, left_out = np.zeros(len(rows)), np.array([families.index(o.family) for o in rows])
    for fold, family in enumerate(families):
        kept = [o for o in rows if o.family != family]
        out = [o for o in rows if o.family == family]
        own = fit(kept, c, start=start, steps=3)
        error[left_out == fold] = errors(out, c, at=own.at)
        print(f"{family}: {len(out)} rows left out", file=sys.stderr)
    return error


def residual_tables(rows: Sequence[Observation], error: NDArray[Any]) -> dict[str, dict[str, Any]]:
    """Return the errors of rows that were left out: of all, by chip family, stack and family, source."""
    groups: dict[str, dict[str, list[float]]] = {"all": {}, "family": {}, "both": {}, "source": {}}
    for o, e in zip(rows, error, strict=True):
        chips = o.asked.machine.chip.family
        both = f"{o.asked.stack.id}/{chips}"
        keys = {"all": "all", "family": chips, "both": both, "source": o.family}
        for kind, key in keys.items():
            groups[kind].setdefault(key, []).append(float(e))
    return {
        kind: {key: statistics(np.array(e)) for key, e in sorted(own.items())} for kind, own in groups.items()
    }


def statistics(error: NDArray[Any]) -> dict[str, float]:
    """Return rows, median and 90th percentile of the size of errors, and their median with its sign."""
    p50, p90 = np.quantile(abs(error), [0.5, 0.9])
    return {"rows": len(error), "p50": float(p50), "p90": float(p90), "bias": float(np.median(error))}


def unmeasured_table(rows: Sequence[Observation], error: NDArray[Any]) -> dict[str, dict[str, Any]]:
    """Return the errors of rows whose source was left out, each source counted alike.

    A new source is one more draw from the sources, not from the rows: one of them holds two rows in five.
    """
    size = abs(error)
    counts = Counter(o.family for o in rows)
    p50, p90 = np.quantile(
        size, [0.5, 0.9], weights=[1.0 / counts[o.family] for o in rows], method="inverted_cdf"
    )
    return {"all": {"all": {"rows": len(rows), "p50": float(p50), "p90": float(p90)}}}


def write_residuals(file: str, found: Mapping[str, Mapping[str, Any]], *, note: str) -> None:
    """Write the left-out errors where the package reads them."""
    lines = [f"# {line}".rstrip() for line in note.splitlines()]

    def told(e: Mapping[str, Any]) -> str:
        bias = f", bias = {e['bias']:.4f}" if "bias" in e else ""
        return f"{{ rows = {e['rows']}, p50 = {e['p50']:.4f}, p90 = {e['p90']:.4f}{bias} }}"

    lines.append(f"all = {told(found['all']['all'])}")
    for kind in ("family", "both", "source"):
        if kind in found:
            lines += ["", f"[{kind}]"] + [f'"{key}" = {told(e)}' for key, e in found[kind].items()]
    (DATA / file).write_text("\n".join(lines) + "\n", "utf-8")  # type: ignore[attr-defined]


def fitted_values(c: Coordinates, at: NDArray[Any]) -> dict[str, dict[str, dict[str, float]]]:
    """Return the fitted values by stack, chip family and chip."""
    where = c.index()
    found: dict[str, dict[str, Any]] = {"stack": {}, "family": {}, "chip": {}}
    for owner, _ in c.names:
        kind, _, name = owner.rpartition(":")
        if kind == "family":
            found["family"][name] = float(np.exp(at[where[(owner, "clock")]]))
    for (owner, unknown), place in where.items():
        kind, _, name = owner.rpartition(":")
        if kind == "chip":
            found["chip"][name] = float(np.exp(at[place])) * found["family"][load.chip(name).family]
        elif not kind and unknown in free(owner):
            line = [where[(o, unknown)] for o in chain(owner) if (o, unknown) in where]
            found["stack"].setdefault(owner, {})[unknown] = float(UNKNOWNS[unknown].back(at[line].sum()))
    return found


def uncertain(c: Coordinates, found: Fit) -> list[str]:
    """Return, per coordinate, value and standard deviation as lines, the least certain left out."""
    lines = []
    for (owner, name), at, sigma, spread in zip(c.names, found.at, found.sigma, c.spread, strict=True):
        if sigma < 0.8 * spread:  # the rest was not moved by any row
            lines.append(f"{owner} {name}: {at:+.3f} +- {sigma:.3f} (prior {spread:g})")
    return lines


def write(found: Mapping[str, Any], *, note: str) -> None:
    """Write the fitted values where the package reads them."""
    lines = [f"# {line}".rstrip() for line in note.splitlines()]
    for kind in ("family", "chip"):
        lines += ["", f"[{kind}]"]
        lines += [f'"{name}" = {value:.4g}' for name, value in sorted(found[kind].items())]
    for name, values in sorted(found["stack"].items()):
        lines += ["", f'[stack."{name}"]']
        lines += [f"{unknown} = {value:.4g}" for unknown, value in sorted(values.items())]
    (DATA / "training.toml").write_text("\n".join(lines) + "\n", "utf-8")  # type: ignore[attr-defined]


NOTE = """Fitted by `python -m calibration.training` to published measurements of training steps.
Sources (rows used): {sources}.
Errors on rows whose model was left out of the fit: median {p50:.1%}, 90th percentile {p90:.1%}.
Coordinates that rows moved, as log (shares: logit) deviation from the base, with standard deviation:
{moved}"""

MODELS = (
    "Errors of step times on rows whose model was left out of the fit, of every source.\n"
    "One model: the same layers, width and experts, whatever a source calls it."
)
SOURCES = (
    "Errors of step times on rows whose whole source was left out of the fit, each source counted alike."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Fit, print the errors, cross-validate; write the data when models were left out."""
    options = argparse.ArgumentParser(prog="python -m calibration.training")
    options.add_argument(
        "--by",
        choices=("model", "family"),
        default="model",
        help="left out: models, or whole sources, for software that was never measured",
    )
    by_model = options.parse_args(argv).by == "model"
    if not ROWS.is_dir():
        print(f"no measured rows at {ROWS}: nothing to fit to", file=sys.stderr)
        return 6
    rows = observations()
    c = coordinates(rows)
    found = fit(rows, c, start=c.first)
    print(f"in sample: {len(rows)} rows, {len(c.names)} coordinates")
    print(table(rows, errors(rows, c, at=found.at)))
    if by_model:
        error = models_left_out(rows, c, at=found.at)
        _write_all(rows, c, found=found, left_out=error)
    else:
        error = sources_left_out(rows, c, start=found.at)
        write_residuals("source_residuals.toml", unmeasured_table(rows, error), note=SOURCES)
    print(f"each {'model' if by_model else 'source'} left out in turn\n{table(rows, error)}")
    return 0


def _write_all(rows: Sequence[Observation], c: Coordinates, *, found: Fit, left_out: NDArray[Any]) -> None:
    """Write the fitted values, and the errors of what was left out, which a plan's band shows."""
    tables = residual_tables(rows, left_out)
    write_residuals("residuals.toml", tables, note=MODELS)
    counts = Counter(o.family for o in rows)
    note = NOTE.format(
        sources=", ".join(f"{name} {n}" for name, n in sorted(counts.items())),
        p50=tables["all"]["all"]["p50"],
        p90=tables["all"]["all"]["p90"],
        moved="\n".join(uncertain(c, found)),
    )
    write(fitted_values(c, found.at), note=note)


if __name__ == "__main__":
    raise SystemExit(main())
