"""Published figures that follow from the constants of a law: frontiers, losses, recipes, constraints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from gigawatt.scaling import (
    Split,
    critical_batch_tokens,
    effective_tokens,
    frontier_nats,
    granular,
    law,
    loss_nats,
    mixture_flop,
    nats_per_decade,
    optimal_split,
    overtraining_ratio,
    params_for_tokens,
    power_law,
    power_nats,
    precision_fraction,
    published_split,
    repeated_nats,
    served_split,
    sized_flop,
)
from gigawatt.study.scaling_checks import ScalingCase
from gigawatt.units import Real

BY_HAND = "no paper prints it: computed by hand from the printed constants"
ROUNDED = "the last digit that was printed"
HOFFMANN, BESIROGLU = "Hoffmann 2022, arXiv:2203.15556", "Besiroglu 2024, arXiv:2404.10102v2"
KAPLAN, MUENNIGHOFF = "Kaplan 2020, arXiv:2001.08361", "Muennighoff 2023, arXiv:2305.16264"
SHORT = {"hoffmann-2022": "printed", "hoffmann-2022-tex": "tex", "besiroglu-2024": "besiroglu",
         "epoch-huber": "huber"}  # fmt: skip
Formula = Callable[[], Real]


def _case(
    id: str,
    what: str,
    published: float,
    compute: Formula,
    *,
    unit: str = "1",
    relative: float = 6e-4,
    **more: str,
) -> ScalingCase:
    """Return a case of a formula, which reads no run files."""
    return ScalingCase(
        id=id.replace("e+", "e"),
        what=what,
        published=published,
        unit=unit,
        relative=relative,
        compute=lambda _runs: float(compute()),
        **{"why": ROUNDED, **more},  # type: ignore[arg-type]
    )


def _split(id: str, flop: float) -> Split:
    by = law(id)
    return optimal_split(flop, by=by) if by.kind == "loss" else published_split(by, flop)


def _size(id: str, flop: float) -> Real:
    return _split(id, flop).params


def _tokens(id: str, flop: float) -> Real:
    return _split(id, flop).tokens


def _ratio(id: str, flop: float) -> Real:
    return _split(id, flop).tokens_per_param


def _frontiers() -> Iterator[ScalingCase]:
    """T1: the best split of Gopher's compute, and of 1e26 flop."""
    points = (
        ("hoffmann-2022", 5.76e23, 32.19e9, 92.6),
        ("hoffmann-2022-tex", 5.76e23, 40.36e9, 58.9),
        ("besiroglu-2024", 5.76e23, 72.25e9, 18.39),
        ("epoch-huber", 5.76e23, 73.19e9, 17.92),
        ("besiroglu-2024", 1e26, 1.016e12, 16.15),
    )
    where = f"{BY_HAND} by eq. 4 of {HOFFMANN}"
    for id, flop, params, ratio in points:
        name, by = f"T1.{SHORT[id]}.{flop:.3g}", f"of {flop:.3g} flop by {law(id).name}"
        yield _case(f"{name}.params", f"N* {by}", params, partial(_size, id, flop), where=where)
        yield _case(f"{name}.ratio", f"D*/N* {by}", ratio, partial(_ratio, id, flop), where=where)
    two_digits = "the exponents are printed with two digits, which moves N* by a fifth"
    for id, explains in (("hoffmann-2022-tex", ""), ("hoffmann-2022", two_digits)):
        yield _case(
            f"T1.paper.{SHORT[id]}",
            f"N* of Gopher's compute by {law(id).name}, as the paper says",
            40e9,
            partial(_size, id, 5.76e23),
            relative=0.0125,
            where=f"{HOFFMANN}, caption of figure 4",
            explains=explains,
        )


def _loss(id: str, params: float, tokens: float) -> Real:
    return loss_nats(params, tokens, by=law(id))


