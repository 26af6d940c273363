"""gigawatt scaling laws [ID]."""

from __future__ import annotations

import json

import click

from gigawatt.cli.output import emit, refuse_place
from gigawatt.study import LAW_KINDS, laws_document


@click.command("laws")
@click.argument("law", required=False)
@click.option("--kind", type=click.Choice(LAW_KINDS), help="Only laws of this kind.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@click.option("-o", "--output", metavar="FILE", help="Write there in place of the terminal.")
def command(law: str | None, *, kind: str | None, as_json: bool, output: str | None) -> None:
    """Which laws are there, what do they count, and where do their runs end? Or all of one LAW.

    \b
    gigawatt scaling laws
    gigawatt scaling laws besiroglu-2024
    """
    if law is not None and kind is not None:
        raise click.UsageError("a law has one kind; give its name or --kind")
    refuse_place(output)
    document = laws_document(law, kind=kind)
    if as_json:
        emit(json.dumps(document, indent=1, sort_keys=True, allow_nan=False), output)
        return
    from gigawatt.cli.scaling_text import law_text, laws_text

    emit(laws_text(document) if law is None else law_text(document), output)
