"""V in the span of factored directions: the fast route for networks whose uses of parameters have rules, and for many outputs of one pass."""

from __future__ import annotations

import torch
from torch import Tensor

from lsr_core.linalg.randomized import probe_bound
from lsr_core.linalg.whitening import inverse_root
from lsr_core.networks.directions import DirectionForm, FactoredDirections
from lsr_core.refinement.basis import (
    PROBE,
    Basis,
    Counter,
    OnFraction,
    as_source,
    column_scale,
    qr_for,
    solved_factor,
)
from lsr_core.refinement.direction_choice import chosen_directions
from lsr_core.refinement.rows import TrainingRows
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.sizes import PROBES, ROWS, directions
from lsr_core.refinement.subspace import SketchedSubspace

ROUNDING = 4  # times the bound of first order on the rounding of a product


def build_factored(setting: Setting, on_fraction: OnFraction) -> Basis:
    """V in the span of factored directions Ω, by one pass over the training rows.

    A streaming QR of [J Ω, J P, f], P a few probes of the same form, keeps all that is needed: with the Gram matrix of the directions
    ΩᵀΩ = L Lᵀ, well-conditioned where they are random, the SVD R L⁻ᵀ = U S Wᵀ gives V = Ω L⁻ᵀ W orthonormal and G V = Q U S: the
    triangular factor of the reduced problem is diagonal. What of the probes lies outside the range bounds the sketch error.
    """
    function, strategy = setting.function, setting.strategy
    omega = chosen_directions(setting, directions(setting.sizes, setting.config, setting.max_rank))
    form = strategy.network.form if strategy.network is not None else DirectionForm()
    probes = FactoredDirections.random(function.shapes, PROBES, setting.generator(PROBE), function.theta0, form=form)
    samples = min(ROWS, setting.plan.samples)
    rows = TrainingRows(strategy, function, setting.train, samples=samples, reduction=setting.reduction)
    counter = Counter(len(rows) * 4 / 3, on_fraction)
    qr = qr_for(setting, omega.count + PROBES + 1)
    for block in rows:
        qr.update(block.operator.times(omega, probes), block.errors)
        counter()
    on_fraction(1.0)
    return basis_from(setting, omega, setting.reduction.triangle(qr.factor))


def basis_from(setting: Setting, omega: FactoredDirections, factor: Tensor) -> Basis:
    """V and the solved problem from the factor of [J Ω, J P, f]."""
    count = omega.count
    (whiten,) = setting.reduction.share(inverse_root(omega.gram(), factor.dtype))
    images = factor[:count, :count].to(whiten.dtype) @ whiten
    left, values, right_t = setting.reduction.share(*torch.linalg.svd(images, full_matrices=False))
    rank = min(setting.max_rank, len(values))
    taken = whiten @ right_t[:rank].T
    terms = (factor[:count, :count].abs().to(taken.dtype) @ taken.abs()).norm(dim=0)  # that the images are sums of
    coefficients, noise = taken.to(factor.dtype), (ROUNDING * torch.finfo(factor.dtype).eps * terms).to(factor.dtype)
    left, values = left.to(factor.dtype), values.to(factor.dtype)
    shown = as_source(values[:rank], setting)
    scale = column_scale(shown, setting)
    error = probe_bound(factor[count:, count : count + PROBES])
    subspace = SketchedSubspace(
        setting.strategy,
        omega,
        coefficients,
        shown,
        scale=scale,
        sketch_error=float(as_source(error, setting)),
    )
    lengths = _without_noise(values[:rank], noise)
    return Basis(subspace, solved_factor(setting, left[:, :rank], lengths * scale, factor[:, -1]))


def _without_noise(values: Tensor, noise: Tensor) -> Tensor:
    """Singular values (r,), with those that rounding of J Ω may have made, by a bound for each (r,), put below every cut-off.

    A direction of such a length is fitted to errors in the factor that J V does not have: where directions are fewer than ranks, the training
    error that is read off the factor would be less than any step attains.
    """
    return torch.where(values > noise, values, values.clamp_max(torch.finfo(values.dtype).eps * float(values[0])))
