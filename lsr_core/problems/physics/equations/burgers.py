"""Viscous Burgers: a sine wave steepens into a front at x = 0."""

from __future__ import annotations

import math
from collections.abc import Sequence
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

DOMAIN = {"x": (-1.0, 1.0), "t": (0.0, 1.0)}
VISCOSITY = 0.01 / math.pi
NODES = 501  # of the quadrature; with 301 the values agree to 1e-15
REACH = 13.0  # exp(−z² + 100) has fallen to 1e-30 of its largest value there, for the viscosity of the published case


class BurgersArguments(EquationArguments):
    """ν is 0.01/π in the published case; below 0.002 the quadrature of the reference would need more reach."""

    n_interior: int = Field(16_000, strict=True, ge=1, le=10_000_000)
    viscosity: float = Field(VISCOSITY, ge=0.002, le=10.0, allow_inf_nan=False)


@register("burgers")
class BurgersConditions(HardConditions):
    """Start from −sin πx and zero ends of [−1, 1]."""

    def lift(self, points: Tensor) -> Tensor:
        return -torch.sin(math.pi * points[:, :1])

    def mask(self, points: Tensor) -> Tensor:
        x, t = points[:, :1], points[:, 1:2]
        return (1 - x * x) * t


def solution(points: Tensor, viscosity: float = VISCOSITY, nodes: int = NODES) -> Tensor:
    """u at points (n, 2), (n, 1), by the formula of Cole and Hopf (Basdevant et al. 1986).

    u = −∫ sin π(x − η) w dη / ∫ w dη with w = exp(−cos π(x − η) / (2πν) − η²/(4νt)); with η = 2√(νt) z the integrand is analytic and falls
    off like a Gaussian, so that the trapezoid rule converges faster than any power.
    """
    x, t = points[:, :1], points[:, 1:2]
    z = torch.linspace(-REACH, REACH, nodes, dtype=points.dtype, device=points.device)
    places = math.pi * (x - 2 * torch.sqrt(viscosity * t.clamp_min(1e-30)) * z)
    exponent = -torch.cos(places) / (2 * math.pi * viscosity) - z * z
    weights = torch.softmax(exponent, dim=1)
    return -(weights * torch.sin(places)).sum(dim=1, keepdim=True)


@registered("burgers", BurgersArguments)
def equation(options: BurgersArguments) -> PDE:
    """u_t + u u_x = ν u_xx, u(x, 0) = −sin πx; the solution is odd, so it is periodic and zero at both ends."""
    viscosity = options.viscosity

    def residual(field: Any) -> Tensor:
        total: Tensor = field["u_t"] + field["u"] * field["u_x"] - viscosity * field["u_xx"]
        return total

    blocks: tuple[ResidualBlock, ...] = (interior(DOMAIN, ("u_t", "u_x", "u_xx"), residual, options),)
    if options.constraints == "soft":
        start = at_first(DOMAIN, lambda points: -torch.sin(math.pi * points[:, 0]), options)
        blocks += (start, periodic(DOMAIN, "x", options, slopes=True))

    def on_grid(axes: Sequence[Tensor]) -> Tensor:
        points = torch.cartesian_prod(*axes)
        values = torch.cat([solution(part, viscosity) for part in points.split(2048)])
        return values.reshape(len(axes[0]), len(axes[1]), 1)

    return PDE(
        name="burgers",
        title="Burgers equation",
        formula="u_t + u u_x = ν u_xx on [−1, 1] × [0, 1], u(x, 0) = −sin(πx), periodic in x",
        arguments=options.model_dump(),
        domain=DOMAIN,
        blocks=blocks,
        grid=(257, 101),
        on_grid=on_grid,
        exact=lambda points: solution(points, viscosity),
        transform=("burgers", {}) if options.constraints == "hard" else None,
        periods={"x": 2.0},
        source="Cao & Zhang (2026), arXiv 2601.13989: ν = 0.01/π",
    )
