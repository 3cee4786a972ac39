"""What a refinement asks of a kind of problem: how one is made ready, where the basis comes from, by what the result is measured."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

from lsr_core.problems.kinds import ProblemKind, part
from lsr_core.problems.problem import Problem
from lsr_core.refinement import build
from lsr_core.refinement.basis import Basis, OnFraction
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.evaluation import Evaluation
from lsr_core.refinement.rows import Rows, TrainingRows
from lsr_core.refinement.setting import Outline, Setting
from lsr_core.refinement.subspace import Subspace
from lsr_core.refinement.sweep import RankSolutions, SplitFactor
from lsr_core.refinement.uses import refuse_unused

SAMPLES = 2048  # of data, in a block of rows

P = TypeVar("P", bound=Problem)
S = TypeVar("S", bound=Setting)


class Refining(ABC, Generic[P, S]):
    """What stands in `refining.py` of a kind's folder.

    Attributes:
        evaluation: what measures the solutions.
    """

    evaluation: ClassVar[type[Evaluation]]

    @abstractmethod
    def outline(self, problem: P, config: RefineConfig) -> Outline:
        """Function, strategy and plan from shapes alone; raises as `outline`."""

    @abstractmethod
    def prepare(self, problem: P, config: RefineConfig) -> S:
        """The problem checked and converted; raises as `prepare`."""

    def build_basis(self, setting: S, on_fraction: OnFraction) -> Basis:
        """V and the factor of [G V, f]."""
        return build.build_basis(setting, on_fraction)

    def rows(self, setting: S) -> Rows:
        """f and J at all rows that are fitted, a block of samples at a time."""
        samples = SAMPLES if setting.sample_wise else len(setting.train.inputs)
        return TrainingRows(setting.strategy, setting.function, setting.train, samples=samples)


def _of(kind: ProblemKind) -> Refining[Any, Any]:
    found: Refining[Any, Any] = part(kind, "refining")
    return found


def fitted(problem: Problem, config: RefineConfig) -> Problem:
    """The problem as a refinement by this config fits it: smoothing needs no samples that are held out."""
    return problem if config.regularise == "none" else problem.joined()


def outline(problem: Problem, config: RefineConfig) -> Outline:
    """Function, strategy and plan from shapes alone.

    Raises:
        InputError: a setting that cannot be met, or that this kind does not use.
    """
    refuse_unused(config, "refine", problem.kind)
    return _of(problem.kind).outline(fitted(problem, config), config)


def prepare(problem: Problem, config: RefineConfig) -> Setting:
    """The problem checked and converted.

    Raises:
        InputError: see `outline`; a network or residuals that cannot be linearised.
    """
    refuse_unused(config, "refine", problem.kind)
    return _of(problem.kind).prepare(fitted(problem, config), config)


def build_basis(ready: Setting, on_fraction: OnFraction) -> Basis:
    """V and the factor of [G V, f]."""
    return _of(ready.kind).build_basis(ready, on_fraction)


def rows_of(ready: Setting) -> Rows:
    """f and J at all rows that are fitted, without the weight; no matrix is kept."""
    return _of(ready.kind).rows(ready)


def evaluate(
    ready: Setting,
    subspace: Subspace,
    solutions: RankSolutions,
    train: SplitFactor,
    on_fraction: OnFraction,
) -> Evaluation:
    """What measures the solutions."""
    return _of(ready.kind).evaluation(ready, subspace, solutions, train, on_fraction)
