"""What a verdict on a classifier is made from."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from lsr_core.diagnosis.kinds import Pairs
from lsr_core.errors import InputError
from lsr_core.kinds.classes.problem import ClassificationProblem
from lsr_core.kinds.data.judging import DataJudging
from lsr_core.networks.classifiers import class_rows
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.residual import Residual
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.results import Sweep
from lsr_core.refinement.summary import Summary


class ClassJudging(DataJudging[ClassificationProblem]):
    """Squares of probabilities less one-hot targets; the share of classes that are wrong says nothing about a field."""

    def all_rows(self, problem: ClassificationProblem, function: ParametricFunction) -> Residual:
        raise InputError(
            "the loss path on all rows is for regressions and equations; refine this classifier instead", key="problem"
        )

    def plain_errors(self, summary: Summary) -> Pairs:
        return {"test log-loss": (summary.base.test_log_loss, summary.refined.test_log_loss)}

    def refined_error(self, refinement: Refinement) -> None:
        return None

    def roughness(self, refinement: Refinement) -> None:
        return None

    def constant(self, problem: ClassificationProblem, sweep: Sweep) -> None:
        return None

    def delivered(self, config: RefineConfig, predictor: RefinedPredictor) -> Callable[[Tensor], Tensor]:
        rows = class_rows(predictor.model, probabilities=config.linearised == "probabilities")
        return lambda inputs: rows.probabilities(inputs, rows.refined(inputs, *predictor.parts(inputs)))

    def restarting(self, problem: ClassificationProblem) -> str:
        return "that is done for regression, not for classes"


KIND = ClassJudging()
