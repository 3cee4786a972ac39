"""Δθ at a rank that a run does not hold, made again from its problem, config and seed."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.jobs.recorded import confirm
from lsr_core.problems.problem import Problem
from lsr_core.refinement.penalised import penalised_again
from lsr_core.refinement.refine import refine
from lsr_core.refinement.solve import planned, solved_in_basis
from lsr_core.refinement.spread import Spread
from lsr_core.refinement.uses import only_used
from lsr_core.storage import spreads
from lsr_core.storage.bundles import load_problem
from lsr_core.storage.runs import Run
from lsr_core.storage.weights import read_tensors


def confirmed(run: Run, rank: int) -> tuple[Problem, Tensor]:
    """The problem at θ0 and Δθ (m,) at a rank, for a file that is given out: together they yield the error that the run recorded.

    Raises:
        InputError: as `delta_at`, or they do not.
    """
    problem, delta = load_problem(run.refined_path), delta_at(run, rank)
    confirm(run, problem, delta, rank)
    return problem, delta


def delta_at(run: Run, rank: int) -> Tensor:
    """Δθ (m,) of a complete run at any rank of its sweep.

    The chosen rank is read from the run. Others take as long as the refinement did, without its figures; basis and solve are those of the
    run, by the strategy that it ended with, without Gauss-Newton steps.

    Raises:
        InputError: the rank is outside the sweep, or the run's files are damaged.
    """
    summary = run.summary
    if not 0 <= rank <= summary.max_rank:
        raise InputError(f"is {rank}, this run has ranks 0 to {summary.max_rank}", key="rank")
    if rank == summary.rank:
        return read_delta(run)
    problem = load_problem(run.refined_path)
    config = only_used(run.manifest.config, "refine", problem.kind).model_copy(
        update={"rank": rank, "max_rank": summary.max_rank, "strategy": summary.strategy, "gauss_newton": 0}
    )
    if summary.regularisation is None:
        return refine(problem, config).delta
    solve = solved_in_basis(planned(problem, config), lambda fraction: None)
    # the penalty of the sweep, and not what a rule would choose at this rank
    solve = penalised_again(solve, summary.regularisation, summary.rank)
    return solve.setting.function.expand(solve.subspace.delta(solve.solver.solve(rank)))


def spread_at(run: Run, rank: int) -> Spread | None:
    """Standard deviations at a rank: those of the chosen one, which are the only ones that a run has.

    Raises:
        InputError: their file is damaged.
    """
    return spreads.read(run.spread_path, run.summary.n_params_total) if rank == run.summary.rank else None


def read_delta(run: Run) -> Tensor:
    """Δθ (m,) at the chosen rank, from the run.

    Raises:
        InputError: the file is missing, damaged, or of the wrong size.
    """
    return delta_of(run.delta_path, run.summary.n_params_total)


def delta_of(path: Path, n_params: int) -> Tensor:
    """A step (n_params,) from its file; raises as `read_delta`."""
    tensors, _ = read_tensors(path)
    delta = tensors.get("delta")
    if delta is None or delta.shape != (n_params,) or not delta.is_floating_point() or not torch.isfinite(delta).all():
        raise InputError(f"does not hold {n_params} finite numbers; refine again", file=path.name, key="delta")
    return delta
