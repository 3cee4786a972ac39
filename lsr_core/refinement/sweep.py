"""All ranks from one factorisation."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from lsr_core.linalg.diagonal import is_diagonal
from lsr_core.linalg.triangular import TriangularSolver, singular_values
from lsr_core.refinement.gains import Gains
from lsr_core.refinement.ranks import SOLVED_LADDER
from lsr_core.refinement.results import Floats


@dataclass(frozen=True)
class SplitFactor:
    """What a split needs to give its error at any coefficients: the R factor of [A, e], rows scaled by 1/√N.

    Attributes:
        factor: (≤ R+1, R+1), so that ‖R [c; 1]‖² is the mean square error of the refined predictor.
        mean_square_target: mean of y², to turn mean squares into relative errors.
    """

    factor: Tensor
    mean_square_target: float

    def mse(self, coefficients: Tensor) -> Tensor:
        """Mean square errors (k,) for the columns of coefficients (r, k)."""
        rank = len(coefficients)
        return (self.factor[:, :rank] @ coefficients + self.factor[:, -1:]).square().sum(dim=0)


class RankSolutions:
    """Coefficients at every rank that is solved, by blocks of columns.

    Up to `exact_rank` the leading triangles are well-conditioned for the cut-off and one triangular inverse holds all
    solutions, damped or not. Beyond, truncation is at work and each rank needs an SVD of its own: those are solved on a
    ladder.
    """

    def __init__(self, solver: TriangularSolver, ladder: Sequence[int], required: Sequence[int] = ()) -> None:
        self.solver = solver
        self.exact_rank = _largest_uncut(solver)
        self._leading = solver.solve_leading(self.exact_rank)
        beyond = [rank for rank in ladder if rank > self.exact_rank]
        if len(beyond) > SOLVED_LADDER:
            picked = np.linspace(0, len(beyond) - 1, SOLVED_LADDER).round().astype(int)
            beyond = [beyond[i] for i in picked]
        beyond = sorted({*beyond, *(rank for rank in required if rank > self.exact_rank)})
        self._separate = {rank: solver.solve(rank) for rank in beyond}

    @property
    def increments(self) -> Tensor:
        """What each further direction adds to the coefficients, (R', R'), upper triangular; R' is `exact_rank`."""
        return self._leading.diff(dim=1)

    @property
    def separate(self) -> list[int]:
        """The ranks beyond `exact_rank` that are solved, ascending."""
        return sorted(self._separate)

    @property
    def ranks(self) -> list[int]:
        """All solved ranks, ascending."""
        return [*range(self.exact_rank + 1), *self.separate]

    def with_solution(self, rank: int, coefficients: Tensor) -> RankSolutions:
        """The same with other coefficients (rank,) at one rank."""
        found = copy.copy(self)
        if rank <= self.exact_rank:
            found._leading = self._leading.clone()
            found._leading[:rank, rank] = coefficients
        else:
            found._separate = {**self._separate, rank: coefficients}
        return found

    def is_solved(self, rank: int) -> bool:
        return rank <= self.exact_rank or rank in self._separate

    def at(self, rank: int) -> Tensor:
        """Coefficients (rank,) of a solved rank."""
        return self._leading[:rank, rank] if rank <= self.exact_rank else self._separate[rank]

    def columns(self, ranks: Sequence[int]) -> Tensor:
        """Coefficients of several ranks as columns (largest rank, k), filled up with zeros."""
        block = self._leading.new_zeros(max(ranks, default=0), len(ranks))
        for column, rank in enumerate(ranks):
            block[:rank, column] = self.at(rank)
        return block

    def blocks(self) -> Iterator[tuple[list[int], Tensor]]:
        """All solved ranks with their coefficients as columns."""
        yield list(range(self.exact_rank + 1)), self._leading
        if self._separate:
            ranks = list(self._separate)
            yield ranks, self.columns(ranks)


