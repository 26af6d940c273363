"""gigawatt study STUDY.yaml: many scenarios at once, and questions to what they gave."""

from __future__ import annotations

import json

import click

from gigawatt.cli.options import whole
from gigawatt.cli.output import emit, progress_bar, refuse_place
from gigawatt.study import ENGINES, query, run_study, sensitivity, study_document


class StudyGroup(click.Group):
    """A group whose first command is understood: `study FILE` is `study run FILE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        known = {*self.commands, *ctx.help_option_names}
        return super().parse_args(ctx, args if not args or args[0] in known else ["run", *args])


@click.group("study", cls=StudyGroup)
def command() -> None:
    """Compute a million variations of a scenario, and ask what they say.

    \b
    gigawatt study prices.yaml                            (short for: gigawatt study run prices.yaml)
    gigawatt study query prices.study "select avg(days) from prices"
    gigawatt study sensitivity prices.study --of cost_usd
    """


@command.command("run")
@click.argument("study")
@click.option("--out", metavar="DIR", help="Where the tables go; the study's name with .study if not given.")
@click.option(
    "--workers",
    metavar="N",
    callback=whole("workers", example="8"),
    help="How many processes; all cores if not given.",
)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="local",
    show_default=True,
    help="Processes of this computer, or a Ray cluster (that of RAY_ADDRESS, else a local one).",
)
@click.option("--json", "as_json", is_flag=True, help="The summary as one JSON document.")
@click.option("-o", "--output", metavar="FILE", help="Write the summary there in place of the terminal.")
def run(
    study: str, *, out: str | None, workers: int | None, engine: str, as_json: bool, output: str | None
) -> None:
    """Compute the scenarios of STUDY, a YAML file, and sum up what they gave.

    Rows are written as Parquet, part by part. A run that was stopped goes on when the same command is given
    again: what is done is kept, and nothing is done twice. The same file gives the same rows, however many
    workers there are and however often it was stopped.
    """
    refuse_place(output)
    finished = 0

    def count(_: object) -> None:
        nonlocal finished
        finished += 1

    try:
        with progress_bar("computing scenarios") as progress:
            ran = run_study(study, folder=out, workers=workers, engine=engine, progress=progress, done=count)
    except KeyboardInterrupt:
        click.echo(f"stopped after {finished:,} new parts, all kept; the same command goes on", err=True)
        raise
    kept = f"{ran.kept:,} of {ran.parts:,} parts were there already" if ran.kept else f"{ran.parts:,} parts"
    click.echo(f"{ran.study.rows:,} rows in {ran.folder}; {kept}", err=True)
    _told(str(ran.folder), as_json=as_json, output=output)


@command.command("show")
@click.argument("folder")
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@click.option("-o", "--output", metavar="FILE", help="Write there in place of the terminal.")
def show(folder: str, *, as_json: bool, output: str | None) -> None:
    """Sum up the study of FOLDER again: how much is done, and p10, p50 and p90 of its results."""
    refuse_place(output)
    _told(folder, as_json=as_json, output=output)


def _told(folder: str, *, as_json: bool, output: str | None) -> None:
    document = study_document(folder)
    if as_json:
        emit(json.dumps(document, indent=1, sort_keys=True), output)
        return
    from gigawatt.cli.study_text import study_text

    emit(study_text(document), output)


@command.command("query")
@click.argument("folder")
@click.argument("sql")
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@click.option("-o", "--output", metavar="FILE", help="Write there in place of the terminal.")
def ask(folder: str, sql: str, *, as_json: bool, output: str | None) -> None:
    """Ask the tables of FOLDER in SQL (DuckDB's); each set of the study is a table by its name.

    \b
    gigawatt study query prices.study "select quantile_cont(cost_usd, 0.9) from prices"
    gigawatt study query prices.study "describe prices"
    """
    refuse_place(output)
    document = query(folder, sql)
    if document["status"] == "partial":
        click.echo(f"warning: {document['missing_rows']:,} rows are not computed yet", err=True)
    if as_json:
        emit(json.dumps(document, indent=1), output)
        return
    from gigawatt.cli.study_text import query_text

    emit(query_text(document), output, wide=True)


@command.command("sensitivity")
@click.argument("folder")
@click.option("--of", "of", required=True, metavar="OUTPUT", help="A result that the study keeps, e.g. days.")
@click.option("--set", "name", metavar="NAME", help="Which set, where several have sensitivities.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@click.option("-o", "--output", metavar="FILE", help="Write there in place of the terminal.")
def sense(folder: str, *, of: str, name: str | None, as_json: bool, output: str | None) -> None:
    """Say what a result is most sensitive to: Sobol indices, or a tornado, by the set's method."""
    refuse_place(output)
    document = sensitivity(folder, output=of, name=name)
    if as_json:
        emit(json.dumps(document, indent=1), output)
        return
    from gigawatt.cli.study_text import sensitivity_text

    emit(sensitivity_text(document), output)
