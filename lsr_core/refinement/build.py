"""The subspace that a setting asks for, and the factor of the training rows where it comes for free."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lsr_core.linalg.operators import LinearOperator
from lsr_core.linalg.randomized import probe_bound, randomized_svd, sketch_error
from lsr_core.linalg.streaming_qr import StreamingQR
from lsr_core.networks.layers import FactoredNetwork, Factors
from lsr_core.networks.strategies import Strategy
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.subspace import ExplicitSubspace, SketchedSubspace, Subspace
from lsr_core.refinement.sweep import SplitFactor

OnFraction = Callable[[float], None]
SKETCH, PROBE = 1, 2  # random streams
DIRECTIONS_PER_RANK = 1.5
ANCHORS = 4096
PROBES = 5
ROWS = 2048


@dataclass(frozen=True)
class Basis:
    """A subspace, and the factor of [G V, f] if building it has already passed over all training rows."""

    subspace: Subspace
    train: SplitFactor | None = None


def build_basis(setting: Setting, strategy: Strategy, on_fraction: OnFraction) -> Basis:
    """V by the given strategy."""
    if setting.max_rank == 0:
        return Basis(_empty(setting, strategy))
    if strategy.name == "factored":
        return _sketched(setting, strategy, on_fraction)
    return Basis(_randomized(setting, strategy, on_fraction))


def _randomized(setting: Setting, strategy: Strategy, on_fraction: OnFraction) -> Subspace:
    """The leading right singular vectors of J by a randomized SVD over all training rows."""
    config = setting.config
    operator = _Counted(strategy.at(setting.train.inputs), 2 + 2 * config.power_iterations, on_fraction)
    svd = randomized_svd(
        operator,
        setting.max_rank,
        oversampling=config.oversampling,
        power_iterations=config.power_iterations,
        generator=setting.generator(SKETCH),
    )
    values = svd.factors.singular_values
    error = sketch_error(operator, svd.range, generator=setting.generator(PROBE), probes=PROBES)
    scale = _scale(values, setting)
    return ExplicitSubspace(strategy, svd.factors.right, values, scale=scale, sketch_error=error)


def _sketched(setting: Setting, strategy: Strategy, on_fraction: OnFraction) -> Basis:
    """V in the span of factored random directions Ω, by one pass over the training rows.

    A streaming QR of [J Ω, J P, f], P a few Gaussian probes, keeps all that is needed: with the Gram matrix of the directions
    ΩᵀΩ = L Lᵀ, which is well-conditioned as they are random, the SVD R L⁻ᵀ = U S Wᵀ gives V = Ω L⁻ᵀ W orthonormal and G V = Q U S: the
    triangular factor of the reduced problem is diagonal. What of the probes lies outside the range bounds the sketch error.
    """
    network, function, train = strategy.network, setting.function, setting.train
    assert network is not None
    generator = setting.generator(SKETCH)
    directions = _directions(setting, network, generator)
    gram = directions.gram(directions, network)
    n_directions = len(gram)
    probes = torch.randn(function.n_params, PROBES, generator=setting.generator(PROBE), dtype=torch.float64)
    probes = probes.to(function.theta0)
    qr = StreamingQR(n_directions + PROBES + 1, dtype=function.dtype, device=function.device)
    for start in range(0, len(train.inputs), ROWS):
        inputs, targets = train.inputs[start : start + ROWS], train.targets[start : start + ROWS]
        operator = strategy.factored_at(inputs)
        errors = (function.outputs(inputs) - targets).reshape(-1, 1)
        qr.update(torch.cat([operator.gram(directions), operator.matmat(probes), errors], dim=1))
        on_fraction(min(1.0, (start + ROWS) / len(train.inputs)) * 0.7)
    factor = qr.factor
    whiten = _inverse_root(gram)
    left, values, right_t = torch.linalg.svd(factor[:n_directions, :n_directions] @ whiten, full_matrices=False)
    rank = min(setting.max_rank, len(values))
    values = values[:rank]
    coefficients = whiten @ right_t[:rank].T
    scale = _scale(values, setting)
    outside = factor[n_directions:, n_directions : n_directions + PROBES]
    subspace = SketchedSubspace(
        strategy, directions, coefficients, values, scale=scale, sketch_error=probe_bound(outside)
    )
    on_fraction(1.0)
    weight = 1 / math.sqrt(train.targets.numel())
    reduced = _reduced(left[:, :rank], values * scale, factor[:, -1], n_directions) * weight
    return Basis(subspace, SplitFactor(reduced, float(train.targets.square().mean())))


def _directions(setting: Setting, network: FactoredNetwork, generator: torch.Generator) -> Factors:
    inputs = setting.train.inputs
    chosen = torch.randperm(len(inputs), generator=generator)[: min(len(inputs), ANCHORS)]
    width = setting.max_rank + setting.config.oversampling
    count = min(math.ceil(DIRECTIONS_PER_RANK * width), setting.n_residuals, setting.function.n_params)
    return network.capture(inputs[chosen.to(inputs.device)]).random_directions(count, generator)


def _inverse_root(gram: Tensor) -> Tensor:
    """W with Wᵀ (ΩᵀΩ) W = 1; directions that depend on others are left out."""
    triangle, failed = torch.linalg.cholesky_ex(gram)
    eye = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    diagonal = triangle.diagonal()
    if not failed and diagonal.min() > math.sqrt(torch.finfo(gram.dtype).eps) * diagonal.max():
        inverse: Tensor = torch.linalg.solve_triangular(triangle, eye, upper=False)
        return inverse.T
    values, vectors = torch.linalg.eigh(gram)
    kept = values > len(gram) * torch.finfo(gram.dtype).eps * values[-1]
    return vectors[:, kept] / values[kept].sqrt()


def _reduced(left: Tensor, diagonal: Tensor, errors: Tensor, n_directions: int) -> Tensor:
    """The factor of [G V, f] from the SVD: a diagonal, the rotated right-hand side, and what no direction reaches.

    The last row holds the norm of the part of f outside the range of the modes: what the first rows of the rotation leave and what was
    outside the span of all directions.
    """
    inside = errors[: left.shape[0]]
    rotated = left.T @ inside
    beyond = (inside - left @ rotated).norm().hypot(errors[left.shape[0] :].norm())
    rank = len(diagonal)
    factor = diagonal.new_zeros(rank + 1, rank + 1)
    factor[:rank, :rank] = torch.diag(diagonal)
    factor[:rank, rank] = rotated
    factor[rank, rank] = beyond
    return factor


def _scale(values: Tensor, setting: Setting) -> Tensor:
    """Column lengths: ones, or 1/σ with σ kept off zero."""
    if setting.config.scaling == "orthonormal":
        return torch.ones_like(values)
    floor = torch.finfo(values.dtype).eps * values[0].clamp_min(torch.finfo(values.dtype).tiny)
    return 1 / values.clamp_min(floor)


def _empty(setting: Setting, strategy: Strategy) -> Subspace:
    theta = setting.function.theta0
    nothing = theta.new_zeros(0)
    return ExplicitSubspace(strategy, theta.new_zeros(len(theta), 0), nothing, scale=nothing, sketch_error=float("nan"))


class _Counted(LinearOperator):
    """Passes products on and reports how many of the expected ones are done."""

    def __init__(self, operator: LinearOperator, expected: int, on_fraction: OnFraction) -> None:
        self.operator = operator
        self.shape, self.dtype, self.device = operator.shape, operator.dtype, operator.device
        self._expected, self._done, self._on_fraction = expected, 0, on_fraction

    def matmat(self, block: Tensor) -> Tensor:
        return self._report(self.operator.matmat(block))

    def rmatmat(self, block: Tensor) -> Tensor:
        return self._report(self.operator.rmatmat(block))

    def _report(self, product: Tensor) -> Tensor:
        self._done += 1
        self._on_fraction(min(1.0, self._done / self._expected))
        return product
