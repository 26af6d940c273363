"""gigawatt machine hpl MACHINE, and gigawatt machine cards."""

from __future__ import annotations

import json

import click

from gigawatt.cli.options import whole
from gigawatt.cli.output import emit, refuse_place
from gigawatt.study import CARD_CHIPS, cards, cards_document, hpl, hpl_document
from gigawatt.units import parse


@click.command("hpl")
@click.argument("machine")
@click.option("--chips", callback=whole("chips", example="4096"), help="Only so many of its chips.")
@click.option("--order", callback=whole("order", example="11,796,480"), help="Order N of the matrix.")
@click.option("--json", "as_json", is_flag=True, help="All of it as one JSON document.")
@click.option("-o", "--output", metavar="FILE", help="Write there in place of the terminal.")
def hpl_command(
    machine: str, *, chips: int | None, order: int | None, as_json: bool, output: str | None
) -> None:
    """How fast would MACHINE run Linpack? Order, time by parts, rate, energy; beside what was measured.

    \b
    gigawatt machine hpl eagle
    gigawatt machine hpl eagle --order 11,796,480
    """
    refuse_place(output)
    document = hpl_document(hpl(machine, chips=chips, order=order))
    if as_json:
        emit(json.dumps(document, indent=1, sort_keys=True, allow_nan=False), output)
        return
    from gigawatt.cli.machine_text import hpl_text

    emit(hpl_text(document), output)


@click.command("cards")
@click.option("--power", metavar="QUANTITY", help="Power at the meter, e.g. '1 GW'.")
@click.option("--budget", metavar="QUANTITY", help="Money for all of it, e.g. '100 B$'.")
@click.option("--like", metavar="MACHINE", help="The power of a machine of the catalogue.")
@click.option(
    "--among", default=",".join(CARD_CHIPS), show_default=True, metavar="A,B,C", help="Chips to count."
)
@click.option("--site", default="us-average", show_default=True, help="Where it stands: its PUE.")
@click.option("--json", "as_json", is_flag=True, help="All of it as one JSON document.")
@click.option("-o", "--output", metavar="FILE", help="Write there in place of the terminal.")
def cards_command(
    *,
    power: str | None,
    budget: str | None,
    like: str | None,
    among: str,
    site: str,
    as_json: bool,
    output: str | None,
) -> None:
    """How many cards is that? What a power at the meter, or a budget, buys of each chip.

    \b
    gigawatt machine cards --power 1GW
    gigawatt machine cards --budget "100 B$" --among h100-sxm,gb200
    """
    refuse_place(output)
    hand = cards(
        power_w=None if power is None else parse(power, "W", field="--power"),
        budget_usd=None if budget is None else parse(budget, "USD", field="--budget"),
        like=like,
        chips=[name.strip() for name in among.split(",") if name.strip()],
        site=site,
    )
    document = cards_document(hand)
    if as_json:
        emit(json.dumps(document, indent=1, sort_keys=True, allow_nan=False), output)
        return
    from gigawatt.cli.machine_text import cards_text

    emit(cards_text(document), output)
