"""V by a randomized SVD of Jᵀ over streamed rows."""

from __future__ import annotations

import torch
from torch import Tensor

from lsr_core.linalg.randomized import orthonormal, probe_bound
from lsr_core.problems.splits import Split
from lsr_core.refinement.basis import (
    PROBE,
    SKETCH,
    Basis,
    Counter,
    OnFraction,
    as_source,
    column_scale,
    qr_for,
    solved_factor,
    subset,
)
from lsr_core.refinement.rows import Rows, TrainingRows, sketch_rows
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.sizes import PROBES
from lsr_core.refinement.subspace import ExplicitSubspace


def build_streamed(setting: Setting, on_fraction: OnFraction) -> Basis:
    """V by a randomized SVD of Jᵀ, with nothing kept that grows with the rows.

    Halko, Martinsson & Tropp (2011), Algorithms 4.4 and 5.1, applied to Jᵀ: the sketch Jᵀ Ψ is accumulated over row blocks, with Ψ seeded
    by row; the second stage is a streaming QR of [J V₀, f], whose SVD orders the basis and solves the problem. A power iteration multiplies an
    orthonormal basis by JᵀJ and makes it orthonormal again: its columns are graded as the spectrum is, so that the small directions survive.
    """
    config, function = setting.config, setting.function
    all_rows = _rows(setting, setting.train)
    sketched = all_rows if config.basis_points is None else _rows(setting, subset(setting))
    width = min(setting.max_rank + config.oversampling, sketched.n_rows, function.n_params)
    passes = 2 + 2 * config.power_iterations
    count = Counter(passes * len(all_rows), on_fraction)
    basis, probes = range_of(setting, sketched, width, count)
    error = missed(basis, probes)
    factor = triangle_of(all_rows, basis, setting, count, with_errors=True)
    left, values, right_t = setting.reduction.share(*torch.linalg.svd(factor[:width, :width], full_matrices=False))
    rank = min(setting.max_rank, len(values))
    shown = as_source(values[:rank], setting)
    scale = column_scale(shown, setting)
    subspace = ExplicitSubspace(
        setting.strategy,
        basis @ right_t[:rank].T,
        shown,
        scale=scale,
        sketch_error=float(as_source(error, setting)),
    )
    return Basis(subspace, solved_factor(setting, left[:, :rank], values[:rank] * scale, factor[:, -1]))


def range_of(setting: Setting, source: Rows, width: int, count: Counter) -> tuple[Tensor, Tensor]:
    """Orthonormal columns (m, width) that nearly span the leading right singular vectors of the rows, and probes (m, p) that tell what is missed."""
    sketch = sketch_of(setting, source, width, count)
    basis = orthonormal(sketch[:, :width])
    for _ in range(setting.config.power_iterations):
        preimage = torch.zeros_like(basis)
        for block in source:
            preimage += block.operator.rmatmat(block.operator.matmat(basis))
            count()
        basis = orthonormal(setting.reduction.sum(preimage))
    return basis, sketch[:, width:]


def missed(basis: Tensor, probes: Tensor) -> float:
    """Bound on what of the rows is outside the span of the basis."""
    return probe_bound(probes - basis @ (basis.T @ probes))


def sketch_of(setting: Setting, rows: Rows, width: int, count: Counter) -> Tensor:
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
    return setting.reduction.sum(total)


def triangle_of(rows: Rows, basis: Tensor, setting: Setting, count: Counter, *, with_errors: bool) -> Tensor:
    """R of J V₀, or of [J V₀, q − y], by one pass."""
    qr = qr_for(setting, basis.shape[1] + with_errors)
    for block in rows:
        qr.update(block.operator.matmat(basis), *([block.errors] if with_errors else []))
        count()
    return setting.reduction.triangle(qr.factor)


def _rows(setting: Setting, split: Split) -> TrainingRows:
    """Blocks of samples whose modes fit a block of the plan; all at once where samples influence each other."""
    width = (setting.max_rank + setting.config.oversampling + 1) * setting.n_outputs * setting.function.dtype.itemsize
    samples = (
        max(1, min(setting.plan.block_bytes // width, setting.plan.samples))
        if setting.sample_wise
        else len(split.inputs)
    )
    return TrainingRows(
        setting.strategy,
        setting.function,
        split,
        samples=samples,
        keep=setting.plan.keep_rows,
        reduction=setting.reduction,
    )
