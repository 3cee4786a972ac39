"""Gauss-Newton in the response space: the residual is nonlinear, the field stays u0 + Φα, and Φ is computed once."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.linalg.damped import damped_step, leading, truncated_solutions
from lsr_core.refinement.basis import qr_for
from lsr_core.refinement.physics_setting import PhysicsSetting
from lsr_core.refinement.plan import budget_of
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.progress import Progress, ProgressCallback, default_callback
from lsr_core.refinement.ranks import ladder
from lsr_core.refinement.response import ResponseModes
from lsr_core.refinement.setting import ALREADY_LINEAR, relative_l2
from lsr_core.refinement.subspace import Subspace
from lsr_core.refinement.summary import GaussNewtonStep

if TYPE_CHECKING:
    from lsr_core.refinement.refine import Refinement

STAGE = "Gauss-Newton"
SETTLED = 0.99  # of the fresh residual: a step that leaves more is the last
AGREES = 2.0  # times the residual that the linear model promises, up to which no damping is tried
FIRST_DAMPING, LARGEST_DAMPING = 1e-6, 1e2  # relative to the column norms
GROWTH, DECAY = 10.0, 0.01
NOTHING = 0.999  # of the residual: a damped step that promises no less is too short to try


@dataclass(frozen=True, eq=False)
class GaussNewton:
    """The result of `gauss_newton`.

    Attributes:
        records: what it starts from, then one for each step.
        rank: directions that the field uses.
        alpha: α of the subspace's directions (R,), zero beyond the rank.
        delta: Δθ = V α, flat (m,).
        predictor: q(θ0, x) + J(x) Δθ.
        sentence: how it ended.
        converged: False where it ran out of steps.
    """

    records: tuple[GaussNewtonStep, ...]
    rank: int
    alpha: Tensor
    delta: Tensor
    predictor: RefinedPredictor
    sentence: str
    converged: bool


def gauss_newton(refinement: Refinement, steps: int, *, progress: ProgressCallback | None = None) -> GaussNewton:
    """Minimise the true residual of the field u0 + Φα over α, in the subspace of a refinement.

    Each step factorises the linearised rows once and compares its solutions at the ranks of the run's ladder, by the true residual.
    Where none comes near what the linear model promises, steps with Marquardt's damping in fewer and fewer directions are tried as
    well. A step is taken only if the true residual falls at the fitted and at the fresh points; of several that do, the one with the
    smallest at fresh points.

    Args:
        refinement: of a physics problem; its network's field or its one-shot solution, whichever has the smaller residual, is where it starts.
        steps: at most.
        progress: called with (stage, fraction done); may raise `Cancelled` to stop.

    Raises:
        InputError: fewer than one step, or a problem that is fitted to data.

    Reference: W. Cao, W. Zhang (2026), arXiv 2601.13989, for the subspace; J. J. Moré (1978) for the damping.
    """
    setting = refinement.setting
    if not isinstance(setting, PhysicsSetting):
        raise InputError(ALREADY_LINEAR, key="gauss_newton")
    if steps < 1:
        raise InputError(f"is {steps}; ask for at least one step", key="gauss_newton")
    clock = Progress(progress or default_callback(), {STAGE: 1.0})
    clock.stage(STAGE)
    began = time.perf_counter()
    model = _Model(setting, refinement.subspace)
    state = _start(model, refinement)
    fixed = setting.config.rank != "auto"
    ranks = [rank for rank in ([refinement.rank] if fixed else ladder(model.size)) if rank > 0]
    records = [_record(model, 0, state, norm=model.length(state.alpha), seconds=time.perf_counter() - began)]
    level, ending = FIRST_DAMPING, None if ranks else "There are no directions to step along."
    for number in range(1, steps + 1):
        if ending is not None:
            break
        clock.fraction((number - 1) / steps)
        began = time.perf_counter()
        found, promised = _step(model, state, ranks, level)
        taken = found or state
        norm = model.length(taken.alpha - state.alpha)
        seconds = time.perf_counter() - began
        records.append(_record(model, number, taken, norm=norm, seconds=seconds, accepted=found is not None))
        if found is None:
            ending = _refused(state, promised)
        elif found.fresh > SETTLED**2 * state.fresh:
            ending = "The last step changed little."
        level = max(FIRST_DAMPING, taken.damping * DECAY) if found else level
        state = taken
    clock.fraction(1.0)
    delta = refinement.subspace.delta(state.alpha[: state.rank])
    module = setting.function.module or refinement.problem.model
    return GaussNewton(
        records=tuple(records),
        rank=state.rank,
        alpha=state.alpha,
        delta=setting.function.expand(delta),
        predictor=RefinedPredictor(module, setting.function.tangent(delta)),
        sentence=_sentence(records, ending),
        converged=ending is not None,
    )


@dataclass(frozen=True, eq=False)
class _State:
    """A field by its coefficients (R,), with its true losses."""

    alpha: Tensor
    rank: int
    fitted: float
    fresh: float
    damping: float = 0.0

    def improves(self, other: _State) -> bool:
        """Whether the true residual is smaller everywhere it is measured; NaN is not."""
        return self.fitted < other.fitted and self.fresh < other.fresh


class _Model:
    """Residuals at fitted and fresh points as functions of α.

    Where the subspace is the whole parameter space, the modes kept are the Jacobian rows themselves, which spares the product with V:
    only their triangle is turned to V.
    """

    def __init__(self, setting: PhysicsSetting, subspace: Subspace) -> None:
        self.setting = setting
        self.size = subspace.rank
        eye = torch.eye(self.size).to(setting.function.theta0)
        self._directions = subspace.delta(eye)
        self._whole = 0 < self.size == setting.function.n_params
        directions = None if self._whole else self._directions
        room = budget_of(setting.config) - setting.plan.peak_bytes
        name, block_bytes = setting.strategy.name, setting.plan.block_bytes
        self._fitted = ResponseModes(setting.fitted, directions, name, block_bytes=block_bytes, room=room)
        room -= self._fitted.n_bytes * self._fitted.kept
        self._fresh = ResponseModes(setting.fresh, directions, name, block_bytes=block_bytes, room=room)

    def states(self, alphas: Tensor, ranks: Sequence[int], damping: float = 0.0) -> list[_State]:
        """Fields with coefficients (R, k), measured."""
        moved = self._directions @ alphas if self._whole else alphas
        losses = zip(self._fitted.losses(moved).tolist(), self._fresh.losses(moved).tolist(), strict=True)
        return [
            _State(alpha, rank, fitted, fresh, damping)
            for alpha, rank, (fitted, fresh) in zip(alphas.unbind(1), ranks, losses, strict=True)
        ]

    def factor(self, alpha: Tensor) -> Tensor:
        """The triangle of [∂r/∂α, r] at the fitted points."""
        at = self._directions @ alpha if self._whole else alpha
        qr = qr_for(self.setting, self.size + 1)
        for slopes, values in self._fitted.linearised(at):
            qr.update(slopes, values)
        triangle = qr.factor
        if not self._whole or not torch.isfinite(triangle).all():
            return triangle
        turned = torch.cat([triangle[:, :-1] @ self._directions, triangle[:, -1:]], dim=1)
        return torch.linalg.qr(turned, mode="r").R

    def length(self, alpha: Tensor) -> float:
        """‖V α‖."""
        return float((self._directions @ alpha).norm())

    def relative_l2(self, alpha: Tensor) -> float | None:
        """Error against the exact or reference solution; None where there is none."""
        setting = self.setting
        test = setting.splits.get("test")
        if test is None:
            return None
        step = (self._directions @ alpha)[:, None]
        moved = setting.strategy.at(test.inputs).matmat(step).view_as(test.targets)
        error = relative_l2(float((setting.function.outputs(test.inputs) + moved - test.targets).square().mean()), test)
        return error if math.isfinite(error) else None


def _start(model: _Model, refinement: Refinement) -> _State:
    """The network's field, or the one-shot solution where its residual is smaller."""
    alphas = refinement.solutions.solver.rhs.new_zeros(model.size, 2)
    alphas[: refinement.rank, 1] = refinement.solutions.at(refinement.rank)
    base, one_shot = model.states(alphas, [0, refinement.rank])
    return one_shot if one_shot.improves(base) else base


