"""Typed expressions as LaTeX, from their checked syntax trees; names hold letters and digits only, so nothing needs escaping."""

from __future__ import annotations

import ast

from lsr_core.errors import InputError
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.grammar import OPERATORS, pieces, tree_of

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


def lines(arguments: TypedArguments) -> list[str]:
    """LaTeX of all rows of an equation, one a line.

    Raises:
        InputError: a row is not of the grammar.
    """
    found = [equation(row.equation) + _held(row.where, r"\text{where }") for row in arguments.equations]
    for row in arguments.conditions:
        if not row.where.strip().endswith("periodic"):
            found.append(equation(row.equation) + _held(row.where, r"\text{at }"))
    return found + [rf"{name(output)} = {expression(text)}" for output, text in arguments.solution.items()]


def _held(where: str, word: str) -> str:
    """Where a row holds; equations are set as such, other words as text."""
    if not where.strip():
        return ""
    return rf" \quad {word} " + r",\ ".join(_place(piece) for piece in pieces(where))


def _place(text: str) -> str:
    if "=" in text and not any(sign in text for sign in "<>") and " and " not in text:
        return equation(text)
    plain = "".join(sign for sign in text if sign.isalnum() or sign in " .+-*/()=<>,")
    return rf"\text{{{plain.replace('<', '$<$').replace('>', '$>$')}}}"


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
        return _call(node.func.id, [_of(one)[0] for one in node.args])
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


def _call(function: str, given: list[str]) -> tuple[str, int]:
    inside = given[0] if given else ""
    if function in OPERATORS:
        return _operator(function, inside, given[1:])
    if function == "sqrt":
        return rf"\sqrt{{{inside}}}", _ATOM
    if function == "abs":
        return rf"\left|{inside}\right|", _ATOM
    shown = rf"\{function}" if function in _NAMED else rf"\operatorname{{{function}}}"
    return rf"{shown}\left({inside}\right)", _ATOM


def _operator(function: str, inside: str, more: list[str]) -> tuple[str, int]:
    if function == "dx":
        return rf"\partial_{{{' '.join(more)}}} \left({inside}\right)", _ATOM
    if function == "integral":
        bounds = rf"_{{{more[1]}}}^{{{more[2]}}}" if len(more) > 2 else ""
        return rf"\int{bounds} {inside} \, d{more[0] if more else 'x'}", _PRODUCT
    if function == "dot" and more:
        return rf"\left({inside}\right) \cdot \left({more[0]}\right)", _PRODUCT
    signs = {"laplace": r"\Delta", "grad": r"\nabla", "div": r"\nabla \cdot", "dn": r"\partial_{n}"}
    return rf"{signs.get(function, '')} \left({', '.join([inside, *more])}\right)".strip(), _ATOM


def _number(text: str) -> tuple[str, int]:
    digits, power, exponent = text.partition("e")
    return (rf"{digits} \cdot 10^{{{int(exponent)}}}", _PRODUCT) if power else (text, _ATOM)
