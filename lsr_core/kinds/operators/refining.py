"""How operators learnt from data are refined."""

from __future__ import annotations

from dataclasses import replace

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.kinds.data.refining import DataRefining
from lsr_core.kinds.operators.evaluation import OperatorEvaluation
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.setting import Setting


class OperatorRefining(DataRefining):
    """As any data, measured function by function."""

    evaluation = OperatorEvaluation

    def prepare(self, problem: SupervisedProblem, config: RefineConfig) -> Setting:
        ready = super().prepare(problem, config.model_copy(update={"standardise": "no"}))
        return replace(ready, config=config)


KIND = OperatorRefining()
