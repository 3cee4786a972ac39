"""One solve of a problem by a network that is at its start, and what it is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.residuals import BlockRows
from lsr_core.refinement.relative_residual import relative_residual
from lsr_core.solver.allowance import Allowance
from lsr_core.solver.config import SolveConfig
from lsr_core.solver.found import Found
from lsr_core.solver.measuring import directions_for, estimate, is_inverse
from lsr_core.solver.networks import WindowNetwork
from lsr_core.solver.newton import newton
from lsr_core.solver.tangent import Tangent, read_along

FULL = 600  # parameters up to which all of them are directions
BELOW = 0.01  # of the tolerance: no further step is asked for


@dataclass(frozen=True, eq=False)
class Attempt:
    """What came out.

    Attributes:
        model: at θ0.
        arguments: of its `pinn-mlp`.
        delta: Δθ (m,).
        relative: residual of the delivered predictor at fresh points over the sizes of the terms, the largest of all blocks; infinite where
            it is not finite.
        block: whose that is.
        losses: Σ weight·mean(r²) at fitted and at fresh points.
        steps: Gauss-Newton steps taken.
        ending: of them.
        rank: directions.
        found: unknown numbers and how measured values are met, where there are any.
        evidence: log density of measured values by their noise; -inf where there is none.
    """

    model: nn.Module
    arguments: dict[str, Any]
    delta: Tensor
    relative: float
    block: str
    losses: tuple[float, float]
    steps: int
    ending: str
    rank: int
    found: Found | None = None
    evidence: float = -math.inf

    def figures(self) -> dict[str, Any]:
        """As a record has them."""
        fitted, fresh = (math.sqrt(loss) if math.isfinite(loss) else None for loss in self.losses)
        return {
            "newton_steps": self.steps,
            "residual": fitted,
            "fresh_residual": fresh,
            "relative_residual": self.relative if math.isfinite(self.relative) else None,
            "block": self.block,
            "ending": self.ending,
            "rank": self.rank,
        }


def rank_of(config: SolveConfig, size: int, problem: PhysicsProblem) -> int:
    """Directions for a network of so many parameters."""
    return min(size, config.rank or directions_for(problem, FULL))


def attempt(
    problem: PhysicsProblem,
    network: WindowNetwork,
    rank: int,
    config: SolveConfig,
    allowance: Allowance,
    *,
    weights: bool = True,
    begin: Tensor | None = None,
) -> Attempt:
    """Gauss-Newton from the constant field of a network, or from another one, in its tangent space.

    Args:
        problem: on which the network stands.
        rank: directions.
        config: tolerance and steps.
        allowance: asked before each step.
        weights: whether other weights of the equation are tried, where values are measured.
        begin: Δθ (m,) in the space, of the field that steps begin from; None = the constant one.
    """
    space = Tangent(problem, rank, problem.seed)

    def small(alpha: Tensor, slow: bool) -> bool:
        """Far below the tolerance, or below it where further steps gain little."""
        return _relative(space, space.fresh_fields(alpha))[0] <= (1.0 if slow else BELOW) * config.tolerance

    start = space.coefficients(network.silent if begin is None else begin)
    if not is_inverse(problem):
        result = newton(space, start, steps=config.steps, small=small, allowance=allowance)
        return _made(network, space, result.alpha, space.fresh_blocks, result.steps, result.ending)
    found = estimate(
        space,
        start,
        lambda alpha: _relative(space, space.fresh_fields(alpha))[0],
        steps=config.steps,
        small=small,
        weights=weights,
        allowance=allowance,
    )
    # Values that are met by their noise have no part in the relative residual.
    judged = [rows for rows in space.fresh_blocks if not (found.noisy and rows.block.measured)]
    made = _made(network, space, found.alpha, judged, found.steps, found.ending)
    return replace(made, found=found.found, evidence=found.evidence)


def _made(
    network: WindowNetwork, space: Tangent, alpha: Tensor, judged: Sequence[BlockRows], steps: int, ending: str
) -> Attempt:
    """The attempt that ends at these coefficients, with the relative residual of the blocks that are judged."""
    delta = space.delta(alpha)
    relative, block = _relative(space, [(rows, read_along(rows, delta)) for rows in judged])
    return Attempt(
        network.model,
        network.arguments,
        delta,
        relative,
        block,
        (float(space.losses(alpha[:, None])[0]), space.fresh_loss(alpha)),
        steps,
        ending,
        space.rank,
    )


def _relative(space: Tangent, fields: list[tuple[BlockRows, Tensor]]) -> tuple[float, str]:
    """Relative residual at fresh points, and the block where it is largest; infinite where it is not finite."""
    if not all(bool(torch.isfinite(values).all()) for _, values in fields):
        return math.inf, ""
    found = relative_residual(fields, list(space.problem.domain.values()))
    return (found.worst if math.isfinite(found.worst) else math.inf), found.block
