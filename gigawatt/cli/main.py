"""The entry: a group whose commands are loaded when they are called, and the exit codes."""

from __future__ import annotations

import os
import sys

import click

from gigawatt import __version__
from gigawatt.cli.lazy import LazyGroup
from gigawatt.errors import (
    FileFormatError,
    GigawattError,
    InputError,
    MissingExtraError,
    NothingFeasibleError,
    UnknownFactError,
)

COMMANDS = {  # name: (module, one line for --help, which must not load the module)
    "plan": ("gigawatt.cli.plan", "How long, how much, laid out how?"),
    "compare": ("gigawatt.cli.compare", "Which machine? The same job on several, side by side."),
    "energy": ("gigawatt.cli.energy", "How much energy does a token take on each chip, at equal work?"),
    "study": ("gigawatt.cli.study", "What if? Grids and samples of a scenario, queried and summed up."),
    "size": ("gigawatt.cli.size", "What must I buy: which machine, how many chips, within which limits?"),
    "scaling": ("gigawatt.cli.scaling", "How big a model, how many tokens, what loss?"),
    "fleet": ("gigawatt.cli.fleet", "Many machines at once: deliveries over time."),
    "predict": ("gigawatt.cli.predict", "Predict the rows of a CSV of training configurations."),
    "validate": ("gigawatt.cli.validate", "Compare predictions with measured training runs."),
    "claims": (
        "gigawatt.cli.claims",
        "Can an article's figures be true? Each claim, recomputed.",
    ),
    "catalog": ("gigawatt.cli.catalog", "List machines, chips, models or software stacks."),
    "machine": ("gigawatt.cli.machine", "One machine: its facts, its parts, its Linpack run."),
    "chip": ("gigawatt.cli.chip", "Show one chip, fact by fact."),
    "model": ("gigawatt.cli.model", "Show one model, or a Hugging Face config.json."),
    "schema": ("gigawatt.cli.schema", "Print the JSON Schema of a document."),
    "doctor": ("gigawatt.cli.doctor", "Show versions, the catalogue's size and which extras are there."),
    "completion": ("gigawatt.cli.completion", "Print the shell completion script."),
}
EXIT_CODES: tuple[tuple[type[BaseException], int], ...] = (  # the first that matches
    (FileFormatError, 3),
    (InputError, 2),
    (NothingFeasibleError, 4),
    (UnknownFactError, 4),
    (MissingExtraError, 6),
    (GigawattError, 1),
)
INTERNAL, USAGE, INTERRUPTED = 1, 2, 130
TRACE = "GIGAWATT_TRACE"  # set it to see where an internal error comes from


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="gigawatt")
def cli() -> None:
    """Design an AI supercomputer, and account for every card in it.

    \b
    gigawatt plan llama3.1-405b --on meta-llama3-16k
    gigawatt plan ./config.json --on ./cluster.yaml --tokens 2T --batch 4M --seq 4096
    """


def run(argv: list[str] | None = None) -> int:
    """Run the command line and return the exit code; errors are one sentence on standard error."""
    try:
        cli.main(args=argv, prog_name="gigawatt", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return int(stop.exit_code)
    except click.ClickException as error:
        return _told_usage(error)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return 0
    except GigawattError as error:
        click.echo(f"error: {error}", err=True)
        return next(code for kind, code in EXIT_CODES if isinstance(error, kind))
    except Exception as error:  # a bug of ours: the user gets a sentence, and the way to more
        return _told_internal(error)
    return 0


def _told_usage(error: click.ClickException) -> int:
    context = getattr(error, "ctx", None)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return USAGE
    help_ = f"\n(see `{context.command_path} --help`)" if context is not None else ""
    message = " ".join(error.format_message().split())
    click.echo(f"error: {message[:1].lower()}{message[1:].rstrip('.')}{help_}", err=True)
    return USAGE


def _told_internal(error: Exception) -> int:
    if os.environ.get(TRACE):
        import traceback

        traceback.print_exc()
    what = str(error).splitlines()[0] if str(error) else "no message"
    click.echo(
        f"internal error: {type(error).__name__}: {what}; this is a bug in gigawatt {__version__}, please "
        f"report the command (with {TRACE}=1 it says where)",
        err=True,
    )
    return INTERNAL


def _drop_output() -> None:
    """Send what is left to nowhere: the reader went away, as `| head` does."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """Run as a program."""
    sys.exit(run())
