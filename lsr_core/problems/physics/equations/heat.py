"""The heat equation on a rod with two modes, one of which dies early."""

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
    registered,
    zero_at_ends,
)

DOMAIN = {"x": (0.0, 1.0), "t": (0.0, 1.0)}


class HeatArguments(EquationArguments):
    """Conductivity, and the wave number of the second mode."""

    conductivity: float = Field(0.1, gt=0, allow_inf_nan=False)
    wave: int = Field(3, ge=1, le=1000)


def heat_start(x: Tensor, wave: int) -> Tensor:
    """sin πx + sin(kπx)/2."""
    return torch.sin(math.pi * x) + 0.5 * torch.sin(wave * math.pi * x)


@register("heat-initial")
class HeatInitial(HardConditions):
    """Start from `heat_start` and zero ends of [0, 1]."""

    wave: int = Field(3, ge=1)

    def lift(self, points: Tensor) -> Tensor:
        return heat_start(points[:, :1], self.wave)

    def mask(self, points: Tensor) -> Tensor:
        x, t = points[:, :1], points[:, 1:2]
        return 4 * x * (1 - x) * t


def solution(points: Tensor, conductivity: float = 0.1, wave: int = 3) -> Tensor:
    """Σ a_k exp(−κ(kπ)²t) sin(kπx) at points (n, 2), (n, 1)."""
    x, t = points[:, :1], points[:, 1:2]
    total = torch.zeros_like(x)
    for amplitude, k in ((1.0, 1), (0.5, wave)):
        rate = conductivity * (k * math.pi) ** 2
        total = total + amplitude * torch.exp(-rate * t) * torch.sin(k * math.pi * x)
    return total


@registered("heat", HeatArguments)
def equation(options: HeatArguments) -> PDE:
    """u_t = κ u_xx, zero at the ends."""
    conductivity, mode = options.conductivity, options.wave

    def exact(points: Tensor) -> Tensor:
        return solution(points, conductivity, mode)

    def residual(field: Any) -> Tensor:
        total: Tensor = field["u_t"] - conductivity * field["u_xx"]
        return total

    blocks: tuple[ResidualBlock, ...] = (interior(DOMAIN, ("u_t", "u_xx"), residual, options),)
    if options.constraints == "soft":
        start = at_first(DOMAIN, lambda points: heat_start(points[:, 0], mode), options)
        blocks += (start, zero_at_ends(DOMAIN, ("x",), options))
    return PDE(
        name="heat",
        title="Heat equation",
        formula="u_t = κ u_xx on [0, 1]², u(x, 0) = sin(πx) + sin(kπx)/2, u = 0 at both ends",
        arguments=options.model_dump(),
        domain=DOMAIN,
        blocks=blocks,
        grid=(257, 101),
        exact=exact,
        transform=("heat-initial", {"wave": mode}) if options.constraints == "hard" else None,
        source="textbook",
    )
