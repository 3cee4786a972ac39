"""A linear solve in a random subspace of the parameters: what any R directions would do."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.linalg.triangular import TriangularSolver
from lsr_core.refinement.basis import OnFraction
from lsr_core.refinement.kinds import rows_of
from lsr_core.refinement.plan import budget_of
from lsr_core.refinement.setting import Setting

STREAM = 8  # random stream
COLUMNS = 256  # directions drawn at a time


def solve_in_random_subspace(setting: Setting, rank: int, on_fraction: OnFraction) -> Tensor:
    """Δθ (m,) that minimises ‖f + G Δθ‖ over the span of `rank` Gaussian directions, as Li et al. (2018, arXiv 1804.08838) draw them.

    The directions are drawn twice instead of kept: once for their images, once for the step.

    Raises:
        InputError: the images do not fit into memory.
    """
    function = setting.function
    size = setting.n_residuals * (2 * rank + 1) * function.dtype.itemsize
    if size > budget_of(setting.config):
        raise InputError(
            f"the images of {rank} random directions need {size:,} bytes; ask for a smaller rank", key="rank"
        )
    blocks = list(rows_of(setting))
    starts = range(0, rank, COLUMNS)
    images = function.theta0.new_empty(setting.n_residuals, rank + 1)
    for index, start in enumerate(starts):
        drawn = _directions(setting, start, rank)
        for block in blocks:
            images[block.rows, start : start + drawn.shape[1]] = block.operator.matmat(drawn)
            on_fraction((index + block.rows.stop / setting.n_residuals) / len(starts))
    images[:, rank] = setting.errors()
    factor = torch.linalg.qr(images, mode="r").R
    solution = TriangularSolver(factor, rcond=setting.rcond).solve(rank)
    delta = torch.zeros_like(function.theta0)
    for start in starts:
        drawn = _directions(setting, start, rank)
        delta += drawn @ solution[start : start + drawn.shape[1]]
    return delta


def _directions(setting: Setting, start: int, rank: int) -> Tensor:
    generator = torch.Generator().manual_seed((setting.seed(STREAM) + start) % 2**63)
    theta = setting.function.theta0
    drawn = torch.randn(len(theta), min(COLUMNS, rank - start), generator=generator, dtype=torch.float64)
    return (drawn / math.sqrt(len(theta))).to(theta)
