"""The relative error of each output, which the pooled one hides where outputs have different sizes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from lsr_core.linalg.reduction import Reduction
from lsr_core.problems.problem import Problem
from lsr_core.refinement.summary import Errors

APART = 100.0  # times the smallest relative error, from which the largest is worth a sentence
WORSE = 1.05  # times the network's, from which an output counts as lost


class OutputErrors:
    """‖q_i − y_i‖/‖y_i‖ of every output i that is told by itself, gathered by blocks of samples (n, o).

    Args:
        parts: how many these are, each of o/parts columns.
    """

    def __init__(self, parts: int) -> None:
        self._parts = parts
        self._errors = torch.zeros(parts, dtype=torch.float64)
        self._targets = torch.zeros(parts, dtype=torch.float64)

    def add(self, outputs: Tensor, targets: Tensor) -> None:
        """Another block."""
        if self._parts > 1:
            for kept, values in ((self._errors, outputs - targets), (self._targets, targets)):
                kept += values.double().unflatten(1, (self._parts, -1)).square().sum(dim=(0, 2)).cpu()

    def over(self, reduction: Reduction) -> OutputErrors:
        """Of the blocks of all processes."""
        found = OutputErrors(self._parts)
        found._errors, found._targets = reduction.sum(torch.stack([self._errors, self._targets]))
        return found

    @property
    def relative(self) -> list[float | None] | None:
        """By output, None for one that should be zero throughout; None where there is but one."""
        if self._parts == 1:
            return None
        ratios = (self._errors / self._targets).sqrt().tolist()
        return [value if math.isfinite(value) else None for value in ratios]


def names_of(problem: Problem) -> list[str]:
    """The outputs' names, as many as a problem gives."""
    return [quantity.name for quantity in problem.output_quantities]


def output_notes(base: Errors, refined: Errors, names: Sequence[str], *, divided: bool = False) -> list[str]:
    """A sentence where the refinement costs an output, or where the relative errors of the outputs lie far apart.

    Args:
        divided: whether the solve has divided outputs by their sizes.
    """
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
    advice = (
        "Each was divided by its size in the solve."
        if divided
        else "The loss is that of all outputs together, and the largest count for most: standardise=yes divides each by its size."
    )
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
