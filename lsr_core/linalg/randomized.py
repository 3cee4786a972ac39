"""Range finder and randomized SVD.

Halko, Martinsson & Tropp (2011), "Finding structure with randomness", Algorithm 5.1, in the span of all blocks that power iterations
go through (Musco & Musco 2015, block Krylov) and not of the last one alone: as many products, far smaller errors. The SVD of the
k×m factor is taken as a QR of its transpose and an SVD of a k×k matrix, which gives the same subspace at a fraction of
the cost.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from lsr_core.linalg.operators import LinearOperator, random_block

ENDED = 1e3  # times rounding, of what is left of a block beside those before it: noise, which is in their span again


class SVD(NamedTuple):
    """left (n, r), singular_values (r,) descending, right (m, r)."""

    left: Tensor
    singular_values: Tensor
    right: Tensor


class RandomizedSVD(NamedTuple):
    """The leading factors, and the orthonormal range (n, width) they were computed in."""

    factors: SVD
    range: Tensor


def range_finder(
    operator: LinearOperator,
    width: int,
    *,
    power_iterations: int,
    generator: torch.Generator,
    uniform: bool = False,
    parts: int = 1,
) -> tuple[Tensor, Tensor]:
    """Orthonormal columns Q (n_rows, k) that nearly span the range of the operator, and Aᵀ Q (n_columns, k).

    Args:
        width: number of sketch columns, at most min(shape).
        power_iterations: each costs the products of one more sketch, makes Q wider by as much and sharpens a slowly falling spectrum; each
            block is made orthonormal to all before it, so small directions are not lost to rounding.
        generator: source of the zero-mean Gaussian Ω.
        uniform: take Ω uniform on [0, 1) instead; its mean makes one direction swamp the others, so only for comparisons.
        parts: blocks of a `parts`-th of the width, and as many more passes: smaller errors of the leading directions at the same products,
            where a pass costs no more than these, as where rows are kept.
    """
    taken = -(-width // parts)
    most = min((power_iterations + 1) * width, *operator.shape)
    omega = random_block((operator.shape[1], taken), operator, generator, uniform=uniform)
    basis = orthonormal(operator.matmat(omega))
    images = operator.rmatmat(basis)
    last = images
    noise = ENDED * torch.finfo(images.dtype).eps * float(images.norm(dim=0).max()) ** 2
    while basis.shape[1] < most:
        grown = _orthonormal_to(basis, operator.matmat(last)[:, : most - basis.shape[1]], noise)
        last = operator.rmatmat(grown)
        basis, images = torch.cat([basis, grown], dim=1), torch.cat([images, last], dim=1)
    return basis, images


def randomized_svd(
    operator: LinearOperator,
    rank: int,
    *,
    oversampling: int,
    power_iterations: int,
    generator: torch.Generator,
    uniform: bool = False,
    parts: int = 1,
) -> RandomizedSVD:
    """The leading `rank` singular triples; exact to rounding when rank + oversampling reaches min(shape). See `range_finder`."""
    width = min(rank + oversampling, *operator.shape)
    basis, images = range_finder(
        operator, width, power_iterations=power_iterations, generator=generator, uniform=uniform, parts=parts
    )
    row_space, triangle = torch.linalg.qr(images)
    left, values, right_t = torch.linalg.svd(triangle.T, full_matrices=False)
    kept = min(rank, width)
    factors = SVD(basis @ left[:, :kept], values[:kept], row_space @ right_t[:kept].T)
    return RandomizedSVD(factors, basis)


def probe_bound(outside: Tensor) -> float:
    """An upper estimate of ‖A − Q Qᵀ A‖₂, right with probability 1 − 10^(−probes).

    Halko, Martinsson & Tropp (2011), Lemma 4.1 with α = 10.

    Args:
        outside: what of the images (n, probes) of fresh random probes lies outside the range.
    """
    return 10 * math.sqrt(2 / math.pi) * float(outside.norm(dim=0).max())


def _orthonormal_to(basis: Tensor, block: Tensor, noise: float) -> Tensor:
    """As many orthonormal columns as `block` has that span with `basis` what both span, and others where only noise is left of the block."""
    found, triangle = torch.linalg.qr(block - basis @ (basis.T @ block))
    if float(triangle.diagonal().abs().min()) <= noise:
        return torch.linalg.qr(torch.cat([basis, found], dim=1)).Q[:, basis.shape[1] :]
    return orthonormal(found - basis @ (basis.T @ found))


def orthonormal(block: Tensor) -> Tensor:
    """Orthonormal columns with the span of `block` (Householder QR)."""
    return torch.linalg.qr(block).Q
