"""The reduced problem in three coordinate systems. The subspace, the data and the minimum are the same in all of them.

original: Δθ = V Q y with V the orthonormal basis of the subspace and Q a random rotation. Coordinates are orthonormal parameter
directions in general position, as those of a network's weights are; ‖y‖ = ‖Δθ‖ and κ is that of G V.
singular: Δθ = V W y with W the right singular vectors of G V. The same rotated so that the matrix is diagonal: κ is unchanged, but every
coordinate can be treated by itself. A refinement computes this; an optimiser of weights does not have it.
whitened: y' = T y with the triangular factor of the original matrix, A = Q' T, so that the matrix is Q' with κ = 1 to rounding.

Methods that use nothing but inner products (gradient descent, L-BFGS, Krylov) run alike in the first two. Adam does not: it scales each
coordinate by itself, which is a preconditioner where coordinates are singular directions and none where they are not.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lsr_core.lab.least_squares import Course, DiagonalOperator, LinearLeastSquares
from lsr_core.lab.records import CoordinateName, Precision
from lsr_core.linalg.diagonal import is_diagonal
from lsr_core.linalg.operators import DenseOperator
from lsr_core.linalg.streaming_qr import StreamingQR

DTYPES: dict[Precision, torch.dtype] = {"float64": torch.float64, "float32": torch.float32}


class ReducedProblem:
    """min over y of ‖f + G V y‖² from the triangular factor of [G V, f] alone: nothing of the network is needed any more.

    Args:
        factor: triangular factor of [G V, f] in float64, rows scaled so that the squared norm is the loss, (≤ r+1, r+1).
        generator: of the rotation Q; None leaves it out, for the full space whose coordinates are the network's own.

    Attributes:
        base_loss: of the network.
        floor: loss that no direction of the subspace reaches, those included whose singular value is below r·eps·σ₁; zero where that is no
            more than the rounding of the factor, so that nothing is counted in multiples of rounding.
        n_unresolved: number of such directions; they are left out.
        singular_values: of G V, (r,), largest first.
    """

    def __init__(self, factor: Tensor, generator: torch.Generator | None) -> None:
        rank = factor.shape[1] - 1
        self.base_loss = float(factor[:, rank].square().sum())
        outside = float(factor[rank:, rank].square().sum())
        scale = self.base_loss**-0.5
        triangle, errors = factor[:rank, :rank] * scale, factor[:rank, rank] * scale
        if is_diagonal(triangle):
            values, errors = triangle.diagonal().abs(), errors * triangle.diagonal().sign()
            right = torch.eye(rank).to(values)
        else:
            left, values, right = torch.linalg.svd(triangle)
            errors = left.T @ errors
        resolved = values > rank * torch.finfo(values.dtype).eps * values.max()
        self.n_unresolved = rank - int(resolved.sum())
        floor = outside + float(errors[~resolved].square().sum()) * self.base_loss
        self.floor = floor if floor > (rank * torch.finfo(values.dtype).eps) ** 2 * self.base_loss else 0.0
        self._values, self._errors = values[resolved], errors[resolved]
        self.singular_values = self._values.sort(descending=True).values / scale
        self.rotation = right[resolved] if generator is None else _rotation(len(self._values), generator).to(values)
        self._courses: dict[tuple[CoordinateName, Precision], Course] = {}

    @property
    def rank(self) -> int:
        """Number of unknowns."""
        return self.rotation.shape[1]

    @property
    def can_whiten(self) -> bool:
        """Whether the matrix has a right triangular factor with an inverse."""
        return self.rotation.shape[0] == self.rotation.shape[1]

    @property
    def condition_number(self) -> float | None:
        smallest = float(self.singular_values[-1])
        return float(self.singular_values[0]) / smallest if smallest > 0 else None

    def course(self, coordinates: CoordinateName, precision: Precision) -> Course:
        """The problem in these coordinates, which are made in float64, rounded to this precision and judged in float64."""
        key = (coordinates, precision)
        if key not in self._courses:
            self._courses[key] = self._course(coordinates, precision)
        return self._courses[key]

    def _course(self, coordinates: CoordinateName, precision: Precision) -> Course:
        dtype = DTYPES[precision]
        matrix = self._values[:, None] * self.rotation  # rotated on the right; on the left it stays as it is
        reference = LinearLeastSquares(DenseOperator(matrix), self._errors)
        errors, kappa = self._errors.to(dtype), self.condition_number
        relative_floor = self.floor / self.base_loss

        def made(problem: LinearLeastSquares, back: Tensor | None, condition_number: float | None) -> Course:
            def to_reference(y: Tensor) -> Tensor:
                return y if back is None else back @ y

            return Course(problem, reference, to_reference, relative_floor, condition_number)

        if coordinates == "original":
            return made(LinearLeastSquares(DenseOperator(matrix.to(dtype)), errors), None, kappa)
        if coordinates == "singular":
            return made(LinearLeastSquares(DiagonalOperator(self._values.to(dtype)), errors), self.rotation.T, kappa)
        triangle = _triangle(matrix)
        whitened = torch.linalg.solve_triangular(triangle, matrix, upper=True, left=False)
        inverse = torch.linalg.solve_triangular(triangle, torch.eye(len(triangle)).to(triangle), upper=True)
        sizes = torch.linalg.svdvals(whitened)
        found = float(sizes[0] / sizes[-1]) if sizes[-1] > 0 else None
        return made(LinearLeastSquares(DenseOperator(whitened.to(dtype)), errors), inverse, found)


def _rotation(size: int, generator: torch.Generator) -> Tensor:
    """A random rotation, uniform over all of them up to signs."""
    drawn = torch.randn(size, size, generator=generator, dtype=torch.float64)
    return torch.linalg.qr(drawn).Q


def _triangle(matrix: Tensor) -> Tensor:
    """The right triangular factor."""
    qr = StreamingQR(matrix.shape[1], dtype=matrix.dtype, device=matrix.device, gather=len(matrix))
    qr.update(matrix)
    return qr.factor
