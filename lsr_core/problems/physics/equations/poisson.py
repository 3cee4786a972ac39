"""Poisson's equation on the unit square with a solution whose frequency grows along x."""

from __future__ import annotations

import math
from typing import Any

import torch
from pydantic import Field
from torch import Tensor

from lsr_core.networks.transforms import HardConditions, register
from lsr_core.problems.physics.blocks import ResidualBlock
from lsr_core.problems.physics.equations.definition import PDE, EquationArguments, interior, registered, zero_at_ends

DOMAIN = {"x": (0.0, 1.0), "y": (0.0, 1.0)}


class PoissonArguments(EquationArguments):
    """u = sin(π(kx)²) sin πy."""

    k: int = Field(2, ge=1, le=100)


@register("poisson-dirichlet")
class PoissonDirichlet(HardConditions):
    """Zero on the boundary of the unit square; the mask is one in its middle."""

    def mask(self, points: Tensor) -> Tensor:
        x, y = points[:, :1], points[:, 1:2]
        return 16 * x * (1 - x) * y * (1 - y)


def solution(points: Tensor, k: int = 2) -> Tensor:
    """u at points (n, 2), (n, 1)."""
    x, y = points[:, :1], points[:, 1:2]
    return torch.sin(math.pi * (k * x) ** 2) * torch.sin(math.pi * y)


def load(x: Tensor, y: Tensor, k: int = 2) -> Tensor:
    """Δu."""
    phase = math.pi * (k * x) ** 2
    speed = 2 * math.pi * k * k * x  # of the phase
    across = 2 * math.pi * k * k * torch.cos(phase) - (speed**2 + math.pi**2) * torch.sin(phase)
    return across * torch.sin(math.pi * y)


@registered("poisson", PoissonArguments)
def equation(options: PoissonArguments) -> PDE:
    """u_xx + u_yy = f, u = 0 on the boundary."""
    k = options.k

    def residual(field: Any) -> Tensor:
        left: Tensor = field["u_xx"] + field["u_yy"]
        return left - load(field.x("x"), field.x("y"), k)

    blocks: tuple[ResidualBlock, ...] = (interior(DOMAIN, ("u_xx", "u_yy"), residual, options),)
    if options.constraints == "soft":
        blocks += (zero_at_ends(DOMAIN, ("x", "y"), options),)
    return PDE(
        name="poisson",
        title="Poisson equation",
        formula="u_xx + u_yy = f on [0, 1]², u = 0 on the boundary; u = sin(π(kx)²) sin(πy)",
        arguments=options.model_dump(),
        domain=DOMAIN,
        blocks=blocks,
        grid=(257, 257),
        exact=lambda points: solution(points, k),
        transform=("poisson-dirichlet", {}) if options.constraints == "hard" else None,
        source="Cao & Zhang (2026), arXiv 2601.13989: k = 2",
    )
