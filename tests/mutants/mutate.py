"""Small faults of a module's source: one operator, comparison, number, sign or transpose changed at a time."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Pow: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
NAMES = {"min": "max", "max": "min", "clamp_min": "clamp_max", "sum": "mean", "triu": "tril"}
NOT_CODE = (ast.Raise, ast.Assert, ast.ImportFrom, ast.Import, ast.AnnAssign, ast.arguments)


@dataclass(frozen=True)
class Mutant:
    """A module with one fault.

    Attributes:
        line: of the original.
        fault: what was changed, in words.
        source: of the whole module.
    """

    line: int
    fault: str
    source: str


def mutants(source: str) -> Iterator[Mutant]:
    """All of them, in the order of the lines."""
    tree = ast.parse(source)
    places = [node for node in _code(tree) if any(True for _ in _faults(node))]
    for place, node in enumerate(places):
        for number, (fault, _) in enumerate(_faults(node)):
            other = deepcopy(tree)
            twin = [one for one in _code(other) if any(True for _ in _faults(one))][place]
            list(_faults(twin))[number][1]()
            yield Mutant(getattr(node, "lineno", 0), fault, ast.unparse(ast.fix_missing_locations(other)))


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes that compute something: no messages, annotations or docstrings."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, NOT_CODE) or (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)):
            continue
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and child not in node.body:
            continue  # decorators, annotations
        yield child
        yield from _code(child)


def _faults(node: ast.AST):  # type: ignore[no-untyped-def]
    """What can be changed in a node: words, and the change in place."""
    match node:
        case ast.BinOp(op=op) | ast.BoolOp(op=op) | ast.AugAssign(op=op) if type(op) in OPERATORS:
            other = OPERATORS[type(op)]
            yield f"{type(op).__name__} -> {other.__name__}", lambda: setattr(node, "op", other())
        case ast.Compare(ops=[op]) if type(op) in OPERATORS:
            other = OPERATORS[type(op)]
            yield f"{type(op).__name__} -> {other.__name__}", lambda: setattr(node, "ops", [other()])
        case ast.UnaryOp(op=ast.USub(), operand=operand) if not isinstance(operand, ast.Constant):
            yield "sign left out", lambda: setattr(node, "op", ast.UAdd())
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "negated", lambda: setattr(node, "operand", ast.UnaryOp(ast.Not(), operand))
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            yield f"{value} -> {value + 1}", lambda: setattr(node, "value", value + 1)
        case ast.Constant(value=bool() as value):
            yield f"{value} -> {not value}", lambda: setattr(node, "value", not value)
        case ast.Attribute(attr="T"):
            yield "transpose left out", lambda: setattr(node, "attr", "real")  # the same numbers as they are
        case ast.Attribute(attr=name) if name in NAMES:
            yield f"{name} -> {NAMES[name]}", lambda: setattr(node, "attr", NAMES[name])
        case ast.Name(id=name) if name in NAMES:
            yield f"{name} -> {NAMES[name]}", lambda: setattr(node, "id", NAMES[name])
