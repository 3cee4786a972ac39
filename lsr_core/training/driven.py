"""Collocation points that follow the residual of a trained network, for the refinement that comes after."""

from __future__ import annotations

from dataclasses import replace

import torch

from lsr_core.problems.physics.problem import FITTED, FRESH, PhysicsProblem
from lsr_core.training.objective import Draw, PhysicsObjective


def follow_residual(problem: PhysicsProblem, *, share: float = 0.5, seed: int | None = None) -> PhysicsProblem:
    """The same problem on new points, part of them where the residual of its network is large (RAD: Wu et al. 2023).

    Fronts and layers get points that uniform ones miss. Only the residual is looked at, never the solution. As many points
    as before, fitted and fresh from streams of their own; pairs and prescribed values stay evenly drawn.

    Args:
        problem: its network is at its trained weights.
        share: of the points that follow the residual, in [0, 1].
        seed: of the points; None = that of the problem.

    Raises:
        InputError: a share outside [0, 1], or a residual that is not finite.
    """
    seeded = problem.seed if seed is None else seed
    drawn = []
    for stream, before in ((FITTED, problem.points), (FRESH, problem.fresh)):
        objective = PhysicsObjective(problem, Draw({name: len(points) for name, points in before.items()}, share))
        objective.redraw(objective.theta0, torch.Generator().manual_seed((seeded * 1_000_003 + 10 + stream) % 2**63))
        drawn.append(objective.points)
    return replace(problem, points=drawn[0], fresh=drawn[1])
