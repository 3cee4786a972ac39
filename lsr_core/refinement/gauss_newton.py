"""Gauss-Newton in the response space: the residual is nonlinear, the field stays u0 + Φα, and Φ is computed once."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.linalg.damped import damped_step, held_solution, leading, promised, truncated_solutions
from lsr_core.problems.kinds import words_of
from lsr_core.refinement.descent import Advance, descend
from lsr_core.refinement.physics_setting import PhysicsSetting
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.progress import Progress, ProgressCallback, default_callback
from lsr_core.refinement.ranks import ladder
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.relative_residual import SOLVED, is_zero, relative_residual_of
from lsr_core.refinement.response_model import ResponseModel, State
from lsr_core.refinement.summary import GaussNewtonStep

STAGE = "Gauss-Newton"
STATIONARY = 0.99  # of the residual: a linear model that leaves more of it has no slope left to follow
STILL = 1 - 1e-4  # of the residual: the best step that leaves more of it at fresh points hardly moved
PATIENCE = 5  # such steps in a row, after which no other is tried
AGREES = 2.0  # times the residual that the linear model promises, up to which no damping is tried
FALLS = 0.5  # of the residual: a step that leaves less of it is taken as it is
DAMPINGS = (1e-6, 1e-4, 1e-2, 0.1, 1.0, 10.0)  # relative to the column norms
SHORTER = tuple(0.5**power for power in range(1, 7))  # of the way to the minimum of the linear model
HELD = (1e-12, 1e-9)  # penalties on coefficients, relative to column norms
LONGER = (1.5, 2.0, 3.0, 5.0, 9.0)  # times the best step
FEWER = (1, 4, 16)  # parts of the directions along which damped steps go
ALIKE = 0.98  # of the largest gain, from which a state gains as much
SPOILT = " Steps that promised less were left, because rounding would have spoilt the predictors they lead to."


@dataclass(frozen=True, eq=False)
class GaussNewton:
    """The result of `gauss_newton`.

    Attributes:
        records: what it starts from, then one for each step.
        rank: directions that the field uses.
        alpha: α of the subspace's directions (R,), zero beyond the rank.
        step: Δθ = V α of the free parameters.
        delta: Δθ, flat (m,).
        predictor: q(θ0, x) + J(x) Δθ.
        sentence: how it ended.
    """

    records: tuple[GaussNewtonStep, ...]
    rank: int
    alpha: Tensor
    step: Tensor
    delta: Tensor
    predictor: RefinedPredictor
    sentence: str


def gauss_newton(refinement: Refinement, steps: int, *, progress: ProgressCallback | None = None) -> GaussNewton:
    """Minimise the true residual of the field u0 + Φα over α, in the subspace of a refinement.

    Each step factorises the linearised rows once and compares its solutions at the ranks of the run's ladder, by the true residual.
    Where none comes near what the linear model promises, shorter steps and steps with Marquardt's damping, from hardly any to nearly the
    direction of steepest descent, are tried as well: all of them, as the first that gains anything may gain next to nothing. A step is
    taken only if the true residual of the predictor that would be delivered falls at the fitted and at the fresh points; of several whose
    does, the one with the smallest at fresh points.

    It ends where no step lowers the residual, where the linear model promises no less (no slope is left), where several steps in a row
    hardly moved, of whatever length they were, or where there are no more. That a step gains little is no reason to end.

    Args:
        refinement: of a physics problem; its network's field or its one-shot solution, whichever has the smaller residual, is where it starts.
        steps: at most.
        progress: called with (stage, fraction done); may raise `Cancelled` to stop.

    Raises:
        InputError: fewer than one step, or a problem that is fitted to data.

    Reference: W. Cao, W. Zhang (2026), arXiv 2601.13989, for the subspace; J. J. Moré (1978) for the damping.
    """
    setting = cast(PhysicsSetting, refinement.setting)
    if linear := words_of(refinement.problem.kind).unused.get("gauss_newton"):
        raise InputError(linear, key="gauss_newton")
    if steps < 1:
        raise InputError(f"is {steps}; ask for at least one step", key="gauss_newton")
    clock = Progress(progress or default_callback(), {STAGE: 1.0})
    clock.stage(STAGE)
    began = time.perf_counter()
    model = ResponseModel(setting, refinement.subspace)
    state = _start(model, refinement)
    fixed = setting.config.rank != "auto"
    ranks = [rank for rank in ([refinement.rank] if fixed else ladder(model.size)) if rank > 0]
    records = [_record(model, 0, state, norm=model.length(state.alpha), seconds=time.perf_counter() - began)]
    ending = None if ranks else "There are no directions to step along."
    still, began = 0, time.perf_counter()
    for step in descend(state, _Steps(model, ranks), steps if ranks else 0):
        norm, seconds = model.length(step.after.alpha - step.before.alpha), time.perf_counter() - began
        records.append(_record(model, len(records), step.after, norm=norm, seconds=seconds, accepted=step.taken))
        state, began = step.after, time.perf_counter()
        still = still + 1 if step.after.fresh > STILL**2 * step.before.fresh else 0
        ending = _ending(step, still)
        clock.fraction((len(records) - 1) / steps)
        if ending is not None:
            break
    clock.fraction(1.0)
    delta = model.delta(state)
    return GaussNewton(
        records=tuple(records),
        rank=state.rank,
        alpha=state.alpha,
        step=delta,
        delta=setting.function.expand(delta),
        predictor=model.predictor(state),
        sentence=_sentence(records, ending) + (SPOILT if model.spoilt else "") + _unsolved(setting, delta),
    )


def _start(model: ResponseModel, refinement: Refinement) -> State:
    """The network's field, or the one-shot solution where its residual is smaller."""
    alphas = refinement.solutions.solver.rhs.new_zeros(model.size, 2)
    alphas[: refinement.rank, 1] = refinement.solutions.at(refinement.rank)
    base, one_shot = model.states(alphas, [0, refinement.rank])
    return _best(model, [one_shot], base) or base


