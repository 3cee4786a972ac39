"""What the optimisers minimise: ‖f(θ)‖², with the points on which f is made."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.physics.blocks import ResidualBlock
from lsr_core.problems.physics.equation_residual import EquationResidual
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.residuals import BlockRows, block_rows
from lsr_core.problems.physics.samplers import residual_adaptive
from lsr_core.problems.residual import NormalEquations


class Objective(Protocol):
    """A loss of the flat parameters (m,)."""

    @property
    def theta0(self) -> Tensor: ...
    def loss(self, theta: Tensor) -> Tensor:
        """A scalar that autograd can differentiate by θ."""
        ...

    def redraw(self, theta: Tensor, generator: torch.Generator) -> None:
        """Take new points; nothing where points are fixed."""
        ...


class LeastSquares(Objective, Protocol):
    """An objective that knows the rows behind it."""

    def normal_equations(self, theta: Tensor) -> NormalEquations: ...


@dataclass(frozen=True)
class Draw:
    """How points are drawn anew.

    Attributes:
        counts: points by block; blocks that are not named keep the count of the problem.
        driven: share of the points of the interior that follow the size of the residual.
        window: bounds by variable that points are squeezed into, such as the beginning of time; the others keep theirs.
    """

    counts: Mapping[str, int] | None = None
    driven: float = 0.5
    window: Mapping[str, tuple[float, float]] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.driven <= 1:
            raise InputError(
                f"the share of points that follow the residual is {self.driven}; it lies in [0, 1]", key="driven"
            )


class PhysicsObjective:
    """The weighted residual blocks of a physics problem: Σ weight · mean(r²).

    Args:
        problem: its fitted points are where the loss begins.
        draw: how `redraw` takes new ones.
        function: the network in float64, differentiated in a way that is proved; by default in the first that there is.
    """

    def __init__(
        self, problem: PhysicsProblem, draw: Draw | None = None, *, function: ParametricFunction | None = None
    ) -> None:
        self.problem = problem
        self.draw = draw or Draw()
        self.function = function or ParametricFunction.from_module(problem.model, dtype=torch.float64)
        self.points: dict[str, Tensor] = dict(problem.points)
        self._prepare()

    @property
    def theta0(self) -> Tensor:
        return self.function.theta0

    def loss(self, theta: Tensor) -> Tensor:
        return self._residual.loss(theta)

    def redraw(self, theta: Tensor, generator: torch.Generator) -> None:
        counts = self.draw.counts or {}
        moved = {part.block.name: part for part in block_rows(self.problem, self.function.moved(theta), self.points)}
        self.points = {
            block.name: self._drawn(block, counts.get(block.name, block.n_points), moved[block.name], generator)
            for block in self.problem.blocks
        }
        self._prepare()

    def normal_equations(self, theta: Tensor) -> NormalEquations:
        return self._residual.normal_equations(theta)

    def trained(self, theta: Tensor) -> PhysicsProblem:
        """The problem with its network at other weights; points stay those of the problem."""
        model = copy.deepcopy(self.problem.model)
        with torch.no_grad():
            torch.nn.utils.vector_to_parameters(theta.to(next(model.parameters()).dtype), model.parameters())
        return replace(self.problem, model=model.eval())

    def _prepare(self) -> None:
        self._residual = EquationResidual(block_rows(self.problem, self.function, self.points, check=False))

    def _drawn(self, block: ResidualBlock, count: int, rows: BlockRows, generator: torch.Generator) -> Tensor:
        def region(count: int, generator: torch.Generator) -> Tensor:
            return self._squeezed(block.draw(generator, count))

        def size(points: Tensor) -> Tensor:
            return rows.residual.outputs(points).norm(dim=1)

        driven = 0.0 if block.together or block.prescribed is not None else self.draw.driven
        return residual_adaptive(region, size, count, generator, share=driven)

    def _squeezed(self, points: Tensor) -> Tensor:
        for name, (first, last) in (self.draw.window or {}).items():
            low, high = self.problem.domain[name]
            column = self.problem.variables.index(name)
            points = points.clone()
            points[..., column] = first + (points[..., column] - low) * ((last - first) / (high - low))
        return points
