"""The linearised least-squares problem at θ0 as a method sees it: products with a matrix, in some coordinates and precision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lsr_core.linalg.operators import LinearOperator


@dataclass(frozen=True, eq=False)
class LinearLeastSquares:
    """min over y of ‖e + A y‖².

    Attributes:
        operator: A, (rows, columns).
        errors: e, (rows,).
    """

    operator: LinearOperator
    errors: Tensor

    @property
    def n_columns(self) -> int:
        return self.operator.shape[1]

    def start(self, width: int = 1) -> Tensor:
        """y = 0 for `width` runs side by side, (columns, width)."""
        return self.errors.new_zeros(self.n_columns, width)

    def residual(self, y: Tensor) -> Tensor:
        """e + A y for every column of y (columns, k), (rows, k); one product a column."""
        return self.operator.matmat(y).add_(self.errors[:, None])

    def gradient(self, residual: Tensor) -> Tensor:
        """Aᵀ (e + A y), half the gradient of the loss, (columns, k); one product a column."""
        return self.operator.rmatmat(residual)


class DiagonalOperator(LinearOperator):
    """diag(values): what A is in the coordinates of its singular directions."""

    def __init__(self, values: Tensor) -> None:
        self.values = values
        self.shape = (len(values), len(values))
        self.dtype, self.device = values.dtype, values.device

    def matmat(self, block: Tensor) -> Tensor:
        return self.values[:, None] * block

    def rmatmat(self, block: Tensor) -> Tensor:
        return self.values[:, None] * block


@dataclass(frozen=True, eq=False)
class Course:
    """A least-squares problem in the coordinates and precision in which it is raced, and the means to judge a point on it.

    All losses here are relative to that of the network, so that step sizes and thresholds mean the same on every problem.

    Attributes:
        problem: what a method works on.
        reference: the problem in float64 and original coordinates, which judges.
        back: y (columns, k) of `problem` to Δθ coordinates of `reference`, in float64.
        floor: loss that no y can reach below, relative to the base loss.
        condition_number: of the matrix of `problem`, if known.
    """

    problem: LinearLeastSquares
    reference: LinearLeastSquares
    back: Callable[[Tensor], Tensor]
    floor: float
    condition_number: float | None

    @property
    def enough(self) -> float:
        """Excess at which there is nothing left to see: far below the floor, or rounding where there is none."""
        return max(1e-6 * self.floor, 4 * torch.finfo(torch.float64).eps ** 2)

    def excess(self, y: Tensor) -> Tensor:
        """Loss above the floor (k,), without cancellation because the floor never enters."""
        return self.reference.residual(self.back(y.double())).square().sum(0)
