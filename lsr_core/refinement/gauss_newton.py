"""Gauss-Newton in the response space: the residual is nonlinear, the field stays u0 + Φα, and Φ is computed once."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.linalg.damped import damped_step, leading, promised, truncated_solutions
from lsr_core.problems.kinds import words_of
from lsr_core.refinement.descent import Advance, descend
from lsr_core.refinement.physics_setting import PhysicsSetting
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.progress import Progress, ProgressCallback, default_callback
from lsr_core.refinement.ranks import ladder
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.response_model import ResponseModel, State
from lsr_core.refinement.summary import GaussNewtonStep

STAGE = "Gauss-Newton"
SETTLED = 0.99  # of the residual: a step that leaves more of it at fresh points gains little
PATIENCE = 3  # steps in a row that gain little, though the linear model promises more, after which no other is tried
AGREES = 2.0  # times the residual that the linear model promises, up to which no damping is tried
FIRST_DAMPING, LARGEST_DAMPING = 1e-6, 1e2  # relative to the column norms
GROWTH, DECAY = 10.0, 0.01
SPOILT = " Steps that promised less were left, because rounding would have spoilt the predictors they lead to."
NOTHING = 0.999  # of the residual: a damped step that promises no less is too short to try


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
        converged: False where it ran out of steps.
    """

    records: tuple[GaussNewtonStep, ...]
    rank: int
    alpha: Tensor
    step: Tensor
    delta: Tensor
    predictor: RefinedPredictor
    sentence: str
    converged: bool


def gauss_newton(refinement: Refinement, steps: int, *, progress: ProgressCallback | None = None) -> GaussNewton:
    """Minimise the true residual of the field u0 + Φα over α, in the subspace of a refinement.

    Each step factorises the linearised rows once and compares its solutions at the ranks of the run's ladder, by the true residual.
    Where none comes near what the linear model promises, steps with Marquardt's damping in fewer and fewer directions are tried as
    well. A step is taken only if the true residual of the predictor that would be delivered falls at the fitted and at the fresh points;
    of several whose does, the one with the smallest at fresh points.

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
    small, began = 0, time.perf_counter()
    for step in descend(state, _Damped(model, ranks), steps if ranks else 0):
        norm, seconds = model.length(step.after.alpha - step.before.alpha), time.perf_counter() - began
        records.append(_record(model, len(records), step.after, norm=norm, seconds=seconds, accepted=step.taken))
        state, began = step.after, time.perf_counter()
        small = small + 1 if step.after.fresh > SETTLED**2 * step.before.fresh else 0
        ending = _ending(step, small)
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
        sentence=_sentence(records, ending) + (SPOILT if model.spoilt else ""),
        converged=ending is not None,
    )


def _start(model: ResponseModel, refinement: Refinement) -> State:
    """The network's field, or the one-shot solution where its residual is smaller."""
    alphas = refinement.solutions.solver.rhs.new_zeros(model.size, 2)
    alphas[: refinement.rank, 1] = refinement.solutions.at(refinement.rank)
    base, one_shot = model.states(alphas, [0, refinement.rank])
    return _best(model, [one_shot], base) or base


def _ending(step: Advance[State], small: int) -> str | None:
    """Why no other step is tried, after `small` steps in a row that changed little."""
    if not step.taken:
        return _refused(step.before, step.promised)
    if small and step.promised > SETTLED**2 * step.before.fitted:
        return "The last step changed little, and the linear model promises no more."
    return f"The last {PATIENCE} steps changed little." if small == PATIENCE else None


class _Damped:
    """Steps by the solutions of a ladder of ranks, and where those disappoint by Marquardt's damping, which it remembers."""

    def __init__(self, model: ResponseModel, ranks: Sequence[int]) -> None:
        self._model, self._ranks, self._level = model, ranks, FIRST_DAMPING

    def __call__(self, state: State) -> tuple[State | None, float]:
        """The best state that a step leads to, if any is better, and the loss that the linear model promises."""
        model, ranks = self._model, self._ranks
        factor = model.factor(state.alpha)
        if not torch.isfinite(factor).all():
            return None, math.nan
        reached = [rank for rank in ranks if rank <= len(factor)]
        least = promised(factor)
        found = _best(model, model.states(truncated_solutions(factor, state.alpha, reached), reached), state)
        if found is None or found.fitted > AGREES**2 * least:
            damped = self._damped(state, factor)
            if damped is not None and (found is None or damped.fresh < found.fresh):
                found = damped
        if found is not None:
            self._level = max(FIRST_DAMPING, found.damping * DECAY)
        return found, least

    def _damped(self, state: State, factor: Tensor) -> State | None:
        """The least damped step that leads to a better state, in fewer and fewer directions."""
        model, damping = self._model, self._level
        tried = _halved([rank for rank in self._ranks if rank < len(factor)])
        while damping <= LARGEST_DAMPING:
            steps = [damped_step(leading(factor, rank), damping) for rank in tried]
            if min((norm for _, norm in steps), default=math.inf) >= NOTHING * math.sqrt(state.fitted):
                return None
            padded = [torch.nn.functional.pad(step, (0, model.size - len(step))) for step, _ in steps]
            reach = [max(rank, state.rank) for rank in tried]
            states = model.states(state.alpha[:, None] + torch.stack(padded, dim=1), reach, damping)
            if (found := _best(model, states, state)) is not None:
                return found
            damping *= GROWTH
        return None


def _halved(ranks: Sequence[int]) -> list[int]:
    """The largest rank and those that halve it again and again, which together cost little more than the first."""
    if len(ranks) <= 1:
        return list(ranks)
    return [ranks[-1] >> power for power in range(ranks[-1].bit_length())]


def _best(model: ResponseModel, states: Sequence[State], than: State) -> State | None:
    """The state with the smallest residual at fresh points whose predictor holds it; after one that does not, only much shorter steps."""
    longest = math.inf
    for state in sorted((state for state in states if state.improves(than)), key=lambda state: state.fresh):
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
