"""Options that take counts, and words of the form name=value."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import click

from gigawatt.errors import InputError
from gigawatt.study import OBJECTIVES
from gigawatt.units import parse

GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})*(\.\d*)?([^\d,].*)?|[^,]*")  # 1,024 and not 15,6T
NUMBER = re.compile(r"[+-]?\d[\d,]*\.?\d*(?:[eE][+-]?\d+)?")
WORDED = re.compile(r"[+-]?(nan|inf(inity)?)", re.IGNORECASE)
LETTERS = "k, M, B or T"


def amount(
    field: str, *, example: str
) -> Callable[[click.Context, click.Parameter, str | None], float | None]:
    """Return the reader of an option that takes a count such as 15.6T, above 0.

    Raises: InputError, when it reads, for what is no such count, with what was probably meant.
    """

    def read(_context: click.Context, _parameter: click.Parameter, text: str | None) -> float | None:
        return None if text is None else _count(text, field, example=example)

    return read


def whole(field: str, *, example: str) -> Callable[[click.Context, click.Parameter, str | None], int | None]:
    """Return the reader of an option that takes a whole number such as 16k, of 1 or more.

    Raises: InputError, when it reads, for what is no such number.
    """

    def read(_context: click.Context, _parameter: click.Parameter, text: str | None) -> int | None:
        if text is None:
            return None
        found = _count(text, field, example=example)
        if found != int(found):
            near = max(round(found), 1)
            raise InputError(f"{field} = {text!r} is not a whole number; the nearest is {near}")
        return int(found)

    return read


def _count(text: str, field: str, *, example: str) -> float:
    number = NUMBER.match(text.strip())
    if WORDED.fullmatch(text.strip()) or (number and math.isinf(float(number[0].replace(",", "")))):
        raise InputError(f"{field} = {text!r} is not a finite number; write e.g. {example}")
    try:
        found = parse(text, "1", field=field) if GROUPED.fullmatch(text.strip()) else math.nan
    except InputError:
        found = math.nan
    if math.isnan(found):
        raise InputError(f"{field} = {text!r} is not a count {_meant(text)}; write e.g. {example}")
    if not found > 0:
        raise InputError(f"{field} = {text!r} is not above 0; write e.g. {example}")
    return found


def _meant(text: str) -> str:
    """Return what is wrong with a count (unit, letter, decimal sign) and what was probably meant."""
    number = NUMBER.match(text.strip())
    if number is None:
        return f"(digits, with {LETTERS})"
    word = text.strip()[number.end() :].strip()
    digits = number[0] if GROUPED.fullmatch(number[0]) else number[0].replace(",", ".")
    letter = word[:1].upper() if word[:1].upper() in "KMBGTP" else ""
    in_bytes = re.fullmatch(r"[kKMGTP]?i?[Bb](ytes?|its?)?(/s)?", word) and word.upper() != "B"
    kind = "but an amount of data" if in_bytes else "as written"
    return f"{kind} (did you mean {digits}{letter.replace('K', 'k')}?)"


TRUTH = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}


def words(text: str, *, option: str, several: bool = False) -> dict[str, Any]:
    """Return what "tp=8,pp=16,recompute=full" says; with `several`, "tp=4|8" is a list.

    Raises: InputError for what has no name or value, or a name that comes twice.

    >>> words("tp=8,recompute=full,sp=true", option="--layout")
    {'tp': 8, 'recompute': 'full', 'sp': True}
    """
    found: dict[str, Any] = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not name or not value or re.search(r"[\s;=]", value):
            raise InputError(
                f"{option} {part.strip()!r} is not of the form name=value; write e.g. tp=8,pp=16"
            )
        name = name.lower()
        if name in found:
            raise InputError(f"{option} names {name!r} twice")
        values = [_value(v.strip()) for v in value.split("|")] if several else [_value(value)]
        if "" in values:
            raise InputError(f"{option} {part.strip()!r} has an empty value; write e.g. tp=4|8")
        found[name] = values if len(values) > 1 else values[0]
    return found


def _value(text: str) -> Any:
    if text.lower() in TRUTH:
        return TRUTH[text.lower()]
    return int(text) if re.fullmatch(r"[+-]?\d{1,30}", text) else text.lower()


JOB = (
    click.option(
        "--tokens",
        metavar="N",
        callback=amount("tokens", example="15.6T"),
        help="Training tokens, e.g. 15.6T.",
    ),
    click.option(
        "--batch", metavar="N", callback=amount("batch", example="16M"), help="Tokens a step, e.g. 16M."
    ),
    click.option(
        "--batch-sequences",
        metavar="N",
        callback=whole("batch_sequences", example="2048"),
        help="Sequences a step, in place of --batch.",
    ),
    click.option(
        "--seq", metavar="N", callback=whole("seq", example="8192"), help="Tokens a sequence, e.g. 8192."
    ),
    click.option(
        "--dtype",
        metavar="FORMAT",
        help="Format of the linear layers: bf16, fp16, fp8, mxfp8, nvfp4, int8, ...",
    ),
    click.option(
        "--stack", metavar="NAME", help="Training software and its era; see `gigawatt catalog stacks`."
    ),
    click.option(
        "--by",
        type=click.Choice(list(OBJECTIVES)),
        default="time",
        show_default=True,
        help="What is made least.",
    ),
    click.option(
        "--fixed",
        metavar="WORDS",
        help="Hold parts of the layout in the search, e.g. tp=8,recompute=none|full.",
    ),
)


def job_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say what is trained, and what the search holds and makes least."""
    for option in reversed(JOB):
        command = option(command)
    return command
