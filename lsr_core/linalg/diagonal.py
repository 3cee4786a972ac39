"""Diagonal factors, which the factored route ends with: decompositions that are on view."""

from __future__ import annotations

import torch
from torch import Tensor

SVD = tuple[Tensor, Tensor, Tensor]


def is_diagonal(triangle: Tensor) -> bool:
    """Whether everything off the diagonal is exactly zero."""
    return bool(torch.count_nonzero(triangle) == torch.count_nonzero(triangle.diagonal()))


def svd(matrix: Tensor) -> SVD:
    """U (n, k), s (k,) and Wᵀ (k, m) with k = min(n, m), as `torch.linalg.svd` has them; of a diagonal its entries by size, in O(k)."""
    if not is_diagonal(matrix):
        found: SVD = torch.linalg.svd(matrix, full_matrices=False)
        return found
    entries = matrix.diagonal()
    values, order = entries.abs().sort(descending=True, stable=True)
    count, (rows, columns) = torch.arange(len(order), device=matrix.device), matrix.shape
    left, right_t = matrix.new_zeros(rows, len(order)), matrix.new_zeros(len(order), columns)
    left[order, count] = torch.where(entries < 0, -1.0, 1.0).to(matrix)[order]
    right_t[count, order] = 1
    return left, values, right_t


def stacked(factor: Tensor, weights: Tensor, right: Tensor) -> Tensor:
    """The factor (R+1, R+1) of [A, b] over [W, r], both A's and W diagonal: one rotation for every two rows.

    Args:
        factor: (R+1, R+1), of [A, b].
        weights: diagonal of W (R,).
        right: r (R,).
    """
    entries, ahead = factor[:-1, :-1].diagonal(), factor[:-1, -1]
    lengths = torch.hypot(entries, weights)
    known = torch.where(lengths > 0, lengths, 1)
    cosines = torch.where(lengths > 0, entries / known, 1)
    sines = weights / known
    found = torch.diag(torch.cat([lengths, lengths.new_zeros(1)]))
    found[:-1, -1] = cosines * ahead + sines * right
    found[-1, -1] = torch.cat([cosines * right - sines * ahead, factor[-1:, -1]]).norm()
    return found
