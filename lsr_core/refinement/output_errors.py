"""The relative error of each output, which the pooled one hides where outputs have different sizes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from lsr_core.problems.problem import Problem
from lsr_core.refinement.summary import Errors

MOST = 16  # outputs that are told one by one; more are a field on a grid, whose error is that of the whole
APART = 100.0  # times the smallest relative error, from which the largest is worth a sentence
WORSE = 1.05  # times the network's, from which an output counts as lost


class OutputErrors:
    """‖q_i − y_i‖/‖y_i‖ of every output i, gathered by blocks of samples (n, o)."""

    def __init__(self) -> None:
        self._errors: list[Tensor] = []
        self._targets: list[Tensor] = []

    def add(self, outputs: Tensor, targets: Tensor) -> None:
        """Another block."""
        if 1 < targets.shape[1] <= MOST:
            self._errors.append((outputs - targets).double().square().sum(dim=0).cpu())
            self._targets.append(targets.double().square().sum(dim=0).cpu())

    @property
    def relative(self) -> list[float | None] | None:
        """By output, None for one that should be zero throughout; None for a single output or more than `MOST`."""
        if not self._errors:
            return None
        ratios = (torch.stack(self._errors).sum(dim=0) / torch.stack(self._targets).sum(dim=0)).sqrt().tolist()
        return [value if math.isfinite(value) else None for value in ratios]


def names_of(problem: Problem) -> list[str]:
    """The outputs' names, as many as a problem gives."""
    return [quantity.name for quantity in problem.output_quantities]


def output_notes(base: Errors, refined: Errors, names: Sequence[str]) -> list[str]:
    """A sentence where the refinement costs an output, or where the relative errors of the outputs lie far apart."""
    before, after = base.by_output, refined.by_output
    if before is None or after is None:
        return []
    named = [names[place] if len(names) == len(after) else f"output {place + 1}" for place in range(len(after))]
    known = [
        (name, old, new)
        for name, old, new in zip(named, before, after, strict=True)
        if old is not None and new is not None
    ]
    lost = [f"{name} ({old:.1e} to {new:.1e})" for name, old, new in known if new > WORSE * old]
    advice = "The loss is that of all outputs together, and the largest count for most: divide each by its size before training and refining."
    if lost:
        return [
            f"The refinement costs what it gains elsewhere: the relative error rises at {', '.join(lost)}. {advice}"
        ]
    worst = max(known, key=lambda item: item[2], default=None)
    best = min(known, key=lambda item: item[2], default=None)
    if worst is None or best is None or worst[2] <= APART * best[2]:
        return []
    return [
        f"The outputs are right to different digits: the relative error is {worst[2]:.1e} at {worst[0]} and {best[2]:.1e} at {best[0]}. {advice}"
    ]
