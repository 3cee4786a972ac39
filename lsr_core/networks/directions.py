"""Random parameter directions in factored form, and what the Jacobian makes of them.

In every weight matrix a direction is an outer product g ⊗ h of Gaussian vectors (a Khatri–Rao sketch). Thousands of them take the memory of
a few, and their Gram matrix costs no more than that of the short vectors.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import FactoredJacobian, JacobianOperator
from lsr_core.networks.layers import FactoredNetwork, Factors

MOMENTS = 4  # random combinations of Jacobian rows from which the sizes of the tensors are taken
PART_BYTES = 128 * 2**20  # of directions written out at a time


class SketchDirections(ABC):
    """p directions Ω (m × p) that are never written out together."""

    count: int

    @abstractmethod
    def through(self, operator: JacobianOperator) -> Tensor:
        """J Ω, (n·o, p)."""

    @abstractmethod
    def gram(self) -> Tensor:
        """ΩᵀΩ, (p, p)."""

    @abstractmethod
    def combination(self, weights: Tensor) -> Tensor:
        """Ω w for one vector of weights (p,), flat (m,)."""


@dataclass(frozen=True)
class LayerDirections(SketchDirections):
    """Directions whose images are inner products with the layer factors of Jacobian rows (see `Factors`)."""

    factors: Factors
    network: FactoredNetwork

    @property
    def count(self) -> int:  # type: ignore[override]
        return self.factors.n_rows

    def through(self, operator: JacobianOperator) -> Tensor:
        assert isinstance(operator, FactoredJacobian)
        return operator.gram(self.factors)

    def gram(self) -> Tensor:
        return self.factors.gram(self.factors, self.network)

    def combination(self, weights: Tensor) -> Tensor:
        return self.factors.combination(weights, self.network)


@dataclass(frozen=True)
class TensorDirections(SketchDirections):
    """Directions whose images forward mode takes, some at a time, whatever the network does with its parameters.

    Attributes:
        left, right: (p, rows) and (p, columns) of every parameter; a vector has one column, in which all is one.
    """

    left: dict[str, Tensor]
    right: dict[str, Tensor]

    @classmethod
    def random(
        cls, function: ParametricFunction, operator: JacobianOperator, count: int, generator: torch.Generator
    ) -> TensorDirections:
        """`count` of them, with entries of the size that Jacobian rows have in each parameter.

        Args:
            operator: J at some inputs.
        """
        psi = torch.randn(operator.shape[0], MOMENTS, generator=generator, dtype=torch.float64).to(function.theta0)
        squares = operator.rmatmat(psi).square().mean(1)
        left, right = {}, {}
        for name, shape in function.shapes.items():
            rows, columns = (shape[0], shape[1:].numel()) if len(shape) > 1 else (shape.numel(), 1)
            size = squares[function.columns[name]].mean().sqrt()
            drawn = torch.randn(count, rows, generator=generator, dtype=torch.float64).to(function.theta0)
            left[name] = drawn * torch.where(size > 0, size, torch.ones_like(size))
            other = torch.randn(count, columns, generator=generator, dtype=torch.float64).to(function.theta0)
            right[name] = other if columns > 1 else torch.ones_like(other)
        return cls(left, right)

    @property
    def count(self) -> int:  # type: ignore[override]
        return len(next(iter(self.left.values())))

    def through(self, operator: JacobianOperator) -> Tensor:
        image = operator.function.theta0.new_empty(operator.shape[0], self.count)
        width = max(1, PART_BYTES // (operator.shape[1] * image.dtype.itemsize))
        for start in range(0, self.count, width):
            part = slice(start, start + width)
            image[:, part] = operator.matmat(self._dense(part))
        return image

    def gram(self) -> Tensor:
        total = torch.zeros(1).to(next(iter(self.left.values())))
        for left, right in self._pairs():
            total = total + (left @ left.T) * (right @ right.T)
        return total

    def combination(self, weights: Tensor) -> Tensor:
        return torch.cat([(left.T @ (right * weights[:, None])).flatten() for left, right in self._pairs()])

    def _pairs(self) -> Iterator[tuple[Tensor, Tensor]]:
        return zip(self.left.values(), self.right.values(), strict=True)

    def _dense(self, part: slice) -> Tensor:
        """Some of the directions written out, (m, some)."""
        written = [(left[part, :, None] * right[part, None, :]).flatten(1) for left, right in self._pairs()]
        return torch.cat(written, dim=1).T
