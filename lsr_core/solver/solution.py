"""What a solve from scratch delivers: one predictor over all windows, and a sentence on how far it may be trusted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lsr_core.networks import architectures
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.physics.equations import build
from lsr_core.problems.physics.problem import PhysicsProblem, make_problem
from lsr_core.problems.physics.residuals import BlockRows, block_rows
from lsr_core.problems.splits import Architecture
from lsr_core.refinement.output_errors import OutputErrors
from lsr_core.refinement.output_sizes import parts_of
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.setting import relative_l2
from lsr_core.solver.found import Found
from lsr_core.solver.march import Window
from lsr_core.solver.networks import architecture_of
from lsr_core.solver.records import SolveStep
from lsr_core.solver.tangent import read_along


class Residuals(NamedTuple):
    """√ Σ weight·mean(r²) of the networks at θ0 and of the predictor, each at fitted and at fresh points."""

    base: tuple[float, float]
    refined: tuple[float, float]


@dataclass(frozen=True, eq=False)
class JoinedSolution:
    """A solved problem.

    Attributes:
        problem: with the network that Δθ belongs to; where the windows do not reach the end, on the part that they cover.
        delta: Δθ (m,).
        steps: all attempts.
        windows: how many networks the predictor is made of.
        relative_residual: largest of all windows.
        solved: whether it covers the whole domain with a residual below the tolerance.
        sentence: what came of it.
        relative_l2: error against the known solution, if there is one; reported, never used.
        by_output: the same for each output.
        residuals: of the networks and of the predictor.
        found: unknown numbers and how measured values are met, where there are any.
        estimate: largest difference to the field of another seed, relative to the field; None where none was made.
    """

    problem: PhysicsProblem
    delta: Tensor
    steps: tuple[SolveStep, ...]
    windows: int
    relative_residual: float
    solved: bool
    sentence: str
    relative_l2: float | None
    by_output: tuple[float, ...]
    residuals: Residuals
    estimate: float | None = None
    found: Found | None = None

    @property
    def predictor(self) -> RefinedPredictor:
        """q(θ0, x) + J(x) Δθ, whatever window x is in."""
        return predictor_of(self.problem, self.delta)


def predictor_of(problem: PhysicsProblem, delta: Tensor) -> RefinedPredictor:
    """The predictor of a step (m,) of all parameters."""
    named, place = {}, 0
    for name, value in problem.model.named_parameters():
        named[name] = delta[place : place + value.numel()].view_as(value)
        place += value.numel()
    return RefinedPredictor(problem.model, named)


def joined(problem: PhysicsProblem, axis: str | None, windows: Sequence[Window]) -> tuple[PhysicsProblem, Tensor]:
    """The problem with the network of all windows, and Δθ; on the part of the domain that they cover.

    A single window's network stands as it is.
    """
    parts = [window.arguments for window in windows]
    if len(windows) == 1:
        architecture = architecture_of(problem, parts[0])
    else:
        assert axis is not None
        edges = [window.start for window in windows] + [windows[-1].end]
        given: dict[str, Any] = {"axis": problem.variables.index(axis), "edges": edges, "parts": parts}
        architecture = Architecture("pieces", given)
    model = architectures.build(architecture.name, architecture.arguments).double()
    states = [window.model.state_dict() for window in windows]
    prefixes = [""] if len(windows) == 1 else [f"parts.{place}." for place in range(len(windows))]
    model.load_state_dict(
        {prefix + key: value for prefix, state in zip(prefixes, states, strict=True) for key, value in state.items()}
    )
    delta = torch.cat([window.delta for window in windows])
    whole = axis is None or windows[-1].end == problem.domain[axis][1]
    found = (
        replace(problem, model=model.eval(), architecture=architecture)
        if whole
        else _part(problem, str(axis), windows[-1].end, model, architecture)
    )
    return found, delta  # fmt: skip


def _part(
    problem: PhysicsProblem, axis: str, end: float, model: torch.nn.Module, architecture: Architecture
) -> PhysicsProblem:
    """The problem until `end`; of an equation that was typed a problem that can be stored, without points that lie later."""
    inputs = {**problem.domain, axis: (problem.domain[axis][0], end)}
    equation = build(problem.equation, {**problem.arguments, "inputs": inputs})
    return make_problem(
        equation, model.eval(), name=problem.name, seed=problem.seed, architecture=architecture, title=problem.title
    )


def errors(problem: PhysicsProblem, predictor: RefinedPredictor) -> tuple[float | None, tuple[float, ...]]:
    """Relative L2 error on the test points, of all outputs together and of each; None where no solution is known."""
    test = problem.test
    if test is None:
        return None, ()
    outputs, by_output = (
        predictor.predict(test.inputs.double()).detach(),
        OutputErrors(parts_of((len(problem.outputs),))),
    )
    targets = test.targets.double()
    by_output.add(outputs, targets)
    error = relative_l2(float((outputs - targets).square().mean()), test)
    return (error if math.isfinite(error) else None), tuple(
        value for value in by_output.relative or () if value is not None
    )


def residuals(
    problem: PhysicsProblem, axis: str | None, windows: Sequence[Window], *, moved: bool
) -> tuple[float, float]:
    """√ Σ weight·mean(r²) at the fitted and at the fresh points of a problem, each point by the network of its window.

    Args:
        problem: on the part of the domain that the windows cover.
        moved: of the delivered predictor u(θ0) + J Δθ, else of the networks.
    """
    found = []
    for points in (problem.points, problem.fresh):
        total = 0.0
        for place, window in enumerate(windows):
            function = ParametricFunction.from_module(window.model, dtype=torch.float64)
            delta = window.delta if moved else torch.zeros_like(window.delta)
            last = place + 1 == len(windows)
            for rows in block_rows(problem, function, points, check=False):
                mine = _of_window(rows.points, problem, axis, window, last=last)
                if bool(mine.any()):
                    some = BlockRows(rows.block, rows.points[mine], rows.residual, rows.width)
                    values = some.residual.of_components(some.points, read_along(some, delta))
                    total += float(values.square().sum())
        found.append(math.sqrt(total))
    return found[0], found[1]


def _of_window(points: Tensor, problem: PhysicsProblem, axis: str | None, window: Window, *, last: bool) -> Tensor:
    """Which points (n,) lie in a window; an edge belongs to the later one."""
    if axis is None:
        return torch.ones(len(points), dtype=torch.bool)
    along = points.reshape(len(points), -1, points.shape[-1])[:, 0, problem.variables.index(axis)]
    return (along >= window.start) & ((along < window.end) | last)


def difference(one: JoinedSolution, other: JoinedSolution) -> float:
    """Largest over the outputs of ‖u − v‖/‖u‖ at the points of the problem."""
    points = one.problem.fitted_inputs().double()
    first, second = (found.predictor.predict(points).detach() for found in (one, other))
    sizes = first.norm(dim=0).clamp_min(1e-300)
    return float(((first - second).norm(dim=0) / sizes).max())


def outcome(many: str, relative: float, enough: float, *, stopped: str, good: bool, bare: str) -> str:
    """What came of a solve, in a sentence.

    Args:
        many: the networks that it is made of, in words.
        relative: their largest relative residual, and `enough` the one up to which it counts.
        stopped: why it did not come to its end.
        bare: the edge at which nothing is asked for.
    """
    worst = f"at fresh points the residual is at most {relative:.1e} of the terms of the equation"
    if bare:
        return f"Not shown to be solved: {bare}, so that other fields satisfy what is written as well. With {many}, {worst}."
    if good:
        return f"Solved with {many}: {worst}."
    if stopped:
        return f"Not solved to the end: {stopped}. What is there, {many}, is kept; {worst}."
    return f"Not solved: {worst}, more than {enough:.0e}. Do not rely on the field."
