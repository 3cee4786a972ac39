"""The loss on a plane of parameters through θ0: one axis along Δθ, the other along a direction of choice.

The linearised loss is a paraboloid over the plane; the nonlinear one is what training sees (Li et al. 2018 draw such planes around minima).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor

from lsr_core.diagnosis.kinds import judging
from lsr_core.errors import InputError
from lsr_core.networks.functions import ParametricFunction, as_pairs
from lsr_core.problems.residual import Residual
from lsr_core.refinement.progress import ProgressCallback, silent
from lsr_core.refinement.results import Floats, LossPlane
from lsr_core.refinement.setting import Setting

ROWS = 200
LEVELS = (9, 17, 33)  # points along each axis; every level holds the points of the one before
RANDOM = 11  # random stream
Direction = Literal["gradient", "singular", "random"]


class PlaneSettings(BaseModel):
    """Which plane.

    Attributes:
        direction: second axis: steepest descent, a right singular vector of the residual Jacobian, or a normal random vector.
        singular: which singular vector, 1 = the leading one.
        filter_normalised: give each row of a weight matrix in the second direction the norm that it has in the network (Li et al. 2018);
            otherwise the second direction is as long as Δθ.
        alpha_from, alpha_to: reach along Δθ, in steps; the other axis reaches as far to both sides.
        seed: of the random direction.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    direction: Direction = "gradient"
    singular: int = Field(1, ge=1, le=ROWS)
    filter_normalised: bool = False
    alpha_from: float = Field(-0.5, ge=-100, le=0, allow_inf_nan=False)
    alpha_to: float = Field(1.5, gt=0, le=100, allow_inf_nan=False)
    seed: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _wide(self) -> PlaneSettings:
        if self.alpha_to - self.alpha_from < 1e-12:
            raise ValueError("the plane has no width; let alpha_to be larger than alpha_from")
        return self


def loss_plane(
    setting: Setting,
    delta: Tensor,
    settings: PlaneSettings,
    *,
    progress: ProgressCallback = silent,
    on_level: Callable[[LossPlane], None] | None = None,
) -> LossPlane:
    """Both losses on a grid that grows finer.

    Args:
        setting: the problem, prepared.
        delta: Δθ of the free parameters (m,).
        progress: called with (stage, fraction); may raise `Cancelled`.
        on_level: given the plane after every level.

    Raises:
        InputError: Δθ is zero, or the second direction is zero or along Δθ.
    """
    rows, count = judging(setting.kind).some_rows(setting, ROWS, 0.0)
    if not float(delta.norm()) > 0:
        raise InputError("the step is zero, so it spans no plane; take a run with a rank above 0", key="delta")
    second = _second(rows, setting.function, delta, settings)
    length = float(second.norm() / delta.norm())
    cosine = float(second @ delta / (second.norm() * delta.norm()))
    if not length > 0 or abs(cosine) > 1 - 1e-12:
        raise InputError("the second direction is zero or along the step; choose another", key="direction")
    directions = torch.stack([delta, second], dim=1)
    start, pushed = rows.values(), rows.along(directions)
    along, across = pushed.unbind(1)
    half = (settings.alpha_to - settings.alpha_from) / 2
    known: dict[tuple[float, float], float] = {}
    total = sum(size * size for size in LEVELS)
    done = 0
    plane: LossPlane | None = None
    for size in LEVELS:
        alpha = np.linspace(settings.alpha_from, settings.alpha_to, size)
        beta = np.linspace(-half, half, size)
        for y in beta:
            missing = [x for x in alpha if (x, y) not in known]
            if missing:
                steps = torch.tensor([[x, y] for x in missing]).to(delta)
                known |= zip(((x, y) for x in missing), rows.losses_at(directions, steps).tolist(), strict=True)
            done += size
            progress(f"{size} x {size} points", done / total)
        linear = [[float((start + x * along + y * across).square().sum()) for x in alpha] for y in beta]
        plane = LossPlane(
            alpha=alpha,
            beta=beta,
            nonlinear=np.array([[known[x, y] for x in alpha] for y in beta]),
            linearised=np.array(linear),
            base=float(start.square().sum()),
            length=length,
            cosine=cosine,
            n_rows=count,
        )
        if on_level is not None:
            on_level(plane)
    assert plane is not None
    return plane


def _second(rows: Residual, function: ParametricFunction, delta: Tensor, settings: PlaneSettings) -> Tensor:
    if settings.direction == "gradient":
        found = -rows.loss_and_gradient(rows.theta0)[1]
    elif settings.direction == "singular":
        right = torch.linalg.svd(rows.jacobian(), full_matrices=False).Vh
        if settings.singular > len(right):
            raise InputError(f"is {settings.singular}; there are {len(right)} singular directions", key="singular")
        found = right[settings.singular - 1]
    else:
        generator = torch.Generator().manual_seed((settings.seed * 1_000_003 + RANDOM) % 2**63)
        found = torch.randn(len(delta), generator=generator, dtype=torch.float64).to(delta)
    if settings.filter_normalised:
        return _like_filters(found, function)
    norm = float(found.norm())
    return found * (float(delta.norm()) / norm) if norm > 0 else found


def _like_filters(direction: Tensor, function: ParametricFunction) -> Tensor:
    """Each row of a weight matrix, and each vector of biases, at the norm that it has in the network."""
    weights = function.unflatten(function.theta0)
    parts = []
    for name, part in function.unflatten(direction).items():
        own = weights[name]
        rows = (len(part), -1) if part.ndim > 1 else (1, -1)
        flat, like = part.reshape(rows), own.reshape(rows)
        norms = flat.norm(dim=1, keepdim=True)
        scaled = torch.where(norms > 0, flat / norms, flat) * like.norm(dim=1, keepdim=True)
        parts.append(as_pairs(scaled).reshape(-1))
    return torch.cat(parts)


def finite_or_none(values: Floats) -> list[list[float | None]]:
    """Rows of a plane for JSON."""
    return [[value if math.isfinite(value) else None for value in row] for row in values.tolist()]