def _step(model: _Model, state: _State, ranks: Sequence[int], level: float) -> tuple[_State | None, float]:
    """The best state that a step leads to, if any is better, and the loss that the linear model promises."""
    factor = model.factor(state.alpha)
    if not torch.isfinite(factor).all():
        return None, math.nan
    reached = [rank for rank in ranks if rank <= len(factor)]
    alphas = truncated_solutions(factor, state.alpha, reached)
    promised = float(factor[model.size :, -1].square().sum())
    found = _best(model.states(alphas, reached), state)
    if found is not None and found.fitted <= AGREES**2 * promised:
        return found, promised
    damping = level
    while damping <= LARGEST_DAMPING:
        tried = _halved([rank for rank in ranks if rank < len(factor)])
        steps = [damped_step(leading(factor, rank), damping) for rank in tried]
        if min((norm for _, norm in steps), default=math.inf) >= NOTHING * math.sqrt(state.fitted):
            break
        padded = [torch.nn.functional.pad(step, (0, model.size - len(step))) for step, _ in steps]
        reach = [max(rank, state.rank) for rank in tried]
        damped = _best(model.states(state.alpha[:, None] + torch.stack(padded, dim=1), reach, damping), state)
        if damped is not None:
            return _best([damped, *([found] if found else [])], state), promised
        damping *= GROWTH
    return found, promised


