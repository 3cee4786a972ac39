"""What building a subspace gives, and the small things that every way of building one needs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lsr_core.linalg.streaming_qr import StreamingQR
from lsr_core.problems.splits import Split
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.subspace import ExplicitSubspace, Subspace
from lsr_core.refinement.sweep import SplitFactor

OnFraction = Callable[[float], None]
SKETCH, PROBE, SUBSET = 1, 2, 3  # random streams


@dataclass(frozen=True)
class Basis:
    """A subspace V and the factor of [G V, f], which building V passes over all training rows for anyway.

    Attributes:
        solve: the factor to solve with where that is not the training rows' own (published modes 3 and 4).
    """

    subspace: Subspace
    train: SplitFactor
    solve: SplitFactor | None = None


def empty_basis(setting: Setting) -> Basis:
    """No directions: rank 0."""
    theta = setting.function.theta0
    nothing = theta.new_zeros(0)
    subspace = ExplicitSubspace(
        setting.strategy, theta.new_zeros(len(theta), 0), nothing, scale=nothing, sketch_error=math.nan
    )
    return Basis(subspace, solved_factor(setting, theta.new_zeros(0, 0), nothing, setting.errors()))


def solved_factor(setting: Setting, left: Tensor, diagonal: Tensor, errors: Tensor) -> SplitFactor:
    """The factor of [G V, f] from the SVD: a diagonal, the rotated errors, and the norm of what no direction reaches."""
    ahead, below = errors[: len(left)], errors[len(left) :]
    rotated = left.T @ ahead
    rank = len(diagonal)
    factor = diagonal.new_zeros(rank + 1, rank + 1)
    factor[:rank, :rank] = torch.diag(diagonal)
    factor[:rank, rank] = rotated
    factor[rank, rank] = (ahead - left @ rotated).norm().hypot(below.norm())
    return SplitFactor(factor * setting.weight, setting.mean_square_target)


def subset(setting: Setting, most: int | None = None) -> Split:
    """The random training samples that the basis comes from, at most `most` of them."""
    inputs, targets = setting.train
    wanted = [count for count in (setting.config.basis_points, most) if count is not None]
    count = min([len(inputs), *wanted])
    chosen = torch.randperm(len(inputs), generator=setting.generator(SUBSET))[:count].to(inputs.device)
    return Split(inputs[chosen], targets[chosen])


def qr_for(setting: Setting, columns: int) -> StreamingQR:
    """An empty factor that gathers rows as the plan says."""
    function = setting.function
    gather = setting.plan.gather * columns
    return StreamingQR(columns, dtype=function.dtype, device=function.device, gather=gather)


def as_source(value: Tensor | float, setting: Setting) -> Tensor:
    """Singular values of J, or of G = J/√N where the config asks for the residual Jacobian."""
    weight = 1.0 if setting.config.source == "outputs" else 1 / math.sqrt(setting.n_residuals)
    return torch.as_tensor(value) * weight


def column_scale(values: Tensor, setting: Setting) -> Tensor:
    """Column lengths: ones, or 1/σ with σ kept off zero."""
    if setting.config.scaling == "orthonormal":
        return torch.ones_like(values)
    floor = torch.finfo(values.dtype).eps * values.max().clamp_min(torch.finfo(values.dtype).tiny)
    return 1 / values.clamp_min(floor)


class Counter:
    """Counts finished blocks and reports the fraction."""

    def __init__(self, expected: float, on_fraction: OnFraction) -> None:
        self._expected, self._done, self._on_fraction = expected, 0, on_fraction

    def __call__(self) -> None:
        self._done += 1
        self._on_fraction(min(1.0, self._done / self._expected))
