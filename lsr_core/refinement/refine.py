"""One-shot linearized subspace refinement, with the errors of every rank (Cao & Zhang 2026, arXiv 2601.13989)."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.linalg.reduction import ALONE, Reduction
from lsr_core.networks.routes import in_words
from lsr_core.problems.problem import Problem
from lsr_core.refinement import gauss_newton
from lsr_core.refinement import ranks as rank_choice
from lsr_core.refinement.after_gauss_newton import after_gauss_newton
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.error_bars import ErrorBars
from lsr_core.refinement.estimating import with_estimates
from lsr_core.refinement.evaluation import Choosing, Evaluation, Verified
from lsr_core.refinement.kinds import evaluate, fitted
from lsr_core.refinement.length import length_notes
from lsr_core.refinement.output_errors import names_of, output_notes
from lsr_core.refinement.progress import Progress, ProgressCallback, default_callback
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.report import conditions_at
from lsr_core.refinement.results import Spectrum, Sweep
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.sharing import shared_by
from lsr_core.refinement.smoothing import Smoothing, smoothed
from lsr_core.refinement.solve import LinearSolve, planned, solved_in_basis
from lsr_core.refinement.status import SolutionStatus
from lsr_core.refinement.summarising import method_of, summarise
from lsr_core.refinement.summary import Summary
from lsr_core.refinement.sweep import RankSolutions
from lsr_core.validation import checked

DISAGREEMENT = 0.10
ROUNDING_LEVEL = 1e-8  # relative error below which a disagreement is noise and not worth another try
STAGES = {"preparing": 1, "basis": 12, "validation rows": 2, "test rows": 5, "checking": 1}
JOINED = "Training and validation samples are fitted together: smoothing chooses without samples that are held out."
STEP_SHARE = 6  # of a Gauss-Newton step, beside those


def refine(
    problem: Problem,
    config: RefineConfig | None = None,
    *,
    progress: ProgressCallback | None = None,
    reduction: Reduction = ALONE,
    **settings: object,
) -> Refinement:
    """Refine a trained network by one direct solve in a low-dimensional subspace of parameter directions.

    Builds V from the Jacobian at θ0, reduces the residual rows to one triangular factor, and reads off the solutions
    min ‖f(θ0) + G V c‖ of all ranks 0…R with their training, validation and test errors. For an equation, Gauss-Newton steps on the
    true residual follow if the config asks for them.

    Args:
        problem: network and data.
        config: settings; or give them by name, `refine(problem, max_rank=300, seed=1)`.
        progress: called with (stage, fraction done); may raise `Cancelled` to stop. By default a bar in a notebook, else nothing.
        reduction: the processes that share the rows, each of which calls this with the same problem and config; this one alone by default.

    Raises:
        InputError: the problem or a setting cannot be used; the message says what to do.
        NumericalError: the refinement left the finite numbers.

    Reference: W. Cao, W. Zhang (2026), arXiv 2601.13989; randomized SVD after Halko, Martinsson & Tropp (2011).
    """
    config = checked(RefineConfig, {**(config.model_dump() if config else {}), **settings})
    clock = Progress(progress or default_callback(), _stages(config))
    with in_words():
        whole = fitted(problem, config)
        found = with_estimates(_stepped(_one_shot(whole, config, clock, reduction), clock))
    if whole is not problem:
        found.summary.notes.insert(0, JOINED)
    return found


def _one_shot(problem: Problem, config: RefineConfig, clock: Progress, reduction: Reduction) -> Refinement:
    clock.stage("preparing")
    setting = planned(problem, config, reduction)
    refinement = _run(problem, setting, clock)
    if refinement.gap <= DISAGREEMENT:
        return refinement
    matters = setting.relative_l2(refinement.summary.refined.train_mse or 0.0, "train") > ROUNDING_LEVEL
    if matters and setting.strategy.name == "factored" and config.strategy == "auto":
        reason = f"factored directions had reached their rounding limit (errors {_apart(refinement.gap)} off those of the predictor)"
        try:
            exact = planned(problem, config.model_copy(update={"strategy": "row-blocks"}), reduction)
        except InputError:  # the exact route does not fit the budget; what there is comes with the note
            exact = None
        if exact is not None:
            clock.restart()
            return _run(problem, replace(exact, strategy=replace(exact.strategy, reason=reason)), clock)
    if refinement.summary.status != SolutionStatus.WORSE:
        refinement.summary.status = SolutionStatus.ROUNDING.value
    apart = f"at the chosen rank the sweep's errors and those of the predictor, which are the ones reported, differ by {_apart(refinement.gap)}."
    advice = (
        " The strategies row-blocks and matrix-free compute more exactly."
        if setting.strategy.name == "factored"
        else ""
    )
    refinement.summary.notes.append(f"Rounding is reached: {apart}" + (advice if matters else ""))
    return refinement


def _apart(gap: float) -> str:
    return f"{gap:.0%}" if gap < 1 else f"a factor of {1 + gap:.2g}"


def _stepped(refinement: Refinement, clock: Progress) -> Refinement:
    """With the Gauss-Newton steps that the config asks for."""
    steps = refinement.setting.config.gauss_newton
    if steps == 0:
        return refinement
    clock.stage(gauss_newton.STAGE)
    result = gauss_newton.gauss_newton(refinement, steps, progress=lambda _, done: clock.fraction(done))
    return after_gauss_newton(refinement, result, clock.finish())


def _stages(config: RefineConfig) -> dict[str, int]:
    return STAGES | ({gauss_newton.STAGE: STEP_SHARE * config.gauss_newton} if config.gauss_newton else {})


class _Chosen(NamedTuple):
    """The rank, how it was chosen, the knee of its errors, and the ranks at which fields are kept."""

    rank: int
    how: str
    knee: int
    rungs: list[int]


def _run(problem: Problem, setting: Setting, clock: Progress) -> Refinement:
    started = time.perf_counter()
    clock.stage("basis")
    solve = solved_in_basis(setting, clock.fraction)
    smoothing = smoothed(solve)
    solve = solve if smoothing is None else smoothing.in_force(solve)
    subspace, solutions = solve.subspace, _solutions(solve)
    evaluation = evaluate(setting, subspace, solutions, solve.train, clock.fraction)
    clock.stage("validation rows")
    choosing = evaluation.choosing()
    chosen = _choose(setting, choosing, evaluation, solutions, smoothing)
    clock.stage("test rows")
    reported = evaluation.reporting(choosing.sweep, chosen.rungs)
    sweep = reported.sweep
    clock.stage("checking")
    delta = subspace.delta(solutions.at(chosen.rank))
    predictor = evaluation.predictor(delta)
    found = evaluation.verified(predictor, sweep, chosen.rank)
    error_bars = None if smoothing is None else ErrorBars.of(setting, subspace, smoothing)
    if found.status is SolutionStatus.OK and solve.solver.leaves_out(chosen.rank):
        found = replace(found, status=SolutionStatus.CUT_OFF)
    bars = {} if error_bars is None else error_bars.summary(predictor)
    if error_bars is not None and error_bars.spread is not None:
        predictor = predictor.with_spread(error_bars.spread.by(setting.function.over_names))
    processes = shared_by(setting.reduction)
    timings = clock.finish()
    seconds = time.perf_counter() - started
    return Refinement(
        problem=problem,
        setting=replace(setting, reduction=ALONE),
        subspace=subspace,
        solutions=solutions,
        sweep=sweep,
        spectrum=Spectrum(subspace.singular_values.cpu().double().numpy(), subspace.sketch_error),
        fields=reported.fields,
        display_points=reported.points.numpy(),
        rank=chosen.rank,
        delta=setting.function.expand(delta),
        predictor=predictor,
        summary=_summary(
            problem,
            solve,
            sweep,
            chosen,
            delta,
            found,
            smoothing=smoothing,
            seconds=seconds,
            timings=timings,
            processes=processes,
            **bars,
        ),
        gap=found.gap,
        timings=timings,
        error_bars=error_bars,
    )


def _solutions(solve: LinearSolve) -> RankSolutions:
    """Of all ranks; raises InputError if the one that was asked for is beyond the basis."""
    max_rank, wanted = solve.subspace.rank, solve.setting.config.rank
    fixed = (wanted,) if isinstance(wanted, int) else ()
    if fixed and fixed[0] > max_rank:
        raise InputError(
            f"is {fixed[0]}, but the basis has {max_rank} directions; ask for less, or for more basis_points",
            key="rank",
        )
    return RankSolutions(solve.solver, rank_choice.ladder(max_rank), required=(max_rank, *fixed))


def _choose(
    setting: Setting,
    choosing: Choosing,
    evaluation: Evaluation,
    solutions: RankSolutions,
    smoothing: Smoothing | None,
) -> _Chosen:
    sweep = choosing.sweep
    if smoothing is None:
        taken = sweep if choosing.allowed is None else replace(sweep, solved=sweep.solved & choosing.allowed)
        rank, how = rank_choice.choose(taken, setting.config.rank, choosing.gains, evaluation.left_out)
    else:
        rank, how = smoothing.rank if smoothing.refines else 0, smoothing.why
    if setting.function.sizes is not None:
        how += "; outputs divided by their sizes"
    knee = rank_choice.knee(np.where(sweep.solved, sweep.compared, np.nan))
    rungs = rank_choice.ladder(sweep.max_rank, required=(rank, knee))
    return _Chosen(rank, how, knee, [rung for rung in rungs if solutions.is_solved(rung)])


def _summary(
    problem: Problem,
    solve: LinearSolve,
    sweep: Sweep,
    chosen: _Chosen,
    delta: Tensor,
    found: Verified,
    *,
    smoothing: Smoothing | None,
    seconds: float,
    timings: dict[str, float],
    **bars: Any,
) -> Summary:
    setting, function = solve.setting, solve.setting.function
    conditions = conditions_at(chosen.rank, sweep, solve.solver, solve.subspace)
    delta_norm, theta_norm = float(delta.norm()), float(function.theta0.norm())
    eps = torch.finfo(function.dtype).eps
    return summarise(
        problem.name,
        setting.config,
        method_of(setting, solve.subspace),
        n_params=function.n_params,
        n_params_total=function.n_total,
        n_residuals=setting.n_residuals,
        rank=chosen.rank,
        rank_choice=chosen.how,
        knee=chosen.knee,
        base=found.base,
        refined=found.refined,
        base_quantiles=found.base_quantiles,
        refined_quantiles=found.refined_quantiles,
        **conditions,
        delta_norm=delta_norm,
        theta_norm=theta_norm,
        residual_norm=found.norms,
        seconds=seconds,
        timings=timings,
        notes=[
            *setting.notes,
            *found.notes,
            *([] if smoothing is None else smoothing.notes),
            *output_notes(found.base, found.refined, names_of(problem), divided=setting.function.sizes is not None),
            *length_notes(
                chosen.rank,
                _resolved(conditions["condition_number"], setting.config.damping, smoothing),
                delta_norm,
                theta_norm,
                eps,
            ),
        ],
        status=found.status.value,
        classes=found.classes,
        output_sizes=None if function.sizes is None else setting.part_sizes.tolist(),
        **bars,
    )


def _resolved(kappa: float | None, damping: float, smoothing: Smoothing | None) -> float | None:
    """The condition number that the length of the step meets: a penalty keeps all that is smaller out of it."""
    penalty = damping if smoothing is None else smoothing.value if smoothing.refines else 0.0
    return kappa if kappa is None or penalty == 0 else min(kappa, 1 / penalty)


def sweep(problem: Problem, config: RefineConfig | None = None, **settings: object) -> Sweep:
    """Errors, condition numbers and norms at every rank: `refine(…).sweep`, for those who want the curve only."""
    return refine(problem, config, **settings).sweep  # type: ignore[arg-type]
