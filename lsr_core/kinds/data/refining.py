"""How data are refined."""

from __future__ import annotations

from lsr_core.kinds.data import preparing
from lsr_core.kinds.data.evaluation import SupervisedEvaluation
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.kinds import Refining
from lsr_core.refinement.setting import Outline, Setting


class DataRefining(Refining[SupervisedProblem, Setting]):
    """The rows are those of the training data."""

    evaluation = SupervisedEvaluation

    def outline(self, problem: SupervisedProblem, config: RefineConfig) -> Outline:
        return preparing.outline(problem, config)

    def prepare(self, problem: SupervisedProblem, config: RefineConfig) -> Setting:
        return preparing.prepare(problem, config)


KIND = DataRefining()
