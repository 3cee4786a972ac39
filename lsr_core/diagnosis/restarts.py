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
FEW_STARTS = 4  # where one solve gains something already
ENOUGH = 0.03  # of the network's error: a start that reaches it has answered


@dataclass(frozen=True)
class Restarts:
    """Errors of the network trained anew.

    Attributes:
        best: smallest root mean square error of all starts on samples held out (training samples where there are none).
        base: the same of the network as it is.
        starts: how many there were.
        steps: of Levenberg-Marquardt, at most, from each.
        here: the error after as many steps from the weights as they are; None where that was not asked.
    """

    best: float
    base: float
    starts: int
    steps: int
    here: float | None = None

    @property
    def fall(self) -> float:
        return self.best / self.base if self.base > 0 else math.inf


def restarts(problem: Problem, seed: int = 0, *, here: bool = False) -> Restarts | None:
    """Train the same network from a few random starts by Levenberg-Marquardt steps.

    None where that says nothing or takes too long; `why_not` has the reason.

    Args:
        here: whether to train on from the weights as they are as well; there are fewer other starts then.
    """
    data = _data(problem)
    if isinstance(data, str):
        return None
    train, held = (thinned(split, MOST_ROWS) for split in data)
    as_it_is = ParametricFunction.from_module(problem.model, dtype=torch.float64)
    base = held_out_error(as_it_is, held, None)
    starts, steps = _affordable(sum(value.numel() for value in problem.model.parameters()), train.targets.numel())
    onward = min(base, _trained(as_it_is, train, held, steps)) if here else None
    starts = min(starts, FEW_STARTS) if here else starts
    best, done = math.inf, 0
    while done < starts and not best <= ENOUGH * base:
        function = ParametricFunction.from_module(restarted(problem.model, seed + done), dtype=torch.float64)
        best = min(best, _trained(function, train, held, steps))
        done += 1
    return Restarts(best, base, done, steps, onward)


def _trained(function: ParametricFunction, train: Split, held: Split, steps: int) -> float:
    """Held-out error after so many steps; infinite from a start whose loss is not finite."""
    try:
        found = levenberg_marquardt(DataResidual(function, train), steps=steps, redraw_every=None)
    except InputError:
        return math.inf
    return held_out_error(function, held, found.theta)


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


def thinned(split: Split, most: int) -> Split:
    """At most so many of its samples, evenly, in float64."""
    step = max(1, math.ceil(len(split.inputs) / most))
    some = Split(split.inputs[::step], split.targets[::step])
    return converted(some, torch.float64, split.inputs.device)


def held_out_error(function: ParametricFunction, split: Split, theta: Tensor | None) -> float:
    """Root mean square error at θ (by default θ0); infinite where it is not finite."""
    value = float((function.outputs(split.inputs, theta) - split.targets).square().mean().sqrt())
    return value if math.isfinite(value) else math.inf
