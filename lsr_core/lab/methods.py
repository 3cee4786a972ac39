"""The runners of the race: each takes a course to as far as it gets, and says with what settings."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from pydantic import JsonValue
from torch import Tensor

from lsr_core.lab import descent, krylov
from lsr_core.lab.least_squares import Course
from lsr_core.lab.quasi_newton import lbfgs
from lsr_core.lab.recorder import Recorder
from lsr_core.lab.records import CoordinateName, Curve, MethodRecord, Precision, Trial
from lsr_core.linalg.operators import DenseOperator, LinearOperator
from lsr_core.linalg.triangular import TriangularSolver
from lsr_core.refinement.basis import OnFraction

STEPS = (0.5, 1.0, 1.5, 1.9, 2.1)  # of gradient descent, times 1/L; beyond 2 it must diverge
RATES = tuple(float(rate) for rate in np.geomspace(1e-6, 1.0, 7))  # of Adam
MOMENTA = (0.9, 0.8)  # β₁ of Adam
HISTORIES = (10, 100)  # of L-BFGS
Settings = dict[str, JsonValue]


@dataclass(frozen=True)
class Effort:
    """How far runs go.

    Attributes:
        iterations: at most.
        points: about how many of them are recorded.
        rates: of Adam.
        histories: of L-BFGS.
    """

    iterations: int
    points: int = 100
    rates: tuple[float, ...] = RATES
    histories: tuple[int, ...] = HISTORIES


@dataclass(frozen=True)
class Outcome:
    """The runs of one method, one curve for each setting tried."""

    curves: list[Curve]
    diverged_at: list[int | None]
    settings: list[Settings]
    seconds: list[float]


Runner = Callable[[Course, Effort, OnFraction], Outcome]


@dataclass(frozen=True)
class RaceMethod:
    """A method by what it does, and where it runs.

    Attributes:
        run: to as far as it gets.
        share: of the time of a race, beside the others; for progress only.
        coordinates: those in which it runs where there are several.
        in_full: whether it runs in the space of all parameters too, where no matrix is kept.
    """

    run: Runner
    share: float = 3.0
    coordinates: tuple[CoordinateName, ...] = ("original", "whitened")
    in_full: bool = True


def direct(course: Course, effort: Effort, on_fraction: OnFraction) -> Outcome:
    """QR of [A, e] and one triangular solve; where A is singular to its precision, with the engine's cut-off."""
    problem = course.problem
    recorder = Recorder(course, 1, 1, effort.points, on_fraction)
    recorder.record(0, problem.start(), 0)
    dtype, operator = problem.errors.dtype, problem.operator
    matrix = operator.matrix if isinstance(operator, DenseOperator) else operator.to_dense()
    factor = torch.linalg.qr(torch.cat([matrix, problem.errors[:, None]], dim=1), mode="r").R
    cut = len(matrix) * torch.finfo(dtype).eps
    solver = TriangularSolver(factor, rcond=cut)
    recorder.record(1, solver.solve(problem.n_columns)[:, None], problem.n_columns)
    return _outcome(recorder, [{"rcond": cut, "cut": solver.cut_is_active(problem.n_columns)}])


def gradient_descent(course: Course, effort: Effort, on_fraction: OnFraction) -> Outcome:
    problem = course.problem
    largest = krylov.largest_singular_value(problem.operator, problem.errors)
    steps = torch.tensor(STEPS, dtype=torch.float64) / largest**2
    recorder = Recorder(course, effort.iterations, len(STEPS), effort.points, on_fraction)
    descent.gradient_descent(course, recorder, steps.to(problem.errors))
    return _outcome(recorder, [{"step_times_L": step} for step in STEPS])


def adam(course: Course, effort: Effort, on_fraction: OnFraction) -> Outcome:
    """β₁ is swept as well: with momentum the error cannot shrink faster than √β₁ an iteration, however well-conditioned the problem."""
    tried = list(itertools.product(effort.rates, MOMENTA))
    recorder = Recorder(course, effort.iterations, len(tried), effort.points, on_fraction)
    rates, momenta = torch.tensor(tried, dtype=torch.float64).to(course.problem.errors).unbind(1)
    descent.adam(course, recorder, rates, momenta)
    return _outcome(recorder, [{"rate": r, "beta1": beta, "beta2": descent.SECOND_MOMENT} for r, beta in tried])


