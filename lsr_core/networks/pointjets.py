"""Jets of any function that treats each point by itself, by forward or by reverse mode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import jvp

Point = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class JetSpec:
    """Which derivatives a jet has: the value, then first ones by the variables `first`, then second ones by `second`.

    `second` is part of `first`: the chain rule needs the first derivative to make the second.
    """

    first: tuple[int, ...] = ()
    second: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not set(self.second) <= set(self.first):
            raise ValueError("a second derivative needs the first one")

    @property
    def size(self) -> int:
        """Components c of a jet."""
        return 1 + len(self.first) + len(self.second)

    def position(self, variable: int, order: int) -> int:
        """Where the derivative of `order` by a variable stands among the components."""
        if order == 0:
            return 0
        return 1 + self.first.index(variable) if order == 1 else 1 + len(self.first) + self.second.index(variable)

    @property
    def twice(self) -> list[int]:
        """Positions of the first derivatives that belong to the second ones."""
        return [1 + self.first.index(variable) for variable in self.second]


def jets_of(function: Point, points: Tensor, spec: JetSpec) -> Tensor:
    """Jets (n, c, w) of any function of points (n, d) that treats each point by itself, by forward mode.

    With gradients enabled, because only then some activations (SiLU, Mish) have derivatives that can be differentiated again.
    """
    with torch.enable_grad():
        return _forward_jets_of(function, points, spec)


def _forward_jets_of(function: Point, points: Tensor, spec: JetSpec) -> Tensor:
    value = function(points)
    first: dict[int, Tensor] = {}
    second: dict[int, Tensor] = {}
    for variable in spec.first:
        along = torch.zeros_like(points)
        along[:, variable] = 1

        def slope(x: Tensor, along: Tensor = along) -> Tensor:
            return jvp(function, (x,), (along,))[1]

        if variable in spec.second:
            pair = jvp(slope, (points,), (along,))
            first[variable], second[variable] = pair[0], pair[1]
        else:
            first[variable] = slope(points)
    parts = [value, *(first[v] for v in spec.first), *(second[v] for v in spec.second)]
    return torch.stack(parts, dim=1)


def reverse_jets_of(function: Point, points: Tensor, spec: JetSpec) -> Tensor:
    """The same for functions without parameters, by plain reverse mode, which is quick to set up and asks nothing of the function."""
    with torch.enable_grad():
        at = points.detach().requires_grad_()
        value = function(at)
        jets = value.detach().new_zeros(len(points), spec.size, value.shape[1])
        jets[:, 0] = value.detach()
        for j in range(value.shape[1] if spec.first and value.requires_grad else 0):
            slopes = torch.autograd.grad(
                value[:, j].sum(), at, create_graph=bool(spec.second), retain_graph=True, materialize_grads=True
            )[0]
            for variable in spec.first:
                jets[:, spec.position(variable, 1), j] = slopes[:, variable].detach()
            for variable in spec.second if slopes.requires_grad else ():
                curvatures = torch.autograd.grad(
                    slopes[:, variable].sum(), at, retain_graph=True, materialize_grads=True
                )
                jets[:, spec.position(variable, 2), j] = curvatures[0][:, variable]
    return jets


def tracked_jets_of(function: Point, points: Tensor, spec: JetSpec) -> Tensor:
    """The same by plain reverse mode, with the way to the function's parameters kept where gradients are enabled outside."""
    keep = torch.is_grad_enabled()
    with torch.enable_grad():
        at = points.detach().requires_grad_()
        value = function(at)
        first = [_slope(part.sum(), at) for part in value.unbind(1)] if spec.first else []
        second = [[_slope(slope[:, variable].sum(), at)[:, variable] for slope in first] for variable in spec.second]
    parts = [value, *(torch.stack([slope[:, v] for slope in first], dim=1) for v in spec.first)]
    jets = torch.stack([*parts, *(torch.stack(curvatures, dim=1) for curvatures in second)], dim=1)
    return jets if keep else jets.detach()


def _slope(total: Tensor, at: Tensor) -> Tensor:
    """Derivative of a sum, itself differentiable."""
    if not total.requires_grad:
        return torch.zeros_like(at)
    return torch.autograd.grad(total, at, create_graph=True, materialize_grads=True)[0]
