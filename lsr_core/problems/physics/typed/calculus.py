"""Operators of the grammar, written out as plain expressions: dx(…), laplace(…), div(…), grad(…), dot(…), vec(…), dn(…).

Derivatives of what is typed are taken by the rules of differentiation on its tree, so that `dx(k*dx(u, x), x)` reads u_x and u_xx and
nothing else. An integral is left as a name, and what it integrates is kept beside the tree.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from lsr_core.errors import InputError
from lsr_core.problems.physics.typed.differentiation import NORMAL, Rules, added, name_node, times
from lsr_core.problems.physics.typed.grammar import OPERATORS

Value = ast.expr | list[ast.expr]  # of a point, or a vector with one component for each coordinate of space


@dataclass(frozen=True)
class Integral:
    """∫ inside over some inputs, the others as they are at the point.

    Attributes:
        name: that stands for it in the tree.
        inside: what is integrated, written out.
        over: the inputs.
        bounds: of a single input, as expressions of the inputs at the point; None = the whole domain.
    """

    name: str
    inside: ast.expr
    over: tuple[str, ...]
    bounds: tuple[ast.expr, ast.expr] | None = None


@dataclass
class Calculus:
    """The names that an expression may be differentiated by.

    Attributes:
        inputs: all of them.
        space: those that are no time.
        varying: names that depend on the inputs: unknown functions, and coefficients that vary.
        key: what an error names.
        integrals: those that were met.
    """

    inputs: Sequence[str]
    space: Sequence[str]
    varying: Collection[str]
    key: str
    integrals: list[Integral] = field(default_factory=list)

    @property
    def _rules(self) -> Rules:
        return Rules(self.varying, self.key)

    def written_out(self, tree: ast.expr) -> ast.expr:
        """The same tree without operators.

        Raises:
            InputError: operators of wrong arguments, vectors where numbers belong, or derivatives that do not exist.
        """
        return self._scalar(self._of(tree))

    def _of(self, node: ast.expr) -> Value:
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.BinOp):
            return self._combined(node)
        if isinstance(node, ast.UnaryOp):
            value = self._of(node.operand)
            if isinstance(value, list):
                return [ast.UnaryOp(node.op, part) for part in value]
            return ast.UnaryOp(node.op, value)
        return node

    def _combined(self, node: ast.BinOp) -> Value:
        left, right = self._of(node.left), self._of(node.right)
        if not isinstance(left, list) and not isinstance(right, list):
            return ast.BinOp(left, node.op, right)
        if isinstance(left, list) and isinstance(right, list):
            if not isinstance(node.op, (ast.Add, ast.Sub)):
                raise self._wrong("two vectors are multiplied by dot(…, …)")
            return [ast.BinOp(a, node.op, b) for a, b in zip(left, right, strict=True)]
        if isinstance(node.op, ast.Mult):
            vector, factor = (left, right) if isinstance(left, list) else (right, left)
            assert isinstance(vector, list)
            return [ast.BinOp(self._scalar(factor), node.op, part) for part in vector]
        if isinstance(node.op, ast.Div) and isinstance(left, list):
            return [ast.BinOp(part, node.op, self._scalar(right)) for part in left]
        raise self._wrong("a vector and a number are combined; a vector can be multiplied or divided by a number only")

    def _call(self, node: ast.Call) -> Value:
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        if name not in OPERATORS:
            return ast.Call(node.func, [self._scalar(self._of(one)) for one in node.args], [])
        ways: dict[str, Callable[[list[ast.expr]], Value]] = {
            "dx": self._dx, "laplace": self._laplace, "div": self._div, "grad": self._grad, "dot": self._dot, "vec": self._vec,
            "dn": self._dn, "integral": self._integral,
        }  # fmt: skip
        return ways[name](node.args)

    def _dx(self, given: list[ast.expr]) -> ast.expr:
        if len(given) < 2:
            raise self._wrong("dx(…, x) needs what is differentiated and the inputs that it is differentiated by")
        found = self._scalar(self._of(given[0]))
        for by in given[1:]:
            if not isinstance(by, ast.Name) or by.id not in self.inputs:
                raise self._wrong(
                    f"dx differentiates by inputs ({', '.join(self.inputs)}), not by {ast.unparse(by):.30}"
                )
            found = self._rules.derivative(found, by.id)
        return found

    def _laplace(self, given: list[ast.expr]) -> ast.expr:
        inside = self._scalar(self._of(self._one(given, "laplace")))
        return self._total(
            [self._rules.derivative(self._rules.derivative(inside, name), name) for name in self._axes("laplace")]
        )

    def _grad(self, given: list[ast.expr]) -> Value:
        inside = self._scalar(self._of(self._one(given, "grad")))
        return [self._rules.derivative(inside, name) for name in self._axes("grad")]

    def _div(self, given: list[ast.expr]) -> ast.expr:
        parts = self._components(given, "div")
        return self._total([self._rules.derivative(part, name) for part, name in zip(parts, self.space, strict=True)])

    def _vec(self, given: list[ast.expr]) -> Value:
        return self._components(given, "vec")

    def _dot(self, given: list[ast.expr]) -> ast.expr:
        if len(given) != 2:
            raise self._wrong("dot takes two vectors")
        one, other = (self._components([part], "dot") for part in given)
        return self._total([times(a, b) for a, b in zip(one, other, strict=True)])

    def _dn(self, given: list[ast.expr]) -> ast.expr:
        inside = self._scalar(self._of(self._one(given, "dn")))
        slopes = [(self._rules.derivative(inside, name), name) for name in self._axes("dn")]
        return self._total([times(slope, name_node(f"{NORMAL}_{name}")) for slope, name in slopes])

    def _integral(self, given: list[ast.expr]) -> ast.expr:
        if len(given) not in (1, 2, 4):
            raise self._wrong("integral is written integral(u), integral(u, x), or integral(u, x, 0, t) with bounds")
        before = len(self.integrals)
        inside = self._scalar(self._of(given[0]))
        if len(self.integrals) > before:
            raise self._wrong("an integral stands inside another; write one integral over both inputs")
        if len(given) == 1:
            over = tuple(self._axes("integral"))
        else:
            if not isinstance(given[1], ast.Name) or given[1].id not in self.inputs:
                raise self._wrong(
                    f"integral runs over an input ({', '.join(self.inputs)}), not over {ast.unparse(given[1]):.30}"
                )
            over = (given[1].id,)
        found = Integral(f"integral_{before + 1}", inside, over, (given[2], given[3]) if len(given) == 4 else None)
        self.integrals.append(found)
        return name_node(found.name)

    def _components(self, given: list[ast.expr], what: str) -> list[ast.expr]:
        axes = self._axes(what)
        first = self._of(given[0]) if len(given) == 1 else [self._scalar(self._of(one)) for one in given]
        parts = first if isinstance(first, list) else [first]
        if len(parts) != len(axes):
            raise self._wrong(
                f"{what} needs {len(axes)} components, one for each of {', '.join(axes)}; there {'is' if len(parts) == 1 else 'are'} {len(parts)}"
            )
        return parts

    def _one(self, given: list[ast.expr], what: str) -> ast.expr:
        if len(given) != 1:
            raise self._wrong(f"{what} takes one expression")
        return given[0]

    def _axes(self, what: str) -> Sequence[str]:
        if not self.space:
            raise self._wrong(f"{what} needs inputs of space, and there is only time; write dx(…, t)")
        return self.space

    def _scalar(self, value: Value) -> ast.expr:
        if isinstance(value, list):
            raise self._wrong("a vector stands where a number belongs; take its components by div(…) or dot(…, …)")
        return value

    def _total(self, parts: Sequence[ast.expr]) -> ast.expr:
        total = parts[0]
        for part in parts[1:]:
            total = added(total, ast.Add(), part)
        return total

    def _wrong(self, said: str) -> InputError:
        return InputError(said, key=self.key)
