"""Which part of LSR does the work: the direct solve, the Jacobian subspace, or R degrees of freedom as such?"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.lab import restricted
from lsr_core.lab.random_directions import solve_in_random_subspace
from lsr_core.lab.records import Contender, IsolationRecord, SplitErrors, Trial
from lsr_core.lab.restricted import Restricted, RestrictedLoss
from lsr_core.problems.problem import Problem
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.measures import errors_of
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.progress import Progress, ProgressCallback, default_callback
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.summary import Errors
from lsr_core.refinement.uses import refuse_job, refuse_unused

RATES = (1e-3, 1e-2, 1e-1)  # of Adam
STAGES = {
    "Jacobian subspace": 15.0,
    "last layer": 5.0,
    "random subspace": 15.0,
    "L-BFGS in the subspace": 15.0,
    "L-BFGS, whitened": 15.0,
    "Adam in the subspace": 35.0,
}
OnRecord = Callable[[IsolationRecord], None]


class IsolationSettings(BaseModel):
    """What an isolation is besides a refinement's config."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    iterations: int = Field(100, ge=1, le=100_000, description="of each nonlinear optimisation")


def isolate(
    problem: Problem,
    config: RefineConfig | None = None,
    settings: IsolationSettings | None = None,
    *,
    progress: ProgressCallback | None = None,
    on_record: OnRecord | None = None,
) -> IsolationRecord:
    """Spend the same R degrees of freedom on the same data in different ways (a check that Cao & Zhang, arXiv 2601.13989, suggest).

    Linear solves in the Jacobian subspace, in the last layer and in a random subspace; nonlinear optimisation of the true loss in the
    Jacobian subspace, in its own coordinates and in whitened ones.

    Args:
        problem: network and data.
        config: of the refinement; `max_rank` is R.
        progress: called with (stage, fraction done); may raise `Cancelled` to stop.
        on_record: called with the contenders so far after each.

    Raises:
        InputError: equations instead of data; a rank beyond min(n, m).
    """
    refuse_job("isolate", problem.kind)
    settings, config = settings or IsolationSettings(), config or RefineConfig()
    refuse_unused(config, "isolate", problem.kind)
    if config.max_rank is not None:
        config = config.model_copy(update={"rank": config.max_rank})
    keep = on_record or (lambda record: None)
    clock = Progress(progress or default_callback(), STAGES)
    started = time.perf_counter()
    clock.stage("Jacobian subspace")
    found = refine(problem, config, progress=lambda _, done: clock.fraction(done))
    rank, setting = found.sweep.max_rank, found.setting
    record = IsolationRecord(
        problem=problem.name,
        rank=rank,
        n_params=setting.function.n_params,
        n_residuals=setting.n_residuals,
        seed=config.seed,
    )

    def add(contender: Contender) -> None:
        record.contenders.append(contender)
        record.seconds = time.perf_counter() - started
        keep(record)

    base = relative(found.summary.base, setting)
    add(Contender(name="network", dimension=0, linear=True, errors=base, seconds=0.0))
    add(_in_jacobian_subspace(found, rank))
    others: list[tuple[str, Optimisation]] = [
        ("last layer", lambda on_fraction: _last_layer(problem, config, rank, on_fraction)),
        ("random subspace", lambda on_fraction: _random(found, rank, on_fraction)),
        *_optimisations(found, settings.iterations),
    ]
    for stage, contend in others:
        clock.stage(stage)
        add(contend(clock.fraction))
    record.complete = True
    keep(record)
    return record


def relative(errors: Errors, setting: Setting) -> SplitErrors:
    """Relative L2 errors from mean squares."""

    def of(name: str, mse: float | None) -> float | None:
        scaled = None if mse is None else setting.relative_l2(mse, name)
        return scaled if scaled is not None and scaled == scaled else None

    return SplitErrors(
        train=of("train", errors.train_mse),
        validation=of("validation", errors.val_mse),
        test=of("test", errors.test_mse),
    )


def last_layer(model: nn.Module) -> str:
    """Name of the last module that holds trainable parameters of its own.

    Raises:
        InputError: parameters belong to no layer.
    """
    names = [
        name
        for name, part in model.named_modules()
        if any(value.requires_grad for value in part.parameters(recurse=False))
    ]
    if not names or not names[-1]:
        raise InputError("its parameters belong to no layer, so there is no last one", key="model")
    return names[-1]


def _in_jacobian_subspace(found: Refinement, rank: int) -> Contender:
    solve = found.solutions.at(rank)
    errors = errors_of(found.setting, _predictor(found.setting, found.subspace.delta(solve)).predict).errors
    return Contender(
        name="jacobian-subspace",
        dimension=rank,
        linear=True,
        errors=relative(errors, found.setting),
        seconds=found.timings["basis"],
    )


