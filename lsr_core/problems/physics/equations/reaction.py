"""Logistic growth at every place by itself, which turns a Gaussian into a plateau with steep sides."""

from __future__ import annotations

import math
from typing import Any

import torch
from pydantic import Field
from torch import Tensor

from lsr_core.networks.transforms import HardConditions, register
from lsr_core.problems.physics.blocks import ResidualBlock
from lsr_core.problems.physics.equations.definition import (
    PDE,
    EquationArguments,
    at_first,
    interior,
    periodic,
    registered,
)

DOMAIN = {"x": (0.0, 2 * math.pi), "t": (0.0, 1.0)}


class ReactionArguments(EquationArguments):
    """ρ is the rate."""

    rho: float = Field(5.0, gt=0, allow_inf_nan=False)


def reaction_start(x: Tensor) -> Tensor:
    """A Gaussian of deviation π/4 in the middle of [0, 2π]."""
    return torch.exp(-((x - math.pi) ** 2) / (2 * (math.pi / 4) ** 2))


@register("reaction-initial")
class ReactionInitial(HardConditions):
    """Start from `reaction_start`."""

    def lift(self, points: Tensor) -> Tensor:
        return reaction_start(points[:, :1])

    def mask(self, points: Tensor) -> Tensor:
        return points[:, 1:2]


def solution(points: Tensor, rho: float = 5.0) -> Tensor:
    """h e^{ρt} / (h e^{ρt} + 1 − h) with the start h, at points (n, 2), (n, 1)."""
    start = reaction_start(points[:, :1])
    grown = start * torch.exp(rho * points[:, 1:2])
    return grown / (grown + 1 - start)


@registered("reaction", ReactionArguments)
def equation(options: ReactionArguments) -> PDE:
    """u_t = ρ u (1 − u), a Gaussian at first.

    The start takes the same value at both ends, so the solution does as well, and periodicity is asked for only where constraints are soft.
    """
    rho = options.rho

    def residual(field: Any) -> Tensor:
        u = field["u"]
        total: Tensor = field["u_t"] - rho * u * (1 - u)
        return total

    blocks: tuple[ResidualBlock, ...] = (interior(DOMAIN, ("u_t",), residual, options),)
    if options.constraints == "soft":
        start = at_first(DOMAIN, lambda points: reaction_start(points[:, 0]), options)
        blocks += (start, periodic(DOMAIN, "x", options, slopes=False))
    return PDE(
        name="reaction",
        title="Reaction equation",
        formula="u_t = ρ u (1 − u) on [0, 2π] × [0, 1], u(x, 0) = exp(−(x − π)² / (2 (π/4)²)), periodic in x",
        arguments=options.model_dump(),
        domain=DOMAIN,
        blocks=blocks,
        grid=(257, 101),
        exact=lambda points: solution(points, rho),
        transform=("reaction-initial", {}) if options.constraints == "hard" else None,
        source="Rathore et al. (2024), arXiv 2402.01868: ρ = 5",
    )