def _losses() -> Iterator[ScalingCase]:
    """T2: losses of known models."""
    models = (
        ("gopher", 280e9, 300e9, 1.9672, 1.9996),
        ("chinchilla", 70e9, 1.4e12, 1.9208, 1.9739),
        ("gpt3", 175e9, 300e9, 1.9764, 2.0085),
    )
    for name, params, tokens, *losses in models:
        for id, loss in zip(("hoffmann-2022-tex", "besiroglu-2024"), losses, strict=True):
            yield _case(
                f"T2.{SHORT[id]}.{name}",
                f"loss of {name}'s N and D by {law(id).name}",
                loss,
                partial(_loss, id, params, tokens),
                unit="nat/token",
                relative=3e-5,
                where=f"{BY_HAND} of {law(id).name}",
            )


TABLE_3 = (
    ("400M", 0.4e9, 1.92e19, 8.0e9),
    ("1B", 1e9, 1.21e20, 20.2e9),
    ("10B", 10e9, 1.23e22, 205.1e9),
    ("67B", 67e9, 5.76e23, 1.5e12),
    ("175B", 175e9, 3.85e24, 3.7e12),
    ("1T", 1e12, 1.27e26, 21.2e12),
    ("10T", 10e12, 1.30e28, 216.2e12),
)
ANCHOR = "10B"


def _six(params: float, tokens: float) -> Real:
    return Split(params=params, tokens=tokens).compute_flop


def _table_3() -> Iterator[ScalingCase]:
    """T3: the table of compute-optimal models counts 6ND, and approach 1 passes through it."""
    where, digits = f"{HOFFMANN}, table 3", "tokens are printed with two to four digits"
    up = "1.5T tokens are rounded up from 1.43T, which 6ND asks for"
    exponent = "the exponent is printed with two digits: 0.50 of (0.488, 0.502)"
    for name, params, flop, tokens in TABLE_3:
        explains = up if name == "67B" else ""
        six, size = partial(_six, params, tokens), partial(_size, "hoffmann-2022-a1", flop)
        yield _case(f"T3.flop.{name}", f"6ND of the {name} row", flop, six,
                    unit="flop", relative=0.01, where=where, why=digits, explains=explains)  # fmt: skip
        if name != ANCHOR:  # the law is drawn through that row, so that it could not miss it
            yield _case(f"T3.params.{name}", f"N* of the {name} row by approach 1", params, size,
                        relative=0.05, where=where, why=exponent)  # fmt: skip


def _llama_3() -> Iterator[ScalingCase]:
    """T4: Llama 3's best size for its own compute."""
    told = {
        "where": "Llama 3, arXiv:2407.21783 sec. 3.2.1",
        "why": "half of the exponent's last digit is 3 % of D*; the paper's N and D are 5 % above C by 6ND",
    }
    rounded = "A and the exponent are printed with two digits in v1; v3 has three"
    flop = 3.8e25
    for id, explains in (("llama-3", ""), ("llama-3-printed", rounded)):
        yield _case(f"T4.{id}.tokens", f"D* of {flop:.3g} flop by {law(id).name}", 16.55e12,
                    partial(_tokens, id, flop), relative=0.035, explains=explains, **told)  # fmt: skip
    yield _case("T4.llama-3.params", f"N* of {flop:.3g} flop, C / 6D*", 402e9,
                partial(_size, "llama-3", flop), relative=0.035, **told)  # fmt: skip


def _alone(id: str, value: float) -> Real:
    return power_nats(law(id), value)


def _cerebras() -> Iterator[ScalingCase]:
    """T10: Cerebras-GPT's losses by its own law."""
    rows = (
        (2.6e18, 2.6030, 2.608), (1.3e19, 2.3685, 2.349), (6.1e19, 2.1680, 2.181), (2.8e20, 1.9915, 1.997),
        (1.1e21, 1.8491, 1.834), (6.3e21, 1.6871, 1.704), (2.3e22, 1.5796, 1.572),
    )  # fmt: skip
    paper, fitted = "Cerebras-GPT, arXiv:2304.03208", "the residuals of the published fit reach 1 %"
    for flop, formula, measured in rows:
        loss = partial(_alone, "cerebras-gpt", flop)
        yield _case(f"T10.formula.{flop:.1e}", f"Pile loss of {flop:.1e} flop by the formula", formula, loss,
                    unit="nat/token", relative=5e-5, where=f"{BY_HAND} of {paper} eq. 1")  # fmt: skip
        yield _case(f"T10.measured.{flop:.1e}", f"Pile loss measured at {flop:.1e} flop", measured, loss,
                    unit="nat/token", relative=0.011, where=f"{paper}, Pile losses", why=fitted)  # fmt: skip


