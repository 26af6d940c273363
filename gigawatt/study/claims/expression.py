"""Arithmetic over named figures: numbers and comparisons, nothing else.

`simpleeval` walks the syntax tree; what it could do beyond arithmetic is taken out, and every number is a
float, so that no power or product can grow without end.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from simpleeval import InvalidExpression, SimpleEval

from gigawatt.errors import InputError, unknown_name

MOST_LETTERS, MOST_DEPTH = 400, 30
NODES = (
    ast.Expr, ast.Name, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.Constant,
)  # fmt: skip
COMPARES: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip
Result = float | bool


def _float(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of floats alone: whole numbers become floats before they can grow."""
    return lambda *values: call(*(v if isinstance(v, bool) else float(v) for v in values))


OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: _float(operator.add),
    ast.Sub: _float(operator.sub),
    ast.Mult: _float(operator.mul),
    ast.Div: _float(operator.truediv),
    ast.Pow: _float(operator.pow),
    ast.USub: _float(operator.neg),
    ast.UAdd: _float(operator.pos),
    ast.Not: operator.not_,
    **COMPARES,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": _float(abs),
    "ceil": _float(math.ceil),
    "floor": _float(math.floor),
    "round": _float(round),
    "sqrt": _float(math.sqrt),
    "log10": _float(math.log10),
    "min": _float(min),
    "max": _float(max),
}


def names_in(text: str, *, field: str) -> set[str]:
    """Return the names of figures that an expression uses.

    Raises: InputError for what is not arithmetic.

    >>> sorted(names_in("max(a, b) / 2", field="x"))
    ['a', 'b']
    """
    nodes = list(ast.walk(_tree(text, field)))
    for node in nodes:
        _refuse(node, text, field)
    heads = {id(node.func): node.func.id for node in nodes if isinstance(node, ast.Call)}  # type: ignore[attr-defined]
    for name in sorted(set(heads.values()) - set(FUNCTIONS)):
        raise InputError(f"{field}: {unknown_name('function', name, FUNCTIONS)}")
    named = {node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in heads}
    for name in sorted(named & set(FUNCTIONS)):
        raise InputError(f"{field}: {name} is a function; write e.g. {name}(a)")
    return named


ALLOWED = "numbers, names of figures, + - * / **, comparisons, and, or, not, if-else and " + ", ".join(
    FUNCTIONS
)


def _tree(text: str, field: str) -> ast.AST:
    if len(text) > MOST_LETTERS:
        raise InputError(f"{field} is {len(text)} letters long; at most {MOST_LETTERS} are allowed")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        depth = _depth(tree)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise InputError(f"{field} = {text!r} is not arithmetic; allowed: {ALLOWED}") from None
    if depth > MOST_DEPTH:
        raise InputError(f"{field}: more than {MOST_DEPTH} brackets in one another")
    return tree


def _depth(node: ast.AST) -> int:
    return 1 + max((_depth(inner) for inner in ast.iter_child_nodes(node)), default=0)


def _refuse(node: ast.AST, text: str, field: str) -> None:
    marks = (ast.operator, ast.unaryop, ast.cmpop, ast.boolop, ast.expr_context)
    known = isinstance(node, NODES) or (
        isinstance(node, marks) and (type(node) in OPERATORS or isinstance(node, ast.boolop | ast.Load))
    )
    number = not isinstance(node, ast.Constant) or type(node.value) in (int, float, bool)
    plain = not isinstance(node, ast.Call) or (isinstance(node.func, ast.Name) and not node.keywords)
    if not (known and number and plain):
        raise InputError(f"{field} = {text!r} is not arithmetic; allowed: {ALLOWED}")


def evaluate(text: str, values: Mapping[str, float], *, field: str) -> Result:
    """Return the value of an expression over named figures.

    Raises: InputError for what is not arithmetic, names that are not known, and results that are no number.

    >>> evaluate("cards * 989e12 / 1e18", {"cards": 100000.0}, field="x")
    98.9
    >>> evaluate("2 < x <= 3 and not x > 4", {"x": 3.0}, field="x")
    True
    """
    for name in sorted(names_in(text, field=field) - set(values)):
        raise InputError(f"{field}: {unknown_name('figure', name, values)}")
    sandbox = SimpleEval(operators=OPERATORS, functions=FUNCTIONS, names=dict(values))
    sandbox.nodes = {kind: walk for kind, walk in sandbox.nodes.items() if kind in NODES}
    try:
        found = sandbox.eval(text.strip())
    except (InvalidExpression, ArithmeticError, ValueError, TypeError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{field} = {text!r} has no value ({why.lower()})") from None
    if isinstance(found, bool):
        return found
    if not isinstance(found, float | int) or not math.isfinite(found):
        raise InputError(f"{field} = {text!r} is not a finite number")
    return float(found)
