"""Loss along θ0 + αΔθ: of the linearised model, and of the network itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.func import jvp, vmap

from lsr_core.errors import InputError
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.supervised import Split, SupervisedProblem
from lsr_core.refinement.refine import Refinement
from lsr_core.refinement.results import Floats, LossPaths
from lsr_core.refinement.setting import converted, in_precision_of, relative_l2

TOLERANCE = 0.10
BLOCK_VALUES = 2**24
SINGLE_ABOVE = 1e-4  # relative error of the network from which float32 is enough for its losses
FINE = np.concatenate([[0.0], np.geomspace(1e-8, 1, 65), [1.1, 1.25, 1.5]])
COARSE = np.concatenate([[0.0], np.geomspace(1e-5, 1, 18), [1.25, 1.5]])


@dataclass(frozen=True)
class LossPath:
    """Mean square losses (a,) at step lengths alpha (a,).

    `agreement` is the interval of α from 0 in which the two differ by at most 10 % of the linearised loss.
    """

    alpha: Floats
    linearised: Floats
    nonlinear: Floats
    agreement: tuple[float, float]


def loss_path(problem: SupervisedProblem, delta: Tensor, alpha: Floats | None = None) -> LossPath:
    """Both losses on all training rows, for Δθ (m,) of any size, in its dtype and on its device.

    Args:
        alpha: step lengths (a,); by default 0, small ones down to 1e-8, 1, and a little beyond.

    Raises:
        InputError: Δθ does not have as many entries as the network has parameters.
    """
    function = ParametricFunction.from_module(problem.model, dtype=delta.dtype, device=delta.device)
    if delta.shape != (function.n_params,):
        raise InputError(f"has shape {tuple(delta.shape)}, the network has {function.n_params} parameters", key="delta")
    split = converted(problem.train, delta.dtype, delta.device)
    return _path(function, function, split, delta, FINE if alpha is None else np.asarray(alpha, dtype=float))


def _path(
    function: ParametricFunction, forward: ParametricFunction, split: Split, delta: Tensor, alpha: Floats
) -> LossPath:
    """The linearised loss ‖f + α J Δθ‖² is a parabola, known from one forward-mode product; the nonlinear one takes a forward pass for each α."""
    errors, pushed = _linear_parts(function, split, delta)
    steps = torch.as_tensor(alpha, dtype=delta.dtype, device=delta.device)
    linearised = torch.stack([(errors + step * pushed).square().mean() for step in steps])
    nonlinear = _nonlinear(forward, split, delta, steps)
    first, second = linearised.cpu().double().numpy(), nonlinear.cpu().double().numpy()
    return LossPath(alpha, first, second, agreement_interval(alpha, first, second))


def loss_paths(refinement: Refinement, rows: int = 200, alpha: Floats = COARSE) -> LossPaths:
    """Paths for all ranks of the ladder, on at most `rows` training samples spread evenly."""
    setting = refinement.setting
    train = setting.train
    chosen = torch.linspace(0, len(train.inputs) - 1, min(rows, len(train.inputs))).long().to(train.inputs.device)
    split = Split(train.inputs[chosen], train.targets[chosen])
    ranks = refinement.fields.ranks
    function, forward = setting.function, setting.function
    if relative_l2(refinement.sweep.train_mse[0], train) > SINGLE_ABOVE:
        forward = function.single_precision()  # half the time, and errors far below what a figure shows
    paths = [_path(function, forward, split, delta, alpha) for _, delta in refinement.deltas(ranks.tolist())]
    return LossPaths(
        ranks=ranks,
        alpha=alpha,
        linearised=np.stack([path.linearised for path in paths]),
        nonlinear=np.stack([path.nonlinear for path in paths]),
        agreement=np.array([path.agreement for path in paths]),
        n_rows=len(chosen),
    )


def agreement_interval(alpha: Floats, linearised: Floats, nonlinear: Floats) -> tuple[float, float]:
    """Largest interval of sampled α around 0 in which the losses differ by at most 10 % of the linearised one."""
    with np.errstate(invalid="ignore"):
        close = np.abs(nonlinear - linearised) <= TOLERANCE * np.abs(linearised)
    zero = int(np.argmin(np.abs(alpha)))
    low = high = zero
    while low > 0 and close[low - 1]:
        low -= 1
    while high + 1 < len(alpha) and close[high + 1]:
        high += 1
    return float(alpha[low]), float(alpha[high])


def _linear_parts(function: ParametricFunction, split: Split, delta: Tensor) -> tuple[Tensor, Tensor]:
    outputs, pushed = [], []
    for inputs in split.inputs.split(4096):
        pair = jvp(lambda theta, inputs=inputs: function(theta, inputs), (function.theta0,), (delta,))
        outputs.append(pair[0])
        pushed.append(pair[1])
    return torch.cat(outputs).detach() - split.targets, torch.cat(pushed).detach()


def _nonlinear(function: ParametricFunction, split: Split, delta: Tensor, steps: Tensor) -> Tensor:
    """Losses by forward passes, several step lengths at a time."""
    width = max(1, BLOCK_VALUES // max(1, function.n_params + 1000 * len(split.inputs)))
    inputs = in_precision_of(function, split.inputs)
    delta = delta.to(function.dtype)

    def loss(step: Tensor) -> Tensor:
        return (function(function.theta0 + step * delta, inputs) - split.targets).square().mean()

    with torch.no_grad():
        return torch.cat([vmap(loss)(part) for part in steps.to(function.dtype).split(width)])
