"""Whether the samples that were held out can tell a refinement from the network: paired differences of squared errors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lsr_core.linalg.reduction import Reduction
from lsr_core.refinement.results import Floats


@dataclass(frozen=True)
class Gains:
    """What refinement takes off the squared errors of single samples, at some ranks.

    Of a sample, its mean over the outputs counts: outputs of one sample are not independent of each other.

    Attributes:
        ranks: ascending, the first 0 (k,).
        base: sum of the squared errors of the network.
        sums: of the differences, network less refined (k,).
        squares: of the squared differences (k,).
        count: of samples.
    """

    ranks: NDArray[np.int64]
    base: float
    sums: Floats
    squares: Floats
    count: int

    @classmethod
    def of(cls, ranks: list[int], losses: Tensor) -> Gains:
        """From mean squares (n, k) of samples at ranks of which the first is 0."""
        differences = losses[:, :1].double() - losses.double()
        sums, squares = (part.sum(dim=0).cpu().numpy() for part in (differences, differences.square()))
        return cls(np.array(ranks), float(losses[:, 0].double().sum()), sums, squares, len(losses))

    @classmethod
    def none(cls, ranks: list[int]) -> Gains:
        """Of no sample."""
        return cls(np.array(ranks), 0.0, np.zeros(len(ranks)), np.zeros(len(ranks)), 0)

    def over(self, reduction: Reduction) -> Gains:
        """Of the samples of all processes."""
        mine = np.concatenate([[self.base, self.count], self.sums, self.squares])
        base, count, *rest = reduction.sum(torch.from_numpy(mine)).numpy()
        sums, squares = np.split(np.array(rest), 2)
        return Gains(self.ranks, float(base), sums, squares, int(count))

    def __add__(self, other: Gains) -> Gains:
        """Of the samples of both, at the ranks that both have."""
        ranks, mine, theirs = np.intersect1d(self.ranks, other.ranks, return_indices=True)
        return Gains(
            ranks,
            self.base + other.base,
            self.sums[mine] + other.sums[theirs],
            self.squares[mine] + other.squares[theirs],
            self.count + other.count,
        )

    def among(self, taken: NDArray[np.bool_]) -> Gains:
        """At those of the ranks that may be taken, by (R+1,) flags."""
        kept = taken[self.ranks]
        return Gains(self.ranks[kept], self.base, self.sums[kept], self.squares[kept], self.count)

    @property
    def best(self) -> int:
        """The rank with the smallest error."""
        return int(self.ranks[int(np.argmax(np.where(np.isfinite(self.sums), self.sums, -np.inf)))])

    def error(self, rank: int) -> float:
        """Sum of the squared errors at a rank; infinite at one that is not here."""
        place = np.flatnonzero(self.ranks == rank)
        return self.base - float(self.sums[place[0]]) if len(place) else math.inf

    def errors(self, rank: int) -> float:
        """The gain at a rank in its own standard errors; infinite where every sample gains the same."""
        place = int(np.searchsorted(self.ranks, rank))
        total, squares = float(self.sums[place]), float(self.squares[place])
        if self.count < 2 or not math.isfinite(squares):
            return 0.0
        spread = max(0.0, squares - total**2 / self.count) / (self.count - 1)
        if spread == 0:
            return math.inf if total > 0 else 0.0
        return total / math.sqrt(spread * self.count)

    def shows(self, rank: int, chance: float) -> bool:
        """Whether a gain as large as this one would come up with less than this chance were there none (one-sided, Student's t)."""
        from scipy.special import stdtr

        return self.count > 1 and float(stdtr(self.count - 1, -self.errors(rank))) < chance