def _recipe(id: str, per: float = 1.0, **point: float) -> Real:
    whole = {"params": 1.0, "tokens": 1.0, "compute_flop": 1.0, **point}
    return power_law(law(id), **whole) / per


def _recipes() -> Iterator[ScalingCase]:
    """T11 and T12: learning rates and batches of compute, and of size and tokens."""
    paper, flop = "DeepSeek LLM, arXiv:2401.02954", 8.46e22
    chosen = "chosen in whole multiples of sequences"
    yield _case("T11.rate", "learning rate of DeepSeek 7B", 4.2e-4,
                partial(_recipe, "deepseek-2024-rate", compute_flop=flop), relative=0.012,
                where=f"{paper}, eq. 1 and table 2")  # fmt: skip
    yield _case("T11.batch", "batch of DeepSeek 7B", 2304 * 4096.0,
                partial(_recipe, "deepseek-2024-batch", compute_flop=flop), relative=0.03, unit="token",
                where=f"{paper}, eq. 1 and table 2", why=chosen)  # fmt: skip
    yield _case("T11.compute", "M* D* over C", 1.0, partial(_spent, "deepseek-2024", flop), relative=3e-4,
                where=f"{paper}, eq. 4")  # fmt: skip
    models = (("7B", 7e9, 1.4e12, 9.166e-4, 4.999e6), ("1B", 1e9, 1e11, 1.632e-3, 1.108e6))
    where = f"{BY_HAND} of the Step law, arXiv:2503.04715"
    for name, params, tokens, rate, batch in models:
        at = {"params": params, "tokens": tokens}
        yield _case(f"T12.rate.{name}", f"learning rate of {name} by the Step law", rate,
                    partial(_recipe, "step-law-rate", **at), where=where)  # fmt: skip
        yield _case(f"T12.batch.{name}", f"batch of {name} by the Step law", batch,
                    partial(_recipe, "step-law-batch", **at), unit="token", where=where)  # fmt: skip


def _spent(id: str, flop: float) -> Real:
    return _split(id, flop).compute_flop / flop


def _sized_recipes() -> Iterator[ScalingCase]:
    """T13: learning rates and batches of the size alone."""
    where = f"{BY_HAND} of Porian 2024, arXiv:2406.19146 figure 3, section 4"
    for name, params, rate, sequences in (("108M", 108e6, 4.74e-3, 164.0), ("901M", 901e6, 2.21e-3, 730.0)):
        yield _case(f"T13.rate.{name}", f"learning rate of {name} by Porian", rate,
                    partial(_recipe, "porian-2024-rate", params=params),
                    relative=2e-3, where=where)  # fmt: skip
        yield _case(f"T13.batch.{name}", f"batch of {name} by Porian, sequences of 2,048", sequences,
                    partial(_recipe, "porian-2024-batch", 2048.0, params=params), relative=4e-3,
                    where=where)  # fmt: skip
    for name, params, sequences in (("151M", 151e6, 985.0), ("1.2B", 1.2e9, 2610.0)):
        yield _case(f"T13.critical.{name}", f"critical batch of {name}, sequences of 512", sequences,
                    partial(_recipe, "zhang-2024-batch", 512.0, params=params), relative=2e-3,
                    where=f"{BY_HAND} of Zhang 2024, arXiv:2410.21676")  # fmt: skip


def _kaplan() -> Iterator[ScalingCase]:
    """T14: Kaplan's laws of one variable, and the critical batch."""
    where = f"{BY_HAND} of {KAPLAN}"
    rows = (("params", 1e9, 2.3756), ("tokens", 1e10, 2.2624), ("compute", 1e4 * 8.64e19, 1.6771))
    for name, value, loss in rows:
        yield _case(f"T14.{name}", f"loss of {value:.3g} {name}", loss,
                    partial(_alone, f"kaplan-2020-{name}", value), unit="nat/token", relative=3e-5,
                    where=where)  # fmt: skip
    for loss, batch in ((3.0, 1.069e6), (2.5, 2.547e6)):
        yield _case(f"T14.batch.{loss}", f"critical batch at a loss of {loss}", batch,
                    partial(critical_batch_tokens, loss), unit="token", where=where)  # fmt: skip


