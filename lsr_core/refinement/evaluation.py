"""How good the solutions are, by the measures that a kind of problem has."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lsr_core.errors import NumericalError
from lsr_core.refinement.basis import OnFraction
from lsr_core.refinement.gains import Gains
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.results import Fields, Sweep
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.status import SolutionStatus
from lsr_core.refinement.subspace import Subspace
from lsr_core.refinement.summary import Classes, Errors, Quantiles, ResidualNorms
from lsr_core.refinement.sweep import RankSolutions, SplitFactor


@dataclass(frozen=True)
class Verified:
    """Errors of the network and of the predictor that can be exported, at the chosen rank.

    Attributes:
        status: how the solution stands; `notes` begins with what is said of it.
        gap: largest relative difference between these errors and the sweep's, where rounding is all that could make one.
    """

    base: Errors
    refined: Errors
    norms: ResidualNorms
    base_quantiles: Quantiles | None = None
    refined_quantiles: Quantiles | None = None
    gap: float = 0.0
    notes: list[str] = field(default_factory=list)
    classes: Classes | None = None
    status: SolutionStatus = SolutionStatus.OK


class Choosing(NamedTuple):
    """What a rank is chosen by.

    Attributes:
        sweep: all ranks with the errors on training and validation rows; those on test rows still NaN.
        gains: of the validation samples, where there are any.
        allowed: ranks (R+1,) at which no output has lost; None where all ranks may be taken.
    """

    sweep: Sweep
    gains: Gains | None = None
    allowed: NDArray[np.bool_] | None = None


class Reported(NamedTuple):
    """What is reported once the rank is chosen.

    Attributes:
        sweep: with the errors on test rows.
        fields: at the display points, for the ranks of the ladder.
        points: indices of the display points in their split.
    """

    sweep: Sweep
    fields: Fields
    points: Tensor


class Evaluation(ABC):
    """The errors of all ranks: first those that the rank is chosen by, then, given these and the ranks to show, the rest.

    Args:
        train: the factor of the training rows.
        on_fraction: told how far the present stage is.
    """

    def __init__(
        self,
        setting: Setting,
        subspace: Subspace,
        solutions: RankSolutions,
        train: SplitFactor,
        on_fraction: OnFraction,
    ) -> None:
        self.setting, self.subspace, self.solutions = setting, subspace, solutions
        self.train, self.on_fraction = train, on_fraction

    @abstractmethod
    def choosing(self) -> Choosing:
        """Errors on training and validation rows."""

    def left_out(self, rank: int) -> Gains | None:
        """Gains of training samples that are left out one at a time; None where that is not offered."""
        return None

    @abstractmethod
    def reporting(self, sweep: Sweep, rungs: list[int]) -> Reported:
        """The sweep with the errors on test rows, and fields, which are gathered on the way for the ranks of the ladder."""

    def predictor(self, delta: Tensor) -> RefinedPredictor:
        """What is delivered, for a step Δθ (m,) of the free scalars."""
        function = self.setting.function
        assert function.module is not None
        return RefinedPredictor(function.module, function.tangent(delta), derivatives=function.derivatives)

    @abstractmethod
    def verified(self, predictor: RefinedPredictor, sweep: Sweep, rank: int) -> Verified:
        """The errors of the predictor itself.

        Raises:
            NumericalError: they are not finite.
        """


def refuse_infinite(values: list[float]) -> None:
    """Raise NumericalError if a value is not finite."""
    if not all(math.isfinite(value) for value in values):
        raise NumericalError("The refined predictor is not finite; a smaller rank will help.")
