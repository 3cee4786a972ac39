"""Derivatives of expressions by the rules of differentiation, on their trees."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass

from lsr_core.errors import InputError

MAX_NODES = 4000  # of an expression that is written out
NORMAL = "outwardnormal"  # outwardnormal_x is a component of it; longer than names may be, so no name is like it


@dataclass(frozen=True)
class Rules:
    """What names stand for.

    Attributes:
        varying: names that depend on the inputs: unknown functions, and coefficients that vary.
        key: what an error names.
    """

    varying: Collection[str]
    key: str

    def derivative(self, node: ast.expr, by: str) -> ast.expr:
        """∂/∂by of a tree without operators.

        Raises:
            InputError: the derivative does not exist, or the result is too long.
        """
        found = self._derivative(node, by)
        if sum(1 for _ in ast.walk(found)) > MAX_NODES:
            raise self._wrong(
                f"the derivatives written out have more than {MAX_NODES} parts; split the equation by a further output"
            )
        return found

    def _derivative(self, node: ast.expr, by: str) -> ast.expr:
        if isinstance(node, ast.Constant):
            return number_node(0)
        if isinstance(node, ast.Name):
            return self._of_name(node.id, by)
        if isinstance(node, ast.UnaryOp):
            return ast.UnaryOp(node.op, self._derivative(node.operand, by))
        if isinstance(node, ast.Call):
            return self._of_function(node, by)
        assert isinstance(node, ast.BinOp)
        return self._of_operation(node, by)

    def _of_name(self, name: str, by: str) -> ast.expr:
        if name.startswith("integral_"):
            raise self._wrong("an integral is differentiated; write the derivative inside of it")
        head = name.partition("_")[0]
        if head == NORMAL:
            raise self._wrong("dn(…) is differentiated; the normal is known at the edge only")
        if head in self.varying:
            return name_node(f"{name}{by}" if "_" in name else f"{name}_{by}")
        return number_node(int(name == by))

    def _of_operation(self, node: ast.BinOp, by: str) -> ast.expr:
        left, right = node.left, node.right
        if isinstance(node.op, (ast.Add, ast.Sub)):
            return added(self._derivative(left, by), node.op, self._derivative(right, by))
        if isinstance(node.op, ast.Mult):
            return added(times(self._derivative(left, by), right), ast.Add(), times(left, self._derivative(right, by)))
        if isinstance(node.op, ast.Div):
            above = added(times(self._derivative(left, by), right), ast.Sub(), times(left, self._derivative(right, by)))
            return _quotient(above, times(right, right))
        lowered = ast.BinOp(left, ast.Pow(), ast.BinOp(right, ast.Sub(), number_node(1)))
        return times(times(right, lowered), self._derivative(left, by))

    def _of_function(self, node: ast.Call, by: str) -> ast.expr:
        assert isinstance(node.func, ast.Name)
        inner = self._derivative(node.args[0], by)
        if _is(inner, 0):
            return inner
        name = node.func.id
        if name not in SLOPES:
            raise self._wrong(
                f"{name}(…) jumps, so it has no derivative to write down; give each side its own equation and say what holds between them"
            )
        rule = ast.parse(SLOPES[name], mode="eval").body
        return times(_Filled(node.args[0]).visit(rule), inner)

    def _wrong(self, said: str) -> InputError:
        return InputError(said, key=self.key)


SLOPES = {
    "sin": "cos(z)", "cos": "-sin(z)", "tan": "1 + tan(z)**2", "asin": "1/sqrt(1 - z**2)", "acos": "-1/sqrt(1 - z**2)",
    "atan": "1/(1 + z**2)", "sinh": "cosh(z)", "cosh": "sinh(z)", "tanh": "1 - tanh(z)**2", "exp": "exp(z)", "log": "1/z",
    "sqrt": "1/(2*sqrt(z))", "abs": "sign(z)", "erf": "2/sqrt(pi)*exp(-z**2)", "sigmoid": "sigmoid(z)*(1 - sigmoid(z))",
}  # fmt: skip


class _Filled(ast.NodeTransformer):
    """Puts an expression in the place of z."""

    def __init__(self, value: ast.expr) -> None:
        self._value = value

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._value if node.id == "z" else node


def name_node(text: str) -> ast.Name:
    return ast.Name(text, ast.Load())


def number_node(value: float) -> ast.Constant:
    return ast.Constant(value)


def _is(node: ast.expr, value: float) -> bool:
    return isinstance(node, ast.Constant) and node.value == value


def added(left: ast.expr, sign: ast.operator, right: ast.expr) -> ast.expr:
    if _is(right, 0):
        return left
    if _is(left, 0):
        return right if isinstance(sign, ast.Add) else ast.UnaryOp(ast.USub(), right)
    return ast.BinOp(left, sign, right)


def times(left: ast.expr, right: ast.expr) -> ast.expr:
    if _is(left, 0) or _is(right, 0):
        return number_node(0)
    if _is(left, 1):
        return right
    return left if _is(right, 1) else ast.BinOp(left, ast.Mult(), right)


def _quotient(above: ast.expr, below: ast.expr) -> ast.expr:
    return above if _is(above, 0) else ast.BinOp(above, ast.Div(), below)
