"""What makes directions orthonormal, from their Gram matrix alone."""

from __future__ import annotations

import math

import torch
from torch import Tensor

ROUNDING_LEFT = 1e3  # times one rounding error of a direction, that a combination of unit length may be off at most


def inverse_root(gram: Tensor, entries: torch.dtype) -> Tensor:
    """W with Wᵀ (ΩᵀΩ) W = 1 in the precision of the Gram matrix; directions that depend on others, within what rounding of Ω leaves, are left out.

    Args:
        gram: ΩᵀΩ, (p, p).
        entries: precision in which Ω is kept.
    """
    floor = max(10 * math.sqrt(torch.finfo(gram.dtype).eps), ROUNDING_LEFT * torch.finfo(entries).eps)
    triangle, failed = torch.linalg.cholesky_ex(gram)
    diagonal = triangle.diagonal()
    if not failed and diagonal.min() > 10 * floor * diagonal.max():  # pivots are rougher than eigenvalues
        eye = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
        inverse: Tensor = torch.linalg.solve_triangular(triangle, eye, upper=False)
        return inverse.T
    values, vectors = torch.linalg.eigh(gram)
    kept = values > max(len(gram) * torch.finfo(gram.dtype).eps, floor**2) * values[-1]
    return vectors[:, kept] / values[kept].sqrt()
