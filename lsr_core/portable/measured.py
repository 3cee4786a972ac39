"""The refined predictor of a problem, and the errors that are said of it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lsr_core.networks.copies import in_dtype
from lsr_core.problems.problem import Problem
from lsr_core.problems.splits import Split
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.spread import Spread
from lsr_core.storage.export import named_delta


def predictor_of(problem: Problem, delta: Tensor, dtype: torch.dtype, spread: Spread | None = None) -> RefinedPredictor:
    """The predictor in a dtype, on the CPU; raises as `named_delta`."""
    delta = delta.detach().cpu()
    spread = None if spread is None else spread.in_precision(dtype)
    predictor = RefinedPredictor(problem.model.cpu(), named_delta(problem.model, delta), spread=spread)
    in_dtype(predictor, dtype)
    return predictor.eval()


def reported_split(problem: Problem) -> tuple[str, Split]:
    """The split that errors are reported on: test, else what is displayed."""
    splits = problem.splits()
    return ("test", splits["test"]) if "test" in splits else problem.display


def relative_error(outputs: Tensor, split: Split) -> float:
    """‖q − y‖/‖y‖ over a split; NaN where y is zero throughout, as it is where nothing is known."""
    targets = split.targets.double().flatten(1)
    return math.nan if not targets.any() else float((outputs.double().flatten(1) - targets).norm() / targets.norm())
