"""Conditions that a network meets exactly, by name: u(x) = lift(x) + mask(x) · N(x) (Lagaris et al. 1998).

Each is known to bundles by a registered name and JSON arguments. Coordinates come in the order of the equation that the name belongs to,
space before time. Everything is written in torch functions that can be differentiated twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.validation import checked

TINY = 1e-30  # keeps the slope of a root finite at time 0


class Transform(Protocol):
    """Lift (n, 1) and mask (n, 1) at points (n, d); the lift may be absent."""

    def lift(self, points: Tensor) -> Tensor | None: ...
    def mask(self, points: Tensor) -> Tensor: ...


class _Named(BaseModel):
    """Base of the transforms: their fields are the JSON arguments."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def lift(self, points: Tensor) -> Tensor | None:
        return None

    def mask(self, points: Tensor) -> Tensor:
        raise NotImplementedError


_REGISTRY: dict[str, type[_Named]] = {}
_Class = TypeVar("_Class", bound=type[_Named])


def _register(name: str) -> Callable[[_Class], _Class]:
    def add(kind: _Class) -> _Class:
        _REGISTRY[name] = kind
        return kind

    return add


def names() -> list[str]:
    """Registered names, sorted."""
    return sorted(_REGISTRY)


def make(name: str, arguments: Mapping[str, Any] | None = None) -> Transform:
    """The transform of that name.

    Raises:
        InputError: unknown name, or arguments that do not fit.
    """
    if name not in _REGISTRY:
        raise InputError(f"unknown output transform {name!r:.80}; this version knows {', '.join(names())}", key="name")
    return checked(_REGISTRY[name], dict(arguments or {}))


def poisson_bubble(x: Tensor, y: Tensor) -> Tensor:
    """16 x(1−x) y(1−y): zero on the sides of the unit square, one in its middle."""
    return 16 * x * (1 - x) * y * (1 - y)


def wave_start(x: Tensor, beta: float) -> Tensor:
    """sin πx + sin(βπx)/2."""
    return torch.sin(math.pi * x) + 0.5 * torch.sin(beta * math.pi * x)


def heat_start(x: Tensor, wave: int) -> Tensor:
    """sin πx + sin(kπx)/2."""
    return torch.sin(math.pi * x) + 0.5 * torch.sin(wave * math.pi * x)


def reaction_start(x: Tensor) -> Tensor:
    """A Gaussian of deviation π/4 in the middle of [0, 2π]."""
    return torch.exp(-((x - math.pi) ** 2) / (2 * (math.pi / 4) ** 2))


def allen_cahn_start(x: Tensor) -> Tensor:
    """x² cos πx, whose periodic continuation has a kink at x = ±1: its slope jumps by 4."""
    return x * x * torch.cos(math.pi * x)


@_register("poisson-dirichlet")
class PoissonDirichlet(_Named):
    """Zero on the boundary of the unit square."""

    def mask(self, points: Tensor) -> Tensor:
        return poisson_bubble(points[:, :1], points[:, 1:2])


@_register("wave-initial")
class WaveInitial(_Named):
    """Start at rest from `wave_start` and zero ends of [0, 1]; β must be a whole number for the ends to agree."""

    beta: float = Field(5.0, gt=0)

    def lift(self, points: Tensor) -> Tensor:
        return wave_start(points[:, :1], self.beta)

    def mask(self, points: Tensor) -> Tensor:
        x, t = points[:, :1], points[:, 1:2]
        return 4 * x * (1 - x) * t * t


@_register("heat-initial")
class HeatInitial(_Named):
    """Start from `heat_start` and zero ends of [0, 1]."""

    wave: int = Field(3, ge=1)

    def lift(self, points: Tensor) -> Tensor:
        return heat_start(points[:, :1], self.wave)

    def mask(self, points: Tensor) -> Tensor:
        x, t = points[:, :1], points[:, 1:2]
        return 4 * x * (1 - x) * t


@_register("convection-initial")
class ConvectionInitial(_Named):
    """Start from sin x."""

    def lift(self, points: Tensor) -> Tensor:
        return torch.sin(points[:, :1])

    def mask(self, points: Tensor) -> Tensor:
        return points[:, 1:2]


@_register("reaction-initial")
class ReactionInitial(_Named):
    """Start from `reaction_start`."""

    def lift(self, points: Tensor) -> Tensor:
        return reaction_start(points[:, :1])

    def mask(self, points: Tensor) -> Tensor:
        return points[:, 1:2]


@_register("burgers")
class BurgersConditions(_Named):
    """Start from −sin πx and zero ends of [−1, 1]."""

    def lift(self, points: Tensor) -> Tensor:
        return -torch.sin(math.pi * points[:, :1])

    def mask(self, points: Tensor) -> Tensor:
        x, t = points[:, :1], points[:, 1:2]
        return (1 - x * x) * t


@_register("allen-cahn")
class AllenCahnConditions(_Named):
    """Start from `allen_cahn_start` on a circle, with its kink smoothed as time goes on.

    With s the distance to x = ±1, the start is 2s cos πs and an even, smooth part. A periodic network times t would leave the kink of a hard
    initial condition where it is for all time. `heat` adds what the heat equation makes of 2s; `heat-reaction` lets that decay as well, at the
    rate of the reaction linearised at u = −1, so that the kink that the network still has to make is of a higher order.

    Attributes:
        diffusion: of the equation.
        reaction: strength of the reaction.
        kink: what is done about the kink.
    """

    diffusion: float = Field(1e-4, gt=0)
    reaction: float = Field(5.0, ge=0)
    kink: Literal["none", "heat", "heat-reaction"] = "heat"

    def lift(self, points: Tensor) -> Tensor:
        x, t = points[:, :1], points[:, 1:2]
        start = allen_cahn_start(x)
        if self.kink == "none":
            return start
        smoothing = 2 * smoothed_kink(1 - x.abs(), self.diffusion * t)
        if self.kink == "heat":
            return start + smoothing
        rate = 2 * self.reaction
        return start + torch.exp(-rate * t) * smoothing + 2 * torch.expm1(-rate * t) * periodic_distance(x)

    def mask(self, points: Tensor) -> Tensor:
        return points[:, 1:2]


def smoothed_kink(distance: Tensor, time: Tensor) -> Tensor:
    """What the heat equation adds to |s| in the time Dt, at s = distance ≥ 0: E|s + √(2Dt) Z| − s with Z normal."""
    width = 2 * torch.sqrt(time.clamp_min(TINY))
    z = distance / width
    return width * torch.exp(-z * z) / math.sqrt(math.pi) - distance * torch.erfc(z)


def periodic_distance(x: Tensor) -> Tensor:
    """A function of period 2 that is the distance s to x = ±1 up to s⁵, and smooth elsewhere: the series of 2 arcsin(c)/π, c = |cos(πx/2)|."""
    cosine = torch.cos(0.5 * math.pi * x).abs()
    return (2 / math.pi) * (cosine + cosine**3 / 6)
