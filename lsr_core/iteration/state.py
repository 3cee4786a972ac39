"""Where iterative LSR stands between two half steps: all that is needed to go on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from lsr_core.refinement.summary import Method, ResidualNorms

Stopped = Literal["steps", "seconds", "stagnation", "asked"]


class Best(Method):
    """The figures of the best linear predictor so far, and how it was found.

    Attributes:
        index: half step that found it.
        round: in which; its points follow from it.
        rank: chosen by the fresh points.
        fresh_residual: by which it is the best.
        residual: norms before and after the solve.
        base_relative_l2: error of the network that it is linearised at.
        relative_l2: its own.
        notes: of the solve.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    index: int = Field(ge=1)
    round: int = Field(ge=1)
    rank: int = Field(ge=0)
    fresh_residual: float = Field(ge=0)
    residual: ResidualNorms
    base_relative_l2: float | None
    relative_l2: float | None
    notes: list[str]


class IterationProgress(BaseModel):
    """What is counted.

    Attributes:
        index: of the last half step.
        round: of the last half step.
        next: the half step to come.
        seconds: spent on iterative LSR.
        total_seconds: with the trainings beside it.
        solve_seconds: of the last solve, by which the next one is expected.
        reference: fresh residual that has to be undercut by a tenth, or the round counts as idle.
        idle: rounds in a row without such a gain.
        best: of the best predictor; None before the first solve.
        stopped: why the rounds ended; None while they have not.
        trained: names of the trainings that are done.
        notes: sentences.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    index: int = Field(0, ge=0)
    round: int = Field(0, ge=0)
    next: Literal["lsr", "align"] = "lsr"
    seconds: float = Field(0.0, ge=0)
    total_seconds: float = Field(0.0, ge=0)
    solve_seconds: float = Field(0.0, ge=0)
    reference: float | None = None
    idle: int = Field(0, ge=0)
    best: Best | None = None
    stopped: Stopped | None = None
    trained: list[str] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)


@dataclass(frozen=True, eq=False)
class IterationState:
    """Weights and figures after a half step.

    Attributes:
        theta: the network's weights (m,), float64.
        progress: what is counted.
        best_theta: weights that the best predictor is linearised at.
        best_delta: its Δθ.
    """

    theta: Tensor
    progress: IterationProgress
    best_theta: Tensor | None = None
    best_delta: Tensor | None = None

    def counted(self, **changes: object) -> IterationState:
        """The same with other figures."""
        return replace(self, progress=self.progress.model_copy(update=changes))
