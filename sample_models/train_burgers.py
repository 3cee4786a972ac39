"""Burgers' equation with ν = 0.01/π (Cao & Zhang 2026), a tanh network trained by Adam, then by Levenberg-Marquardt.

python -m lsr_samples.train_burgers [--seed 0] [--out DIR]
"""

from __future__ import annotations

import torch

from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.training.adam import adam
from lsr_core.training.driven import follow_residual
from lsr_core.training.levenberg_marquardt import levenberg_marquardt
from lsr_core.training.objective import Draw, PhysicsObjective
from lsr_samples import physics

ADAM, STEPS, POINTS = 1500, 120, 3000


def train(problem: PhysicsProblem, seed: int) -> PhysicsProblem:
    """Adam to find the front, then Levenberg-Marquardt to put it in place; points are drawn anew, half of them by the residual.

    So are those that the refinement fits: uniform points see too little of the front to fix its width.
    """
    generator = torch.Generator().manual_seed(seed)
    objective = PhysicsObjective(problem, Draw({"interior": POINTS}))
    first = adam(objective, steps=ADAM, lr=2e-3, redraw_every=100, generator=generator, on_step=physics.every(250))
    physics.report(first.sentence)
    found = levenberg_marquardt(objective, first.theta, steps=STEPS, generator=generator, on_step=physics.every(10))
    physics.report(found.sentence)
    return follow_residual(objective.trained(found.theta))


SAMPLE = physics.EquationSample(
    name="burgers",
    title="Burgers equation",
    description=(
        "A tanh network that meets the start and the ends exactly, trained until the front at x = 0 is in "
        "place. From there Gauss-Newton steps in the space of its responses gain several digits."
    ),
    equation="burgers",
    layers=(2, 30, 30, 30, 1),
    scale={"x": 3.0, "t": 1.5},
    options={"n_interior": 16000},
    train=train,
    recipe={
        "optimiser": "Adam, rate 2e-3, then Levenberg-Marquardt",
        "steps": f"{ADAM} and {STEPS}",
        "points": POINTS,
        "redrawn": "every 100 and 12 steps, half by the residual",
        "fitted points": "half by the residual of the trained network",
    },
)

if __name__ == "__main__":
    physics.main(SAMPLE)
