"""Values and derivatives of a network at points, by the names in which equations are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

from lsr_core.errors import InputError

MAX_ORDER = 8  # the terms of the chain rule multiply with it


class Derivative(NamedTuple):
    """An output and the variables that it is differentiated by, in rising order with repetition; none for the value itself."""

    output: int
    by: tuple[int, ...] = ()


class Field:
    """What a residual is a function of: `field["u"]`, `field["u_x"]`, `field["u_xx"]`, each (n,), and coordinates `field.x("x")`.

    Args:
        points: (n, d) coordinates.
        variables: names of the d coordinates.
        values: (n,) tensors by name.
    """

    def __init__(self, points: Tensor, variables: Sequence[str], values: Mapping[str, Tensor]) -> None:
        self.points = points
        self.variables = tuple(variables)
        self.values = dict(values)

    def __getitem__(self, name: str) -> Tensor:
        """An output or a derivative, (n,).

        Raises:
            InputError: the block has not declared that it needs it.
        """
        if name not in self.values:
            known = ", ".join(self.values)
            raise InputError(f"{name!r} was not computed; the block declares {known}; add it to `needs`", key="needs")
        return self.values[name]

    def x(self, name: str) -> Tensor:
        """A coordinate of the points, (n,).

        Raises:
            InputError: there is no such variable.
        """
        if name not in self.variables:
            raise InputError(f"no variable {name!r}; this problem has {', '.join(self.variables)}", key="variables")
        return self.points[..., self.variables.index(name)]

    def __len__(self) -> int:
        return len(self.points)


def derivative(name: str, outputs: Sequence[str], variables: Sequence[str]) -> Derivative:
    """What `u`, `u_x`, `u_xxx` or `u_xy` stands for; the order of the variables does not matter.

    Raises:
        InputError: an unknown output or variable, variables that can be read in two ways, or an order beyond `MAX_ORDER`.
    """
    if name in outputs:
        return Derivative(outputs.index(name))
    head, _, tail = name.rpartition("_")
    if head not in outputs or not tail:
        raise InputError(
            f"{name!r} is no value or derivative of {', '.join(outputs)} by {', '.join(variables)}; "
            f"write it like {outputs[0]}_{variables[0]} or {outputs[0]}_{2 * variables[0]}",
            key="needs",
        )
    if tail in variables:
        return Derivative(outputs.index(head), (variables.index(tail),))
    found = sorted(parts_of(tail, tuple(variables), MAX_ORDER))
    if not found:
        raise InputError(
            f"{name!r} differentiates {head} by {tail!r:.20}, which is not made of at most {MAX_ORDER} of the variables {', '.join(variables)}",
            key="needs",
        )
    if len(found) > 1:
        ways = " or ".join(" and ".join(variables[place] for place in by) for by in found[:2])
        raise InputError(f"{name!r} may differentiate by {ways}; give the variables other names", key="needs")
    return Derivative(outputs.index(head), found[0])


def parts_of(tail: str, variables: tuple[str, ...], most: int) -> set[tuple[int, ...]]:
    """All ways to read a text as at most so many variables, each in rising order."""
    if not tail:
        return {()}
    if most == 0:
        return set()
    return {
        tuple(sorted((place, *rest)))
        for place, variable in enumerate(variables)
        if tail.startswith(variable)
        for rest in parts_of(tail[len(variable) :], variables, most - 1)
    }


def with_values(needs: Iterable[str], outputs: Sequence[str]) -> tuple[str, ...]:
    """The outputs themselves, which every field has, then the derivatives asked for, each once."""
    return tuple(dict.fromkeys([*outputs, *needs]))