@dataclass(frozen=True)
class RankErrors:
    """Mean-square errors (R+1,) of a split, NaN where a rank is not solved, the mean of y², and gains where samples were told apart.

    Attributes:
        solved: the same of the outputs as the solve takes them, each divided by its size; None where that is `mse`.
        by_output: relative L2 errors (R+1, parts) of the outputs that are told one by one; None where there is but one.
    """

    mse: Floats
    mean_square_target: float
    gains: Gains | None = None
    solved: Floats | None = None
    by_output: Floats | None = None

    @classmethod
    def of(cls, factor: SplitFactor, solutions: RankSolutions) -> RankErrors:
        """From a triangular factor."""
        mse = np.full(max(solutions.ranks) + 1, np.nan)
        for ranks, coefficients in solutions.blocks():
            mse[ranks] = factor.mse(coefficients).cpu().double().numpy()
        return cls(mse, factor.mean_square_target)


def errors_by_rank(split: RankErrors | None, max_rank: int) -> tuple[Floats, Floats]:
    """Mean-square and relative L2 errors (R+1,) of a split, interpolated between solved ranks; NaN where there is no split."""
    mse = np.full(max_rank + 1, np.nan)
    if split is None:
        return mse, mse.copy()
    mse = interpolate_logarithmically(split.mse)
    scale = split.mean_square_target
    return mse, np.sqrt(mse / scale) if scale > 0 else np.full_like(mse, np.nan)


def interpolate_logarithmically(values: Floats) -> Floats:
    """Fill NaN entries between known ones, linearly in the logarithm."""
    known = np.flatnonzero(np.isfinite(values))
    if len(known) == 0:
        return values
    tiny = np.finfo(float).tiny
    filled = np.exp(np.interp(np.arange(len(values)), known, np.log(np.maximum(values[known], tiny))))
    filled[known] = values[known]
    filled[known[-1] + 1 :] = np.nan
    return filled


def condition_numbers(
    triangle: Tensor, ladder: Sequence[int], max_rank: int, values_of: Callable[[int], Tensor] | None = None
) -> tuple[Floats, Floats]:
    """κ of the leading triangles: exact on the ladder, interpolated between, and where it is exact as 1/0.

    Adding a column can only raise σ₁ and lower σ_r (interlacing), so κ grows with the rank and an interpolated value lies
    between the exact ones beside it; it is infinite from a rank on where it is so, and unknown between there and the last finite one.

    Args:
        values_of: singular values by rank, where somebody has them already.
    """
    kappa = np.full(max_rank + 1, np.nan)
    if is_diagonal(triangle):
        sizes = triangle.diagonal().abs().cpu().double().numpy()[:max_rank]
        with np.errstate(divide="ignore"):
            kappa[1:] = np.maximum.accumulate(sizes) / np.minimum.accumulate(sizes)
        return kappa, np.isfinite(kappa).astype(float)
    for rank in ladder:
        if rank > 0:
            values = values_of(rank) if values_of is not None else singular_values(triangle[:rank, :rank])
            kappa[rank] = float(values[0] / values[-1]) if values[-1] > 0 else np.inf
    exact = np.isfinite(kappa).astype(float)
    endless = np.maximum.accumulate(np.isinf(kappa))
    inside = interpolate_logarithmically(np.where(endless, np.nan, kappa)[1:]) if max_rank > 0 else kappa[1:]
    return np.where(endless, np.inf, np.concatenate([kappa[:1], inside])), exact


def coefficient_norms(solutions: RankSolutions, scale: Tensor, max_rank: int) -> Floats:
    """‖scale·c‖ at every rank."""
    norms = np.full(max_rank + 1, np.nan)
    for ranks, coefficients in solutions.blocks():
        scaled = coefficients * scale[: len(coefficients), None]
        norms[ranks] = scaled.norm(dim=0).cpu().double().numpy()
    return interpolate_logarithmically(norms)


def _largest_uncut(solver: TriangularSolver) -> int:
    """The largest rank at which the cut-off changes nothing; κ grows with the rank, so bisection finds it."""
    low, high = 0, min(solver.max_rank, len(solver.scaled))
    if high == 0 or not solver.cut_is_active(high):
        return high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if solver.cut_is_active(middle) else (middle, high)
    return low
