"""gigawatt compare MODEL --on A,B,C."""

from __future__ import annotations

import json

import click

from gigawatt.cli.options import job_options, words
from gigawatt.cli.output import emit, progress_bar, refuse_place
from gigawatt.study import EQUAL, compare, compare_document


@click.command("compare")
@click.argument("model")
@click.option(
    "--on",
    "machines",
    required=True,
    metavar="A,B,C",
    help="Two to eight machines: names, or files, with commas.",
)
@click.option(
    "--equal",
    type=click.Choice(EQUAL),
    help="Only the part of each machine that has the same chips, megawatts at the meter, or dollars an hour.",
)
@click.option(
    "--amount",
    metavar="QUANTITY",
    help="How much of that, e.g. 4096, '20 MW' or '9000 $/h'; the most that all have if not given.",
)
@job_options
@click.option("--json", "as_json", is_flag=True, help="The whole comparison as one JSON document.")
@click.option("-o", "--output", metavar="FILE", help="Write there in place of the terminal.")
def command(
    model: str,
    *,
    machines: str,
    equal: str | None,
    amount: str | None,
    tokens: float | None,
    batch: float | None,
    batch_sequences: int | None,
    seq: int | None,
    dtype: str | None,
    stack: str | None,
    by: str,
    fixed: str | None,
    as_json: bool,
    output: str | None,
) -> None:
    """Which machine trains MODEL best? The same job on each, side by side, and why one wins.

    Each machine's best layout is searched. A part of a machine is rounded down to whole servers and to a
    count on which the batch and the layers fall evenly. Money is rent; what an owner pays, where a rent is
    not known.

    \b
    gigawatt compare llama3.1-70b --on eos,selene,ironwood-pod
    gigawatt compare llama3.1-70b --on eos,selene --equal power --amount "2 MW"
    """
    refuse_place(output)
    with progress_bar("searching layouts") as progress:
        found = compare(
            model,
            on=machines.split(","),
            equal=equal,
            amount=amount,
            by=by,
            progress=progress,
            tokens=tokens,
            batch_tokens=batch,
            batch_sequences=batch_sequences,
            seq_tokens=seq,
            dtype=dtype,
            stack=stack,
            fixed=words(fixed, option="--fixed", several=True) if fixed is not None else None,
        )
    document = compare_document(found)
    if as_json:
        emit(json.dumps(document, indent=1, sort_keys=True, allow_nan=False), output)
        return
    from gigawatt.cli.compare_text import compare_text

    emit(compare_text(document), output)
