"""One-shot linearized subspace refinement, with the errors of every rank (Cao & Zhang 2026, arXiv 2601.13989)."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import torch

from lsr_core.errors import InputError, NumericalError
from lsr_core.linalg.triangular import TriangularSolver
from lsr_core.networks.routes import in_words
from lsr_core.problems.problem import Problem
from lsr_core.refinement import gauss_newton
from lsr_core.refinement import ranks as rank_choice
from lsr_core.refinement.after_gauss_newton import after_gauss_newton
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.forecast import need_room
from lsr_core.refinement.kinds import build_basis, evaluate, prepare
from lsr_core.refinement.length import length_notes
from lsr_core.refinement.output_errors import names_of, output_notes
from lsr_core.refinement.progress import Progress, ProgressCallback, default_callback
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.report import kappa_at, unscaled
from lsr_core.refinement.results import Spectrum, Sweep
from lsr_core.refinement.setting import Setting, relative_l2
from lsr_core.refinement.summarising import method_of, summarise
from lsr_core.refinement.sweep import RankSolutions
from lsr_core.validation import checked

DISAGREEMENT = 0.10
ROUNDING_LEVEL = 1e-8  # relative error below which a disagreement is noise and not worth another try
STAGES = {"preparing": 1, "basis": 12, "validation rows": 2, "test rows": 5, "checking": 1}
STEP_SHARE = 6  # of a Gauss-Newton step, beside those


def refine(
    problem: Problem,
    config: RefineConfig | None = None,
    *,
    progress: ProgressCallback | None = None,
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

    Raises:
        InputError: the problem or a setting cannot be used; the message says what to do.
        NumericalError: the refinement left the finite numbers.

    Reference: W. Cao, W. Zhang (2026), arXiv 2601.13989; randomized SVD after Halko, Martinsson & Tropp (2011).
    """
    config = checked(RefineConfig, {**(config.model_dump() if config else {}), **settings})
    clock = Progress(progress or default_callback(), _stages(config))
    with in_words():
        return _stepped(_one_shot(problem, config, clock), clock)


def _one_shot(problem: Problem, config: RefineConfig, clock: Progress) -> Refinement:
    clock.stage("preparing")
    setting = _prepare(problem, config)
    refinement = _run(problem, setting, clock)
    if refinement.gap <= DISAGREEMENT:
        return refinement
    matters = relative_l2(refinement.summary.refined.train_mse or 0.0, setting.train) > ROUNDING_LEVEL
    if matters and setting.strategy.name == "factored" and config.strategy == "auto":
        reason = f"factored directions had reached their rounding limit (errors {refinement.gap:.0%} off those of the predictor)"
        try:
            exact = _prepare(problem, config.model_copy(update={"strategy": "row-blocks"}))
        except InputError:  # the exact route does not fit the budget; what there is comes with the note
            exact = None
        if exact is not None:
            clock.restart()
            return _run(problem, replace(exact, strategy=replace(exact.strategy, reason=reason)), clock)
    refinement.summary.notes.append(
        "Rounding is reached: at the chosen rank the sweep's errors and those of the predictor, which are the ones reported, "
        f"differ by {refinement.gap:.0%}."
    )
    return refinement


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


def _prepare(problem: Problem, config: RefineConfig) -> Setting:
    """The setting, refused before anything large is allocated if its plan does not fit."""
    setting = prepare(problem, config)
    need_room(problem, config, setting.plan)
    return setting


def _run(problem: Problem, setting: Setting, clock: Progress) -> Refinement:
    started = time.perf_counter()
    config, function = setting.config, setting.function
    clock.stage("basis")
    basis = build_basis(setting, clock.fraction)
    subspace, train = basis.subspace, basis.train
    max_rank = subspace.rank
    if not torch.isfinite(train.factor).all():
        raise NumericalError("The response modes are not finite; a smaller rank, or float64, will help.")
    solver = TriangularSolver(
        (basis.solve or train).factor,
        rcond=setting.rcond,
        damping=config.damping,
        lengths=subspace.scale,
        least=config.rcond or 0.0,
    )
    fixed = (config.rank,) if isinstance(config.rank, int) else ()
    if fixed and fixed[0] > max_rank:
        raise InputError(
            f"is {fixed[0]}, but the basis has {max_rank} directions; ask for less, or for more basis_points",
            key="rank",
        )
    solutions = RankSolutions(solver, rank_choice.ladder(max_rank), required=(max_rank, *fixed))
    evaluation = evaluate(problem, setting, subspace, solutions, train, clock.fraction)
    clock.stage("validation rows")
    sweep = evaluation.choosing_sweep()
    has_validation = bool(np.isfinite(sweep.val_mse[0]))
    rank, how = rank_choice.choose(sweep, config.rank, evaluation.gains, evaluation.left_out)
    bend = rank_choice.knee(np.where(sweep.solved, sweep.val_mse if has_validation else sweep.train_mse, np.nan))
    rungs = [r for r in rank_choice.ladder(max_rank, required=(rank, bend)) if solutions.is_solved(r)]

    clock.stage("test rows")
    sweep = evaluation.reporting_sweep(sweep, rungs)

    clock.stage("checking")
    delta = subspace.delta(solutions.at(rank))
    predictor = evaluation.predictor(delta)
    found = evaluation.verified(predictor, sweep, rank)
    fields, points = evaluation.fields()
    spectrum = Spectrum(subspace.singular_values.cpu().double().numpy(), subspace.sketch_error)
    timings = clock.finish()
    kappa = kappa_at(rank, sweep.condition_number, sweep, lambda: unscaled(solver, subspace)[:rank, :rank])
    delta_norm, theta_norm = float(delta.norm()), float(function.theta0.norm())
    summary = summarise(
        problem.name,
        config,
        method_of(setting, subspace),
        n_params=function.n_params,
        n_params_total=function.n_total,
        n_residuals=setting.n_residuals,
        rank=rank,
        rank_choice=how,
        knee=bend,
        base=found.base,
        refined=found.refined,
        base_quantiles=found.base_quantiles,
        refined_quantiles=found.refined_quantiles,
        condition_number=kappa,
        solved_condition_number=kappa_at(rank, sweep.solved_condition_number, sweep, lambda: solver.leading(rank)),
        delta_norm=delta_norm,
        theta_norm=theta_norm,
        residual_norm=found.norms,
        seconds=time.perf_counter() - started,
        timings=timings,
        notes=[
            *setting.notes,
            *found.notes,
            *output_notes(found.base, found.refined, names_of(problem)),
            *length_notes(rank, kappa, delta_norm, theta_norm, torch.finfo(function.dtype).eps),
        ],
        classes=found.classes,
    )
    return Refinement(
        problem,
        setting,
        subspace,
        solutions,
        sweep,
        spectrum,
        fields,
        points.numpy(),
        rank,
        function.expand(delta),
        predictor,
        summary,
        found.gap,
        timings,
    )


def sweep(problem: Problem, config: RefineConfig | None = None, **settings: object) -> Sweep:
    """Errors, condition numbers and norms at every rank: `refine(…).sweep`, for those who want the curve only."""
    return refine(problem, config, **settings).sweep  # type: ignore[arg-type]
