"""Poisson's equation (Cao & Zhang 2026), a small tanh network trained by Levenberg-Marquardt.

python -m lsr_samples.train_poisson [--seed 0] [--out DIR]
"""

from __future__ import annotations

import torch

from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.training.levenberg_marquardt import levenberg_marquardt
from lsr_core.training.objective import Draw, PhysicsObjective
from lsr_samples import physics

STEPS, POINTS = 60, 3000


def train(problem: PhysicsProblem, seed: int) -> PhysicsProblem:
    """Levenberg-Marquardt on all weights, on points that are drawn anew every 12 steps, half of them by the residual."""
    generator = torch.Generator().manual_seed(seed)
    objective = PhysicsObjective(problem, Draw({"interior": POINTS}))
    found = levenberg_marquardt(objective, steps=STEPS, generator=generator, on_step=physics.every(10))
    physics.report(found.sentence)
    return objective.trained(found.theta)


SAMPLE = physics.Sample(
    name="poisson",
    title="Poisson equation",
    description=(
        "A tanh network that is zero on the boundary, trained to about four digits of sin(π(2x)²) sin(πy). "
        "One linear solve over all its weights gives eight more."
    ),
    equation="poisson",
    layers=(2, 32, 32, 1),
    scale={"x": 2.0, "y": 2.0},
    options={"n_interior": 5000},
    train=train,
    recipe={
        "optimiser": "Levenberg-Marquardt",
        "steps": STEPS,
        "points": POINTS,
        "redrawn": "every 12 steps, half by the residual",
    },
)

if __name__ == "__main__":
    physics.main(SAMPLE)
