"""The wave equation on a string that swings in two modes."""

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
from lsr_core.problems.physics.samplers import Box

DOMAIN = {"x": (0.0, 1.0), "t": (0.0, 1.0)}
SPEED = 2.0


class WaveArguments(EquationArguments):
    """β is the wave number of the second mode; a whole number, so that the ends stay at rest."""

    beta: int = Field(5, ge=1, le=1000)


def wave_start(x: Tensor, beta: float) -> Tensor:
    """sin πx + sin(βπx)/2."""
    return torch.sin(math.pi * x) + 0.5 * torch.sin(beta * math.pi * x)


@register("wave-initial")
class WaveInitial(HardConditions):
    """Start at rest from `wave_start` and zero ends of [0, 1]; β must be a whole number for the ends to agree."""

    beta: float = Field(5.0, gt=0)

    def lift(self, points: Tensor) -> Tensor:
        return wave_start(points[:, :1], self.beta)

    def mask(self, points: Tensor) -> Tensor:
        x, t = points[:, :1], points[:, 1:2]
        return 4 * x * (1 - x) * t * t


def solution(points: Tensor, beta: int = 5) -> Tensor:
    """sin πx cos 2πt + sin(βπx) cos(2βπt) / 2 at points (n, 2), (n, 1)."""
    x, t = math.pi * points[:, :1], SPEED * math.pi * points[:, 1:2]
    return torch.sin(x) * torch.cos(t) + 0.5 * torch.sin(beta * x) * torch.cos(beta * t)


@registered("wave", WaveArguments)
def equation(options: WaveArguments) -> PDE:
    """u_tt = 4 u_xx, at rest at first, zero at the ends."""
    beta = options.beta

    def residual(field: Any) -> Tensor:
        total: Tensor = field["u_tt"] - SPEED**2 * field["u_xx"]
        return total

    blocks: tuple[ResidualBlock, ...] = (interior(DOMAIN, ("u_tt", "u_xx"), residual, options),)
    if options.constraints == "soft":
        start = Box(DOMAIN, options.sampler, {"t": 0.0})
        blocks += (
            at_first(DOMAIN, lambda points: wave_start(points[:, 0], beta), options),
            ResidualBlock("at rest", ("u_t",), lambda field: field["u_t"], start, options.n_initial, options.weight),
            zero_at_ends(DOMAIN, ("x",), options),
        )
    return PDE(
        name="wave",
        title="Wave equation",
        formula="u_tt = 4 u_xx on [0, 1]², u(x, 0) = sin(πx) + sin(βπx)/2, u_t(x, 0) = 0, u = 0 at both ends",
        arguments=options.model_dump(),
        domain=DOMAIN,
        blocks=blocks,
        grid=(257, 101),
        exact=lambda points: solution(points, beta),
        transform=("wave-initial", {"beta": float(beta)}) if options.constraints == "hard" else None,
        source="Rathore et al. (2024), arXiv 2402.01868: β = 5",
    )
