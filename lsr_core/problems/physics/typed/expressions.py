"""Typed expressions as functions of tensors: checked once, then evaluated by simpleeval with nothing but the grammar in reach."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from simpleeval import SimpleEval
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.problems.physics.typed.grammar import FUNCTIONS, MAX_EXPONENT, OPERATORS, names_in, nearest, tree_of

Value = Tensor | float


def _of(function: Callable[[Tensor], Tensor]) -> Callable[[Value], Tensor]:
    """Numbers become tensors without dimensions: they take the dtype of what they meet, and give NaN where Python would raise."""
    return lambda x: function(x if isinstance(x, Tensor) else torch.tensor(x, dtype=torch.float64))


_TORCH: dict[str, Callable[[Tensor], Tensor]] = {
    **{name: getattr(torch, name) for name in FUNCTIONS if name != "step"},
    "step": lambda x: (x > 0).to(x),
}
_FUNCTIONS = {name: _of(function) for name, function in _TORCH.items()}
_CONSTANTS = {"pi": math.pi, "e": math.e}


def _power(base: Value, exponent: Value) -> Value:
    number = float(exponent)
    if not abs(number) <= MAX_EXPONENT:
        raise InputError(
            f"a power with the exponent {number:g}; exponents run from {-MAX_EXPONENT:g} to {MAX_EXPONENT:g}"
        )
    if isinstance(base, Tensor):
        return base ** (int(number) if number.is_integer() else number)
    return _real(base**number)


def _real(value: Any) -> float:
    if isinstance(value, complex):
        raise InputError("a broken power of a negative number is not real")
    return float(value)


_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: _power,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_NODES = (ast.Name, ast.UnaryOp, ast.BinOp, ast.Call)


@dataclass(frozen=True)
class Expression:
    """A checked expression.

    Attributes:
        text: as it was typed.
        tree: of the grammar's nodes only.
        names: of the values it reads.
        constants: numbers by name that it may read besides.
        key: what an error names.
    """

    text: str
    tree: ast.expr
    names: tuple[str, ...]
    constants: Mapping[str, float]
    key: str

    def __call__(self, values: Mapping[str, Value]) -> Value:
        """Its value; names stand for tensors of one shape or for numbers.

        Raises:
            InputError: an exponent out of bounds, a division of numbers by zero, or numbers that overflow.
        """
        evaluator = SimpleEval(
            operators=_OPERATORS, functions=_FUNCTIONS, names={**_CONSTANTS, **self.constants, **values}
        )
        evaluator.nodes = {kind: evaluator.nodes[kind] for kind in _NODES} | {ast.Constant: _number}
        try:
            found: Value = evaluator.eval(self.text, previously_parsed=self.tree)
        except InputError as error:
            raise InputError(error.message, key=self.key) from None
        except ZeroDivisionError:
            raise InputError("a number is divided by zero", key=self.key) from None
        except OverflowError:
            raise InputError("a number grows beyond what a computer holds", key=self.key) from None
        return found


def expression(text: str, known: tuple[str, ...], constants: Mapping[str, float], key: str) -> Expression:
    """Check an expression whose values may be called as in `known`.

    Raises:
        InputError: it is not of the grammar, or names something unknown.
    """
    return of_tree(tree_of(text, key), text, known, constants, key)


def of_tree(tree: ast.expr, text: str, known: tuple[str, ...], constants: Mapping[str, float], key: str) -> Expression:
    """The same of a tree that is known already.

    Raises:
        InputError: it names something unknown, or an operator of unknown functions.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in OPERATORS:
            raise InputError(f"{node.func.id}(…) belongs into an equation or a condition", key=key)
    names = names_in(tree)
    for name in names:
        if name in FUNCTIONS:
            raise InputError(f"{name} is a function; write {name}(…)", key=key)
        if name not in known and name not in constants and name not in _CONSTANTS:
            raise InputError(
                f"nothing here is called {name!r:.40}; {nearest(name, [*known, *constants, *_CONSTANTS])}", key=key
            )
    _check_exponents(tree, {*constants, *_CONSTANTS}, key)
    found = Expression(text, tree, tuple(name for name in names if name in known), constants, key)
    _check_powers_of_numbers(found)
    return found


def number(text: str, constants: Mapping[str, float], key: str) -> float:
    """A number written as an expression, such as 2*pi.

    Raises:
        InputError: it is none, or not finite.
    """
    if not text.strip():
        raise InputError("a number is missing; write one such as 0.5 or 2*pi", key=key)
    value = float(expression(text, (), constants, key)({}))
    if not math.isfinite(value):
        raise InputError(f"{text!r:.40} is not a finite number", key=key)
    return value


def _number(node: ast.Constant) -> float:
    assert isinstance(node.value, (int, float))
    return float(node.value)  # so that no integer grows


def _check_exponents(tree: ast.expr, constants: set[str], key: str) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            varying = [name for name in names_in(node.right) if name not in constants]
            if varying:
                raise InputError(
                    f"the exponent depends on {varying[0]}; exponents are numbers, write exp({varying[0]}*log(…)) for others",
                    key=key,
                )


def _check_powers_of_numbers(found: Expression) -> None:
    """Evaluate once at plain numbers, which meets every exponent; each is bounded when it is met."""
    found(dict.fromkeys(found.names, torch.ones((), dtype=torch.float64)))
