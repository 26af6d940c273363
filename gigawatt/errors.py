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


def unknown_name(field: str, value: str, known: Iterable[str]) -> InputError:
    """Return the error for a name that is not in a list, with the nearest names offered.

    >>> str(unknown_name("machine", "selen", ["selene", "eos"]))
    "machine = 'selen' is not known; did you mean 'selene'? (`gigawatt catalog` lists all 2)"
    """
    names = sorted(known)
    near = difflib.get_close_matches(value.lower(), names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(repr(n) for n in near)}?" if near else "no name is near it"
    return InputError(f"{field} = {value!r} is not known; {hint} (`gigawatt catalog` lists all {len(names)})")
