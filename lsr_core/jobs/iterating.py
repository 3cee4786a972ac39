"""The job "iterate": iterative LSR, with all that is needed to look at it while it runs and to go on after it was stopped."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from lsr_core.errors import Cancelled
from lsr_core.iteration.config import IterateConfig
from lsr_core.jobs.refining import write_delta
from lsr_core.refinement.progress import ProgressCallback
from lsr_core.refinement.uses import Job, refuse_job
from lsr_core.storage.runs import Run
from lsr_core.storage.steps import FieldGrid, StepFields, StepStore
from lsr_core.validation import checked

if TYPE_CHECKING:
    from lsr_core.iteration.loop import Iteration
    from lsr_core.iteration.records import BaselinePoint, Floats, IterationStep
    from lsr_core.iteration.state import IterationState, Stopped
    from lsr_core.problems.physics.problem import PhysicsProblem
    from lsr_core.problems.problem import Problem
    from lsr_core.refinement.summary import Summary


def work(run: Run, report: ProgressCallback) -> None:
    """Go on from the last half step of the run, or begin.

    Raises:
        InputError: the problem is no equation, or settings or state cannot be used.
        Cancelled: asked to stop; figures and best predictor so far are in the run.
    """
    from lsr_core.iteration.loop import Iteration
    from lsr_core.storage.bundles import load_problem
    from lsr_core.storage.states import read_state

    manifest = run.manifest
    config = checked(IterateConfig, manifest.settings)
    problem = equation_of(load_problem(run.problem_path))
    state = read_state(run.path, sum(value.numel() for value in problem.model.parameters()))
    store = StepStore(run.path)
    store.cut(state.progress.index if state else -1, state.progress.trained if state else [])
    run.append_log(f"{problem.name}: {config.model_dump_json()} {manifest.config.model_dump_json()}")
    if state is not None:
        run.append_log(f"goes on after half step {state.progress.index}")
    book = RunBook(run, store)
    iteration = Iteration(problem, config, manifest.config, book, state=state, report=report)
    book.iteration = iteration
    if state is not None and state.progress.best is not None:
        book.write_best(state)  # it may have been killed between writing this and the state
    try:
        iteration.run()
    except Cancelled:
        _finish(run, store, iteration, "asked")
        raise
    _finish(run, store, iteration)


def equation_of(problem: Problem, job: Job = "iterate") -> PhysicsProblem:
    """The problem, if it is an equation, whose points can be drawn anew.

    Raises:
        InputError: it consists of data.
    """
    refuse_job(job, problem.kind)
    return cast("PhysicsProblem", problem)


class RunBook:
    """Writes an iteration into its run."""

    iteration: Iteration

    def __init__(self, run: Run, store: StepStore) -> None:
        self._run, self._store = run, store

    def grid(self, axes: dict[str, Floats], truth: Floats) -> None:
        self._store.write_grid(FieldGrid(axes, truth))

    def step(self, step: IterationStep, network: Floats | None, refined: Floats | None) -> None:
        self._store.add(step, None if network is None else StepFields(network, refined))
        figures = f"residual {step.residual:.2e}, fresh {step.fresh_residual:.2e}"
        self._run.append_log(f"{step.index} {step.kind} of round {step.round}: {figures}. {step.note}")

    def keep(self, state: IterationState) -> None:
        """The predictor first: a state never speaks of one that is not there."""
        from lsr_core.storage.states import write_state

        best = state.progress.best
        if best is not None and best.index == state.progress.index:
            self.write_best(state)
        write_state(self._run.path, state)

    def baseline(self, point: BaselinePoint) -> None:
        self._store.add_baseline(point)

    def write_best(self, state: IterationState) -> None:
        """Network, Δθ and figures of the best solve, as a refinement leaves them."""
        from lsr_core.storage.bundles import save_problem

        best, problem = state.progress.best, self.iteration.at_best(state)
        assert best is not None
        assert problem is not None
        assert state.best_delta is not None
        save_problem(self._run.path / "best", problem, overwrite=True)
        write_delta(self._run, state.best_delta, best.rank)
        self._run.write_summary(_summary(self._run, problem, state))


def _summary(run: Run, problem: PhysicsProblem, state: IterationState) -> Summary:
    """The best solve as a refinement of its own."""
    from lsr_core.refinement.setting import function_of
    from lsr_core.refinement.summarising import summarise
    from lsr_core.refinement.summary import Errors

    best, config = state.progress.best, run.manifest.config
    assert best is not None
    assert state.best_theta is not None
    assert state.best_delta is not None
    norms, count = best.residual, len(state.best_theta)
    free = function_of(problem.model, config).n_params
    return summarise(
        problem.name,
        config,
        best,
        n_params=free,
        n_params_total=count,
        n_residuals=problem.n_rows,
        rank=best.rank,
        rank_choice="fixed" if isinstance(config.rank, int) else "auto: smallest residual at fresh points",
        knee=best.rank,
        base=Errors(
            train_mse=_square(norms.base), val_mse=_square(norms.fresh_base), relative_l2=best.base_relative_l2
        ),
        refined=Errors(
            train_mse=_square(norms.nonlinear), val_mse=_square(norms.fresh_nonlinear), relative_l2=best.relative_l2
        ),
        condition_number=None,
        solved_condition_number=None,
        delta_norm=float(state.best_delta.norm()),
        theta_norm=float(state.best_theta.norm()),
        residual_norm=norms,
        seconds=state.progress.seconds,
        notes=[f"The solve of round {best.round} of iterative LSR.", *best.notes],
    )


def _square(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value**2


def _finish(run: Run, store: StepStore, iteration: Iteration, stopped: Stopped | None = None) -> None:
    from lsr_core.iteration.sentence import summarise

    found = summarise(run.manifest.problem, store.steps(), iteration.state.progress, iteration.transform, stopped)
    if found is not None:
        store.write_summary(found)
        run.append_log(found.sentence)
