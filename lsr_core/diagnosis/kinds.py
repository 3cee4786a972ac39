"""What a verdict, and a path of the loss, ask of a kind of problem."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import torch
from torch import Tensor

from lsr_core.diagnosis.roughness import Roughness
from lsr_core.diagnosis.solved import Solved
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.kinds import ProblemKind, part
from lsr_core.problems.problem import Problem
from lsr_core.problems.residual import Residual
from lsr_core.problems.splits import Split
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.results import Sweep
from lsr_core.refinement.summary import Summary

P = TypeVar("P", bound=Problem)
Pairs = dict[str, tuple[float | None, float | None]]


def both(pairs: Pairs) -> dict[str, tuple[float, float]]:
    """Those that were measured before and after."""
    return {
        name: (before, after) for name, (before, after) in pairs.items() if before is not None and after is not None
    }


def finite(value: float | None) -> float | None:
    """None for what is no number."""
    return value if value is not None and math.isfinite(value) else None


class EquationFigures(NamedTuple):
    """What is measured on the refined field of an equation.

    Attributes:
        true_residual: over that of the network.
        solved: whether it solves the equation.
        jump: where a coefficient jumps, in words; empty where none does.
        missing: conditions that are missing by counting, in words; empty where none is.
        bare: part of the edge without a condition, in words; empty where there is none.
        no_other: why no other start is refined; empty where that can be done.
    """

    true_residual: float | None
    solved: Solved
    jump: str
    missing: str = ""
    bare: str = ""
    no_other: str = ""


class Judging(ABC, Generic[P]):
    """What stands in `judging.py` of a kind's folder. None is said where a kind has no such thing."""

    @abstractmethod
    def all_rows(self, problem: P, function: ParametricFunction) -> Residual:
        """Every fitted row.

        Raises:
            InputError: squares of outputs minus targets are not its loss.
        """

    @abstractmethod
    def some_rows(self, setting: Any, most: int, refined_from: float) -> tuple[Residual, int]:
        """Rows spread evenly over what is fitted, and how many samples or points they are; `refined_from` is the network's own loss."""

    @abstractmethod
    def mean_squares(self, summary: Summary) -> Pairs:
        """Before and after a refinement, by name: those whose roots are told."""

    def plain_errors(self, summary: Summary) -> Pairs:
        """The same of errors that are told as they are."""
        return {}

    def base_error(self, sweep: Sweep) -> float | None:
        """Relative error of the network on data held out."""
        return None

    def refined_error(self, refinement: Refinement) -> float | None:
        """Relative error of the refined predictor, of the output that is worst where each is measured."""
        return None

    def constant(self, problem: P, sweep: Sweep) -> float | None:
        """Error of the network over that of the best constant, on the same samples."""
        return None

    def roughness(self, refinement: Refinement) -> Roughness | None:
        """Whether what the network misses of its training samples follows from their inputs."""
        return None

    def restarting(self, problem: P) -> tuple[Split, Split] | str:
        """What its network is trained on from other starts, and what held-out error is taken on; or why not, in words that follow "because"."""
        return "that is done for data only"

    def delivered(self, config: RefineConfig, predictor: RefinedPredictor) -> Callable[[Tensor], Tensor]:
        """What errors against targets are taken of, from inputs in the dtype of the predictor."""
        return predictor.predict

    def fresh_loss(self, problem: P, config: RefineConfig, delta: Tensor) -> float | None:
        """Of the refined field of Δθ (m,) at the points by which the rank is chosen; None where samples choose it."""
        return None

    def equation(self, refinement: Refinement) -> EquationFigures | None:
        """What is measured on the refined field of an equation."""
        return None


def judging(kind: ProblemKind) -> Judging[Any]:
    """The answers of a kind."""
    found: Judging[Any] = part(kind, "judging")
    return found


def spread(count: int, wanted: int, like: Tensor) -> Tensor:
    """So many of `count` places, evenly."""
    return torch.linspace(0, count - 1, wanted).long().to(like.device)
