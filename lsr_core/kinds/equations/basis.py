"""V for residuals of an equation, from the output or the residual Jacobian."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lsr_core.linalg.randomized import orthonormal
from lsr_core.networks.directions import FactoredDirections, sizes_of
from lsr_core.networks.residuals import factors_of, form_of
from lsr_core.refinement.basis import PROBE, SKETCH, Basis, Counter, OnFraction, column_scale, empty_basis, qr_for
from lsr_core.refinement.factored import basis_from
from lsr_core.refinement.physics_setting import PhysicsSetting
from lsr_core.refinement.sizes import ANCHORS, PROBES, directions
from lsr_core.refinement.streamed import missed, range_of, triangle_of
from lsr_core.refinement.subspace import ExplicitSubspace
from lsr_core.refinement.sweep import SplitFactor

SAMPLES = 512  # points whose factors are held together


def build_physics(setting: PhysicsSetting, on_fraction: OnFraction) -> Basis:
    """V by a randomized SVD of the source Jacobian at some of the points, then one pass over all residual rows.

    Unlike for data, the Jacobian that V comes from (J, unless the config says G) is not the one that is solved with, so A = G V is
    taken afresh from the rows and factorised whole. FactoredDirections at rounding level stay: they matter once columns are rescaled.
    Where the whole parameter space fits, V is square and only ordered by the source.
    """
    if setting.max_rank == 0:
        return empty_basis(setting)
    if setting.strategy.name == "factored":
        return _factored(setting, on_fraction)
    source, rows = setting.source_rows(), setting.rows()
    width = min(setting.max_rank + setting.config.oversampling, source.n_rows, setting.function.n_params)
    whole = setting.max_rank == setting.function.n_params
    numbers = setting.function.numbers[: setting.max_rank]
    passes = 1 if whole else 2 + 2 * setting.config.power_iterations
    count = Counter(passes * len(source) + 2 * len(rows), on_fraction)
    error, theta = 0.0, setting.function.theta0
    if whole:
        start = torch.eye(setting.max_rank).to(theta)
    else:
        start, probes = range_of(setting, source, width, count)
        error = missed(start, probes)
    ahead = len(numbers)
    if ahead:
        start = _numbers_ahead(start, numbers)
    triangle = triangle_of(source, start, setting, count, with_errors=False)
    lengths, triangle = triangle[:, :ahead].norm(dim=0), triangle[:, ahead:]
    svd = torch.linalg.svd(triangle, full_matrices=len(triangle) < triangle.shape[1])
    _, values, right_t = setting.reduction.share(*svd)
    rank = min(setting.max_rank - ahead, len(right_t))
    shown = torch.cat([lengths, values, values.new_zeros(len(right_t) - len(values))])[: ahead + rank]
    ordered = right_t[:rank].T.contiguous() if whole and not ahead else start[:, ahead:] @ right_t[:rank].T
    if ahead:
        ordered, rank = torch.cat([start[:, :ahead], ordered], dim=1), ahead + rank
    scale = column_scale(shown, setting)
    factor = triangle_of(rows, ordered, setting, count, with_errors=True)
    factor[:, :rank] *= scale
    on_fraction(1.0)
    subspace = ExplicitSubspace(
        setting.strategy, ordered, shown, scale=scale, sketch_error=error if math.isfinite(error) else math.nan
    )
    return Basis(subspace, SplitFactor(factor, setting.mean_square_target))


def _numbers_ahead(start: Tensor, numbers: Tensor) -> Tensor:
    """Orthonormal directions (m, ·), one for each unknown number ahead of all others, so that no rank leaves it out."""
    own = start.new_zeros(len(start), len(numbers))
    own[numbers, torch.arange(len(numbers))] = 1.0
    others = start.index_fill(0, numbers.to(start.device), 0.0)
    others = orthonormal(others[:, others.norm(dim=0) > 0])
    return torch.cat([own, others[:, : len(start) - len(numbers)]], dim=1)


def _factored(setting: PhysicsSetting, on_fraction: OnFraction) -> Basis:
    """V in the span of factored random directions, as for data: J Ω is Σ_c (δ_c·g)(a_c·h) over the components of the jets."""
    function = setting.function
    largest = max(setting.fitted, key=lambda part: part.n_rows)
    few = largest.points[:: max(1, len(largest.points) // ANCHORS)]
    count, generator = directions(setting.sizes, setting.config, setting.max_rank), setting.generator(SKETCH)
    sizes = sizes_of(function, largest.residual.at(few, largest.width, "matrix-free"), generator)
    form = form_of(largest.residual)
    omega = FactoredDirections.random(function.shapes, count, generator, function.theta0, form=form, sizes=sizes)
    probes = FactoredDirections.random(function.shapes, PROBES, setting.generator(PROBE), function.theta0, form=form)
    qr = qr_for(setting, count + PROBES + 1)
    for done, part in enumerate(setting.fitted):
        for where in setting.reduction.blocks(len(part.points), SAMPLES):
            points = part.points[where]
            rows = factors_of(part.residual, points)
            errors = part.residual.outputs(points).reshape(-1, 1)
            qr.update(rows.images(omega), rows.images(probes), errors)
        on_fraction((done + 1) / len(setting.fitted))
    return basis_from(setting, omega, setting.reduction.triangle(qr.factor))
