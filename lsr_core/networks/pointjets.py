"""Jets of any function that treats each point by itself, by forward or by reverse mode."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import jvp

from lsr_core.networks.chainrule import By, closed

Point = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class JetSpec:
    """Which derivatives a jet has, and in which order its components stand.

    Attributes:
        components: each by the variables it is taken by; the value first. With a derivative come all that the chain rule makes it of.
    """

    components: tuple[By, ...] = ((),)

    def __post_init__(self) -> None:
        if self.components != closed(self.components):
            raise ValueError("a derivative needs those that it is made of, by order; use JetSpec.of")

    @classmethod
    def of(cls, *asked: By) -> JetSpec:
        """The jet with these derivatives."""
        return cls(closed(asked))

    @property
    def size(self) -> int:
        """Components c of a jet."""
        return len(self.components)

    @property
    def order(self) -> int:
        """The highest order of a derivative."""
        return len(self.components[-1])

    def position(self, by: Iterable[int]) -> int:
        """Where a derivative stands among the components."""
        return self.components.index(tuple(sorted(by)))

    def parents(self) -> dict[By, list[int]]:
        """For each component that others are differentiated from, by which variables."""
        found: dict[By, list[int]] = {}
        for by in self.components[1:]:
            found.setdefault(by[:-1], []).append(by[-1])
        return found


def jets_of(function: Point, points: Tensor, spec: JetSpec) -> Tensor:
    """Jets (n, c, w) of any function of points (n, d) that treats each point by itself, by forward mode.

    With gradients enabled, because only then some activations (SiLU, Mish) have derivatives that can be differentiated again.
    """
    with torch.enable_grad():
        return _forward_jets_of(function, points, spec)


def _forward_jets_of(function: Point, points: Tensor, spec: JetSpec) -> Tensor:
    """From the highest derivatives down, each by one product more than the one below it, which comes with it."""
    found: dict[By, Tensor] = {(): function(points)}
    for by in reversed(spec.components):
        if by not in found:
            below, along = _derived(function, points, by[:-1]), torch.zeros_like(points)
            along[:, by[-1]] = 1
            pair = jvp(below, (points,), (along,))
            found.setdefault(by[:-1], pair[0])
            found[by] = pair[1]
    return torch.stack([found[by] for by in spec.components], dim=1)


def _derived(function: Point, points: Tensor, by: By) -> Point:
    for variable in by:
        along = torch.zeros_like(points)
        along[:, variable] = 1
        function = _slope_along(function, along)
    return function


def _slope_along(function: Point, along: Tensor) -> Point:
    return lambda x: jvp(function, (x,), (along,))[1]


def reverse_jets_of(function: Point, points: Tensor, spec: JetSpec) -> Tensor:
    """The same for functions without parameters, by plain reverse mode, which is quick to set up and asks nothing of the function."""
    with torch.enable_grad():
        at = points.detach().requires_grad_()
        columns = [_reverse_jets(part, at, spec) for part in function(at).unbind(1)]
    return torch.stack([torch.stack(column, dim=1) for column in columns], dim=2).detach()


def tracked_jets_of(function: Point, points: Tensor, spec: JetSpec) -> Tensor:
    """The same by plain reverse mode, with the way to the function's parameters kept where gradients are enabled outside."""
    keep = torch.is_grad_enabled()
    with torch.enable_grad():
        at = points.detach().requires_grad_()
        columns = [_reverse_jets(part, at, spec) for part in function(at).unbind(1)]
    jets = torch.stack([torch.stack(column, dim=1) for column in columns], dim=2)
    return jets if keep else jets.detach()


def _reverse_jets(value: Tensor, at: Tensor, spec: JetSpec) -> list[Tensor]:
    """All components (n,) of one output, each from the gradient of the one it is differentiated from."""
    found: dict[By, Tensor] = {(): value}
    for below, variables in spec.parents().items():
        slopes = _slope(found[below].sum(), at)
        for variable in variables:
            found[*below, variable] = slopes[:, variable]
    return [found[by] for by in spec.components]


def _slope(total: Tensor, at: Tensor) -> Tensor:
    """Derivative of a sum, itself differentiable."""
    if not total.requires_grad:
        return torch.zeros_like(at)
    return torch.autograd.grad(total, at, create_graph=True, materialize_grads=True)[0]
