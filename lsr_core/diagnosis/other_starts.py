"""Does the same equation have another solution? Refined anew from other starts, which a residual cannot tell and a linearised equation neither.

What is tried is bounded by work, never by the clock, so that a verdict is the same on a busy machine and on an idle one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn

from lsr_core.diagnosis.restarts import can_restart, restarted
from lsr_core.errors import LSRError
from lsr_core.networks import architectures
from lsr_core.problems.physics.problem import PhysicsProblem, draw_points
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.physics_setting import PhysicsSetting
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.relative_residual import jets_of, relative_residual, relative_residual_of

SHIFTS = (
    0.0,
    3.0,
    -3.0,
)  # of the size of the field, or of one where it is less: by which the outputs of a start are moved
MOST_PARAMETERS = 5000
RANK = 120
POINTS = 400  # of a block
STEPS = 12
APART = 0.1  # relative difference of fields that are two
AS_GOOD = 3.0  # times the relative residual of the refined field, up to which another solves the equation as well …
GOOD = 1e-3  # … and this, whatever the refined one has
SHOWN = 500
TURNED = 2.0  # relative difference of a field from itself with its sign turned


@dataclass(frozen=True)
class OtherStarts:
    """What came of them.

    Attributes:
        tried: how many there were.
        solved: of these, how many ended at fields with about as small a residual.
        apart: largest relative difference of such a field from the refined one; 0.0 where there is none.
        residual: relative residual of that one.
        mirrored: whether that one is the refined field with its sign turned.
    """

    tried: int
    solved: int = 0
    apart: float = 0.0
    residual: float = 0.0
    mirrored: bool = False

    @property
    def disagree(self) -> bool:
        return self.apart > APART


def why_no_other(problem: PhysicsProblem) -> str:
    """Why no other start is refined, in words that follow a colon; empty where it can be done."""
    count = sum(value.numel() for value in problem.model.parameters())
    if count > MOST_PARAMETERS:
        return f"the network has {count:,} parameters and that is done up to {MOST_PARAMETERS:,}"
    if not (_is_pinn(problem) or can_restart(problem.model)):
        return "it has parameters outside layers that can be initialised anew"
    return ""


def sign_turned(refinement: Refinement, residual: float) -> OtherStarts | None:
    """The refined field with its sign turned, where that solves the equation as well; None where it does not.

    Numbers that are to be found keep their sign. An equation of odd powers, a norm or the size of a slope has such pairs, and other starts
    come to the same one of them again and again.

    Args:
        residual: of the refined field, relative to the terms.
    """
    problem, setting = cast(PhysicsProblem, refinement.problem), cast(PhysicsSetting, refinement.setting)
    sign = torch.ones(len(problem.outputs), dtype=refinement.delta.dtype, device=refinement.delta.device)
    sign[: len(problem.outputs) - len(problem.unknown)] = -1.0
    turned = []
    for block in setting.fresh:
        field = jets_of(setting, block, refinement.delta)
        turned.append((block, (field.unflatten(1, (-1, len(sign))) * sign).flatten(1)))
    left = relative_residual(turned, list(problem.domain.values())).worst
    return OtherStarts(1, 1, TURNED, left, mirrored=True) if left <= max(GOOD, AS_GOOD * residual) else None


def other_starts(refinement: Refinement, residual: float) -> OtherStarts:
    """Refine the equation of a refinement from other networks, moved to either side of the field, with few directions and points.

    Args:
        residual: of the refined field, relative to the terms.
    """
    from lsr_core.refinement.refine import refine

    problem = cast(PhysicsProblem, refinement.problem)
    setting = refinement.setting
    points = setting.splits[setting.display].inputs.double().cpu()
    points = points[torch.linspace(0, len(points) - 1, min(SHOWN, len(points))).long()]
    field = _values(refinement, points)
    size = max(1.0, float(field.square().mean().sqrt()))  # outputs of a network at its start are about one
    limit = max(GOOD, AS_GOOD * residual)
    found = OtherStarts(0)
    for start in _starts(problem, size, refinement.summary.seed):
        try:
            other = refine(start, RefineConfig(max_rank=_rank(start), gauss_newton=STEPS, seed=refinement.summary.seed))
        except LSRError:  # a start whose residual is not finite
            continue
        left = relative_residual_of(cast(PhysicsSetting, other.setting), other.delta).worst
        good = left <= limit
        apart = float((_values(other, points) - field).norm() / field.norm().clamp_min(1e-300)) if good else 0.0
        found = replace(found, tried=found.tried + 1, solved=found.solved + int(good))
        if apart > found.apart:
            found = replace(found, apart=apart, residual=left)
    return found


def _rank(start: PhysicsProblem) -> int:
    """As many directions as it has, up to `RANK`."""
    rows = sum(len(points) for points in start.points.values())
    return min(RANK, rows, sum(value.numel() for value in start.model.parameters()))


def _values(refinement: Refinement, points: Tensor) -> Tensor:
    values = refinement.predictor.predict(points.to(refinement.setting.function.theta0))
    return values.detach().double().cpu().reshape(len(points), -1)


def _starts(problem: PhysicsProblem, size: float, seed: int) -> Iterator[PhysicsProblem]:
    blocks = tuple(replace(block, n_points=min(POINTS, block.n_points)) for block in problem.blocks)
    points, fresh = draw_points(blocks, problem.seed + 1)
    for index, shift in enumerate(SHIFTS):
        model = _anew(problem, seed + 1 + index)
        last = [part for part in model.modules() if isinstance(part, nn.Linear)][-1:]
        with torch.no_grad():
            for part in last:
                if part.bias is not None:
                    part.bias.add_(shift * size)
        yield replace(problem, model=model, architecture=None, blocks=blocks, points=points, fresh=fresh, test=None)


def _anew(problem: PhysicsProblem, seed: int) -> nn.Module:
    """The network at another random start, of the same form where that is known."""
    known = problem.architecture
    if known is None or not _is_pinn(problem):
        return restarted(problem.model, seed).double()
    return architectures.build(known.name, {**known.arguments, "seed": seed}).double().eval()


def _is_pinn(problem: PhysicsProblem) -> bool:
    return problem.architecture is not None and problem.architecture.name == "pinn-mlp"
