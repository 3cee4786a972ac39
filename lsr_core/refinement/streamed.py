"""V by a randomized SVD of Jᵀ over streamed rows."""

from __future__ import annotations

import torch
from torch import Tensor

from lsr_core.linalg.randomized import probe_bound
from lsr_core.problems.supervised import Split
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
from lsr_core.refinement.peaks import PROBES
from lsr_core.refinement.rows import Rows, TrainingRows, sketch_rows
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.subspace import ExplicitSubspace


def build_streamed(setting: Setting, on_fraction: OnFraction, start: ExplicitSubspace | None = None) -> Basis:
    """V by a randomized SVD of Jᵀ, with nothing kept that grows with the rows.

    Halko, Martinsson & Tropp (2011), Algorithms 4.4 and 5.1, applied to Jᵀ: the sketch Jᵀ Ψ is accumulated over row blocks, with Ψ seeded
    by row; the second stage is a streaming QR of [J V₀, f], whose SVD orders the basis and solves the problem. With Jᵀ Ψ = B T a power
    iteration multiplies by Jᵀ J B T⁻ᵀ: as T holds the spectrum of J, J B T⁻ᵀ is about as well-conditioned as Ψ and the spectrum is never squared.

    With `start` only the columns beyond it are sketched, each time made orthogonal to it; the second stage takes all of them.
    """
    config, function = setting.config, setting.function
    all_rows = _rows(setting, setting.train)
    sketched = all_rows if config.basis_points is None else _rows(setting, subset(setting))
    width = min(setting.max_rank + config.oversampling, sketched.n_rows, function.n_params)
    known = function.theta0.new_empty(function.n_params, 0) if start is None else start.basis[:, :width]
    passes = 2 + 2 * config.power_iterations
    count = Counter(passes * len(all_rows), on_fraction)
    stream = SKETCH if start is None else extension(width)
    more, probes = range_of(setting, sketched, width, stream, count, known)
    basis = torch.cat([known, more], dim=1)
    error = missed(basis, probes)
    factor = triangle_of(all_rows, basis, setting, count, with_errors=True)
    left, values, right_t = torch.linalg.svd(factor[:width, :width], full_matrices=False)
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


def range_of(
    setting: Setting, source: Rows, width: int, stream: int, count: Counter, known: Tensor
) -> tuple[Tensor, Tensor]:
    """Orthonormal columns that with the known ones, `width` in all, nearly span the leading right singular vectors of the rows.

    Returns:
        The columns (m, width − known), and the probes (m, p) that tell what is missed.
    """
    more = width - known.shape[1]
    sketch = sketch_of(setting, source, more, stream, count)
    probes = sketch[:, more:]
    basis, triangle = beyond(known, sketch[:, :more])
    for _ in range(setting.config.power_iterations):
        whitened = basis @ inverse_of(triangle).T
        preimage = torch.zeros_like(basis)
        for block in source:
            preimage += block.operator.rmatmat(block.operator.matmat(whitened))
            count()
        basis, triangle = beyond(known, preimage)
    return basis, probes


def missed(basis: Tensor, probes: Tensor) -> float:
    """Bound on what of the rows is outside the span of the basis."""
    return probe_bound(probes - basis @ (basis.T @ probes))


def sketch_of(setting: Setting, rows: Rows, width: int, stream: int, count: Counter) -> Tensor:
    """Jᵀ [Ψ, P] (m, width + probes), in single precision if the config says so."""
    config, theta = setting.config, setting.function.theta0
    seeds = [setting.seed(stream) for stream in (stream, PROBE)]
    single = config.sketch_dtype == "float32" and theta.dtype == torch.float64
    source = rows.single_precision() if single else rows
    total = theta.new_zeros(len(theta), width + PROBES)
    for block in source:
        like = block.errors
        psi = sketch_rows(block.rows, width, seeds[0], like, uniform=config.sketch == "uniform")
        total += block.operator.rmatmat(torch.cat([psi, sketch_rows(block.rows, PROBES, seeds[1], like)], dim=1))
        count()
    return total


def beyond(known: Tensor, block: Tensor) -> tuple[Tensor, Tensor]:
    """Q and R of what of the block is not in the span of the orthonormal columns known; twice, against rounding."""
    basis, triangle = torch.linalg.qr(block - known @ (known.T @ block))
    if known.shape[1] == 0:
        return basis, triangle
    basis, again = torch.linalg.qr(basis - known @ (known.T @ basis))
    return basis, again @ triangle


def triangle_of(rows: Rows, basis: Tensor, setting: Setting, count: Counter, *, with_errors: bool) -> Tensor:
    """R of J V₀, or of [J V₀, q − y], by one pass."""
    qr = qr_for(setting, basis.shape[1] + with_errors)
    for block in rows:
        qr.update(block.operator.matmat(basis), *([block.errors] if with_errors else []))
        count()
    return qr.factor


def _rows(setting: Setting, split: Split) -> TrainingRows:
    """Blocks of samples whose modes fit a block of the plan; all at once where samples influence each other."""
    width = (setting.max_rank + setting.config.oversampling + 1) * setting.n_outputs * setting.function.dtype.itemsize
    samples = (
        max(1, min(setting.plan.block_bytes // width, setting.plan.samples))
        if setting.sample_wise
        else len(split.inputs)
    )
    return TrainingRows(setting.strategy, setting.function, split, samples=samples, keep=setting.plan.keep_rows)


def inverse_of(triangle: Tensor) -> Tensor:
    """R⁻¹ with pivots kept off zero: directions without an image stay small instead of becoming infinite."""
    diagonal = triangle.diagonal()
    floor = torch.finfo(triangle.dtype).eps * diagonal.abs().max()
    lifted = triangle + torch.diag(torch.where(diagonal.abs() < floor, floor, torch.zeros_like(diagonal)))
    eye = torch.eye(len(triangle), dtype=triangle.dtype, device=triangle.device)
    inverse: Tensor = torch.linalg.solve_triangular(lifted, eye, upper=True)
    return inverse
