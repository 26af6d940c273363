"""gigawatt plan MODEL --on MACHINE."""

from __future__ import annotations

import click

from gigawatt.cli.options import job_options, whole, words
from gigawatt.cli.output import emit, progress_bar, refuse_place
from gigawatt.study import DEFAULT_LAW, plan


@click.command("plan")
@click.argument("model")
@click.option(
    "--on",
    "machine",
    required=True,
    metavar="MACHINE",
    help="A machine of the catalogue, or a YAML or TOML file.",
)
@click.option(
    "--chips", metavar="N", callback=whole("chips", example="4096"), help="Only so many of its chips."
)
@job_options
@click.option(
    "--law",
    metavar="ID",
    default=DEFAULT_LAW,
    show_default=True,
    help="Law of the loss; see `gigawatt scaling laws`.",
)
@click.option("--layout", metavar="WORDS", help="Price one layout, e.g. tp=8,pp=16,vp=8,mbs=1,zero=1.")
@click.option(
    "--top",
    metavar="N",
    default="5",
    show_default=True,
    callback=whole("top", example="5"),
    help="How many layouts to list, up to 1000.",
)
@click.option("--pareto", is_flag=True, help="List the layouts that trade step time against memory.")
@click.option("--explain", metavar="NUMBER", help="Open one headline number (mfu, step_s, ...), or `all`.")
@click.option("--json", "as_json", is_flag=True, help="The whole plan as one JSON document.")
@click.option("-o", "--output", metavar="FILE", help="Write there in place of the terminal.")
def command(
    model: str,
    machine: str,
    chips: int | None,
    tokens: float | None,
    batch: float | None,
    batch_sequences: int | None,
    seq: int | None,
    dtype: str | None,
    stack: str | None,
    by: str,
    fixed: str | None,
    law: str,
    layout: str | None,
    top: int,
    pareto: bool,
    explain: str | None,
    as_json: bool,
    output: str | None,
) -> None:
    """How long does MODEL train on a machine, laid out how, for how much?

    MODEL is a name of the catalogue or the path of a Hugging Face config.json. What is not given comes from
    the model's published recipe, and the plan says so.

    \b
    gigawatt plan llama3.1-405b --on meta-llama3-16k
    gigawatt plan gpt3-175b --on selene --chips 1024 --explain mfu
    gigawatt plan ./config.json --on ./cluster.yaml --tokens 2T --batch 4M --seq 4096 --dtype bf16
    """
    if fixed is not None and layout is not None:
        raise click.UsageError("--fixed holds a search and --layout prices one layout; give one of them")
    if sum((pareto, explain is not None, as_json)) > 1:
        raise click.UsageError("--json, --explain and --pareto each choose what is printed; give one of them")
    refuse_place(output)
    with progress_bar("searching layouts") as progress:
        found = plan(
            model,
            on=machine,
            chips=chips,
            tokens=tokens,
            batch_tokens=batch,
            batch_sequences=batch_sequences,
            seq_tokens=seq,
            dtype=dtype,
            stack=stack,
            by=by,
            law=law,
            fixed=words(fixed, option="--fixed", several=True) if fixed is not None else None,
            layout=words(layout, option="--layout") if layout is not None else None,
            top=top,
            progress=progress,
        )
    if as_json:
        emit(found.to_json(), output)
        return
    from gigawatt.cli.explain_text import explained
    from gigawatt.cli.plan_text import front_text, plan_text

    document = found.document()
    if explain is not None:
        emit(explained(document, explain), output)
    else:
        emit(front_text(document) if pareto else plan_text(document), output)
