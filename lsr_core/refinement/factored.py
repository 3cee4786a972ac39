"""V in the span of factored random directions: the fast route for networks of linear layers."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lsr_core.linalg.randomized import probe_bound
from lsr_core.networks.jacobians import FactoredJacobian
from lsr_core.networks.layers import Factors
from lsr_core.refinement.basis import (
    PROBE,
    SKETCH,
    Basis,
    Counter,
    OnFraction,
    as_source,
    column_scale,
    extension,
    qr_for,
    solved_factor,
    subset,
)
from lsr_core.refinement.plan import PROBES, ROWS, directions
from lsr_core.refinement.rows import TrainingRows
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.subspace import SketchedSubspace

ANCHORS = 2048  # samples from which the sizes of signals are taken


def build_factored(setting: Setting, on_fraction: OnFraction, start: SketchedSubspace | None = None) -> Basis:
    """V in the span of factored random directions Ω, by one pass over the training rows.

    A streaming QR of [J Ω, J P, f], P a few Gaussian probes, keeps all that is needed: with the Gram matrix of the directions
    ΩᵀΩ = L Lᵀ, which is well-conditioned as they are random, the SVD R L⁻ᵀ = U S Wᵀ gives V = Ω L⁻ᵀ W orthonormal and G V = Q U S: the
    triangular factor of the reduced problem is diagonal. What of the probes lies outside the range bounds the sketch error. With `start`
    its directions are kept and more are drawn.
    """
    function, strategy = setting.function, setting.strategy
    network = strategy.network
    assert network is not None
    generator = setting.generator(SKETCH)
    anchors = subset(setting, ANCHORS).inputs
    count = directions(setting.sizes, setting.config, setting.max_rank)
    if start is None:
        omega = network.capture(anchors).random_directions(count, generator)
    else:
        generator = setting.generator(extension(count))
        more = network.capture(anchors).random_directions(count - start.directions.n_rows, generator)
        omega = start.directions.joined(more)
    probes = torch.randn(function.n_params, PROBES, generator=setting.generator(PROBE), dtype=torch.float64)
    probes = probes.to(function.theta0)
    rows = TrainingRows(strategy, function, setting.train, samples=ROWS)
    counter = Counter(len(rows) * 4 / 3, on_fraction)
    qr = qr_for(setting, count + PROBES + 1)
    for block in rows:
        assert isinstance(block.operator, FactoredJacobian)
        qr.update(block.operator.gram(omega), block.operator.images(probes), block.errors)
        counter()
    on_fraction(1.0)
    return basis_from(setting, omega, omega.gram(omega, network), qr.factor)


def basis_from(setting: Setting, omega: Factors, gram: Tensor, factor: Tensor) -> Basis:
    """V and the solved problem from the factor of [J Ω, J P, f] and the Gram matrix of the directions Ω."""
    count = omega.n_rows
    whiten = _inverse_root(gram)
    left, values, right_t = torch.linalg.svd(factor[:count, :count] @ whiten, full_matrices=False)
    rank = min(setting.max_rank, len(values))
    shown = as_source(values[:rank], setting)
    scale = column_scale(shown, setting)
    error = probe_bound(factor[count:, count : count + PROBES])
    subspace = SketchedSubspace(
        setting.strategy,
        omega,
        whiten @ right_t[:rank].T,
        shown,
        scale=scale,
        sketch_error=float(as_source(error, setting)),
    )
    return Basis(subspace, solved_factor(setting, left[:, :rank], values[:rank] * scale, factor[:, -1]))


def _inverse_root(gram: Tensor) -> Tensor:
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
