"""The job "solve": an equation from scratch, with every attempt in the run as it ends."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from lsr_core.errors import Cancelled, InputError
from lsr_core.jobs.iterating import equation_of
from lsr_core.jobs.refining import write_delta
from lsr_core.refinement.progress import ProgressCallback
from lsr_core.storage.runs import Run
from lsr_core.validation import checked

if TYPE_CHECKING:
    from lsr_core.refinement.summary import Summary
    from lsr_core.solver.records import SolveStep
    from lsr_core.solver.solution import JoinedSolution
    from lsr_core.solver.solve import Solving

STAGE = "solving"


def work(run: Run, report: ProgressCallback) -> None:
    """Solve, and keep what there is when it is stopped.

    Raises:
        InputError: the problem is no equation, or nothing at all was solved.
        Cancelled: asked to stop; the windows so far are in the run.
    """
    from lsr_core.solver.config import SolveConfig
    from lsr_core.solver.solve import Solving, with_second
    from lsr_core.storage.bundles import load_problem
    from lsr_core.storage.solves import SolveStore

    began = time.perf_counter()
    config = checked(SolveConfig, run.manifest.settings)
    problem = equation_of(load_problem(run.problem_path), "solve")
    store = SolveStore(run.path)
    store.forget()
    run.append_log(f"{problem.name}: {config.model_dump_json()}")

    def told(step: SolveStep) -> None:
        store.add(step)
        run.append_log(_line(step, solving))
        report(STAGE, _share(solving))

    solving = Solving(problem, config, told, lambda: report(STAGE, _share(solving)))
    try:
        found = with_second(solving, solving.run())
    except Cancelled:
        if solving.windows:
            _keep(run, solving.solution("it was stopped"), solving, began)
        raise
    _keep(run, found, solving, began)


def _share(solving: Solving) -> float:
    """Of the time that the windows cover."""
    if solving.axis is None or not solving.windows:
        return 0.0
    low, high = solving.problem.domain[solving.axis]
    return (solving.windows[-1].end - low) / (high - low)


def _line(step: SolveStep, solving: Solving) -> str:
    where = "all at once" if step.start is None else f"{solving.axis} in [{step.start:.8g}, {step.end:.8g}]"
    where = where if step.value is None else f"{solving.config.along} = {step.value:.8g}"
    relative = "not finite" if step.relative_residual is None else f"{step.relative_residual:.2e}"
    return f"{where}: {step.newton_steps} steps, relative residual {relative}, {'kept' if step.kept else 'left'}. {step.note}"


def _keep(run: Run, found: JoinedSolution, solving: Solving, began: float) -> None:
    """Network and Δθ as a refinement leaves them, the figures, and the summary of the solve."""
    from lsr_core.solver.records import SolveSummary
    from lsr_core.storage.bundles import save_problem
    from lsr_core.storage.solves import SolveStore

    save_problem(run.path / "best", found.problem, overwrite=True)
    write_delta(run, found.delta, len(found.delta))
    seconds = time.perf_counter() - began
    run.write_summary(_summary(run, found, seconds))
    summary = SolveSummary(
        solved=found.solved,
        sentence=found.sentence,
        windows=found.windows,
        relative_residual=found.relative_residual,
        relative_l2=found.relative_l2,
        relative_l2_by_output=list(found.by_output),
        estimate=found.estimate if found.estimate is None or math.isfinite(found.estimate) else None,
        reached=None if solving.axis is None else {solving.axis: found.problem.domain[solving.axis][1]},
        seconds=seconds,
        unknowns={} if found.found is None else found.found.unknowns,
        measured=None if found.found is None else found.found.measured,
    )
    SolveStore(run.path).write_summary(summary)
    run.append_log(found.sentence)


def _summary(run: Run, found: JoinedSolution, seconds: float) -> Summary:
    from lsr_core.refinement.summarising import summarise
    from lsr_core.refinement.summary import Errors, Method, ResidualNorms

    base, refined = found.residuals
    norms = ResidualNorms(base=base[0], nonlinear=refined[0], fresh_base=base[1], fresh_nonlinear=refined[1])
    size = len(found.delta)
    theta = sum(float(value.detach().square().sum()) for value in found.problem.model.parameters())
    method = Method(
        max_rank=size,
        strategy="row-blocks",
        strategy_reason="window by window, in the tangent space of each network",
        adjoint_error=0.0,
        sketch_error=None,
        rcond=0.0,
    )
    return summarise(
        found.problem.name,
        run.manifest.config,
        method,
        n_params=size,
        n_params_total=size,
        n_residuals=found.problem.n_rows,
        rank=size,
        rank_choice="fixed",
        knee=size,
        base=Errors(train_mse=_square(norms.base), val_mse=_square(norms.fresh_base)),
        refined=Errors(
            train_mse=_square(norms.nonlinear), val_mse=_square(norms.fresh_nonlinear), relative_l2=found.relative_l2
        ),
        condition_number=None,
        solved_condition_number=None,
        delta_norm=float(found.delta.norm()),
        theta_norm=math.sqrt(theta),
        residual_norm=norms,
        seconds=seconds,
        notes=[found.sentence],
        unknowns={} if found.found is None else found.found.unknowns,
        measured=None if found.found is None else found.found.measured,
    )


def _square(value: float | None) -> float:
    if value is None or not math.isfinite(value):
        raise InputError("the residual of the solution is not finite", key="solve")
    return value**2