def _halved(ranks: Sequence[int]) -> list[int]:
    """The largest rank and those that halve it again and again, which together cost little more than the first."""
    if len(ranks) <= 1:
        return list(ranks)
    return [ranks[-1] >> power for power in range(ranks[-1].bit_length())]


def _best(states: Sequence[_State], than: _State) -> _State | None:
    better = [state for state in states if state.improves(than)]
    return min(better, key=lambda state: state.fresh) if better else None


def _record(
    model: _Model, step: int, state: _State, *, norm: float, seconds: float, accepted: bool = True
) -> GaussNewtonStep:
    return GaussNewtonStep(
        step=step,
        rank=state.rank,
        fitted_residual=math.sqrt(state.fitted),
        fresh_residual=math.sqrt(state.fresh),
        relative_l2=model.relative_l2(state.alpha),
        step_norm=norm,
        damping=state.damping if accepted else 0.0,
        accepted=accepted,
        seconds=seconds,
    )


def _refused(state: _State, promised: float) -> str:
    if not np.isfinite(promised):
        return "The derivatives of the residual are not finite there, so that no further step can be solved for."
    if promised > SETTLED**2 * state.fitted:
        return "No further step would lower the residual."
    return (
        f"No step, however damped, lowers the true residual at the fitted and at the fresh points, though the linear model promises "
        f"{math.sqrt(promised):.1e}: what is left is rounding, or a network too far from the solution, which more training would bring closer."
    )


def _sentence(records: Sequence[GaussNewtonStep], ending: str | None) -> str:
    first, last, count = records[0], records[-1], len(records) - 1
    steps = f"{count} step{'' if count == 1 else 's'}"
    fall = (
        f"the true residual went from {first.fitted_residual:.2e} to {last.fitted_residual:.2e} at fitted points and "
        f"from {first.fresh_residual:.2e} to {last.fresh_residual:.2e} at fresh ones."
    )
    if ending is None:
        return f"Gauss-Newton has not converged within {steps}: {fall} Ask for more steps; the result so far is kept."
    return f"Gauss-Newton ended after {steps}: {fall} {ending}"
