"""What makes directions orthonormal, from their Gram matrix alone."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def inverse_root(gram: Tensor) -> Tensor:
    """W with Wᵀ (ΩᵀΩ) W = 1; directions that depend on others are left out."""
    triangle, failed = torch.linalg.cholesky_ex(gram)
    diagonal = triangle.diagonal()
    if not failed and diagonal.min() > math.sqrt(torch.finfo(gram.dtype).eps) * diagonal.max():
        eye = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
        inverse: Tensor = torch.linalg.solve_triangular(triangle, eye, upper=False)
        return inverse.T
    values, vectors = torch.linalg.eigh(gram)
    kept = values > len(gram) * torch.finfo(gram.dtype).eps * values[-1]
    return vectors[:, kept] / values[kept].sqrt()
