"""What a verdict on data is made from."""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from lsr_core.diagnosis.kinds import Judging, Pairs, finite, spread
from lsr_core.diagnosis.roughness import MOST, Roughness, roughness
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.data_residual import DataResidual
from lsr_core.problems.residual import Residual
from lsr_core.problems.splits import Split
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.output_sizes import output_sizes
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.results import Sweep
from lsr_core.refinement.setting import Setting, converted, divided, in_precision_of, relative_l2
from lsr_core.refinement.summary import Summary

SINGLE_ABOVE = 1e-4  # relative error of the network from which float32 is enough for its losses

D = TypeVar("D", bound=SupervisedProblem)


class DataJudging(Judging[D]):
    """Errors against targets."""

    def all_rows(self, problem: D, function: ParametricFunction) -> Residual:
        train = converted(problem.train, function.dtype, function.device)
        sizes = output_sizes(problem.output_shape, RefineConfig(), train, function)
        return DataResidual(function.divided(sizes), train if sizes is None else divided(train, sizes))

    def some_rows(self, setting: Setting, most: int, refined_from: float) -> tuple[Residual, int]:
        train = setting.train
        chosen = spread(len(train.inputs), min(most, len(train.inputs)), train.inputs)
        forward = setting.function
        if relative_l2(refined_from, train) > SINGLE_ABOVE and works_in_single(forward, train.inputs[:1]):
            forward = forward.single_precision()  # half the time, and errors far below what a figure shows
        some = Split(train.inputs[chosen], train.targets[chosen])
        return DataResidual(setting.function, some, forward=forward), len(chosen)

    def mean_squares(self, summary: Summary) -> Pairs:
        base, refined = summary.base, summary.refined
        return {
            "training error": (base.train_mse, refined.train_mse),
            "test error": (base.test_mse, refined.test_mse),
            "validation error": (base.val_mse, refined.val_mse),
        }

    def base_error(self, sweep: Sweep) -> float | None:
        values = sweep.val_relative_l2 if np.isfinite(sweep.val_relative_l2[0]) else sweep.train_relative_l2
        return finite(float(values[0]))

    def refined_error(self, refinement: Refinement) -> float | None:
        if (known := measured_error(refinement.summary)) is not None:
            return finite(known)
        sweep, after = refinement.sweep, refinement.summary.refined.val_mse
        if after is None or not sweep.val_mse[0] > 0:
            return None
        return finite(float(sweep.val_relative_l2[0]) * math.sqrt(after / float(sweep.val_mse[0])))

    def constant(self, problem: D, sweep: Sweep) -> float | None:
        """The error of the network over the spread of the targets around the mean of the training ones."""
        held = problem.train if problem.validation is None else problem.validation
        mse = sweep.train_mse if problem.validation is None else sweep.val_mse
        targets, mean = held.targets[:].double(), problem.train.targets[:].double().mean(dim=0)
        spread_of_targets = float((targets - mean).square().mean().sqrt())
        return finite(math.sqrt(float(mse[0])) / spread_of_targets) if spread_of_targets > 0 else None

    def roughness(self, refinement: Refinement) -> Roughness | None:
        setting = refinement.setting
        if not setting.sample_wise:
            return None
        some = spread(len(setting.train.inputs), min(MOST, len(setting.train.inputs)), setting.train.inputs)
        inputs, targets = setting.train.inputs[some], setting.train.targets[some]
        missed = setting.function.outputs(inputs) - targets
        return roughness(inputs, setting.physical(targets), setting.physical(missed))

    def restarting(self, problem: D) -> tuple[Split, Split] | str:
        return problem.train, problem.validation or problem.train


def works_in_single(function: ParametricFunction, inputs: Tensor) -> bool:
    """Whether forward takes float32 throughout: it may hold tensors of its own in another precision."""
    single = function.single_precision()
    try:
        return single.outputs(in_precision_of(single, inputs)).dtype == torch.float32
    except RuntimeError:
        return False


def measured_error(summary: Summary) -> float | None:
    """The relative error of the predictor where that was measured, of the output that is worst."""
    refined = summary.refined
    known = refined.relative_l2 if refined.relative_l2 is not None else refined.test_relative_l2
    return None if known is None else max([known, *(value for value in refined.by_output or [] if value is not None)])


KIND = DataJudging[SupervisedProblem]()