def _ending(step: Advance[State], still: int) -> str | None:
    """Why no other step is tried, after `still` steps in a row that hardly moved."""
    if not step.taken:
        return _refused(step.before, step.promised)
    if step.promised > STATIONARY**2 * step.before.fitted and step.after.fresh > STATIONARY**2 * step.before.fresh:
        return "The last step changed little, and the linear model promises no more."
    return f"The last {PATIENCE} steps hardly moved, of whatever length they were." if still == PATIENCE else None


class _Steps:
    """Steps by the solutions of a ladder of ranks, and where those disappoint by Marquardt's damping and by halving."""

    def __init__(self, model: ResponseModel, ranks: Sequence[int]) -> None:
        self._model, self._ranks = model, ranks

    def __call__(self, state: State) -> tuple[State | None, float]:
        """The best state that a step leads to, if any is better, and the loss that the linear model promises."""
        model, ranks = self._model, self._ranks
        factor = model.factor(state.alpha)
        if not torch.isfinite(factor).all():
            return None, math.nan
        reached = [rank for rank in ranks if rank <= len(factor)]
        least = promised(factor)
        whole = truncated_solutions(factor, state.alpha, reached)
        states = model.states(whole, reached)
        found = _best(model, states, state)
        if found is None or found.fitted > max(AGREES**2 * least, FALLS**2 * state.fitted):
            states = [
                *states,
                *self._held(state, factor),
                *self._shorter(state, whole, reached),
                *self._damped(state, factor),
            ]
            found = _best(model, [*states, *self._longer(state, states)], state)
        return found, least

    def _longer(self, state: State, states: Sequence[State]) -> list[State]:
        """Beyond the best of several steps: across a plain a step of the length that the linear model is good for gains little."""
        better = [one for one in states if one.improves(state)]
        if not better:
            return []
        best = min(better, key=lambda one: one.fresh)
        way = (best.alpha - state.alpha)[:, None] * best.alpha.new_tensor(LONGER)
        found = self._model.states(state.alpha[:, None] + way, [max(best.rank, state.rank)] * len(LONGER))
        return [replace(one, damping=best.damping) for one in found]

    def _held(self, state: State, factor: Tensor) -> list[State]:
        """Minima of the linear model with a slight penalty on the coefficients, whose fields rounding spoils least."""
        if len(factor) <= self._model.size:
            return []
        alphas = torch.stack([held_solution(factor, state.alpha, penalty)[0] for penalty in HELD], dim=1)
        return self._model.states(alphas, [self._model.size] * len(HELD))

    def _shorter(self, state: State, whole: Tensor, reached: Sequence[int]) -> list[State]:
        """Parts of the way to the solution at the largest rank."""
        if not reached or not torch.isfinite(whole[:, -1]).all():
            return []
        way = (whole[:, -1] - state.alpha)[:, None] * whole.new_tensor(SHORTER)
        return self._model.states(state.alpha[:, None] + way, [max(reached[-1], state.rank)] * len(SHORTER))

    def _damped(self, state: State, factor: Tensor) -> list[State]:
        """Damped steps along all directions and along fewer of them."""
        ranks = [rank for rank in self._ranks if rank < len(factor)]
        found = []
        for rank in sorted({max(1, ranks[-1] // part) for part in FEWER} if ranks else ()):
            part, beyond = leading(factor, rank), (0, 0, 0, self._model.size - rank)
            steps = torch.stack([damped_step(part, damping)[0] for damping in DAMPINGS], dim=1)
            alphas = state.alpha[:, None] + torch.nn.functional.pad(steps, beyond)
            states = self._model.states(alphas, [max(rank, state.rank)] * len(DAMPINGS))
            found += [replace(one, damping=damping) for one, damping in zip(states, DAMPINGS, strict=True)]
        return found


def _best(model: ResponseModel, states: Sequence[State], than: State) -> State | None:
    """The state with the smallest residual at fresh points whose predictor holds it; after one that does not, only much shorter steps.

    Of states that are about as good the one with the smallest coefficients is first: rounding of large ones is what steps end by.
    """
    better = sorted((state for state in states if state.improves(than)), key=lambda state: state.fresh)
    if better:
        enough = ALIKE * (than.fresh - better[0].fresh)
        alike = [state for state in better if than.fresh - state.fresh >= enough]
        better.remove(shortest := min(alike, key=lambda state: float(state.alpha.norm())))
        better.insert(0, shortest)
    longest = math.inf
    for state in better:
        length = float(state.alpha.norm())
        if length > longest:
            continue
        held = model.held(state, than)
        if held is not None:
            return held
        longest = length / 2
    return None


def _record(
    model: ResponseModel, step: int, state: State, *, norm: float, seconds: float, accepted: bool = True
) -> GaussNewtonStep:
    return GaussNewtonStep(
        step=step,
        rank=state.rank,
        fitted_residual=math.sqrt(state.fitted),
        fresh_residual=math.sqrt(state.fresh),
        relative_l2=model.relative_l2(state),
        step_norm=norm,
        damping=state.damping if accepted else 0.0,
        accepted=accepted,
        seconds=seconds,
    )


def _refused(state: State, promised: float) -> str:
    if not np.isfinite(promised):
        return "The derivatives of the residual are not finite there, so that no further step can be solved for."
    if promised > STATIONARY**2 * state.fitted:
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


def _unsolved(setting: PhysicsSetting, delta: Tensor) -> str:
    """That the residual of Δθ is large beside the terms; whether the field is wrong is for the verdict to say."""
    found = relative_residual_of(setting, delta)
    if found.worst <= SOLVED or is_zero(setting, delta, setting.splits[setting.display].inputs):
        return ""
    return (
        f" The residual is large: at fresh points what is left is {100 * found.worst:.2g} % of the terms that it is made of "
        f"(block {found.block}), and up to {100 * SOLVED:.2g} % an equation may be solved."
    )
