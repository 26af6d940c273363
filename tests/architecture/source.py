"""The package's source as syntax trees, read once, and the questions that tests ask of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "gigawatt"

FLOORS = (  # from the ground up; rooms on one floor are strangers to one another
    ("errors",),
    ("units",),
    ("catalog",),
    ("comms", "workload", "power", "fabric"),
    ("perf", "reliability", "cost", "scaling"),
    ("search", "sim"),
    ("fleet",),
    ("study",),
    ("cli", "web", "report"),
    ("__main__",),
)
FACES = FLOORS[-2]
FORMULA_ROOMS = ("comms", "fabric", "workload", "perf", "power", "reliability", "cost", "scaling")

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    """One imported module, as written at one line."""

    target: str
    line: int
    inside_function: bool
    for_types_only: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Function:
    """One function or method."""

    name: str  # "gigawatt.perf.step.step_time", "gigawatt.perf.step.StepTime.total_s"
    node: FunctionNode
    module: Module
    method: bool

    @property
    def public(self) -> bool:
        """Return whether people outside the room may call it."""
        return not any(part.startswith("_") for part in self.name.split("."))

    @property
    def body_lines(self) -> int:
        """Return the lines of the body, docstring left out."""
        body = self.node.body[1:] if ast.get_docstring(self.node) else self.node.body
        return body[-1].end_lineno - body[0].lineno + 1 if body else 0  # type: ignore[operator]

    @property
    def parameters(self) -> list[ast.arg]:
        """Return all parameters but self and cls."""
        a = self.node.args
        return [*self.positional, *a.kwonlyargs]

    @property
    def positional(self) -> list[ast.arg]:
        """Return the parameters that can be given by place, but self and cls."""
        named = [*self.node.args.posonlyargs, *self.node.args.args]
        return named[1:] if self.method and named and named[0].arg in ("self", "cls") else named

    @property
    def decorators(self) -> list[str]:
        """Return the decorators as text."""
        return [ast.unparse(d) for d in self.node.decorator_list]


@dataclass(frozen=True, kw_only=True, slots=True)
class Module:
    """One file of the package."""

    name: str
    path: Path
    tree: ast.Module
    lines: int

    @property
    def room(self) -> str:
        """Return the room it is in; "" for the package's own __init__."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 else ""

    @property
    def is_room(self) -> bool:
        """Return whether it is a room's __init__."""
        return self.path.name == "__init__.py" and self.name.count(".") == 1


@lru_cache(maxsize=1)
def modules() -> dict[str, Module]:
    """Return all modules of the package by name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text("utf-8")
        found[name] = Module(name=name, path=path, tree=ast.parse(text), lines=len(text.splitlines()))
    return found


@lru_cache(maxsize=1)
def functions() -> tuple[Function, ...]:
    """Return all functions and methods of the package."""
    trees = [(module, module.tree, module.name) for module in modules().values()]
    return tuple(f for tree in trees for f in _functions(*tree, in_class=False))


def _functions(module: Module, node: ast.AST, prefix: str, *, in_class: bool) -> Iterator[Function]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, FunctionNode):
            name = f"{prefix}.{child.name}"
            yield Function(name=name, node=child, module=module, method=in_class)
            yield from _functions(module, child, f"{name}._inside", in_class=False)
        elif isinstance(child, ast.ClassDef):
            yield from _functions(module, child, f"{prefix}.{child.name}", in_class=True)
        else:
            yield from _functions(module, child, prefix, in_class=in_class)


def classes() -> Iterator[tuple[Module, ast.ClassDef]]:
    """Return all classes of the package."""
    for module in modules().values():
        yield from ((module, node) for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef))


def imports(module: Module) -> list[Import]:
    """Return what a module imports; of `from room import module` the module."""
    return list(_imports(module.tree, inside=False, typing=False))


def _imports(node: ast.AST, *, inside: bool, typing: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        for target in _targets(child):
            yield Import(target=target, line=child.lineno, inside_function=inside, for_types_only=typing)  # type: ignore[attr-defined]
        checking = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        yield from _imports(
            child, inside=inside or isinstance(child, FunctionNode), typing=typing or checking
        )


def _targets(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "relative imports hide which room they reach into"
        inner = [f"{node.module}.{alias.name}" for alias in node.names]
        return sorted({name if name in modules() else str(node.module) for name in inner})
    return []


def floor_of(room: str) -> int:
    """Return the floor of a room, the ground being 0."""
    for depth, rooms in enumerate(FLOORS):
        if room in rooms:
            return depth
    raise AssertionError(f"room {room!r} has no floor: give it one in tests/architecture/source.py")