def _last_layer(problem: Problem, config: RefineConfig, rank: int, on_fraction: Callable[[float], None]) -> Contender:
    name = last_layer(problem.model)
    size = sum(value.numel() for value in problem.model.get_submodule(name).parameters(recurse=False))
    dimension = min(rank, size, problem.n_rows)
    chosen = config.model_copy(
        update={
            "layers": f"{name}.*",
            "max_rank": dimension,
            "rank": dimension,
            "basis_points": None,
            "strategy": "auto",
            "power_iterations": 0,
            "sketch": "gaussian",
            "sketch_dtype": "same",
        }
    )
    solved = refine(problem, chosen, progress=lambda _, done: on_fraction(done))
    note = f"{name} has {size:,} parameters"
    note += f", {rank - size:,} fewer than the {rank:,} of the others" if size < rank else ""
    return Contender(
        name="last-layer",
        dimension=dimension,
        linear=True,
        errors=relative(solved.summary.refined, solved.setting),
        seconds=solved.timings["basis"],
        note=note,
    )


def _random(found: Refinement, rank: int, on_fraction: Callable[[float], None]) -> Contender:
    began = time.perf_counter()
    delta = solve_in_random_subspace(found.setting, rank, on_fraction)
    seconds = time.perf_counter() - began
    errors = errors_of(found.setting, _predictor(found.setting, delta).predict).errors
    return Contender(
        name="random-subspace", dimension=rank, linear=True, errors=relative(errors, found.setting), seconds=seconds
    )


Optimisation = Callable[[Callable[[float], None]], Contender]


def _optimisations(found: Refinement, iterations: int) -> list[tuple[str, Optimisation]]:
    setting, rank = found.setting, found.sweep.max_rank
    base = (found.summary.residual_norm.base or 0.0) ** 2
    plain = RestrictedLoss(setting, found.subspace, None, base)
    torch.optim.LBFGS(
        [torch.zeros(1, requires_grad=True)]
    )  # the first one imports torch's compiler, which is nobody's time
    triangle = found.solutions.solver.triangle

    def lbfgs(name: str, objective: RestrictedLoss) -> Optimisation:
        def run(on_fraction: Callable[[float], None]) -> Contender:
            began = time.perf_counter()
            result = restricted.lbfgs(objective, rank, iterations, on_fraction)
            return _contender(name, objective, [({"history": restricted.HISTORY}, result)], time.perf_counter() - began)

        return run

    def adam(on_fraction: Callable[[float], None]) -> Contender:
        began, trials = time.perf_counter(), []
        for index, rate in enumerate(RATES):

            def part(done: float, index: int = index) -> None:
                on_fraction((index + done) / len(RATES))

            trials.append(({"rate": rate}, restricted.adam(plain, rank, iterations, rate, part)))
        return _contender("nonlinear-adam", plain, trials, time.perf_counter() - began)

    steps: list[tuple[str, Optimisation]] = [("L-BFGS in the subspace", lbfgs("nonlinear-lbfgs", plain))]
    if len(triangle) == rank and bool((triangle.diagonal() != 0).all()):
        eye = torch.eye(rank).to(triangle)
        inverse = torch.linalg.solve_triangular(triangle, eye, upper=True) * base**0.5
        whitened = RestrictedLoss(setting, found.subspace, inverse, base)
        steps.append(("L-BFGS, whitened", lbfgs("nonlinear-lbfgs-whitened", whitened)))
    return [*steps, ("Adam in the subspace", adam)]


def _contender(
    name: str, objective: RestrictedLoss, trials: list[tuple[dict[str, float | int], Restricted]], seconds: float
) -> Contender:
    settings, best = min(trials, key=lambda trial: trial[1].loss)
    with torch.no_grad():
        theta = objective.theta(best.y)
    errors = errors_of(objective.setting, lambda inputs: objective.setting.network(inputs, theta)).errors
    return Contender(
        name=name,
        dimension=len(best.y),
        linear=False,
        errors=relative(errors, objective.setting),
        seconds=seconds,
        iterations=best.iterations,
        settings=dict(settings),
        sweep=[
            Trial(settings=dict(tried), best_loss=result.loss * objective.base, diverged_at=result.diverged_at)
            for tried, result in trials
        ],
    )


def _predictor(setting: Setting, delta: Tensor) -> RefinedPredictor:
    function = setting.function
    assert function.module is not None
    return RefinedPredictor(function.module, function.tangent(delta), derivatives=function.derivatives)
