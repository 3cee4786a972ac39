"""An average of ridge solutions over λ, written as one solution whose penalty differs from direction to direction.

In the singular directions of A D⁻¹ the solution at λ keeps s²/(s² + λ²) of each component. A mean of such shares with weights w is again
s²/(s² + μ²), with μ² = Σ w λ²/(s² + λ²) / Σ w/(s² + λ²): so everything that holds for a penalty holds for the average too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lsr_core.linalg.smoothing import RidgeFamily

LEAST = 0.1  # of the largest weight: what a smaller λ adds is a long step whose parts cancel, which files then give only to 1e-12


@dataclass(frozen=True, eq=False)
class Average:
    """Weights over strengths.

    Attributes:
        strengths: λ (j,), positive.
        weights: of each (j,), positive, of sum 1.
    """

    strengths: Tensor
    weights: Tensor

    @classmethod
    def of(cls, strengths: Tensor, scores: Tensor) -> Average:
        """Weights in proportion to the exponential of scores (j,); what hardly counts is left out.

        Raises:
            ValueError: no score is finite.
        """
        best = float(scores.max())
        if not math.isfinite(best):
            raise ValueError(f"the largest score is {best}, which gives no weights")
        kept = scores >= best + math.log(LEAST)
        return cls(strengths[kept], torch.softmax(scores[kept], dim=0))

    def penalties(self, values: Tensor) -> Tensor:
        """μ (k,) at singular values (k,)."""
        squares = self.strengths.square()
        each = self.weights / (values.square()[:, None] + squares)
        return ((each * squares).sum(dim=1) / each.sum(dim=1)).sqrt()

    def matching(self, family: RidgeFamily) -> float:
        """The one λ that spends as many degrees of freedom."""
        from scipy.optimize import brentq

        wanted = float(self.weights @ family.degrees_of_freedom(self.strengths))
        low, high = (math.log(float(end)) for end in (self.strengths.min(), self.strengths.max()))
        if high - low < 1e-12:
            return math.exp(low)

        def spent_too_many(log: float) -> float:
            return float(family.degrees_of_freedom(self.strengths.new_tensor([math.exp(log)]))[0]) - wanted

        if spent_too_many(low) <= 0 or spent_too_many(high) >= 0:  # next to nothing is spent at any of them, or all
            return math.exp(float(self.weights @ self.strengths.log()))
        return math.exp(float(brentq(spent_too_many, low, high, xtol=1e-10)))


def penalty_rows(family: RidgeFamily, penalties: Tensor, beyond: float, lengths: Tensor) -> Tensor:
    """P (R, R) with ‖P c‖² = Σ μ² (wᵀD c)² over singular directions w, and λ² ‖D c‖² in all others.

    Args:
        family: on the first columns; any further columns meet λ alone.
        penalties: μ (k,) of its directions.
        beyond: λ where it has none.
        lengths: D (R,) of all columns.
    """
    rank = len(family.right)
    found = torch.diag(beyond * lengths)
    turned = family.right * lengths[:rank, None]  # W, as right = D⁻¹ W
    found[:rank, :rank] += (turned * (penalties - beyond)) @ (turned.T * lengths[:rank])
    return found
