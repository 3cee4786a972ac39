"""The solution operator of a diffusion-reaction equation, learnt from the equation: a physics-informed DeepONet.

    python -m lsr_samples.train_diffusion_reaction [--iterations 4000] [--out DIR]

writes the bundle DIR/diffusion-reaction. Network, distribution of input functions and conditions are those of Wang, Wang & Perdikaris (2021),
as Cao & Zhang (2026) use them; the training is much shorter than theirs. No solution is ever shown to the network.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lsr_core.networks.jets import JetSpec
from lsr_core.problems.physics.equations import build
from lsr_core.problems.physics.input_functions import sensor_values
from lsr_core.problems.physics.problem import PhysicsProblem, make_problem
from lsr_core.problems.supervised import Architecture
from lsr_samples import operators

SENSORS = 100
ARGUMENTS: dict[str, object] = {"branch": [SENSORS, *[50] * 5], "trunk": [2, *[50] * 5], "activation": "tanh"}
LENGTH = 0.2
FUNCTIONS = 5_000
AXIS = 1001
SEED = 0
ITERATIONS = 4000
DECAY = 150
EDGES = 25  # points at the start and at each end, beside those inside
DIFFUSION, RATE = 0.01, 0.01


def loss(jets: Tensor, given: Tensor, points: Tensor) -> Tensor:
    """Mean squares of the conditions and of the equation; components are s, s_x, s_t and s_xx."""
    edge, inside = jets[:, : 3 * EDGES, 0], jets[:, 3 * EDGES :]
    source = given[:, 3 * EDGES :]
    residual = inside[..., 2] - DIFFUSION * inside[..., 3] - RATE * inside[..., 0].square() - source
    return edge.square().mean() + residual.square().mean()


def draw(generator: torch.Generator) -> Tensor:
    """Places on the axis and times: at the start, at both ends, inside."""
    count = operators.POINTS + 3 * EDGES
    places = torch.randint(AXIS, (count,), generator=generator).float()
    times = torch.rand(count, generator=generator)
    times[:EDGES] = 0
    places[EDGES : 2 * EDGES] = 0
    places[2 * EDGES : 3 * EDGES] = AXIS - 1
    return torch.stack([places, times], dim=1)


def problem(iterations: int = ITERATIONS) -> PhysicsProblem:
    functions = operators.training_functions(FUNCTIONS, LENGTH)
    axis = torch.linspace(0, 1, AXIS, dtype=torch.float64)
    table = torch.stack([function(axis) for function in functions]).float()
    model = operators.new_field(SEED, ARGUMENTS)
    operators.adam(
        model,
        JetSpec(first=(0, 1), second=(0,)),
        operators.sensors_of(functions, SENSORS),
        table,
        axis.float(),
        loss,
        draw,
        iterations=iterations,
        decay_every=DECAY,
        seed=SEED,
    )
    equation = build("diffusion-reaction", {"input": {"length": LENGTH}})
    assert equation.given is not None
    model.sensors.copy_(sensor_values(equation.given, SENSORS)[None])
    model.eval()
    return make_problem(
        equation,
        model,
        seed=SEED,
        architecture=Architecture("deeponet-field", dict(ARGUMENTS)),
        title="Diffusion and reaction, a learnt operator",
        description="A physics-informed DeepONet from a source to the field that it makes under diffusion and reaction, and one source that it has "
        "not seen: it is refined by the equation alone. `lsr refine diffusion-reaction --cases 300` refines many.",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the diffusion-reaction operator and write its bundle.")
    parser.add_argument("--iterations", type=int, default=ITERATIONS)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    torch.set_num_threads(1)
    from lsr_core.storage.bundles import save_problem

    recipe: dict[str, Any] = {
        "script": "lsr_samples.train_diffusion_reaction",
        "optimiser": f"Adam, rate 1e-3, times 0.9 every {DECAY} iterations",
        "loss": "mean squares of the residual and of the conditions",
        "functions": FUNCTIONS,
        "batch": operators.FUNCTIONS * (operators.POINTS + 3 * EDGES),
        "iterations": options.iterations,
        "dtype": "float32",
    }
    seeds = {"functions": 0, "initialisation": SEED, "batches": SEED, "points": SEED}
    save_problem(
        options.out / "diffusion-reaction", problem(options.iterations), training=recipe, seeds=seeds, overwrite=True
    )


if __name__ == "__main__":
    main()
