"""Would the same network do better from another start? The one question that linearising at θ0 cannot answer."""

from __future__ import annotations

import copy
import math
import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.classification import ClassificationProblem
from lsr_core.problems.problem import Problem
from lsr_core.problems.supervised import Split, SupervisedProblem
from lsr_core.refinement.setting import converted
from lsr_core.training.data import DataObjective
from lsr_core.training.levenberg_marquardt import levenberg_marquardt

MOST_PARAMETERS = 1500  # a step solves a dense system of this size
MOST_ROWS = 1500
STARTS = 8
STEPS = 60
SECONDS = 6.0  # for all starts together


@dataclass(frozen=True)
class Restarts:
    """Errors of the network trained anew for a few seconds.

    Attributes:
        best: smallest root mean square error of all starts on samples held out (training samples where there are none).
        base: the same of the network as it is.
        starts: how many there were.
        seconds: taken.
    """

    best: float
    base: float
    starts: int
    seconds: float

    @property
    def fall(self) -> float:
        return self.best / self.base if self.base > 0 else math.inf


def restarts(problem: Problem, seed: int = 0, seconds: float = SECONDS) -> Restarts | None:
    """Train the same network from a few random starts by Levenberg-Marquardt steps.

    None where that says nothing or takes too long: an equation, a classifier, a network that cannot be initialised anew, or too many parameters.
    """
    if not isinstance(problem, SupervisedProblem) or isinstance(problem, ClassificationProblem):
        return None
    count = sum(value.numel() for value in problem.model.parameters())
    if count > MOST_PARAMETERS or not _can_restart(problem.model):
        return None
    began = time.perf_counter()
    train = _thinned(problem.train)
    held = _thinned(problem.validation or problem.train)
    base = _error(ParametricFunction.from_module(problem.model, dtype=torch.float64), held, None)
    best, done = math.inf, 0
    while done < STARTS and time.perf_counter() - began < seconds:
        function = ParametricFunction.from_module(_restarted(problem.model, seed + done), dtype=torch.float64)
        left = max(0.1, seconds - (time.perf_counter() - began))
        try:
            found = levenberg_marquardt(DataObjective(function, train), steps=STEPS, seconds=left, redraw_every=None)
        except InputError:  # a start whose loss is not finite
            found = None
        done += 1
        if found is not None:
            best = min(best, _error(function, held, found.theta))
    return Restarts(best, base, done, time.perf_counter() - began)


def _can_restart(model: nn.Module) -> bool:
    """Whether every parameter belongs to a layer that knows how to initialise itself."""
    covered = {id(p) for part in model.modules() if hasattr(part, "reset_parameters") for p in part.parameters()}
    return all(id(parameter) in covered for parameter in model.parameters())


def _restarted(model: nn.Module, seed: int) -> nn.Module:
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
