"""gigawatt plan MODEL --on MACHINE."""

from __future__ import annotations

import click

from gigawatt.cli.options import Quantity, Whole, words
from gigawatt.cli.output import emit, progress_bar
from gigawatt.study import OBJECTIVES, plan


@click.command("plan")
@click.argument("model")
@click.option(
    "--on",
    "machine",
    required=True,
    metavar="MACHINE",
    help="A machine of the catalogue, or a YAML or TOML file.",
)
@click.option("--chips", type=Whole("1", "chips"), help="Only so many of its chips.")
@click.option("--tokens", type=Quantity("1", "tokens"), help="Training tokens, e.g. 15.6T.")
@click.option("--batch", type=Quantity("1", "batch"), help="Tokens a step, e.g. 16M.")
@click.option(
    "--batch-sequences", type=Whole("1", "batch_sequences"), help="Sequences a step, in place of --batch."
)
@click.option("--seq", type=Whole("1", "seq"), help="Tokens a sequence.")
@click.option("--dtype", help="Format of the linear layers: bf16, fp8, mxfp8, nvfp4, ...")
@click.option("--stack", help="Training software and era (`gigawatt catalog stacks`).")
@click.option(
    "--by", type=click.Choice(list(OBJECTIVES)), default="time", show_default=True, help="What is made least."
)
@click.option(
    "--fixed", metavar="WORDS", help="Hold parts of the layout in the search, e.g. tp=8,recompute=none|full."
)
@click.option("--layout", metavar="WORDS", help="Price one layout, e.g. tp=8,pp=16,vp=8,mbs=1,zero=1.")
@click.option(
    "--top", type=click.IntRange(1, 1000), default=5, show_default=True, help="How many layouts to list."
)
@click.option("--explain", metavar="NUMBER", help="Open one headline number, or `all`.")
@click.option("--json", "as_json", is_flag=True, help="The whole plan as one JSON document.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write there in place of the terminal.")
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
    layout: str | None,
    top: int,
    explain: str | None,
    as_json: bool,
    output: str | None,
) -> None:
    """How long does MODEL train on a machine, laid out how, for how much?

    MODEL is a name of the catalogue or the path of a Hugging Face config.json.

    \b
    gigawatt plan llama3.1-405b --on meta-llama3-16k
    gigawatt plan gpt3-175b --on selene --chips 1024 --explain mfu
    """
    if fixed and layout:
        raise click.UsageError("--fixed holds a search and --layout prices one layout; give one of them")
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
            fixed=words(fixed, option="--fixed", several=True) if fixed else None,
            layout=words(layout, option="--layout") if layout else None,
            top=top,
            progress=progress,
        )
    if as_json:
        emit(found.to_json(), output)
        return
    from gigawatt.cli.plan_text import explained, plan_text

    document = found.document()
    emit(explained(document, explain) if explain else plan_text(document), output)
