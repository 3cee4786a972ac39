"""The kinds of problems there are."""

from __future__ import annotations

from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.supervised import SupervisedProblem

Problem = SupervisedProblem | PhysicsProblem
