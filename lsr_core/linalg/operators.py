"""Linear operators by their action on blocks of vectors, with SciPy's names; knows no network."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor


class LinearOperator(ABC):
    """An (n_rows, n_columns) matrix known by its products.

    `matmat` takes (n_columns, k) to (n_rows, k), `rmatmat` takes (n_rows, k) to (n_columns, k) with the transpose.
    """

    shape: tuple[int, int]
    dtype: torch.dtype
    device: torch.device

    @abstractmethod
    def matmat(self, block: Tensor) -> Tensor:
        """A @ block."""

    @abstractmethod
    def rmatmat(self, block: Tensor) -> Tensor:
        """Aᵀ @ block."""

    def matvec(self, vector: Tensor) -> Tensor:
        return self.matmat(vector[:, None])[:, 0]

    def rmatvec(self, vector: Tensor) -> Tensor:
        return self.rmatmat(vector[:, None])[:, 0]

    def to_dense(self) -> Tensor:
        """The whole matrix; for tests and tiny cases."""
        if self.shape[0] < self.shape[1]:
            return self.rmatmat(torch.eye(self.shape[0], dtype=self.dtype, device=self.device)).T
        return self.matmat(torch.eye(self.shape[1], dtype=self.dtype, device=self.device))


class DenseOperator(LinearOperator):
    """A matrix in memory."""

    def __init__(self, matrix: Tensor) -> None:
        self.matrix = matrix
        self.shape = (matrix.shape[0], matrix.shape[1])
        self.dtype, self.device = matrix.dtype, matrix.device

    def matmat(self, block: Tensor) -> Tensor:
        return self.matrix @ block

    def rmatmat(self, block: Tensor) -> Tensor:
        return self.matrix.T @ block


def random_block(
    shape: tuple[int, ...], like: LinearOperator, generator: torch.Generator, *, uniform: bool = False
) -> Tensor:
    """Gaussian numbers, or uniform ones on [0, 1), drawn on the generator's device so that a seed means the same everywhere."""
    draw = torch.rand if uniform else torch.randn
    drawn = draw(shape, generator=generator, dtype=torch.float64, device=generator.device)
    return drawn.to(dtype=like.dtype, device=like.device)
