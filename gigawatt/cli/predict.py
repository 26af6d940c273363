"""gigawatt predict ROWS.csv --out PRED.csv."""

from __future__ import annotations

import click

from gigawatt.cli.output import progress_bar
from gigawatt.study import predict, read_rows, write_predictions


@click.command("predict")
@click.argument("rows", type=click.Path(dir_okay=False))
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False), help="Where the predictions go, as CSV."
)
def command(rows: str, out: str) -> None:
    """Predict step time, throughput, MFU and memory of every row of a CSV.

    Only configuration columns are read. A row that cannot be predicted gets a status and the reason.
    """
    table = read_rows(rows)
    with progress_bar("predicting rows", total=max(len(table), 1)) as progress:
        counts = write_predictions(out, predict(table), progress=progress)
    told = ", ".join(f"{count} {status}" for status, count in sorted(counts.items(), key=lambda c: -c[1]))
    click.echo(f"{len(table)} rows: {told or 'none'}; written to {out}", err=True)
