"""What a kind of problem says, at the end of a refinement, of numbers that it leaves open."""

from __future__ import annotations

from lsr_core.problems.kinds import part
from lsr_core.refinement.refined import Refinement


class Estimating:
    """What stands in `estimating.py` of a kind's folder; this one is of kinds that leave no number open."""

    def with_estimates(self, refinement: Refinement) -> Refinement:
        """The refinement with what its result says of them."""
        return refinement


def with_estimates(refinement: Refinement) -> Refinement:
    """The refinement with what its kind of problem says of numbers that it leaves open."""
    found: Estimating = part(refinement.problem.kind, "estimating")
    return found.with_estimates(refinement)
