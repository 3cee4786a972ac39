"""Transport around a circle, fast enough that plain training fails."""

from __future__ import annotations

import math
from typing import Any, Literal

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


class ConvectionArguments(EquationArguments):
    """`soft-periodic` has the initial condition in the network's formula, and periodicity as a block."""

    constraints: Literal["hard", "soft-periodic", "soft"] = "hard"  # type: ignore[assignment]
    beta: float = Field(40.0, gt=0, allow_inf_nan=False)


@register("convection-initial")
class ConvectionInitial(HardConditions):
    """Start from sin x."""

    def lift(self, points: Tensor) -> Tensor:
        return torch.sin(points[:, :1])

    def mask(self, points: Tensor) -> Tensor:
        return points[:, 1:2]


def solution(points: Tensor, beta: float = 40.0) -> Tensor:
    """sin(x − βt) at points (n, 2), (n, 1)."""
    return torch.sin(points[:, :1] - beta * points[:, 1:2])


@registered("convection", ConvectionArguments)
def equation(options: ConvectionArguments) -> PDE:
    """u_t + β u_x = 0, u(x, 0) = sin x, periodic in x."""
    beta = options.beta

    def residual(field: Any) -> Tensor:
        total: Tensor = field["u_t"] + beta * field["u_x"]
        return total

    blocks: tuple[ResidualBlock, ...] = (interior(DOMAIN, ("u_t", "u_x"), residual, options),)
    if options.constraints == "soft":
        blocks += (at_first(DOMAIN, lambda points: torch.sin(points[:, 0]), options),)
    if options.constraints != "hard":
        blocks += (periodic(DOMAIN, "x", options, slopes=False),)
    return PDE(
        name="convection",
        title="Convection equation",
        formula="u_t + β u_x = 0 on [0, 2π] × [0, 1], u(x, 0) = sin x, periodic in x; u = sin(x − βt)",
        arguments=options.model_dump(),
        domain=DOMAIN,
        blocks=blocks,
        grid=(257, 101),
        exact=lambda points: solution(points, beta),
        transform=None if options.constraints == "soft" else ("convection-initial", {}),
        periods={"x": 2 * math.pi},
        source="Rathore et al. (2024), arXiv 2402.01868: β = 40",
    )
