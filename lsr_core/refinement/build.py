"""The subspace that a setting asks for, and the factor of the training rows that comes with it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lsr_core.linalg.randomized import orthonormal, probe_bound
from lsr_core.linalg.streaming_qr import StreamingQR
from lsr_core.networks.jacobians import FactoredJacobian
from lsr_core.problems.supervised import Split
from lsr_core.refinement.plan import PROBES, ROWS, directions
from lsr_core.refinement.rows import TrainingRows, sketch_rows
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.subspace import ExplicitSubspace, SketchedSubspace, Subspace
from lsr_core.refinement.sweep import SplitFactor

OnFraction = Callable[[float], None]
SKETCH, PROBE, SUBSET = 1, 2, 3  # random streams
ANCHORS = 2048


@dataclass(frozen=True)
class Basis:
    """A subspace V and the factor of [G V, f], which building V passes over all training rows for anyway."""

    subspace: Subspace
    train: SplitFactor


def build_basis(setting: Setting, on_fraction: OnFraction) -> Basis:
    """V by the strategy of the setting."""
    if setting.max_rank == 0:
        return _empty(setting)
    if setting.strategy.name == "factored":
        return _factored(setting, on_fraction)
    return _streamed(setting, on_fraction)


def _streamed(setting: Setting, on_fraction: OnFraction) -> Basis:
    """V by a randomized SVD of Jᵀ, with nothing kept that grows with the rows.

    Halko, Martinsson & Tropp (2011), Algorithms 4.4 and 5.1, applied to Jᵀ: the sketch Jᵀ Ψ is accumulated over row blocks, with Ψ seeded
    by row; the second stage is a streaming QR of [J V₀, f], whose SVD orders the basis and solves the problem. A power
    iteration whitens J V₀ by its own triangle, so the spectrum is never squared.
    """
    config, function = setting.config, setting.function
    all_rows = _rows(setting, setting.train)
    sketched = all_rows if config.basis_points is None else _rows(setting, _subset(setting))
    width = min(setting.max_rank + config.oversampling, sketched.n_rows, function.n_params)
    passes = 2 + 2 * config.power_iterations
    count = _Counter(passes * len(all_rows), on_fraction)
    sketch = _sketch(setting, sketched, width, count)
    probes = sketch[:, width:]
    basis = orthonormal(sketch[:, :width])
    for _ in range(config.power_iterations):
        triangle = _triangle_of(sketched, basis, setting, count, with_errors=False)
        whitened = basis @ _inverse(triangle)
        preimage = torch.zeros_like(basis)
        for block in sketched:
            preimage += block.operator.rmatmat(block.operator.matmat(whitened))
            count()
        basis = orthonormal(preimage)
    error = probe_bound(probes - basis @ (basis.T @ probes))
    factor = _triangle_of(all_rows, basis, setting, count, with_errors=True)
    left, values, right_t = torch.linalg.svd(factor[:width, :width], full_matrices=False)
    rank = min(setting.max_rank, len(values))
    shown = _as_source(values[:rank], setting)
    scale = _scale(shown, setting)
    subspace = ExplicitSubspace(
        setting.strategy,
        basis @ right_t[:rank].T,
        shown,
        scale=scale,
        sketch_error=float(_as_source(error, setting)),
    )
    return Basis(subspace, _solved_factor(setting, left[:, :rank], values[:rank] * scale, factor[:, -1]))


def _factored(setting: Setting, on_fraction: OnFraction) -> Basis:
    """V in the span of factored random directions Ω, by one pass over the training rows.

    A streaming QR of [J Ω, J P, f], P a few Gaussian probes, keeps all that is needed: with the Gram matrix of the directions
    ΩᵀΩ = L Lᵀ, which is well-conditioned as they are random, the SVD R L⁻ᵀ = U S Wᵀ gives V = Ω L⁻ᵀ W orthonormal and G V = Q U S: the
    triangular factor of the reduced problem is diagonal. What of the probes lies outside the range bounds the sketch error.
    """
    function, strategy = setting.function, setting.strategy
    network = strategy.network
    assert network is not None
    generator = setting.generator(SKETCH)
    anchors = _subset(setting, ANCHORS).inputs
    count = directions(setting.sizes, setting.config, setting.max_rank)
    omega = network.capture(anchors).random_directions(count, generator)
    gram = omega.gram(omega, network)
    probes = torch.randn(function.n_params, PROBES, generator=setting.generator(PROBE), dtype=torch.float64)
    probes = probes.to(function.theta0)
    rows = TrainingRows(strategy, function, setting.train, samples=ROWS)
    counter = _Counter(len(rows) * 4 / 3, on_fraction)
    qr = _qr(setting, count + PROBES + 1)
    for block in rows:
        assert isinstance(block.operator, FactoredJacobian)
        qr.update(torch.cat([block.operator.gram(omega), block.operator.matmat(probes), block.errors], dim=1))
        counter()
    factor = qr.factor
    whiten = _inverse_root(gram)
    left, values, right_t = torch.linalg.svd(factor[:count, :count] @ whiten, full_matrices=False)
    rank = min(setting.max_rank, len(values))
    shown = _as_source(values[:rank], setting)
    scale = _scale(shown, setting)
    error = probe_bound(factor[count:, count : count + PROBES])
    subspace = SketchedSubspace(
        strategy,
        omega,
        whiten @ right_t[:rank].T,
        shown,
        scale=scale,
        sketch_error=float(_as_source(error, setting)),
    )
    on_fraction(1.0)
    return Basis(subspace, _solved_factor(setting, left[:, :rank], values[:rank] * scale, factor[:, -1]))


def _sketch(setting: Setting, rows: TrainingRows, width: int, count: _Counter) -> Tensor:
    """Jᵀ [Ψ, P] (m, width + probes), in single precision if the config says so."""
    config, theta = setting.config, setting.function.theta0
    seeds = [setting.seed(stream) for stream in (SKETCH, PROBE)]
    single = config.sketch_dtype == "float32" and theta.dtype == torch.float64
    source = rows.single_precision() if single else rows
    total = theta.new_zeros(len(theta), width + PROBES)
    for block in source:
        like = block.errors
        psi = sketch_rows(block.rows, width, seeds[0], like, uniform=config.sketch == "uniform")
        total += block.operator.rmatmat(torch.cat([psi, sketch_rows(block.rows, PROBES, seeds[1], like)], dim=1))
        count()
    return total


def _triangle_of(rows: TrainingRows, basis: Tensor, setting: Setting, count: _Counter, *, with_errors: bool) -> Tensor:
    """R of J V₀, or of [J V₀, q − y], by one pass."""
    qr = _qr(setting, basis.shape[1] + with_errors)
    for block in rows:
        modes = block.operator.matmat(basis)
        qr.update(torch.cat([modes, block.errors], dim=1) if with_errors else modes)
        count()
    return qr.factor


def _solved_factor(setting: Setting, left: Tensor, diagonal: Tensor, errors: Tensor) -> SplitFactor:
    """The factor of [G V, f] from the SVD: a diagonal, the rotated errors, and the norm of what no direction reaches."""
    ahead, below = errors[: len(left)], errors[len(left) :]
    rotated = left.T @ ahead
    rank = len(diagonal)
    factor = diagonal.new_zeros(rank + 1, rank + 1)
    factor[:rank, :rank] = torch.diag(diagonal)
    factor[:rank, rank] = rotated
    factor[rank, rank] = (ahead - left @ rotated).norm().hypot(below.norm())
    weight = 1 / math.sqrt(setting.n_residuals)
    return SplitFactor(factor * weight, float(setting.train.targets.square().mean()))


def _rows(setting: Setting, split: Split) -> TrainingRows:
    """Blocks of samples whose modes fit a block of the plan; all at once where samples influence each other."""
    width = (setting.max_rank + setting.config.oversampling + 1) * setting.n_outputs * setting.function.dtype.itemsize
    samples = max(1, setting.plan.block_bytes // width) if setting.sample_wise else len(split.inputs)
    return TrainingRows(setting.strategy, setting.function, split, samples=samples, keep=setting.plan.keep_rows)


def _subset(setting: Setting, most: int | None = None) -> Split:
    """The random training samples that the basis comes from, at most `most` of them."""
    inputs, targets = setting.train
    wanted = [count for count in (setting.config.basis_points, most) if count is not None]
    count = min([len(inputs), *wanted])
    chosen = torch.randperm(len(inputs), generator=setting.generator(SUBSET))[:count].to(inputs.device)
    return Split(inputs[chosen], targets[chosen])


def _qr(setting: Setting, columns: int) -> StreamingQR:
    function = setting.function
    gather = setting.plan.gather * columns
    return StreamingQR(columns, dtype=function.dtype, device=function.device, gather=gather)


def _inverse(triangle: Tensor) -> Tensor:
    """R⁻¹ with pivots kept off zero: directions without an image stay small instead of becoming infinite."""
    diagonal = triangle.diagonal()
    floor = torch.finfo(triangle.dtype).eps * diagonal.abs().max()
    lifted = triangle + torch.diag(torch.where(diagonal.abs() < floor, floor, torch.zeros_like(diagonal)))
    eye = torch.eye(len(triangle), dtype=triangle.dtype, device=triangle.device)
    inverse: Tensor = torch.linalg.solve_triangular(lifted, eye, upper=True)
    return inverse


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


def _as_source(value: Tensor | float, setting: Setting) -> Tensor:
    """Singular values of J, or of G = J/√N where the config asks for the residual Jacobian."""
    weight = 1.0 if setting.config.source == "outputs" else 1 / math.sqrt(setting.n_residuals)
    return torch.as_tensor(value) * weight


def _scale(values: Tensor, setting: Setting) -> Tensor:
    """Column lengths: ones, or 1/σ with σ kept off zero."""
    if setting.config.scaling == "orthonormal":
        return torch.ones_like(values)
    floor = torch.finfo(values.dtype).eps * values[0].clamp_min(torch.finfo(values.dtype).tiny)
    return 1 / values.clamp_min(floor)


def _empty(setting: Setting) -> Basis:
    theta = setting.function.theta0
    nothing = theta.new_zeros(0)
    subspace = ExplicitSubspace(
        setting.strategy, theta.new_zeros(len(theta), 0), nothing, scale=nothing, sketch_error=math.nan
    )
    errors = setting.function.outputs(setting.train.inputs) - setting.train.targets
    return Basis(subspace, _solved_factor(setting, theta.new_zeros(0, 0), nothing, errors.reshape(-1)))


class _Counter:
    """Counts finished blocks and reports the fraction."""

    def __init__(self, expected: float, on_fraction: OnFraction) -> None:
        self._expected, self._done, self._on_fraction = expected, 0, on_fraction

    def __call__(self) -> None:
        self._done += 1
        self._on_fraction(min(1.0, self._done / self._expected))
