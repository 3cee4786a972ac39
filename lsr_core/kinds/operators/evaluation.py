"""Operators learnt from data, measured function by function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from lsr_core.kinds.data.evaluation import SupervisedEvaluation
from lsr_core.refinement.evaluation import Verified
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.results import Floats, Sweep
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.summary import Errors

CHUNK = 64  # functions evaluated together


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
