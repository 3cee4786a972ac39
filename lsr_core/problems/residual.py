"""What a residual is: rows r(θ) whose squared norm is the loss, with all that is asked of them away from one solve.

Optimisers minimise it, paths and planes follow it, and an isolation compares with it. Data and equations have one implementation each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class NormalEquations(NamedTuple):
    """GᵀG (m, m), Gᵀf (m,) and ‖f‖² at some θ."""

    matrix: Tensor
    gradient: Tensor
    loss: float


class Residual(ABC):
    """Weighted rows of a network's parameters θ (m,), at fixed samples or points.

    Attributes:
        theta0: where it is linearised.
    """

    theta0: Tensor

    @abstractmethod
    def pieces(self) -> Sequence[Callable[[Tensor], Tensor]]:
        """Maps from θ to rows of some samples, in order, that autograd can differentiate."""

    @abstractmethod
    def linearised(self, theta: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Rows (b,) and their derivatives (b, m) at θ, by blocks."""

    @abstractmethod
    def along(self, directions: Tensor) -> Tensor:
        """Derivatives of the rows at θ0 along directions (m, d): (N, d)."""

    @abstractmethod
    def jacobian(self) -> Tensor:
        """Derivatives of all rows at θ0, (N, m)."""

    @abstractmethod
    def losses_at(self, directions: Tensor, steps: Tensor) -> Tensor:
        """Losses (a,) at θ0 + directions @ step, for directions (m, d) and steps (a, d)."""

    def values(self) -> Tensor:
        """Rows (N,) at θ0, without a graph."""
        with torch.no_grad():
            return torch.cat([piece(self.theta0).reshape(-1) for piece in self.pieces()])

    def loss(self, theta: Tensor) -> Tensor:
        """‖r(θ)‖², a scalar that autograd can differentiate by θ."""
        return torch.stack([piece(theta).square().sum() for piece in self.pieces()]).sum()

    def loss_and_gradient(self, theta: Tensor) -> tuple[float, Tensor]:
        """‖r(θ)‖² and its gradient (m,), piece by piece, so that memory does not grow with the rows."""
        leaf, total = theta.detach().clone().requires_grad_(), 0.0
        gradient = torch.zeros_like(theta)
        with torch.enable_grad():
            for piece in self.pieces():
                loss = piece(leaf).square().sum()
                gradient += torch.autograd.grad(loss, leaf)[0]
                total += float(loss.detach())
        return total, gradient

    def normal_equations(self, theta: Tensor) -> NormalEquations:
        """GᵀG, Gᵀf and ‖f‖² at θ."""
        matrix, gradient, loss = theta.new_zeros(len(theta), len(theta)), torch.zeros_like(theta), 0.0
        for values, rows in self.linearised(theta):
            matrix.addmm_(rows.T, rows)
            gradient.addmv_(rows.T, values)
            loss += float(values.square().sum())
        return NormalEquations(matrix, gradient, loss)

    def redraw(self, theta: Tensor, generator: torch.Generator) -> None:
        """Take new points; here they stay as they are."""
        return
