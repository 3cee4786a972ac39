"""What differs between kinds of problems: how one is made ready, where the basis comes from, by what the result is measured."""

from __future__ import annotations

from lsr_core.problems.classification import ClassificationProblem
from lsr_core.problems.operators import OperatorProblem
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.problem import Problem, kind_of
from lsr_core.refinement import build, setting
from lsr_core.refinement.basis import Basis, OnFraction
from lsr_core.refinement.classification import ClassEvaluation, ClassSetting, outline_classes, prepare_classes
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.evaluation import Evaluation, SupervisedEvaluation
from lsr_core.refinement.function_errors import OperatorEvaluation
from lsr_core.refinement.physics_basis import build_physics
from lsr_core.refinement.physics_evaluation import PhysicsEvaluation
from lsr_core.refinement.physics_setting import PhysicsSetting, outline_physics, prepare_physics
from lsr_core.refinement.setting import Outline, Setting
from lsr_core.refinement.subspace import Subspace
from lsr_core.refinement.sweep import RankSolutions, SplitFactor
from lsr_core.refinement.uses import refuse_unused


def outline(problem: Problem, config: RefineConfig) -> Outline:
    """Function, strategy and plan from shapes alone.

    Raises:
        InputError: a setting that cannot be met, or that this kind does not use.
    """
    refuse_unused(config, "refine", kind_of(problem))
    if isinstance(problem, PhysicsProblem):
        return outline_physics(problem, config)
    if isinstance(problem, ClassificationProblem):
        return outline_classes(problem, config)
    return setting.outline(problem, config)


def prepare(problem: Problem, config: RefineConfig) -> Setting:
    """The problem checked and converted.

    Raises:
        InputError: see `outline`; a network or residuals that cannot be linearised.
    """
    refuse_unused(config, "refine", kind_of(problem))
    if isinstance(problem, PhysicsProblem):
        return prepare_physics(problem, config)
    if isinstance(problem, ClassificationProblem):
        return prepare_classes(problem, config)
    return setting.prepare(problem, config)


def build_basis(ready: Setting, on_fraction: OnFraction) -> Basis:
    """V and the factor of [G V, f]."""
    if isinstance(ready, PhysicsSetting):
        return build_physics(ready, on_fraction)
    return build.build_basis(ready, on_fraction)


def evaluate(
    problem: Problem,
    ready: Setting,
    subspace: Subspace,
    solutions: RankSolutions,
    train: SplitFactor,
    on_fraction: OnFraction,
) -> Evaluation:
    """What measures the solutions."""
    if isinstance(ready, PhysicsSetting):
        return PhysicsEvaluation(ready, subspace, solutions, train, on_fraction)
    if isinstance(ready, ClassSetting):
        return ClassEvaluation(ready, subspace, solutions, train, on_fraction)
    if isinstance(problem, OperatorProblem):
        return OperatorEvaluation(ready, subspace, solutions, train, on_fraction)
    return SupervisedEvaluation(ready, subspace, solutions, train, on_fraction)
