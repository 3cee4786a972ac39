"""The kinds of problems there are."""

from __future__ import annotations

from lsr_core.problems.classification import ClassificationProblem
from lsr_core.problems.operators import OperatorProblem
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.supervised import SupervisedProblem

Problem = SupervisedProblem | ClassificationProblem | OperatorProblem | PhysicsProblem
