"""Values and derivatives of a network at points, by the names in which equations are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

from lsr_core.errors import InputError


class Derivative(NamedTuple):
    """An output, differentiated `order` (0, 1 or 2) times by one variable; `variable` is -1 for the value itself."""

    output: int
    variable: int
    order: int


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
        return self.points[:, self.variables.index(name)]

    def __len__(self) -> int:
        return len(self.points)


def derivative(name: str, outputs: Sequence[str], variables: Sequence[str]) -> Derivative:
    """What `u`, `u_x` or `u_xx` stands for.

    Raises:
        InputError: an unknown output or variable, a mixed derivative, or one of third order and beyond.
    """
    if name in outputs:
        return Derivative(outputs.index(name), -1, 0)
    head, _, tail = name.rpartition("_")
    if head in outputs:
        for index, variable in enumerate(variables):
            if tail in (variable, 2 * variable):
                return Derivative(outputs.index(head), index, 1 if tail == variable else 2)
    raise InputError(
        f"{name!r} is not a value, first or unmixed second derivative of {', '.join(outputs)} "
        f"by {', '.join(variables)}; write it like {outputs[0]}_{variables[0]} or {outputs[0]}_{2 * variables[0]}",
        key="needs",
    )


def with_values(needs: Iterable[str], outputs: Sequence[str]) -> tuple[str, ...]:
    """The outputs themselves, which every field has, then the derivatives asked for, each once."""
    return tuple(dict.fromkeys([*outputs, *needs]))
