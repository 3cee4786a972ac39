"""Would the same network do better from another start? The one question that linearising at θ0 cannot answer.

What is tried is bounded by work, never by the clock, so that a verdict is the same on a busy machine and on an idle one.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lsr_core.diagnosis.kinds import judging
from lsr_core.errors import InputError
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.data_residual import DataResidual
from lsr_core.problems.problem import Problem
from lsr_core.problems.splits import Split
from lsr_core.refinement.setting import converted
from lsr_core.training.levenberg_marquardt import levenberg_marquardt

MOST_PARAMETERS = 1500  # a step solves a dense system of this size
MOST_ROWS = 1500
STARTS = 8
STEPS = 60  # of each
WORK = 6e10  # multiplications of all starts together: seconds on one core
ENOUGH = 0.03  # of the network's error: a start that reaches it has answered


@dataclass(frozen=True)
class Restarts:
    """Errors of the network trained anew.

    Attributes:
        best: smallest root mean square error of all starts on samples held out (training samples where there are none).
        base: the same of the network as it is.
        starts: how many there were.
        steps: of Levenberg-Marquardt, at most, from each.
    """

    best: float
    base: float
    starts: int
    steps: int

    @property
    def fall(self) -> float:
        return self.best / self.base if self.base > 0 else math.inf


def restarts(problem: Problem, seed: int = 0) -> Restarts | None:
    """Train the same network from a few random starts by Levenberg-Marquardt steps.

    None where that says nothing or takes too long; `why_not` has the reason.
    """
    data = _data(problem)
    if isinstance(data, str):
        return None
    train, held = (_thinned(split) for split in data)
    base = _error(ParametricFunction.from_module(problem.model, dtype=torch.float64), held, None)
    starts, steps = _affordable(sum(value.numel() for value in problem.model.parameters()), train.targets.numel())
    best, done = math.inf, 0
    while done < starts and not best <= ENOUGH * base:
        function = ParametricFunction.from_module(restarted(problem.model, seed + done), dtype=torch.float64)
        try:
            found = levenberg_marquardt(DataResidual(function, train), steps=steps, redraw_every=None)
        except InputError:  # a start whose loss is not finite
            found = None
        done += 1
        if found is not None:
            best = min(best, _error(function, held, found.theta))
    return Restarts(best, base, done, steps)


def why_not(problem: Problem) -> str:
    """Why the network cannot be trained anew here, in words that follow "because"; empty where it can."""
    found = _data(problem)
    return found if isinstance(found, str) else ""


def _data(problem: Problem) -> tuple[Split, Split] | str:
    """Training and held-out data, or why not."""
    data = judging(problem.kind).restarting(problem)
    if isinstance(data, str):
        return data
    count = sum(value.numel() for value in problem.model.parameters())
    if count > MOST_PARAMETERS:
        return f"it has {count:,} parameters and that is done up to {MOST_PARAMETERS:,}"
    if not can_restart(problem.model):
        return "it has parameters outside layers that can be initialised anew"
    return data


def _affordable(count: int, rows: int) -> tuple[int, int]:
    """Starts, and steps of each, that `WORK` pays for; a step forms and factorises the normal equations."""
    each = count**2 * (rows + count / 3)
    total = max(1, int(WORK / each))
    starts = max(1, min(STARTS, total // STEPS))
    return starts, min(STEPS, max(1, total // starts))


def can_restart(model: nn.Module) -> bool:
    """Whether every parameter belongs to a layer that knows how to initialise itself."""
    covered = {id(p) for part in model.modules() if hasattr(part, "reset_parameters") for p in part.parameters()}
    return all(id(parameter) in covered for parameter in model.parameters())


def restarted(model: nn.Module, seed: int) -> nn.Module:
    fresh = copy.deepcopy(model)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for part in fresh.modules():
            reset = getattr(part, "reset_parameters", None)
            if callable(reset):
                reset()
    return fresh


def _thinned(split: Split) -> Split:
    step = max(1, math.ceil(len(split.inputs) / MOST_ROWS))
    some = Split(split.inputs[::step], split.targets[::step])
    return converted(some, torch.float64, split.inputs.device)


def _error(function: ParametricFunction, split: Split, theta: Tensor | None) -> float:
    value = float((function.outputs(split.inputs, theta) - split.targets).square().mean().sqrt())
    return value if math.isfinite(value) else math.inf
