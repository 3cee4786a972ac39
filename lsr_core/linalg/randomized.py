"""Range finder and randomized SVD.

Halko, Martinsson & Tropp (2011), "Finding structure with randomness", Algorithms 4.4 and 5.1. The SVD of the
k×m factor is taken as a QR of its transpose and an SVD of a k×k matrix, which gives the same subspace at a fraction of
the cost.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from lsr_core.linalg.operators import LinearOperator, random_block


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
    operator: LinearOperator, width: int, *, power_iterations: int, generator: torch.Generator, uniform: bool = False
) -> Tensor:
    """Orthonormal columns (n_rows, width) that nearly span the range of the operator.

    Args:
        width: number of sketch columns, at most min(shape).
        power_iterations: each costs one `rmatmat` and one `matmat` and sharpens a slowly falling spectrum; the block
            is orthonormalised at every half step, so small directions are not lost to rounding.
        generator: source of the zero-mean Gaussian Ω.
        uniform: take Ω uniform on [0, 1) instead; its mean makes one direction swamp the others, so only for comparisons.
    """
    omega = random_block((operator.shape[1], width), operator, generator, uniform=uniform)
    basis = orthonormal(operator.matmat(omega))
    for _ in range(power_iterations):
        basis = orthonormal(operator.matmat(orthonormal(operator.rmatmat(basis))))
    return basis


def randomized_svd(
    operator: LinearOperator,
    rank: int,
    *,
    oversampling: int,
    power_iterations: int,
    generator: torch.Generator,
    uniform: bool = False,
) -> RandomizedSVD:
    """The leading `rank` singular triples; exact to rounding when rank + oversampling reaches min(shape)."""
    width = min(rank + oversampling, *operator.shape)
    basis = range_finder(operator, width, power_iterations=power_iterations, generator=generator, uniform=uniform)
    row_space, triangle = torch.linalg.qr(operator.rmatmat(basis))
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


def orthonormal(block: Tensor) -> Tensor:
    """Orthonormal columns with the span of `block` (Householder QR)."""
    return torch.linalg.qr(block).Q
