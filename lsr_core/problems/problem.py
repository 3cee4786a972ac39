"""The kinds of problems there are."""

from __future__ import annotations

from typing import Literal

from lsr_core.problems.classification import ClassificationProblem
from lsr_core.problems.operators import OperatorProblem
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.supervised import SupervisedProblem

ProblemKind = Literal["supervised", "operator", "classification", "physics"]
Problem = SupervisedProblem | ClassificationProblem | OperatorProblem | PhysicsProblem


def kind_of(problem: Problem) -> ProblemKind:
    """The kind, by the name that bundles give it."""
    if isinstance(problem, PhysicsProblem):
        return "physics"
    if isinstance(problem, ClassificationProblem):
        return "classification"
    return "operator" if isinstance(problem, OperatorProblem) else "supervised"
