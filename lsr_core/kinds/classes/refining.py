"""How classifiers are refined."""

from __future__ import annotations

from lsr_core.kinds.classes import preparing
from lsr_core.kinds.classes.evaluation import ClassEvaluation
from lsr_core.kinds.classes.preparing import ClassSetting
from lsr_core.kinds.classes.problem import ClassificationProblem
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.kinds import Refining
from lsr_core.refinement.setting import Outline


class ClassRefining(Refining[ClassificationProblem, ClassSetting]):
    """The rows are those of `ClassRows`; the measures those of probabilities."""

    evaluation = ClassEvaluation

    def outline(self, problem: ClassificationProblem, config: RefineConfig) -> Outline:
        return preparing.outline(problem, config)

    def prepare(self, problem: ClassificationProblem, config: RefineConfig) -> ClassSetting:
        return preparing.prepare(problem, config)


KIND = ClassRefining()
