"""gigawatt size MODEL --deadline 90d --power 150MW --budget 500M$."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import click

from gigawatt.cli.options import amount, whole
from gigawatt.cli.output import emit, progress_bar, refuse_place
from gigawatt.cli.pictures import page_of, picture_options, write_pictures
from gigawatt.errors import InputError
from gigawatt.study import SIZE_EXAMPLES, SIZE_OBJECTIVES, SIZE_PRICES, size, size_document
from gigawatt.units import parse


def _quantity(field: str, unit: str) -> Callable[[click.Context, click.Parameter, str | None], float | None]:
    """Return the reader of an option that takes a quantity with its unit."""

    def read(_context: click.Context, _parameter: click.Parameter, text: str | None) -> float | None:
        if text is None:
            return None
        try:
            float(text.replace(",", ""))
        except ValueError:
            return parse(text, unit, field=field)
        raise InputError(f"{field} = {text!r} has no unit; write e.g. {SIZE_EXAMPLES[field]}")

    return read


def _range(_context: click.Context, _parameter: click.Parameter, text: str) -> tuple[int, int]:
    low, dots, high = text.partition("..")
    read = whole("chips", example="8..131072")
    ends = [read(_context, _parameter, end) for end in ((low, high) if dots else (low, low))]
    return ends[0] or 1, ends[1] or 1


def _batch(context: click.Context, parameter: click.Parameter, text: str | None) -> float | str | None:
    if text is not None and text.strip().lower() == "float":
        return "float"
    return amount("batch", example="16M, or float")(context, parameter, text)


@click.command("size")
@click.argument("model")
@click.option(
    "--tokens", metavar="N", callback=amount("tokens", example="15T"), help="Training tokens, e.g. 15T."
)
@click.option("--loss", metavar="NATS", type=float, help="In place of --tokens, or checked with them: 1.9.")
@click.option(
    "--deadline", metavar="TIME", callback=_quantity("deadline", "s"), help="Wall time at most: 90d."
)
@click.option(
    "--power", metavar="POWER", callback=_quantity("power", "W"), help="Power at the meter at most: 150MW."
)
@click.option(
    "--budget", metavar="MONEY", callback=_quantity("budget", "USD"), help="Cost of the run at most: 500M$."
)
@click.option("--among", metavar="A,B,...", help="Machines, or machine files; else all that exist.")
@click.option(
    "--by",
    type=click.Choice(list(SIZE_OBJECTIVES)),
    default="cost",
    show_default=True,
    help="What is made least.",
)
@click.option(
    "--price",
    type=click.Choice(list(SIZE_PRICES)),
    default="rent",
    show_default=True,
    help="Rent by the chip-hour, or the owner's cost of the same hours.",
)
@click.option(
    "--chips",
    metavar="LOW..HIGH",
    default="8..131072",
    show_default=True,
    callback=_range,
    help="Numbers of chips: powers of two, and three times such.",
)
@click.option(
    "--batch",
    metavar="N",
    callback=_batch,
    help="Tokens a step, e.g. 16M; float: any within the critical batch.",
)
@click.option(
    "--seq", metavar="N", callback=whole("seq", example="8192"), help="Tokens a sequence, e.g. 8192."
)
@click.option("--dtype", metavar="FORMAT", help="Format of the linear layers; else the recipe's.")
@click.option("--stack", metavar="NAME", help="Training software; else the newest measured on each chip.")
@click.option("--top", metavar="N", default="12", show_default=True, callback=whole("top", example="12"),
              help="How many designs of the front to list.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The whole front as one JSON document.")
@picture_options
@click.option("-o", "--output", metavar="FILE", help="Write there in place of the terminal.")
def command(
    model: str,
    tokens: float | None,
    loss: float | None,
    deadline: float | None,
    power: float | None,
    budget: float | None,
    among: str | None,
    by: str,
    price: str,
    chips: tuple[int, int],
    batch: float | str | None,
    seq: int | None,
    dtype: str | None,
    stack: str | None,
    top: int,
    as_json: bool,
    html: str | None,
    svg: str | None,
    png: str | None,
    output: str | None,
) -> None:
    """What must I buy to train MODEL within a time, a power and a budget?

    Every machine of the catalogue is searched at every size, with every layout. What is shown is the front
    of time, money, power and carbon; what binds; and what a little more of each limit would buy.

    \b
    gigawatt size llama3.1-405b --tokens 15T --deadline 90d --power 150MW --budget 500M$
    gigawatt size llama3.1-70b --loss 1.95 --by time --among eos,selene --json
    """
    for place in (output, html, svg, png):
        refuse_place(place)
    names = [name.strip() for name in among.split(",")] if among is not None else None
    with progress_bar("searching machines") as progress:
        found = size(
            model,
            tokens=tokens,
            loss=loss,
            deadline_s=deadline,
            power_w=power,
            budget_usd=budget,
            among=names,
            by=by,
            price=price,
            chips=chips,
            batch_tokens=batch,
            seq_tokens=seq,
            dtype=dtype,
            stack=stack,
            workers=os.cpu_count() or 1,
            progress=progress,
        )
    document = size_document(found)
    if html or svg or png:
        from gigawatt.study.size_chart import size_chart

        chart = size_chart(document)
        write_pictures(chart, lambda drawn: page(document, drawn), html=html, svg=svg, png=png)
    if as_json:
        emit(json.dumps(document, indent=1, sort_keys=True, allow_nan=False), output)
        return
    from gigawatt.cli.size_text import size_text

    emit(size_text(document, top=top), output)


def page(document: Mapping[str, Any], picture: str) -> str:
    """Return one self-contained page: the picture and the front as a table."""
    from gigawatt.cli.size_text import front_rows, headline

    title = f"What to buy for {document['inputs']['model_name']}"
    told = [f"{name}: {text}" for name, text in headline(document).items()]
    return page_of(title, picture, told=told, tables={"The front": front_rows(document["result"]["front"])})
