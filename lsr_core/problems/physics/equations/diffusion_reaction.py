"""Diffusion and a quadratic reaction under a given source: an operator from the source to the solution."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from lsr_core.problems.physics.blocks import ResidualBlock
from lsr_core.problems.physics.equations.definition import (
    PDE,
    EquationArguments,
    at_first,
    interior,
    registered,
    zero_at_ends,
)
from lsr_core.problems.physics.exponential import ExponentialRungeKutta, Floats
from lsr_core.problems.physics.input_functions import InputArguments, InputFunction

DOMAIN = {"x": (0.0, 1.0), "t": (0.0, 1.0)}
NODES, STEPS = 64, 100  # of the reference solution; more change it by less than 1e-8 (see the tests)


class DiffusionReactionArguments(EquationArguments):
    """D and k are the rates of diffusion and reaction; `input` says which source."""

    constraints: Literal["soft"] = "soft"
    n_interior: int = Field(2000, strict=True, ge=1, le=10_000_000)
    n_initial: int = Field(100, strict=True, ge=1, le=10_000_000)
    n_boundary: int = Field(200, strict=True, ge=1, le=10_000_000)
    weight: float = Field(1.0, gt=0, allow_inf_nan=False)
    diffusion: float = Field(0.01, gt=0, allow_inf_nan=False)
    rate: float = Field(0.01, ge=0, allow_inf_nan=False)
    input: InputArguments = InputArguments()


@registered("diffusion-reaction", DiffusionReactionArguments)
def equation(options: DiffusionReactionArguments) -> PDE:
    """s_t = D s_xx + k s² + u(x), zero at first and at both ends."""
    given = options.input.function()

    def residual(field: Any) -> Tensor:
        s = field["s"]
        total: Tensor = field["s_t"] - options.diffusion * field["s_xx"] - options.rate * s * s - given(field.x("x"))
        return total

    blocks: tuple[ResidualBlock, ...] = (
        interior(DOMAIN, ("s_t", "s_xx"), residual, options),
        at_first(DOMAIN, lambda points: points.new_zeros(len(points)), options, "s"),
        zero_at_ends(DOMAIN, ("x",), options, "s"),
    )
    return PDE(
        name="diffusion-reaction",
        title="Diffusion and reaction",
        formula="s_t = D s_xx + k s² + u(x) on [0, 1]², zero at t = 0 and at x = 0 and 1, with u from a Gaussian process",
        arguments=options.model_dump(),
        domain=DOMAIN,
        blocks=blocks,
        grid=(101, 101),
        on_grid=lambda axes: reference(given, axes, options.diffusion, options.rate),
        outputs=("s",),
        given=given,
        source="Wang, Wang & Perdikaris (2021): D = k = 0.01, a Gaussian process of length 0.2",
    )


def reference(
    given: InputFunction,
    axes: Sequence[Tensor],
    diffusion: float,
    rate: float,
    *,
    nodes: int = NODES,
    steps: int = STEPS,
) -> Tensor:
    """The solution (n_x, n_t, 1) on axes, whose times are equally spaced from 0 on.

    Chebyshev collocation in space (Trefethen 2000, ch. 6) and exponential Runge-Kutta steps in time.
    """
    x, t = (axis.double().numpy() for axis in axes)
    per_time = -(-steps // (len(t) - 1))
    step = float(t[1] - t[0]) / per_time
    grid, decay, vectors, inverse = _operator(nodes)
    scheme = ExponentialRungeKutta(step * diffusion * decay)
    source = inverse @ given(torch.from_numpy(grid)).numpy()

    def push(amplitudes: Floats) -> Floats:
        return step * (inverse @ (rate * (vectors @ amplitudes) ** 2) + source)

    state: Floats = np.zeros(nodes - 1)
    kept = [state]
    for _ in range(len(t) - 1):
        for _ in range(per_time):
            state = scheme.step(state, push)
        kept.append(state)
    values = _interpolation(grid, x) @ vectors @ np.stack(kept, axis=1)
    return torch.from_numpy(values)[..., None]


@lru_cache(maxsize=4)
def _operator(nodes: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Interior Chebyshev points of [0, 1] (n − 1,), eigenvalues of ∂_xx with zero ends, eigenvectors and their inverse."""
    points = np.cos(np.pi * np.arange(nodes + 1) / nodes)
    weights = np.where((np.arange(nodes + 1) % nodes) == 0, 2.0, 1.0) * (-1.0) ** np.arange(nodes + 1)
    gaps = points[:, None] - points + np.eye(nodes + 1)
    slope = np.outer(weights, 1 / weights) / gaps
    slope -= np.diag(slope.sum(axis=1))
    curvature = 4 * (slope @ slope)[1:-1, 1:-1]  # the interval has half the length of [−1, 1]
    values, vectors = np.linalg.eig(curvature)
    return (points[1:-1] + 1) / 2, values.real, vectors.real, np.linalg.inv(vectors.real)


@lru_cache(maxsize=4)
def _cached_interpolation(grid: bytes, x: bytes) -> Floats:
    """Values at x from values at interior Chebyshev points, zero at both ends (barycentric formula)."""
    nodes = np.concatenate([[1.0], np.frombuffer(grid), [0.0]])
    at = np.frombuffer(x)
    weights = (-1.0) ** np.arange(len(nodes))
    weights[[0, -1]] /= 2
    gaps = at[:, None] - nodes
    hit = np.abs(gaps) < 1e-14
    ratios = weights / np.where(hit, 1.0, gaps)
    matrix = ratios / ratios.sum(axis=1, keepdims=True)
    found = hit.any(axis=1)
    matrix[found] = hit[found]
    return matrix[:, 1:-1]


def _interpolation(grid: Floats, x: Floats) -> Floats:
    return _cached_interpolation(np.ascontiguousarray(grid).tobytes(), np.ascontiguousarray(x).tobytes())