REPEATED = "muennighoff-2023"
SEEN = Split(params=2.8e9, tokens=55e9)


def _repeated(unique: float) -> Real:
    return repeated_nats(SEEN, unique, by=law(REPEATED))


def _enough(tokens: float) -> Real:
    return params_for_tokens(tokens, by=law(REPEATED))


def _worth(tokens: float, unique: float, per: float = 1.0) -> Real:
    return effective_tokens(tokens, unique) / per


def _repetition() -> Iterator[ScalingCase]:
    """T15: repeated data."""
    where = f"{BY_HAND} of {MUENNIGHOFF}, its released constants"
    for unique, worth in ((14e9, 5.1335e10), (1.25e9, 1.931e10)):
        yield _case(f"T15.worth.{unique:.3g}", f"new tokens that 55 billion are worth, {unique:.3g} unique",
                    worth, partial(_worth, 55e9, unique), unit="token", where=where)  # fmt: skip
    yield _case("T15.most", "what endless repetition is worth, in unique tokens", 16.39,
                partial(_worth, 1e18, 1e9, 1e9), where=where)  # fmt: skip
    yield _case("T15.size", "best size for 25 billion tokens", 1.2747e9, partial(_enough, 25e9), where=where)
    low = "the released constants lie 0.15 to 0.22 nat below the released losses even at one epoch"
    many = f"{low}; and at 44 epochs the law cannot overfit as the run did"
    own = "a law should be within 1 % of its own runs"
    rows = ((55e9, 2.35440, 2.5741, low), (14e9, 2.37709, 2.5894, low), (1.25e9, 2.70121, 3.4228, many))
    for unique, formula, measured, explains in rows:
        what = f"of 2.8 billion on 55 billion, {unique:.3g} unique"
        loss = partial(_repeated, unique)
        yield _case(f"T15.loss.{unique:.3g}", f"loss {what}", formula, loss,
                    unit="nat/token", relative=1e-5, where=where)  # fmt: skip
        yield _case(f"T15.measured.{unique:.3g}", f"measured loss {what}", measured, loss, unit="nat/token",
                    relative=0.01, where=f"{MUENNIGHOFF}, released runs", why=own,
                    explains=explains)  # fmt: skip


def _mixture(params: float, tokens: float, granularity: float) -> Real:
    return loss_nats(params, tokens, by=granular(law("krajewski-2024").constants, granularity))


def _mixtures() -> Iterator[ScalingCase]:
    """T16: a mixture of 64 experts of granularity 32; N is 43 times the active parameters."""
    yield _case(
        "T16.64x7B",
        "loss of 64 x 7B at granularity 32 on 137.6 billion tokens",
        2.076,
        partial(_mixture, 43 * 7e9, 137.6e9, 32.0),
        unit="nat/token",
        relative=0.01,
        where="Krajewski 2024, arXiv:2402.07871, optimal mixtures",
        why="the coefficients are printed with two or three digits",
    )
    yield _case(
        "T16.flop.64x7B",
        "flop of 64 x 7B at granularity 32 on 137.6 billion tokens",
        6.46e21,
        partial(mixture_flop, 7e9, 137.6e9, granularity=32.0),
        unit="flop",
        relative=3e-3,
        where="Krajewski 2024, arXiv:2402.07871, optimal mixtures",
        why="sizes are printed with one or two digits",
    )


def _precision() -> Iterator[ScalingCase]:
    """T17: what few bits leave of the parameters."""
    where = f"{BY_HAND} of Kumar 2024, arXiv:2411.04330 eq. 3, without the offsets of its table 2"
    table: tuple[tuple[str, tuple[float, ...]], ...] = (
        ("weight_bits", (0.674, 0.776, 0.894, 0.950)),
        ("activation_bits", (0.743, 0.836, 0.934, 0.973)),
        ("kv_cache_bits", (0.956, 0.985, 0.998, 1.000)),
    )
    for name, parts in table:
        for bits, part in zip((3, 4, 6, 8), parts, strict=True):
            what = f"N_eff/N at {bits} {name.replace('_', ' ')}"
            yield _case(f"T17.{name}.{bits}", what, part, partial(precision_fraction, **{name: bits}),
                        relative=1e-3, where=where)  # fmt: skip
    all_8 = partial(precision_fraction, weight_bits=8, activation_bits=8, kv_cache_bits=8)
    yield _case("T17.all.8", "N_eff/N at 8 bits in all three", 0.924, all_8, relative=1e-3, where=where)


