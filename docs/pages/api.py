"""The pages of the Python API: the public call, and every room's public names."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import gigawatt

ROOMS = (
    "study", "search", "perf", "comms", "workload", "reliability", "cost", "power", "scaling", "catalog",
    "units",
)  # fmt: skip
STABLE = ("plan", "predict")
INTRO = """# Python API

`gigawatt.plan` and `gigawatt.predict` are the stable surface. The rooms below them are public too: each
answers one question, and a formula can be called alone, with one value or with a column of them. All
quantities are SI floats whose unit is the end of the name.
"""
LINE = 100


def page() -> str:
    """Return the reference of the API."""
    parts = [
        INTRO,
        "## gigawatt\n",
        *(entry(name, getattr(gigawatt, name)) for name in STABLE),
    ]
    for room in ROOMS:
        module = importlib.import_module(f"gigawatt.{room}")
        parts.append(f"## gigawatt.{room}\n\n{prose(module.__doc__ or '')}\n")
        parts += [entry(name, getattr(module, name)) for name in module.__all__ if name not in STABLE]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts))


def entry(name: str, value: Any) -> str:
    """Return one public name: its signature or fields, and what it says of itself."""
    if inspect.isclass(value):
        told = prose(inspect.getdoc(value) or "")
        return f"### {name}\n\n{told}\n{_members(value)}"
    if inspect.isfunction(value):
        told = prose(inspect.getdoc(value) or "")
        return f"### {name}\n\n```text\n{signature(name, value)}\n```\n\n{told}\n"
    called = inspect.unwrap(value) if callable(value) and hasattr(value, "__wrapped__") else None
    if called is not None:
        return entry(name, called)
    return f"### {name}\n\n{constant(value)}\n"


def constant(value: Any) -> str:
    """Return what a constant holds, at length only where it is short."""
    if isinstance(value, dict):
        return "Holds: " + ", ".join(f"`{_key(key)}`" for key in value) + "."
    if isinstance(value, tuple):
        return "Holds: " + ", ".join(f"`{item}`" for item in value) + "."
    text = str(getattr(value, "__value__", value))
    return f"`{text.replace('typing.', '').replace('numpy.', '')}`"


def _key(key: Any) -> str:
    return getattr(key, "name", None) or str(key)


def _members(record: type) -> str:
    if not is_dataclass(record):
        return ""
    rows = [f"- `{field.name}: {_annotation(field.type)}{_default(field)}`" for field in fields(record)]
    rows += _methods(record)
    return "\n" + "\n".join(rows) + "\n"


def _methods(record: type) -> Iterator[str]:
    """Yield what can be asked of a record beside its fields."""
    for name, value in vars(record).items():
        if name.startswith("_"):
            continue
        function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        if inspect.isfunction(function):
            told = (inspect.getdoc(function) or "").split("\n")[0]
            call = name if isinstance(value, property) else signature(name, function)
            yield f"- `{' '.join(call.split())}`" + (f": {told}" if told else "")


def _default(field: Any) -> str:
    value = field.default
    return f" = {value!r}" if isinstance(value, str | int | float | bool | tuple) else ""


def signature(name: str, function: Any) -> str:
    """Return a signature, on one line where it fits and one parameter a line where not."""
    found = inspect.signature(function)
    back = f" -> {_annotation(found.return_annotation)}"
    written = list(_parameters(found))
    line = f"{name}({', '.join(written)}){back}"
    if len(line) <= LINE:
        return line
    return "\n".join([f"{name}(", *(f"    {parameter}," for parameter in written), f"){back}"])


def _parameters(found: inspect.Signature) -> Iterator[str]:
    starred = False
    for parameter in found.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            starred = True
            yield "*"
        mark = "**" if parameter.kind is parameter.VAR_KEYWORD else ""
        value = parameter.default
        written = value.__name__ if inspect.isfunction(value) else repr(value)  # repr would show an address
        default = "" if value is parameter.empty else f" = {written}"
        plain = parameter.annotation is parameter.empty  # self and cls
        kind = "" if plain else f": {_annotation(parameter.annotation)}"
        yield f"{mark}{parameter.name}{kind}{default}"


def _annotation(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def prose(docstring: str) -> str:
    """Return a docstring as Markdown: examples left out (they run where they stand), formulas as math."""
    text = inspect.cleandoc(docstring).split(">>>")[0].rstrip()
    text = re.sub(r"^(Valid for|Source|Definition|Raises|Shapes):", r"\n**\1:**", text, flags=re.MULTILINE)
    text = re.sub(r"\.\. math::((?: [^\n]+)?(?:\n[ ]+[^\n]+)*)", _formula, text)
    return re.sub(r"\n{3,}", "\n\n", text) + "\n"


def _formula(found: re.Match[str]) -> str:
    lines = " ".join(line.strip() for line in found[1].strip().splitlines())
    return f"\n```math\n{lines}\n```\n"
