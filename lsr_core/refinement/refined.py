"""What a refinement gives: the solutions of every rank, and the predictor of the one that was chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.problems.problem import Problem
from lsr_core.refinement.error_bars import ErrorBars
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.results import Fields, Spectrum, Sweep
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.sizes import DELTA_BYTES
from lsr_core.refinement.subspace import Subspace
from lsr_core.refinement.summary import Summary
from lsr_core.refinement.sweep import RankSolutions


@dataclass(eq=False)
class Refinement:
    """The result of `refine`.

    Attributes:
        sweep: errors, condition numbers and norms at every rank.
        spectrum: singular values of the Jacobian.
        fields: truth, network and refined field at the display points, for a ladder of ranks.
        display_points: indices of the display points into their split.
        rank: the chosen rank.
        delta: Δθ at the chosen rank, flat (m,).
        predictor: q(θ0, x) + J(x) Δθ.
        summary: the figures of `lsr refine --json`.
        error_bars: of a smoothed refinement.
        gap: relative difference between the sweep's errors and the predictor's at the chosen rank, from rounding.
    """

    problem: Problem
    setting: Setting
    subspace: Subspace
    solutions: RankSolutions
    sweep: Sweep
    spectrum: Spectrum
    fields: Fields
    display_points: np.ndarray
    rank: int
    delta: Tensor
    predictor: RefinedPredictor
    summary: Summary
    gap: float = 0.0
    timings: dict[str, float] = field(default_factory=dict)
    error_bars: ErrorBars | None = None

    def delta_at(self, rank: int) -> Tensor:
        """Δθ (m,) at any rank of the sweep; a rank between the rungs of the truncated ladder is solved now."""
        if not 0 <= rank <= self.sweep.max_rank:
            raise InputError(f"is {rank}, the sweep has ranks 0 to {self.sweep.max_rank}", key="rank")
        solved = self.solutions.is_solved(rank)
        step = self.subspace.delta(self.solutions.at(rank) if solved else self.solutions.solver.solve(rank))
        return self.setting.function.expand(step)

    def deltas(self, ranks: Sequence[int], block_bytes: int = DELTA_BYTES) -> Iterator[tuple[int, Tensor]]:
        """Δθ of several solved ranks, several at a time where memory allows."""
        for part, steps in self.delta_blocks(ranks, block_bytes):
            yield from ((rank, step) for rank, step in zip(part, steps.unbind(1), strict=True))

    def delta_blocks(
        self, ranks: Sequence[int], block_bytes: int = DELTA_BYTES
    ) -> Iterator[tuple[Sequence[int], Tensor]]:
        """The same as columns (m, k), with the ranks they belong to."""
        theta = self.setting.function.theta0
        width = max(1, block_bytes // (len(theta) * theta.dtype.itemsize))
        for start in range(0, len(ranks), width):
            part = list(ranks[start : start + width])
            yield part, self.subspace.delta(self.solutions.columns(part))
