"""Operators learnt from data: a network from functions to functions, and pairs of both, measured function by function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from lsr_core.kinds.data.evaluation import SupervisedEvaluation
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.kinds.data.refining import DataRefining
from lsr_core.kinds.data.storing import DataStoring
from lsr_core.kinds.data.words import KIND as DATA
from lsr_core.problems.kinds import KindWords, ProblemKind
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.evaluation import Verified
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.results import Floats, Sweep
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.summary import Errors

CHUNK = 64  # functions evaluated together


@dataclass(frozen=True, eq=False, repr=False)
class OperatorProblem(SupervisedProblem):
    """Each sample is a function: inputs (n, …) its values at sensors, targets (n, g) the output function on a grid.

    The rows are those of any supervised problem, g of them for each function; errors are reported as relative L2 norms of single
    functions, ‖q − y‖/‖y‖ over the grid.
    """

    kind: ClassVar[ProblemKind] = "operator"


class OperatorEvaluation(SupervisedEvaluation):
    """As for any data, and the distribution of relative L2 errors over the test functions."""

    def verified(self, predictor: RefinedPredictor, sweep: Sweep, rank: int) -> Verified:
        found = super().verified(predictor, sweep, rank)
        if "test" not in self.setting.splits:
            return found
        base, refined = (
            relative_errors(self.setting, predict) for predict in (self.setting.function.outputs, predictor.predict)
        )
        return replace(
            found, base=with_distribution(found.base, base), refined=with_distribution(found.refined, refined)
        )


def relative_errors(setting: Setting, predict: Callable[[Tensor], Tensor]) -> Floats:
    """‖q − y‖/‖y‖ of every test function, (n,)."""
    inputs, targets = setting.splits["test"]
    found = [targets.new_zeros(0)]
    for where in setting.reduction.blocks(len(inputs), CHUNK):
        x, y = inputs[where], targets[where]
        found.append((predict(x).reshape(y.shape) - y).norm(dim=1) / y.norm(dim=1))
    errors: Floats = setting.reduction.joined(torch.cat(found)).double().cpu().numpy()
    return errors


def with_distribution(errors: Errors, relative: Floats) -> Errors:
    """The errors with mean, median, 90 % and largest relative error; functions that are zero have none."""
    known = relative[np.isfinite(relative)]
    if len(known) == 0:
        return errors
    median, p90, largest = np.quantile(known, [0.5, 0.9, 1.0]).tolist()
    return errors.model_copy(update={"mean": float(known.mean()), "median": median, "p90": p90, "max": largest})


class OperatorRefining(DataRefining):
    """As any data, measured function by function; the outputs are never divided by sizes of their own."""

    evaluation = OperatorEvaluation

    def prepare(self, problem: SupervisedProblem, config: RefineConfig) -> Setting:
        ready = super().prepare(problem, config.model_copy(update={"standardise": "no"}))
        return replace(ready, config=config)


class OperatorStoring(DataStoring):
    """As any data."""

    problem_class = OperatorProblem


refining, storing = OperatorRefining(), OperatorStoring()
words = KindWords(
    unused={**DATA.unused, "standardise": "the outputs are the values of one function, in one unit"},
    refused=DATA.refused,
)
