"""gigawatt scaling optimal --compute 1e26 | --on MACHINE --days 90 | --budget 1B$."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click

from gigawatt.cli.options import amount, whole
from gigawatt.cli.output import emit, progress_bar, refuse_place
from gigawatt.cli.pictures import PICTURES
from gigawatt.cli.scaling_page import pictures
from gigawatt.errors import InputError
from gigawatt.study import DEFAULT_LAW, optimal, optimal_document
from gigawatt.units import parse

Reader = Callable[[click.Context, click.Parameter, str | None], Any]
DAY_S = 86400.0


def quantity(field: str, unit: str, *, example: str = "", per: float = 1.0) -> Reader:
    """Return the reader of an option that takes a quantity, in so many SI units each.

    With an example, a plain number has no unit and is refused; without, it is in the unit that is returned.
    Raises: InputError, when it reads, for what is no such quantity.
    """

    def read(_context: click.Context, _parameter: click.Parameter, text: str | None) -> float | None:
        if text is None:
            return None
        try:
            plain = float(text.replace(",", ""))
        except ValueError:
            return parse(text, unit, field=field) / per
        if example:
            raise InputError(f"{field} = {text!r} has no unit; write e.g. {example}")
        return plain

    return read


DAYS = quantity("days", "s", per=DAY_S)
MACHINE = (
    click.option("--on", "on", metavar="MACHINE", help="A machine of the catalogue, or a YAML or TOML file."),
    click.option(
        "--chips", metavar="N", callback=whole("chips", example="4096"), help="Only so many of its chips."
    ),
    click.option(
        "--days", metavar="DAYS", callback=DAYS, help="How long, failures included: 90, or 12 weeks."
    ),
)
LAW = click.option(
    "--law", default=DEFAULT_LAW, show_default=True, metavar="ID",
    help="The law that decides; see `gigawatt scaling laws`.",
)  # fmt: skip
OUTPUTS = (
    *PICTURES,
    click.option("--json", "as_json", is_flag=True, help="All as one JSON document."),
    click.option("-o", "--output", metavar="FILE", help="Write there in place of the terminal."),
)


def with_options(options: tuple[Callable[..., Any], ...]) -> Callable[..., Any]:
    """Give a command several options, in their order."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


@click.command("optimal")
@click.option(
    "--compute", metavar="FLOP", callback=quantity("compute", "flop"), help="Flop by 6ND, e.g. 1e26."
)
@with_options(MACHINE)
@click.option(
    "--budget",
    metavar="MONEY",
    callback=quantity("budget", "USD", example="1B$"),
    help="Rent of the run: 1B$; on a machine, or the cheapest.",
)
@click.option(
    "--mfu", type=float, metavar="FRACTION", help="In place of the planner's: 6ND over the dense peak."
)
@click.option("--dtype", metavar="FORMAT", help="Format of the linear layers; bf16 if not given.")
@click.option(
    "--batch", metavar="N", callback=amount("batch", example="16M"),
    help="Tokens a step of the planned run; the median of the laws if not given.",
)  # fmt: skip
@LAW
@click.option(
    "--params",
    metavar="N",
    callback=amount("params", example="70B"),
    help="Also: this size in place of the best.",
)
@click.option(
    "--unique-tokens", metavar="N", callback=amount("unique_tokens", example="15T"),
    help="Also: only so many tokens are different; beyond, they repeat.",
)  # fmt: skip
@click.option(
    "--inference-tokens", metavar="N", callback=amount("inference_tokens", example="10T"),
    help="Also: so many tokens will be served, and count.",
)  # fmt: skip
@with_options(OUTPUTS)
def command(
    compute: float | None,
    *,
    on: str | None,
    chips: int | None,
    days: float | None,
    budget: float | None,
    mfu: float | None,
    dtype: str | None,
    batch: float | None,
    law: str,
    params: float | None,
    unique_tokens: float | None,
    inference_tokens: float | None,
    html: str | None,
    svg: str | None,
    png: str | None,
    as_json: bool,
    output: str | None,
) -> None:
    """How big a model, on how many tokens, reaches the least loss for a compute?

    The compute is given, or what a machine does in some days, or for some money, as the planner lays the
    run out. Each published law answers beside the one that decides.

    \b
    gigawatt scaling optimal --compute 1e26
    gigawatt scaling optimal --on colossus --days 90 --unique-tokens 15T
    gigawatt scaling optimal --budget 1B$ --inference-tokens 100T
    """
    for place in (output, html, svg, png):
        refuse_place(place)
    with progress_bar("searching layouts"):
        found = optimal(
            compute_flop=compute,
            on=on,
            chips=chips,
            days=days,
            budget_usd=budget,
            mfu=mfu,
            dtype=dtype,
            batch_tokens=batch,
            by=law,
            params=params,
            unique_tokens=unique_tokens,
            inference_tokens=inference_tokens,
        )
    document = optimal_document(found)
    pictures(document, html=html, svg=svg, png=png)
    if as_json:
        emit(json.dumps(document, indent=1, sort_keys=True, allow_nan=False), output)
        return
    from gigawatt.cli.scaling_text import optimal_text

    emit(optimal_text(document), output)
