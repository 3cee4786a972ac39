"""Rows of a problem with measured values, in units of their noise: what is measured apart from what the equation and its conditions say."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lsr_core.linalg.joint import JointModel
from lsr_core.networks.residuals import ResidualFunction
from lsr_core.problems.physics.blocks import MEASURED
from lsr_core.refinement.response import ResponseModes
from lsr_core.solver.tangent import Tangent


@dataclass(frozen=True)
class Balance:
    """What rows are multiplied by.

    Attributes:
        noise: variance of a measured row as the problem weighs it; `MEASURED` where its noise is given.
        weight: of the equation and its conditions, over the one that the problem states.
    """

    noise: float = MEASURED
    weight: float = 1.0

    @classmethod
    def of(cls, noise: float, weight: float = 1.0) -> Balance:
        """Where the noise is not given: the equation has the weight that it has beside values whose noise is.

        Args:
            weight: of the equation, over that.
        """
        return cls(noise, weight * noise / MEASURED)


@dataclass(frozen=True, eq=False)
class Triangles:
    """Of [∂r/∂α, r] at one α: measured rows, and all others, as the problem weighs them."""

    measured: Tensor
    others: Tensor

    def own(self, balance: Balance) -> tuple[Tensor, Tensor]:
        """Both in units of the noise."""
        return self.measured / math.sqrt(balance.noise), self.others * math.sqrt(balance.weight / balance.noise)

    def joint(self, balance: Balance) -> Tensor:
        """Of all rows in units of the noise."""
        return torch.linalg.qr(torch.cat(self.own(balance)), mode="r").R


@dataclass(frozen=True)
class Losses:
    """Σ r² of measured rows and of all others, as the problem weighs them."""

    measured: float
    others: float

    def of(self, balance: Balance) -> float:
        """In units of the noise."""
        return (self.measured + balance.weight * self.others) / balance.noise


class MeasuredSpace:
    """The tangent space of a problem with measured values.

    Attributes:
        flat: unknown numbers, the last coefficients; they have no prior.
        centre: of the prior (R,): the constant field; zero for the numbers.
        count: measured values.
        within: sum of squares of measured rows that no field can lower, as the problem weighs them.
    """

    def __init__(self, space: Tangent, start: Tensor) -> None:
        self.space, self.flat = space, len(space.problem.unknown)
        self.centre = start.clone()
        self.centre[len(start) - self.flat :] = 0
        blocks = [block for block in (*space.fitted_blocks, *space.fresh_blocks) if block.block.measured]
        self._measured = {id(block.residual) for block in blocks}
        fitted = [block for block in space.fitted_blocks if block.block.measured]
        self.count = sum(block.n_rows for block in fitted)
        self.within = sum(block.block.weight / block.n_rows * (block.block.within or 0.0) for block in fitted)

    def is_measured(self, residual: ResidualFunction) -> bool:
        return id(residual) in self._measured

    def triangles(self, alpha: Tensor) -> Triangles:
        groups: tuple[list[Tensor], list[Tensor]] = ([], [])
        for part in self.space.fitted_rows():
            groups[0 if self.is_measured(part.residual) else 1].append(torch.cat(part.linearised(alpha), dim=1))
        nothing = alpha.new_zeros(0, len(alpha) + 1)
        found = [torch.linalg.qr(torch.cat([nothing, *parts]), mode="r").R for parts in groups]
        return Triangles(*found)

    def losses(self, alpha: Tensor, *, fresh: bool = False) -> Losses:
        """At the fitted or at the fresh points; NaN where a residual is not finite."""
        totals = np.zeros(2)
        rows: ResponseModes = self.space.fresh_rows() if fresh else self.space.fitted_rows()
        for part in rows:
            totals[0 if self.is_measured(part.residual) else 1] += float(part.losses(alpha[:, None])[0])
        return Losses(*totals.tolist())

    def model(self, factor: Tensor, alpha: Tensor) -> JointModel:
        return JointModel(factor, alpha - self.centre, self.flat)

    def penalty(self, alpha: Tensor, strength: float) -> float:
        """λ² ‖a‖² of the coefficients that have a prior."""
        own = len(alpha) - self.flat
        return strength**2 * float((alpha - self.centre)[:own].square().sum())
