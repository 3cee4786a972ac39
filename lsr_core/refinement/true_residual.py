"""Measures of a refined solution of an equation: the true residual of its field, and its error against a reference."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from lsr_core.linalg.reduction import ALONE, Reduction
from lsr_core.problems.physics.residuals import BlockRows, residual_vector
from lsr_core.problems.splits import Split
from lsr_core.refinement.evaluation import Verified, refuse_infinite
from lsr_core.refinement.output_errors import OutputErrors
from lsr_core.refinement.physics_setting import PhysicsSetting
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.response import losses_of
from lsr_core.refinement.results import Floats
from lsr_core.refinement.setting import relative_l2
from lsr_core.refinement.summary import Errors, ResidualNorms

Predict = Callable[[Split], Tensor]
CHUNK = 1024


def measured(setting: PhysicsSetting, step: Tensor, predictor: RefinedPredictor) -> Verified:
    """What the network and the refined predictor are worth, by forward mode.

    Args:
        step: Δθ (m, 1) of the free parameters, the predictor's.

    Raises:
        NumericalError: a residual or an error that is not finite.
    """
    fitted, fresh = (
        (
            float(residual_vector(rows).square().sum()),
            *true_losses(rows, step, setting.strategy.name, setting.reduction).tolist(),
        )
        for rows in (setting.fitted, setting.fresh)
    )
    refuse_infinite([*fitted, *fresh])
    norms = ResidualNorms(
        base=math.sqrt(fitted[0]),
        nonlinear=math.sqrt(fitted[1]),
        fresh_base=math.sqrt(fresh[0]),
        fresh_nonlinear=math.sqrt(fresh[1]),
    )
    base = _errors(setting, fitted[0], fresh[0], lambda split: setting.function.outputs(split.inputs))
    refined = _errors(
        setting, fitted[1], fresh[1], lambda split: predictor.predict(split.inputs).reshape(len(split.inputs), -1)
    )
    return Verified(base, refined, norms)


def field_errors(setting: PhysicsSetting, split: Split, steps: Tensor) -> tuple[Tensor, Tensor]:
    """The network's field (P, o) at the points of a split, and the errors (k, P, o) of the refined ones for steps (m, k)."""
    network = setting.function.outputs(split.inputs)
    blocks = setting.reduction.blocks(len(split.inputs), CHUNK)
    own = [setting.strategy.at(split.inputs[where]).matmat(steps) for where in blocks]
    moved = setting.reduction.joined(torch.cat([steps.new_zeros(0, steps.shape[1]), *own]))
    return network, moved.T.unflatten(1, network.shape) + (network - split.targets)


def _errors(setting: PhysicsSetting, fitted: float, fresh: float, predict: Predict) -> Errors:
    test = setting.splits.get("test")
    if test is None:
        return Errors(train_mse=fitted, val_mse=fresh)
    outputs, by_output = predict(test), OutputErrors(setting.parts)
    by_output.add(outputs, test.targets)
    mse = float((outputs - test.targets).square().mean())
    refuse_infinite([mse])
    relative = relative_l2(mse, test)
    relative_or_none = relative if math.isfinite(relative) else None
    return Errors(
        train_mse=fitted,
        val_mse=fresh,
        test_mse=mse,
        test_relative_l2=relative_or_none,
        relative_l2=relative_or_none,
        by_output=by_output.relative,
    )


def true_losses(rows: Sequence[BlockRows], steps: Tensor, name: str, reduction: Reduction = ALONE) -> Floats:
    """Σ weight·mean(r²) of the fields u(θ0) + J Δθ for steps (m, k): (k,), NaN where a residual is not finite.

    Args:
        name: how Jacobians are applied.
        reduction: among whom the points are shared.
    """
    total = np.zeros(steps.shape[1])
    for block in rows:
        components = block.residual.components()
        for where in reduction.blocks(len(block.points), CHUNK):
            points = block.points[where]
            network = components.outputs(points)
            moved = components.at(points, network.shape[1], name).matmat(steps)
            total += losses_of(block.residual, points, network, moved)
    total = reduction.sum(torch.from_numpy(total)).numpy()
    return np.where(np.isfinite(total), total, np.nan)
