"""Training of an equation's network by Levenberg-Marquardt, as a step before a refinement."""

from __future__ import annotations

import torch

from lsr_core.errors import InputError
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.training.adam import adam
from lsr_core.training.driven import follow_residual
from lsr_core.training.levenberg_marquardt import levenberg_marquardt
from lsr_core.training.objective import Draw, PhysicsObjective
from lsr_core.training.records import OnStep, Training

MOST_POINTS = 3000  # of a block at a time; they are drawn anew every few steps
MOST_PARAMETERS = 4500  # normal equations of more take too long
RATE, REDRAW = 2e-3, 100  # of Adam


def trained(
    problem: PhysicsProblem,
    *,
    steps: int = 60,
    adam_steps: int = 0,
    points: int = MOST_POINTS,
    seconds: float | None = None,
    follow: bool = True,
    seed: int = 0,
    on_step: OnStep | None = None,
) -> tuple[PhysicsProblem, Training]:
    """The problem with a network that Levenberg-Marquardt has trained, and how that went; a known solution is not looked at.

    Args:
        problem: an equation; its network is where the training begins.
        steps: of Levenberg-Marquardt, at most.
        adam_steps: of Adam before them, which finds where a front is.
        points: of each block at a time, at most; they are drawn anew, half of them by the residual.
        seconds: deadline of each of the two.
        follow: let the points that are refined on afterwards follow the residual of the trained network.
        seed: of the points.
        on_step: told about every step.

    Raises:
        InputError: more parameters than the normal equations allow, or a loss that is not finite at the start.

    Reference: K. Levenberg (1944), D. Marquardt (1963).
    """
    count = sum(value.numel() for value in problem.model.parameters())
    if count > MOST_PARAMETERS:
        raise InputError(
            f"has {count:,} parameters; Levenberg-Marquardt solves with a matrix of that size at every step, "
            f"so take a network of at most {MOST_PARAMETERS:,}",
            key="model",
        )
    generator = torch.Generator().manual_seed(seed)
    drawn = {name: min(points, len(fitted)) for name, fitted in problem.points.items()}
    objective, theta = PhysicsObjective(problem, Draw(drawn)), None
    if adam_steps:
        first = adam(
            objective,
            steps=adam_steps,
            lr=RATE,
            redraw_every=REDRAW,
            seconds=seconds,
            generator=generator,
            on_step=on_step,
        )
        theta = first.theta
    found = levenberg_marquardt(objective, theta, steps=steps, seconds=seconds, generator=generator, on_step=on_step)
    made = objective.trained(found.theta)
    return (follow_residual(made) if follow else made), found
