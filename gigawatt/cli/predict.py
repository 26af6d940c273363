"""gigawatt predict ROWS.csv --out PRED.csv."""

from __future__ import annotations

import click

from gigawatt.cli.output import progress_bar
from gigawatt.errors import InputError
from gigawatt.study import predict, read_rows, write_predictions
from gigawatt.study.collective_rows import CollectivePrediction, predict_collectives, read_collective_rows
from gigawatt.study.hpl_rows import HplPrediction, predict_hpl, read_hpl_rows
from gigawatt.study.table_file import write_records


@click.command("predict")
@click.argument("rows", type=click.Path(dir_okay=False))
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False), help="Where the predictions go, as CSV."
)
@click.option(
    "--collectives", is_flag=True, help="The rows are collectives: source, system, n_gpus, size_bytes, ..."
)
@click.option(
    "--hpl", is_flag=True, help="The rows are Linpack runs: accelerator, n_accelerators_est, nmax, ..."
)
def command(rows: str, out: str, *, collectives: bool, hpl: bool) -> None:
    """Predict every row of a CSV: training configurations, or collectives, or Linpack runs.

    Only configuration columns are read, never a measured one. A row that cannot be predicted gets a status
    and the reason.
    """
    if collectives and hpl:
        raise InputError("--collectives and --hpl are two kinds of table; give one of them")
    if collectives:
        table = read_collective_rows(rows)
        counts = write_records(out, predict_collectives(table), kind=CollectivePrediction)
    elif hpl:
        table = read_hpl_rows(rows)
        counts = write_records(out, predict_hpl(table), kind=HplPrediction)
    else:
        table = read_rows(rows)
        with progress_bar("predicting rows", total=max(len(table), 1)) as progress:
            counts = write_predictions(out, predict(table), progress=progress)
    told = ", ".join(f"{count} {status}" for status, count in sorted(counts.items(), key=lambda c: -c[1]))
    click.echo(f"{len(table)} rows: {told or 'none'}; written to {out}", err=True)
