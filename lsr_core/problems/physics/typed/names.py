"""What the expressions of one equation may name: its inputs, outputs, constants, coefficients, and derivatives of any order."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lsr_core.errors import InputError
from lsr_core.problems.physics.fields import derivative, parts_of
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.calculus import Calculus, Integral
from lsr_core.problems.physics.typed.coefficients import Coefficient, coefficient
from lsr_core.problems.physics.typed.differentiation import NORMAL
from lsr_core.problems.physics.typed.expressions import Expression, expression, of_tree
from lsr_core.problems.physics.typed.grammar import checked_name, names_in, tree_of

TIMES = ("t", "time")


@dataclass(frozen=True)
class Summed:
    """An integral as expressions; see `calculus.Integral`."""

    name: str
    inside: Expression
    over: tuple[str, ...]
    bounds: tuple[Expression, Expression] | None


@dataclass(frozen=True)
class Typed:
    """What was typed of unknown functions.

    Attributes:
        plain: without operators; integrals are names in it.
        integrals: what these names stand for.
        needs: derivatives that are read.
        reads: unknown functions and their derivatives, in the plain part and in integrals.
        normals: whether it reads the outward normal.
    """

    plain: Expression
    integrals: tuple[Summed, ...]
    needs: tuple[str, ...]
    reads: tuple[str, ...]
    normals: bool


@dataclass(frozen=True)
class Names:
    """The names of an equation.

    Attributes:
        inputs: of the coordinates, in their order.
        outputs: of the unknown functions, then of the unknown numbers.
        constants: numbers by name.
        coefficients: what is interpolated from data, by name.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    constants: Mapping[str, float]
    coefficients: Mapping[str, Coefficient] = field(default_factory=dict)

    @property
    def space(self) -> tuple[str, ...]:
        """Inputs that are no time."""
        return tuple(name for name in self.inputs if name not in TIMES)

    @property
    def derivatives(self) -> tuple[str, ...]:
        """Those of first and second order, for hints; there are all others too."""
        return tuple(f"{output}_{times * name}" for output in self.outputs for name in self.inputs for times in (1, 2))

    def field(self, text: str, key: str) -> Typed:
        """An expression of the unknown functions and their derivatives.

        Raises:
            InputError: it is not of the grammar, names something unknown, or no unknown function at all.
        """
        calculus = Calculus(self.inputs, self.space, {*self.outputs, *self.coefficients}, key)
        plain = self._expression(calculus.written_out(tree_of(text, key)), text, key)
        integrals = tuple(self._summed(one, text, key) for one in calculus.integrals)
        parts = [plain, *(one.inside for one in integrals)]
        reads = tuple(dict.fromkeys(name for part in parts for name in part.names if self._is_unknown(name)))
        if not reads:
            raise InputError(
                f"no unknown function is in it ({', '.join(self.outputs)} or a derivative), so nothing can be done about it",
                key=key,
            )
        normals = any(name.startswith(f"{NORMAL}_") for part in parts for name in part.names)
        return Typed(plain, integrals, tuple(name for name in reads if name not in self.outputs), reads, normals)

    def known(self, text: str, key: str) -> Expression:
        """An expression of the inputs alone.

        Raises:
            InputError: it is not of the grammar, or names something else.
        """
        return expression(text, self.inputs, self.constants, key)

    def _summed(self, one: Integral, text: str, key: str) -> Summed:
        inside = self._expression(one.inside, text, key)
        if one.bounds is None:
            return Summed(one.name, inside, one.over, None)
        low, high = (of_tree(end, text, self.inputs, self.constants, key) for end in one.bounds)
        return Summed(one.name, inside, one.over, (low, high))

    def _expression(self, tree: ast.expr, text: str, key: str) -> Expression:
        """A tree without operators, its names checked, and derivatives called alike in whatever order they were taken."""
        for name in names_in(tree):
            if "_" in name:
                self._check_derivative(name, key)
        tree = _Renamed(self._ordered).visit(copy.deepcopy(tree))
        asked = [name for name in names_in(tree) if "_" in name]
        known = (*self.outputs, *self.derivatives, *asked, *self.coefficients, *self.inputs)
        return of_tree(tree, text, known, self.constants, key)

    def _ordered(self, name: str) -> str:
        """`u_yx` as `u_xy`."""
        head, line, _ = name.partition("_")
        if not line or head not in self.outputs:
            return name
        return f"{head}_{''.join(self.inputs[place] for place in derivative(name, self.outputs, self.inputs).by)}"

    def _is_unknown(self, name: str) -> bool:
        return name.partition("_")[0] in self.outputs

    def _check_derivative(self, name: str, key: str) -> None:
        """Say what is wrong with a name that looks like a derivative and is none that can be had."""
        head = name.partition("_")[0]
        if head == NORMAL or (head == "integral" and name.removeprefix("integral_").isdigit()):
            return
        if head in self.coefficients:
            self.coefficients[head].derivative(name, key)
            return
        if head not in self.outputs:
            known = ", ".join(self.outputs)
            raise InputError(f"{name!r:.40} differentiates {head!r:.20}, which is no output; outputs: {known}", key=key)
        try:
            derivative(name, self.outputs, self.inputs)
        except InputError as error:
            raise InputError(error.message, key=key) from None


class _Renamed(ast.NodeTransformer):
    """Gives names another form."""

    def __init__(self, form: Callable[[str], str]) -> None:
        self._form = form

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self._form(node.id), ast.Load())


def names_of(arguments: TypedArguments) -> Names:
    """The names of an equation, checked.

    Raises:
        InputError: a name that cannot be used, an interval that is none, or data that do not make a coefficient.
    """
    taken: list[str] = []
    groups = {
        "an input": arguments.inputs, "an output": arguments.outputs, "an unknown number": arguments.unknown, "a constant": arguments.constants,
        "a coefficient": arguments.coefficients, "a shape": arguments.shapes,
    }  # fmt: skip
    for what, group in groups.items():
        for name in group:
            checked_name(name, what, name[:12], taken)
            taken.append(name)
    for name, (low, high) in arguments.inputs.items():
        if not low < high:
            raise InputError(f"runs from {low:g} to {high:g}; the first must be smaller", key=name)
        others = tuple(other for other in arguments.inputs if other != name)
        if made := parts_of(name, others, len(name)):
            parts = " and ".join(others[place] for place in min(made))
            raise InputError(f"is {parts} in a row, so that a derivative could mean either; rename one", key=name)
    coefficients = {
        name: coefficient(name, given, dict(arguments.inputs)) for name, given in arguments.coefficients.items()
    }
    outputs = (*arguments.outputs, *arguments.unknown)
    return Names(tuple(arguments.inputs), outputs, dict(arguments.constants), coefficients)
