"""Damped least squares as plain least squares with more rows: min ‖A c + b‖² + ‖W c‖² over the factor of [A, b]."""

from __future__ import annotations

import torch
from torch import Tensor

from lsr_core.linalg.diagonal import is_diagonal, stacked


def with_penalty(factor: Tensor, weights: Tensor, apart: Tensor | None = None) -> Tensor:
    """The factor (R+1, R+1) of [A, b] with the rows [W, W z] below, for the penalty ‖W (c + z)‖².

    Its leading triangles hold the damped solution of every number of columns, as those of [A, b] hold the plain ones: leaving out a column
    leaves out its penalty. No product AᵀA is formed (Björck 1996, ch. 2.7.2).

    Args:
        factor: (≤ R+1, R+1), of [A, b].
        weights: W (R, R), or its diagonal (R,).
        apart: z (R,); none if not given.
    """
    matrix = torch.diag(weights) if weights.ndim == 1 else weights
    right = matrix.new_zeros(len(matrix)) if apart is None else matrix @ apart
    if len(factor) == factor.shape[1] and is_diagonal(factor[:-1, :-1]) and is_diagonal(matrix):
        return stacked(factor, matrix.diagonal(), right)
    penalty = torch.cat([matrix, right[:, None]], dim=1)
    return torch.linalg.qr(torch.cat([factor, penalty]), mode="r").R


def weights_of(matrix: Tensor, damping: float, lengths: Tensor | None = None) -> Tensor:
    """λ·D (R,) with λ = damping·σ₁(A D⁻¹), for a basis V D whose columns have lengths D: ‖λ D c‖ = λ ‖Δθ‖.

    A D⁻¹ is the matrix in the coordinates of an orthonormal V; σ₁ is that of all its columns, so that one λ serves every rank.

    Args:
        matrix: A or its triangle, (n, R).
        damping: relative to σ₁.
        lengths: D (R,), none of them zero; ones if not given.
    """
    lengths = matrix.new_ones(matrix.shape[1]) if lengths is None else lengths
    if matrix.numel() == 0:
        return lengths
    return damping * torch.linalg.matrix_norm(matrix / lengths, 2) * lengths
