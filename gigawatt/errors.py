"""What can go wrong, as a tree.

GigawattError
├── InputError            the user can fix it: field, value, what is allowed, nearest fix
│   └── FileFormatError   a file is malformed: where, what was found, what was expected
├── UnknownFactError      the catalogue cannot answer: what is missing, what is known
├── NothingFeasibleError  no layout fits: carries the count of layouts per verdict
└── MissingExtraError     an optional package is not installed: which one, how to get it
"""

import difflib
from collections.abc import Iterable, Mapping


class GigawattError(Exception):
    """Anything gigawatt refuses to do, with one clear sentence."""


class InputError(GigawattError):
    """The user can fix it: field, value, what is allowed, nearest fix."""


class FileFormatError(InputError):
    """A file is malformed."""


class UnknownFactError(GigawattError):
    """The catalogue cannot answer: names what is missing and what is known."""


class NothingFeasibleError(GigawattError):
    """No layout fits. `counts` says how many layouts fell to each verdict."""

    def __init__(self, message: str, counts: Mapping[str, int]) -> None:
        super().__init__(message)
        self.counts = dict(counts)


class MissingExtraError(GigawattError):
    """An optional package is not installed."""


CATALOGUE = {  # the command that lists the names of a field
    "machine": "machines", "chip": "chips", "accelerator": "chips", "model": "models", "stack": "stacks",
}  # fmt: skip
FEW_NAMES, MANY_NAMES = 12, 30  # how many are listed beside a near name, and without one


def unknown_name(field: str, value: str, known: Iterable[str]) -> InputError:
    """Return the error for a name that is not in a list, with the nearest names offered.

    >>> str(unknown_name("machine", "selen", ["selene", "eos"]))
    "machine = 'selen' is not known; did you mean 'selene'? `gigawatt catalog machines` lists all"
    >>> str(unknown_name("colour", "grn", ["red", "green"]))
    "colour = 'grn' is not known; did you mean 'green'? There are: green, red"
    """
    names = sorted(known)
    near = (
        difflib.get_close_matches(value.lower(), names, n=3, cutoff=0.6)
        or [name for name in names if value and value.lower() in name][:3]
    )
    hint = f"did you mean {' or '.join(repr(n) for n in near)}?" if near else "no name is near it;"
    if field in CATALOGUE:
        return InputError(
            f"{field} = {value!r} is not known; {hint} `gigawatt catalog {CATALOGUE[field]}` lists all"
        )
    few = len(names) <= (FEW_NAMES if near else MANY_NAMES)
    listed = f" {'There' if near else 'there'} are: {', '.join(names)}" if few else ""
    return InputError(f"{field} = {value!r} is not known; {hint}{listed}".rstrip(";"))
