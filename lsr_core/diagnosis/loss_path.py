"""Loss along θ0 + αΔθ: of the linearised model, and of the network itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lsr_core.diagnosis.kinds import judging
from lsr_core.errors import InputError
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.problem import Problem
from lsr_core.problems.residual import Residual
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.results import AGREEMENT, Floats, LossPaths
from lsr_core.refinement.sizes import path_samples

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


def loss_path(problem: Problem, delta: Tensor, alpha: Floats | None = None) -> LossPath:
    """Both losses on all training rows, for Δθ (m,) of any size, in its dtype and on its device.

    Args:
        alpha: step lengths (a,); by default 0, small ones down to 1e-8, 1, and a little beyond.

    Raises:
        InputError: Δθ does not have as many entries as the network has parameters; a classifier.
    """
    function = ParametricFunction.from_module(problem.model, dtype=delta.dtype, device=delta.device)
    if delta.shape != (function.n_params,):
        raise InputError(f"has shape {tuple(delta.shape)}, the network has {function.n_params} parameters", key="delta")
    rows = judging(problem.kind).all_rows(problem, function)
    [path] = _paths(rows, delta[:, None], FINE if alpha is None else np.asarray(alpha, dtype=float))
    return path


def _paths(rows: Residual, deltas: Tensor, alpha: Floats) -> list[LossPath]:
    """Along each column of `deltas` (m, d).

    The linearised loss ‖f + α G Δθ‖² is a parabola, known from one forward-mode product; the nonlinear one takes a forward pass for each α.
    """
    errors, pushed = rows.values(), rows.along(deltas)
    steps = torch.as_tensor(alpha, dtype=deltas.dtype, device=deltas.device)
    paths = []
    for delta, along in zip(deltas.unbind(1), pushed.unbind(1), strict=True):
        linearised = torch.stack([(errors + step * along).square().sum() for step in steps])
        nonlinear = rows.losses_at(delta[:, None], steps[:, None])
        first, second = linearised.cpu().double().numpy(), nonlinear.cpu().double().numpy()
        paths.append(LossPath(alpha, first, second, agreement_interval(alpha, first, second)))
    return paths


def loss_paths(refinement: Refinement, rows: int | None = None, alpha: Floats = COARSE) -> LossPaths:
    """Paths for all ranks of the ladder, on at most about `rows` training samples spread evenly; as many as can be afforded if not given."""
    setting = refinement.setting
    rows = path_samples(setting.sizes) if rows is None else rows
    chosen, count = judging(setting.kind).some_rows(setting, rows, float(refinement.sweep.residual_norm[0]) ** 2)
    ranks = refinement.fields.ranks
    paths = [path for _, deltas in refinement.delta_blocks(ranks.tolist()) for path in _paths(chosen, deltas, alpha)]
    return LossPaths(
        ranks=ranks,
        alpha=alpha,
        linearised=np.stack([path.linearised for path in paths]),
        nonlinear=np.stack([path.nonlinear for path in paths]),
        agreement=np.array([path.agreement for path in paths]),
        n_rows=count,
    )


def agreement_interval(alpha: Floats, linearised: Floats, nonlinear: Floats) -> tuple[float, float]:
    """Largest interval of sampled α around 0 in which the losses differ by at most 10 % of the linearised one."""
    with np.errstate(invalid="ignore"):
        close = np.abs(nonlinear - linearised) <= AGREEMENT * np.abs(linearised)
    zero = int(np.argmin(np.abs(alpha)))
    low = high = zero
    while low > 0 and close[low - 1]:
        low -= 1
    while high + 1 < len(alpha) and close[high + 1]:
        high += 1
    return float(alpha[low]), float(alpha[high])
