"""Allen-Cahn: two phases with thin fronts between them, from a start whose periodic continuation has a kink."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
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
from lsr_core.problems.physics.exponential import ExponentialRungeKutta

DOMAIN = {"x": (-1.0, 1.0), "t": (0.0, 1.0)}
MODES = 1024  # eight times as many and half the time step change the solution by 2e-10 at most
STEPS = 500
TINY = 1e-30  # keeps the slope of a root finite at time 0

Floats = NDArray[np.float64]


class AllenCahnArguments(EquationArguments):
    """Published with diffusion 1e-4 and reaction 5; `kink` is what the network's formula does about the start's kink."""

    n_interior: int = Field(16_000, strict=True, ge=1, le=10_000_000)
    diffusion: float = Field(1e-4, ge=5e-5, le=1.0, allow_inf_nan=False)
    reaction: float = Field(5.0, ge=0, le=20.0, allow_inf_nan=False)
    kink: str = Field("heat", pattern="^(none|heat|heat-reaction)$")


def allen_cahn_start(x: Tensor) -> Tensor:
    """x² cos πx, whose periodic continuation has a kink at x = ±1: its slope jumps by 4."""
    return x * x * torch.cos(math.pi * x)


@register("allen-cahn")
class AllenCahnConditions(HardConditions):
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


def start_coefficients(modes: int) -> Floats:
    """Coefficients a_k of x² cos πx = Σ a_k cos kπx, k = 0 … modes: exact, so the kink is not sampled but integrated."""
    k = np.arange(modes + 1, dtype=float)
    values = np.empty(modes + 1)
    values[0], values[1] = -2 / np.pi**2, 1 / 3 + 1 / (2 * np.pi**2)
    later = k[2:]
    values[2:] = 2 * (-1) ** (later - 1) / np.pi**2 * (1 / (later - 1) ** 2 + 1 / (later + 1) ** 2)
    return values


def coefficients(
    times: Sequence[float], diffusion: float = 1e-4, reaction: float = 5.0, modes: int = MODES, steps: int = STEPS
) -> Floats:
    """Cosine coefficients (times, modes + 1) of the solution, by ETDRK4 (Kassam & Trefethen 2005).

    Args:
        times: increasing, each a multiple of 1/steps.
        steps: time steps of a unit of time.
    """
    dt = 1 / steps
    linear: Floats = reaction - diffusion * (np.pi * np.arange(modes + 1, dtype=np.float64)) ** 2
    scheme = ExponentialRungeKutta(dt * linear)
    value, done, found = start_coefficients(modes), 0, []

    def push(v: Floats) -> Floats:
        """The cubic term, on a grid of twice the modes so that no product is folded back into them."""
        return dt * _analyse(-reaction * _synthesise(v, 2 * modes) ** 3, modes)

    for time in times:
        wanted = round(time * steps)
        for _ in range(wanted - done):
            value = scheme.step(value, push)
        done = wanted
        found.append(value)
    return np.array(found)


def _synthesise(values: Floats, intervals: int) -> Floats:
    """Σ a_k cos kπx at x = j/intervals, j = 0 … intervals."""
    padded = np.zeros(intervals + 1)
    padded[: len(values)] = values / 2
    padded[0] = values[0]
    return np.fft.irfft(padded, 2 * intervals)[: intervals + 1] * 2 * intervals


def _analyse(samples: Floats, modes: int) -> Floats:
    """The first coefficients of an even function from its values at x = j/intervals."""
    intervals = len(samples) - 1
    whole = np.concatenate([samples, samples[-2:0:-1]])
    found: Floats = np.fft.rfft(whole).real[: modes + 1] / intervals
    found[0] /= 2
    return found


@lru_cache(maxsize=8)
def _cached(times: tuple[float, ...], diffusion: float, reaction: float, modes: int, steps: int) -> Floats:
    return coefficients(times, diffusion, reaction, modes, steps)


def reference(
    x: Tensor, t: Tensor, diffusion: float = 1e-4, reaction: float = 5.0, modes: int = MODES, steps: int = STEPS
) -> Tensor:
    """u (n_x, n_t) on axes; times are rounded to the time step. The start is exact."""
    found = _cached(tuple(t.tolist()), diffusion, reaction, modes, steps)
    waves = torch.cos(math.pi * torch.outer(x, torch.arange(modes + 1, dtype=torch.float64)))
    values = waves @ torch.from_numpy(found).T
    values[:, t == 0] = allen_cahn_start(x)[:, None]
    return values


@registered("allen-cahn", AllenCahnArguments)
def equation(options: AllenCahnArguments) -> PDE:
    """u_t = D u_xx + 5(u − u³), u(x, 0) = x² cos πx, periodic in x."""
    diffusion, rate = options.diffusion, options.reaction

    def residual(field: Any) -> Tensor:
        u = field["u"]
        total: Tensor = field["u_t"] - diffusion * field["u_xx"] + rate * (u**3 - u)
        return total

    blocks: tuple[ResidualBlock, ...] = (interior(DOMAIN, ("u_t", "u_xx"), residual, options),)
    if options.constraints == "soft":
        start = at_first(DOMAIN, lambda points: allen_cahn_start(points[:, 0]), options)
        blocks += (start, periodic(DOMAIN, "x", options, slopes=True))
    hard = {"diffusion": diffusion, "reaction": rate, "kink": options.kink}
    return PDE(
        name="allen-cahn",
        title="Allen-Cahn equation",
        formula="u_t = 0.0001 u_xx + 5 (u − u³) on [−1, 1] × [0, 1], u(x, 0) = x² cos(πx), periodic in x",
        arguments=options.model_dump(),
        domain=DOMAIN,
        blocks=blocks,
        grid=(257, 101),
        on_grid=lambda axes: reference(axes[0], axes[1], diffusion, rate)[..., None],
        transform=("allen-cahn", hard) if options.constraints == "hard" else None,
        periods={"x": 2.0},
        source="Raissi et al. (2019), diffusion 1e-4, reaction 5",
    )
