"""Rules with a list of exceptions that only gets shorter: each returns the names that break it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from tests.architecture.source import FACES, FORMULA_ROOMS, Function, classes, functions, imports, modules

MAX_BODY_LINES, MAX_CLASS_LINES, MAX_FILE_LINES = 60, 200, 500
HEAVY = ("pydantic", "pyarrow", "rich", "ruamel", "scipy")  # may be imported where they are needed
FOREIGN_SIGNATURES = ("convert",)  # named and ordered by click

ENDING = {  # how the name of a quantity in a unit ends
    "Seconds": "s",
    "Bytes": "bytes",
    "BytesPerSecond": "bytes_per_s",
    "Flop": "flop",
    "FlopPerSecond": "flop_per_s",
    "Watts": "w",
    "Joules": "j",
    "Usd": "usd",
    "UsdPerSecond": "usd_per_s",
    "UsdPerJoule": "usd_per_j",
    "Kilograms": "kg",
    "KilogramsPerJoule": "kg_per_j",
    "Metres": "m",
    "PerSecond": "per_(chip_)?s",
}
PURE = ("Count", "Fraction", "Real")  # no ending of their own
OF_COUNTS = r"(_per_(chip|param|rank|sequence|token))?"  # a count has no unit


def long_functions() -> list[str]:
    """Functions of more than 60 lines."""
    return [f.name for f in functions() if f.body_lines > MAX_BODY_LINES]


def long_classes() -> list[str]:
    """Classes of more than 200 lines."""
    return [
        f"{module.name}.{node.name}"
        for module, node in classes()
        if node.end_lineno - node.lineno >= MAX_CLASS_LINES  # type: ignore[operator]
    ]


def long_files() -> list[str]:
    """Files of more than 500 lines."""
    return [module.name for module in modules().values() if module.lines > MAX_FILE_LINES]


def many_by_place() -> list[str]:
    """Public functions that take more than two arguments by place."""
    return [
        f.name
        for f in functions()
        if f.public and len(f.positional) > 2 and not _is_foreign(f) and not _is_command(f)
    ]


def _is_foreign(f: Function) -> bool:
    return f.method and f.node.name in FOREIGN_SIGNATURES


def _is_command(f: Function) -> bool:
    return any(d.startswith("click.") for d in f.decorators)  # click calls it by name


def lazy_imports() -> list[str]:
    """Imports inside functions: only faces may, and anybody of a heavy package."""
    return [
        f"{module.name} -> {found.target}"
        for module in modules().values()
        if module.room not in FACES
        for found in imports(module)
        if found.inside_function and found.target.split(".")[0] not in HEAVY
    ]


def misnamed() -> list[str]:
    """Fields, public functions and their parameters whose name and unit alias disagree."""
    return [f"{where}: {alias}" for where, name, alias in _annotated() if not _agree(name, alias)]


def _annotated() -> Iterator[tuple[str, str, str]]:
    """Return where, name and alias of every field, parameter and result that has a unit alias."""
    for module, node in classes():
        for item in node.body:
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                for alias in _aliases(item.annotation):
                    yield f"{module.name}.{node.name}.{item.target.id}", item.target.id, alias
    for f in filter(lambda f: f.public, functions()):
        for parameter in f.parameters:
            for alias in _aliases(parameter.annotation):
                yield f"{f.name}({parameter.arg})", parameter.arg, alias
        for alias in _aliases(f.node.returns):
            yield f.name, f.node.name, alias


def _aliases(annotation: ast.expr | None) -> list[str]:
    """Return the unit aliases of a plain annotation, `Seconds` or `Seconds | None`."""
    if isinstance(annotation, ast.BinOp):
        return _aliases(annotation.left) + _aliases(annotation.right)
    known = isinstance(annotation, ast.Name) and (annotation.id in ENDING or annotation.id in PURE)
    return [annotation.id] if known else []  # type: ignore[union-attr]


def _agree(name: str, alias: str) -> bool:
    """Return whether a name ends as its alias asks; a pure number must not end in a unit."""
    if len(name) == 1 and alias in PURE:
        return True  # a symbol of the formula
    ends = {unit: re.search(f"(^|_){ending}{OF_COUNTS}$", name) for unit, ending in ENDING.items()}
    said = {unit: len(found[0]) for unit, found in ends.items() if found}
    longest = max(said, key=lambda unit: said[unit], default=None)  # bytes_per_s, not s
    return longest == alias or (alias in PURE and longest is None)


def formulas() -> list[Function]:
    """Return the public functions of the formula rooms whose result has a unit alias."""
    return [
        f
        for f in functions()
        if f.public and not f.method and f.module.room in FORMULA_ROOMS and _aliases(f.node.returns)
    ]


def formulas_without_source() -> list[str]:
    """Formulas that say neither `Source:` nor `Definition:`."""
    return [f.name for f in formulas() if not re.search(r"^(Source|Definition):", _doc(f), re.MULTILINE)]


def formulas_without_number() -> list[str]:
    """Formulas that say where they are valid, and show no worked number that runs."""
    return [
        f.name
        for f in formulas()
        if re.search(r"^Valid for:", _doc(f), re.MULTILINE) and ">>>" not in _doc(f)
    ]


def _doc(f: Function) -> str:
    return ast.get_docstring(f.node) or ""


def undocumented() -> list[str]:
    """Public functions without a docstring; a property may speak by its name alone."""
    return [f.name for f in functions() if f.public and not f.method and not ast.get_docstring(f.node)]


def rooms_without_contract() -> list[str]:
    """Rooms whose __init__ does not say its question, what it takes, what it returns, or has no __all__."""
    found = []
    for module in modules().values():
        if module.is_room and module.room not in FACES:
            doc = ast.get_docstring(module.tree) or ""
            told = re.search(r"\?|question", doc.split("\n")[0]) and "Takes" in doc and "returns" in doc
            if not told or public_names(module.name) is None:
                found.append(module.name)
    return found


def public_names(room: str) -> list[str] | None:
    """Return the __all__ of a room as written; None when it has none."""
    for node in modules()[room].tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return [str(ast.literal_eval(item)) for item in node.value.elts]  # type: ignore[attr-defined]
    return None


def cycles() -> list[str]:
    """Modules that import one another at run time, as loops of names; each loop once."""
    graph = {
        name: {i.target for i in imports(module) if i.target in modules() and not i.for_types_only}
        for name, module in modules().items()
    }
    return sorted({" -> ".join(loop) for name in graph if (loop := _loop(name, graph))})


def _loop(start: str, graph: dict[str, set[str]]) -> list[str]:
    """Return the shortest way from a module back to itself when none on it sorts before it; else nothing."""
    paths = [[start]]
    seen: set[str] = set()
    while paths:
        path = paths.pop(0)
        for near in sorted(graph[path[-1]]):
            if near == start:
                return [*path, start]
            if near not in seen and near > start:
                seen.add(near)
                paths.append([*path, near])
    return []


RULES: dict[str, Callable[[], list[str]]] = {
    "long_functions": long_functions,
    "long_classes": long_classes,
    "long_files": long_files,
    "many_by_place": many_by_place,
    "lazy_imports": lazy_imports,
    "misnamed": misnamed,
    "formulas_without_source": formulas_without_source,
    "formulas_without_number": formulas_without_number,
    "undocumented": undocumented,
    "rooms_without_contract": rooms_without_contract,
    "cycles": cycles,
}