def _served(id: str, tokens: float) -> tuple[Split, float]:
    """Return the split with inference counted for the loss of the best 30B model, and the flop saved."""
    by = law(id)
    flop = float(sized_flop(30e9, by=by))
    best = served_split(float(frontier_nats(flop, by=by)), tokens, by=by)
    free = optimal_split(flop, by=by)
    totals = [float(one.compute_flop + 2 * one.params * tokens) for one in (best, free)]
    return best, 1.0 - totals[0] / totals[1]


def _served_size(id: str, tokens: float) -> Real:
    return _served(id, tokens)[0].params


def _saved(id: str, tokens: float) -> Real:
    return _served(id, tokens)[1]


def _inference() -> Iterator[ScalingCase]:
    """T18: training and serving together, solved numerically."""
    where = "no paper prints it: the problem of Sardana 2023, arXiv:2401.00448, solved another way"
    rows = (
        ("hoffmann-2022", 1e13, 15.86e9, 0.183), ("besiroglu-2024", 1e13, 11.62e9, 0.427),
        ("hoffmann-2022", 1e12, 25.69e9, 0.0086), ("besiroglu-2024", 1e12, 20.12e9, 0.077),
    )  # fmt: skip
    for id, tokens, params, saved in rows:
        name, what = f"T18.{SHORT[id]}.{tokens:.0e}", f"{tokens:.0e} served tokens by {law(id).name}"
        yield _case(f"{name}.params", f"N for {what}", params, partial(_served_size, id, tokens),
                    relative=1e-3, where=where)  # fmt: skip
        yield _case(f"{name}.saved", f"flop saved at {what}", saved, partial(_saved, id, tokens),
                    relative=7e-3, where=where)  # fmt: skip


def _smaller(id: str, smaller_by: float) -> Real:
    return overtraining_ratio(smaller_by, 1e25, by=law(id))


def _slope(id: str, flop: float) -> Real:
    return nats_per_decade(flop, by=law(id))


def _slopes() -> Iterator[ScalingCase]:
    """T19 and T20: what a smaller model costs for the same loss; what ten times the compute buys."""
    ratios = {
        "besiroglu-2024": (1.071, 1.259, 2.094, 4.465),
        "hoffmann-2022-tex": (1.060, 1.210, 1.778, 2.935),
    }
    for id, values in ratios.items():
        for smaller, ratio in zip((1.5, 2.0, 3.0, 4.0), values, strict=True):
            what = f"compute of N*/{smaller:g} at 1e25 flop by {law(id).name}"
            yield _case(
                f"T19.{SHORT[id]}.{smaller}", what, ratio, partial(_smaller, id, smaller), where=BY_HAND
            )
    slopes = {
        "besiroglu-2024": (-0.0585, -0.0388, -0.0257, -0.0171),
        "hoffmann-2022-tex": (-0.0737, -0.0516, -0.0361, -0.0253),
    }
    for id, values in slopes.items():
        for flop, slope in zip((1e24, 1e25, 1e26, 1e27), values, strict=True):
            what = f"dL/dlog10 C at {flop:.0e} flop by {law(id).name}"
            yield _case(f"T20.{SHORT[id]}.{flop:.0e}", what, slope, partial(_slope, id, flop),
                        unit="nat/token", relative=4e-3, where=BY_HAND)  # fmt: skip


PARTS = (
    _frontiers, _losses, _table_3, _llama_3, _cerebras, _recipes, _sized_recipes, _kaplan, _repetition,
    _mixtures, _precision, _inference, _slopes,
)  # fmt: skip
CASES = tuple(case for part in PARTS for case in part())