def lbfgs_swept(course: Course, effort: Effort, on_fraction: OnFraction) -> Outcome:
    outcomes = []
    torch.optim.LBFGS(
        [torch.zeros(1, requires_grad=True)]
    )  # the first one imports torch's compiler, which is nobody's time
    for index, history in enumerate(effort.histories):

        def part(done: float, index: int = index) -> None:
            on_fraction((index + done) / len(effort.histories))

        recorder = Recorder(course, effort.iterations, 1, effort.points, part)
        lbfgs(course, recorder, history)
        outcomes.append(_outcome(recorder, [{"history": history, "line_search": "strong Wolfe"}]))
    return Outcome(
        [curve for outcome in outcomes for curve in outcome.curves],
        [end for outcome in outcomes for end in outcome.diverged_at],
        [settings for outcome in outcomes for settings in outcome.settings],
        [seconds for outcome in outcomes for seconds in outcome.seconds],
    )


Iterates = Callable[[LinearOperator, Tensor], Iterator[Tensor]]


def iterated(iterates: Iterates, settings: Settings) -> Runner:
    """A Krylov method: two products an iteration, the first iterate takes one more to start."""

    def run(course: Course, effort: Effort, on_fraction: OnFraction) -> Outcome:
        problem = course.problem
        recorder = Recorder(course, effort.iterations, 1, effort.points, on_fraction)
        recorder.record(0, problem.start(), 0)
        last: tuple[int, Tensor] | None = None
        steps = itertools.islice(iterates(problem.operator, -problem.errors), effort.iterations)
        for iteration, y in enumerate(steps, start=1):
            recorder.tick(iteration)
            last = (iteration, y[:, None])
            if recorder.due(iteration):
                recorder.record(iteration, y[:, None], 2 * iteration + 1)
                if recorder.finished or recorder.diverged_at[0] is not None:
                    break
        if last is not None:
            recorder.record(*last, 2 * last[0] + 1)
        return _outcome(recorder, [dict(settings)])

    return run


def _both_ways(name: str, method: Callable[..., Iterator[Tensor]]) -> dict[str, RaceMethod]:
    """A method that may lose orthogonality, without and with reorthogonalisation; whitened there is nothing to lose."""

    def run(again: bool) -> Runner:
        return iterated(lambda operator, rhs: method(operator, rhs, reorthogonalise=again), {"reorthogonalised": again})

    return {name: RaceMethod(run(False)), f"{name}-reorthogonalised": RaceMethod(run(True), coordinates=("original",))}


METHODS: dict[str, RaceMethod] = {  # in this order; the direct solve says where the floor is
    "direct": RaceMethod(direct, share=0.5, coordinates=("original",), in_full=False),
    **_both_ways("lsqr", krylov.lsqr),
    **_both_ways("lsmr", krylov.lsmr),
    "cgls": RaceMethod(iterated(krylov.cgls, {})),
    "lbfgs": RaceMethod(lbfgs_swept, share=10.0),
    "gradient-descent": RaceMethod(gradient_descent, share=8.0),
    "adam": RaceMethod(adam, share=10.0, coordinates=("original", "whitened", "singular")),
}


def run_method(
    name: str,
    course: Course,
    *,
    coordinates: CoordinateName,
    precision: Precision,
    base_loss: float,
    effort: Effort,
    on_fraction: OnFraction,
) -> MethodRecord:
    """Run a method with every setting of its sweep and keep the best run; losses in the units of `base_loss`."""
    outcome = METHODS[name].run(course, effort, on_fraction)
    lowest = [min(curve.excess, default=1.0) for curve in outcome.curves]
    sound = [index for index, end in enumerate(outcome.diverged_at) if end is None]
    best = min(sound or range(len(lowest)), key=lambda index: lowest[index])
    curve = outcome.curves[best]
    relative = lowest[best] + course.floor
    return MethodRecord(
        name=name,
        dtype=precision,
        coordinates=coordinates,
        best_loss=relative * base_loss,
        loss_above_floor=lowest[best] * base_loss,
        times_floor=relative / course.floor if course.floor > 0 else None,
        relative_loss=relative,
        iterations=curve.iterations[-1],
        products=curve.products[-1],
        seconds=outcome.seconds[best],
        settings=outcome.settings[best],
        diverged=not sound,
        diverged_at=outcome.diverged_at[best],
        sweep=[
            Trial(settings=settings, best_loss=(value + course.floor) * base_loss, diverged_at=end)
            for settings, value, end in zip(outcome.settings, lowest, outcome.diverged_at, strict=True)
        ],
        curve=curve.model_copy(
            update={
                "excess": [value * base_loss for value in curve.excess],
                "losses": [value * base_loss for value in curve.losses],
            }
        ),
    )


def _outcome(recorder: Recorder, settings: list[Settings]) -> Outcome:
    return Outcome(recorder.curves, recorder.diverged_at, settings, [recorder.seconds] * recorder.width)
