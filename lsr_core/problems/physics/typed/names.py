"""What the expressions of one equation may name: its inputs, outputs, constants, and the derivatives that a network's jets hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lsr_core.errors import InputError
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.expressions import Expression, expression
from lsr_core.problems.physics.typed.grammar import checked_name, names_in, tree_of


@dataclass(frozen=True)
class Names:
    """The names of an equation.

    Attributes:
        inputs: of the coordinates, in their order.
        outputs: of the unknown functions.
        constants: numbers by name.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    constants: Mapping[str, float]

    @property
    def derivatives(self) -> tuple[str, ...]:
        """All that can be asked for: first and unmixed second ones."""
        return tuple(f"{output}_{times * name}" for output in self.outputs for name in self.inputs for times in (1, 2))

    def field(self, text: str, key: str) -> Expression:
        """An expression of the unknown functions and their derivatives.

        Raises:
            InputError: it is not of the grammar, names something unknown, or no unknown function at all.
        """
        for name in names_in(tree_of(text, key)):
            self._check_derivative(name, key)
        found = expression(text, (*self.outputs, *self.derivatives, *self.inputs), self.constants, key)
        if not self.read_by(found):
            raise InputError(
                f"no unknown function is in it ({', '.join(self.outputs)} or a derivative), so nothing can be done about it",
                key=key,
            )
        return found

    def known(self, text: str, key: str) -> Expression:
        """An expression of the inputs alone.

        Raises:
            InputError: it is not of the grammar, or names something else.
        """
        return expression(text, self.inputs, self.constants, key)

    def read_by(self, found: Expression) -> tuple[str, ...]:
        """Outputs and derivatives among its names."""
        return tuple(name for name in found.names if name not in self.inputs)

    def _check_derivative(self, name: str, key: str) -> None:
        """Say what is wrong with a name that looks like a derivative and is none that can be had."""
        head, line, tail = name.partition("_")
        if not line or name in self.derivatives:
            return
        if head not in self.outputs:
            known = ", ".join(self.outputs)
            raise InputError(f"{name!r:.40} differentiates {head!r:.20}, which is no output; outputs: {known}", key=key)
        by = re.findall("|".join(sorted(self.inputs, key=len, reverse=True)), tail)
        if not tail or "".join(by) != tail:
            known = ", ".join(self.inputs)
            raise InputError(
                f"{name!r:.40} differentiates by {tail!r:.20}, which is no input; inputs: {known}", key=key
            )
        if len(by) == 2:
            raise InputError(
                f"{name} is a mixed derivative; there are first and unmixed second ones. With a further output v and the "
                f"equation v = {head}_{by[0]} it is v_{by[1]}",
                key=key,
            )
        raise InputError(
            f"{name} is of order {len(by)}; there are first and second derivatives. With a further output v and the "
            f"equation v = {head}_{2 * by[0]} a higher one is a derivative of v",
            key=key,
        )


def names_of(arguments: TypedArguments) -> Names:
    """The names of an equation, checked.

    Raises:
        InputError: a name that cannot be used, or an interval that is none.
    """
    taken: list[str] = []
    for what, group in (("an input", arguments.inputs), ("an output", arguments.outputs), ("a constant", arguments.constants)):  # fmt: skip
        for name in group:
            checked_name(name, what, name[:12], taken)
            taken.append(name)
    for name, (low, high) in arguments.inputs.items():
        if not low < high:
            raise InputError(f"runs from {low:g} to {high:g}; the first must be smaller", key=name)
        if 2 * name in arguments.inputs:
            raise InputError(f"with an input {2 * name!r} beside it a second derivative could mean either; rename one", key=name)  # fmt: skip
    return Names(tuple(arguments.inputs), tuple(arguments.outputs), dict(arguments.constants))
