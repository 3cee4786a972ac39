"""Bringing the weights of a network to a refined field, so that the next solve starts from a better linearisation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.iteration.config import IterateConfig
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.data_residual import DataResidual
from lsr_core.problems.physics.fields import Field, with_values
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.residuals import BlockRows, block_rows
from lsr_core.problems.splits import Split
from lsr_core.training.adam import adam
from lsr_core.training.lbfgs import lbfgs
from lsr_core.training.levenberg_marquardt import levenberg_marquardt
from lsr_core.training.objective import Objective
from lsr_core.training.records import OnStep, Training

Predict = Callable[[Tensor], Tensor]
CHUNK = 16_384  # points that are passed together
HISTORY = 100  # steps that the model of L-BFGS is made of
ADAM_SHARE = 1 / 3  # of the steps, where both are used
LM_STEP = 20  # steps of the others that one of Levenberg-Marquardt counts as
LARGEST = 6000  # parameters up to which normal equations are formed
SMALL = 2500  # up to which they are the first choice


class SupervisedAlignment(DataResidual):
    """Mean square of u(θ, x) − U0(x) at points, relative to that of U0.

    Args:
        model: the network that is aligned.
        points: where, (n, …) in float64.
        target: U0, maps points to (n, o).
    """

    def __init__(self, model: nn.Module, points: Tensor, target: Predict) -> None:
        values = target(points).flatten(1)
        size = float(values.norm()) or 1.0
        function = ParametricFunction.from_module(model, dtype=torch.float64)
        super().__init__(function, Split(points, values), weight=1 / size, chunk=CHUNK)


class PseudoTimeAlignment:
    """The loss of the problem with (u − U0)/Δτ added to the equation, which is its first block (Cao & Zhang 2026).

    The sign of the term is the one with which a step in pseudo time is stable; see `stable_sign`.

    Args:
        problem: whose network is aligned, on its fitted points.
        function: the network, whole, where it begins.
        target: U0, maps points (n, d) to (n, o).
        step: Δτ.

    Raises:
        InputError: an equation that has not one residual for each output.
    """

    def __init__(self, problem: PhysicsProblem, function: ParametricFunction, target: Predict, step: float) -> None:
        self._function = function
        equation, *conditions = block_rows(problem, self._function, check=False)
        if equation.width != len(problem.outputs) or equation.block.together:
            raise InputError(
                f"pseudo time needs one equation for each output, here are {equation.width} for {len(problem.outputs)}; "
                "align by supervised",
                key="align",
            )
        factor = equation.residual.scale * stable_sign(problem, self._function) / step
        self._rows = [_drawn_to(equation, points, target(points), factor) for points in equation.points.split(CHUNK)]
        self._rows += [part.residual.fixed(points) for part in conditions for points in part.points.split(CHUNK)]

    @property
    def theta0(self) -> Tensor:
        return self._function.theta0

    def loss(self, theta: Tensor) -> Tensor:
        return torch.stack([rows(theta).square().sum() for rows in self._rows]).sum()

    def redraw(self, theta: Tensor, generator: torch.Generator) -> None:
        """The points are those of the round."""


def _drawn_to(part: BlockRows, points: Tensor, target: Tensor, factor: float) -> Callable[[Tensor], Tensor]:
    jets = part.residual.jets.fixed(points)

    def rows(theta: Tensor) -> Tensor:
        found = jets(theta)
        return part.residual.of_jets(points, found) + factor * (found[:, 0] - target)

    return rows


def stable_sign(problem: PhysicsProblem, function: ParametricFunction) -> float:
    """+1 or −1, so that u_τ = −sign·r runs towards r = 0.

    That is the sign of ∂r/∂u_t where the equation has that term, else against that of its second derivatives: −Δu is positive. Taken
    on average over some of the fitted points, at the network as it is.
    """
    block = problem.blocks[0]
    names = with_values(block.needs, problem.outputs)
    points = problem.points[block.name][:256].to(function.theta0)
    values = {name: points.new_zeros(len(points)).requires_grad_() for name in names}
    with torch.enable_grad():
        rows = block.residual(Field(points, problem.variables, values)).reshape(len(points), -1)
        slopes = dict(
            zip(names, torch.autograd.grad(rows.sum(), [*values.values()], materialize_grads=True), strict=True)
        )
    in_time = [float(slope.mean()) for name, slope in slopes.items() if name.endswith("_t")]
    twice = [-float(slope.mean()) for name, slope in slopes.items() if _is_second(name, problem.variables)]
    return -1.0 if (sum(in_time) or sum(twice)) < 0 else 1.0


def _is_second(name: str, variables: Sequence[str]) -> bool:
    tail = name.rpartition("_")[2]
    return any(tail == 2 * variable for variable in variables if variable != "t")


@dataclass(frozen=True, eq=False)
class Alignment:
    """What an alignment ended with.

    Attributes:
        theta: weights (m,); those it began with, where nothing was gained.
        note: a sentence, where something went wrong.
    """

    theta: Tensor
    note: str = ""


def align(
    problem: PhysicsProblem,
    function: ParametricFunction,
    target: Predict,
    config: IterateConfig,
    *,
    seconds: float | None,
    on_step: OnStep | None = None,
) -> Alignment:
    """Move the weights of a problem's network towards a field U0.

    Args:
        problem: the network to begin with, and the points.
        function: that network, differentiated in a way that is right for it.
        target: U0, maps points (n, d) to (n, o).
        seconds: deadline.
        on_step: told about every step; may raise `Cancelled`.

    An alignment that diverges gives the best weights it had and a note. Raises InputError as `PseudoTimeAlignment`.
    """
    objective: Objective = (
        SupervisedAlignment(problem.model, problem.fitted_inputs().double(), target)
        if config.align == "supervised"
        else PseudoTimeAlignment(problem, function, target, config.pseudo_time)
    )
    return _aligned(objective, config, seconds, on_step)


def fit_field(
    model: nn.Module,
    points: Tensor,
    target: Predict,
    *,
    seconds: float | None,
    on_step: OnStep | None = None,
    steps: int = 5000,
) -> Alignment:
    """Move the weights of any network towards a field U0 at points, by Levenberg-Marquardt where it is small, else by L-BFGS.

    Args:
        points: (n, …) in float64.
        target: U0, maps points to (n, o).
        seconds: deadline.
        on_step: told about every step; may raise `Cancelled`.
        steps: at most; one of Levenberg-Marquardt counts as twenty.
    """
    objective = SupervisedAlignment(model, points, target)
    return _aligned(objective, IterateConfig(align_steps=steps), seconds, on_step)


def _aligned(objective: Objective, config: IterateConfig, seconds: float | None, on_step: OnStep | None) -> Alignment:
    start = objective.theta0
    with torch.no_grad():
        first = float(objective.loss(start))
    try:
        training = _train(objective, config, seconds, on_step)
    except InputError as error:  # a loss that is not finite to begin with
        return Alignment(start, f"The alignment could not begin: {error.message}. The network stays as it was.")
    with torch.no_grad():
        last = float(objective.loss(training.theta))
    if training.reason == "diverged":
        return Alignment(training.theta if last < first else start, training.sentence)
    if not last < first:
        return Alignment(start, "The alignment gained nothing: the network stays as it was.")
    return Alignment(training.theta)


def refuse(config: IterateConfig, n_params: int) -> None:
    """Refuse an optimiser that the network is too large for.

    Raises:
        InputError: saying which would do.
    """
    if config.optimiser == "levenberg-marquardt" and n_params > LARGEST:
        raise InputError(
            f"Levenberg-Marquardt is offered up to {LARGEST:,} parameters, the network has {n_params:,}; align by lbfgs",
            key="optimiser",
        )


def _train(objective: Objective, config: IterateConfig, seconds: float | None, on_step: OnStep | None) -> Training:
    small = isinstance(objective, SupervisedAlignment) and len(objective.theta0) <= SMALL
    wanted = config.optimiser if config.optimiser != "auto" else "levenberg-marquardt" if small else "lbfgs"
    if wanted == "levenberg-marquardt":
        assert isinstance(objective, SupervisedAlignment)
        steps = max(1, config.align_steps // LM_STEP)
        return levenberg_marquardt(objective, steps=steps, seconds=seconds, redraw_every=None, on_step=on_step)
    first = {"adam": 1.0, "lbfgs": 0.0, "adam-lbfgs": ADAM_SHARE}[wanted]
    count = round(first * config.align_steps)
    theta, spent = objective.theta0, 0.0
    if count > 0:
        limit = None if seconds is None else seconds * first
        training = adam(objective, theta, steps=count, seconds=limit, lr=config.learning_rate, on_step=on_step)
        theta, spent = training.theta, training.steps[-1].seconds if training.steps else 0.0
        if first == 1 or training.reason == "diverged":
            return training
    left = None if seconds is None else max(seconds - spent, 1e-3)
    return lbfgs(
        objective, theta, steps=config.align_steps - count or 1, seconds=left, history=HISTORY, on_step=on_step
    )
