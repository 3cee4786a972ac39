"""Typed expressions as LaTeX, from their checked syntax trees; names hold letters and digits only, so nothing needs escaping."""

from __future__ import annotations

import ast

from lsr_core.errors import InputError
from lsr_core.problems.physics.typed.grammar import tree_of

GREEK = frozenset(
    (
        *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "mu", "nu", "xi", "pi", "rho"),
        *("sigma", "tau", "phi", "chi", "psi", "omega"),
    )
)
_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(5)
_SIGNS: dict[type[ast.AST], str] = {ast.Add: " + ", ast.Sub: " - ", ast.Mult: r" \, "}
_NAMED = frozenset({"sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log"})


def equation(text: str) -> str:
    """LaTeX of `left = right`, or of a residual that should vanish.

    Raises:
        InputError: it is not of the grammar.
    """
    sides = [_of(tree_of(side, "equation"))[0] for side in text.split("=")]
    if len(sides) > 2:
        raise InputError("there is more than one equals sign", key="equation")
    return " = ".join(sides if len(sides) == 2 else [*sides, "0"])


def expression(text: str) -> str:
    """LaTeX of an expression without an equals sign.

    Raises:
        InputError: it is not of the grammar.
    """
    return _of(tree_of(text, "expression"))[0]


def name(text: str) -> str:
    """`kappa` as a Greek letter, `u_xx` with its subscript, longer names upright."""
    head, line, tail = text.partition("_")
    shown = rf"\{head}" if head in GREEK else head if len(head) == 1 else rf"\mathrm{{{head}}}"
    return f"{shown}_{{{tail}}}" if line else shown


def _of(node: ast.AST) -> tuple[str, int]:
    """LaTeX, and how tightly it binds."""
    if isinstance(node, ast.Constant):
        return _number(str(node.value))
    if isinstance(node, ast.Name):
        return name(node.id), _ATOM
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _call(node.func.id, _of(node.args[0])[0]), _ATOM
    if isinstance(node, ast.UnaryOp):
        sign = "-" if isinstance(node.op, ast.USub) else ""
        return sign + _bound(node.operand, _PRODUCT), _SIGN
    assert isinstance(node, ast.BinOp)
    if isinstance(node.op, ast.Div):
        return rf"\frac{{{_of(node.left)[0]}}}{{{_of(node.right)[0]}}}", _PRODUCT
    if isinstance(node.op, ast.Pow):
        return f"{_bound(node.left, _ATOM)}^{{{_of(node.right)[0]}}}", _POWER
    level = _PRODUCT if isinstance(node.op, ast.Mult) else _SUM
    right = _bound(node.right, level + (isinstance(node.op, ast.Sub)))
    sign = r" \cdot " if level == _PRODUCT and right[0] in "0123456789-" else _SIGNS[type(node.op)]
    if level == _SUM and right.startswith("-"):
        right = rf"\left({right}\right)"
    return _bound(node.left, level) + sign + right, level


def _bound(node: ast.AST, level: int) -> str:
    text, binds = _of(node)
    return text if binds >= level else rf"\left({text}\right)"


def _call(function: str, inside: str) -> str:
    if function == "sqrt":
        return rf"\sqrt{{{inside}}}"
    if function == "abs":
        return rf"\left|{inside}\right|"
    shown = rf"\{function}" if function in _NAMED else rf"\operatorname{{{function}}}"
    return rf"{shown}\left({inside}\right)"


def _number(text: str) -> tuple[str, int]:
    digits, power, exponent = text.partition("e")
    return (rf"{digits} \cdot 10^{{{int(exponent)}}}", _PRODUCT) if power else (text, _ATOM)
