"""gigawatt schema DOCUMENT."""

from __future__ import annotations

import click

from gigawatt.cli.output import emit
from gigawatt.study import SCHEMAS, schema


@click.command("schema")
@click.argument("document", type=click.Choice(SCHEMAS), metavar="DOCUMENT")
def command(document: str) -> None:
    """Print the JSON Schema of a document that gigawatt writes, e.g. `plan`, `compare`, `size` or `bom`."""
    emit(schema(document), None)
