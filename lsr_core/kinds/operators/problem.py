"""Operators learnt from data: a network from input functions to output functions, and pairs of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.problems.kinds import ProblemKind


@dataclass(frozen=True, eq=False)
class OperatorProblem(SupervisedProblem):
    """Each sample is a function: inputs (n, …) its values at sensors, targets (n, g) the output function on a grid.

    The rows are those of any supervised problem, g of them for each function; errors are reported as relative L2 norms of single
    functions, ‖q − y‖/‖y‖ over the grid.
    """

    kind: ClassVar[ProblemKind] = "operator"
