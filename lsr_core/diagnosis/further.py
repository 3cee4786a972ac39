"""Would training have gone on by itself? A network that was stopped early is held back by nothing yet.

What is tried is bounded by work, as in `restarts`, so that a verdict is the same on a busy machine and on an idle one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from lsr_core.diagnosis.kinds import judging
from lsr_core.diagnosis.restarts import held_out_error, thinned
from lsr_core.errors import InputError
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.data_residual import DataResidual
from lsr_core.problems.problem import Problem
from lsr_core.training.adam import adam

STEPS = 300
RATES = (3e-3, 3e-4)  # the second where the first gains next to nothing: it may be too long for this network
NEXT_TO_NOTHING = 0.9  # of the error left
MOST_ROWS = 500
WORK = 1e11  # multiplications: parameters times samples times steps


@dataclass(frozen=True)
class Further:
    """What plain training from the weights as they are comes to.

    Attributes:
        steps: of Adam, on at most 500 training samples at once.
        rate: of them, the better of those that were tried.
        left: root mean square error on samples held out (training samples where there are none) over that of the network.
    """

    steps: int
    rate: float
    left: float


def further(problem: Problem) -> Further | None:
    """Train on by Adam; None where that says nothing or takes too long, `why_no_further` has the reason."""
    data = judging(problem.kind).restarting(problem)
    if isinstance(data, str) or why_no_further(problem):
        return None
    train, held = (thinned(split, MOST_ROWS) for split in data)
    function = ParametricFunction.from_module(problem.model, dtype=torch.float64)
    base = held_out_error(function, held, None)
    if not 0 < base < math.inf:
        return None
    best = Further(STEPS, RATES[0], math.inf)
    for rate in RATES:
        if best.left <= NEXT_TO_NOTHING:
            break
        try:
            found = adam(DataResidual(function, train), steps=STEPS, lr=rate)
        except InputError:  # a loss that is not finite
            continue
        left = held_out_error(function, held, found.theta) / base
        best = min(best, Further(STEPS, rate, left), key=lambda one: one.left)
    return best if math.isfinite(best.left) else None


def why_no_further(problem: Problem) -> str:
    """Why the network is not trained on here, in words that follow a colon; empty where it is."""
    data = judging(problem.kind).restarting(problem)
    if isinstance(data, str):
        return data
    count = sum(value.numel() for value in problem.model.parameters())
    most = int(WORK / (STEPS * min(MOST_ROWS, len(data[0].inputs))))
    if count > most:
        return f"it has {count:,} parameters and that is done up to {most:,}"
    return ""
