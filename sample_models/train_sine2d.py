"""The function-approximation case of Cao & Zhang (2026): sin(πx)·sin(πy) on [-1, 1]², MLP 2-128×6-1, tanh.

    python -m lsr_samples.train_sine2d [--epochs 200] [--out DIR]

writes two bundles, DIR/sine2d (trained, with checkpoints along the training) and DIR/sine2d-untrained (the same network
at its random start). Seeds are fixed and one thread is used, so a rerun on the same kind of CPU gives the same weights.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.problems.splits import Architecture, Quantity, Split
from lsr_samples import training

LAYERS = [2, 128, 128, 128, 128, 128, 128, 1]
SEED = 0
BATCH = 32
N_TRAIN = 8_000
N_VALIDATION = 2_000
GRID = 100
CHECKPOINTS = (0, 1, 5, 20, 50, 100, 200)  # epochs

State = dict[str, Tensor]


def target(points: Tensor) -> Tensor:
    """u = sin(πx)·sin(πy) for points (n, 2), as (n, 1) in float64."""
    x, y = points.double().unbind(1)
    return (torch.sin(torch.pi * x) * torch.sin(torch.pi * y))[:, None]


def splits() -> tuple[Split, Split, Split]:
    """Train and validation points uniform in the square; the test points are a grid, x slowest, with its end points.

    The random points are single-precision numbers stored in double: the network was trained on exactly these, and
    the targets are exact for them to double rounding.
    """
    random = np.random.default_rng(SEED).uniform(-1, 1, (N_TRAIN + N_VALIDATION, 2)).astype(np.float32)
    points = torch.from_numpy(random).double()
    axis = torch.linspace(-1, 1, GRID, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    parts = (points[:N_TRAIN], points[N_TRAIN:], grid)
    train, validation, test = (Split(part, target(part)) for part in parts)
    return train, validation, test


def problems(epochs: int, checkpoints: dict[int, State] | None = None) -> tuple[SupervisedProblem, SupervisedProblem]:
    """The trained and the untrained problem; `checkpoints` is filled with the weights at those epochs."""
    train, validation, test = splits()
    trained = training.new_network(SEED, LAYERS, train.inputs)
    untrained = training.frozen_copy(trained)

    def keep(epoch: int) -> None:
        if checkpoints is not None and epoch in CHECKPOINTS:
            checkpoints[epoch] = {name: tensor.clone() for name, tensor in trained.state_dict().items()}

    training.adam(trained, train, validation, epochs=epochs, batch=BATCH, seed=SEED, on_epoch=keep)

    def problem(name: str, title: str, description: str, model: torch.nn.Module) -> SupervisedProblem:
        return SupervisedProblem(
            name=name,
            title=title,
            description=description,
            model=model,
            train=train,
            validation=validation,
            test=test,
            input_quantities=(Quantity("x"), Quantity("y")),
            output_quantities=(Quantity("u"),),
            architecture=Architecture("mlp", training.arguments(LAYERS, True)),
        )

    return (
        problem(
            "sine2d",
            "Sine in two dimensions",
            "A tanh network fitted to sin(πx)·sin(πy) on the square [-1, 1]² by Adam. Its loss has stalled "
            "although the network can represent the function far better: the optimiser is the limit.",
            trained,
        ),
        problem(
            "sine2d-untrained",
            "Sine in two dimensions, untrained",
            "The network of sine2d at its random initialisation. Linear least squares around weights that were "
            "never trained already comes close to the function.",
            untrained,
        ),
    )


def main() -> None:
    options = training.asked("Train the sine2d samples and write their bundles.", 200)
    from lsr_core.storage.bundles import save_problem

    checkpoints: dict[int, State] = {}
    trained, untrained = problems(options.epochs, checkpoints)
    recipe = {
        "script": "lsr_samples.train_sine2d",
        "optimiser": "Adam, rate 1e-3, halved after 10 epochs without progress on validation",
        "loss": "mean square error",
        "batch": BATCH,
        "epochs": options.epochs,
        "dtype": "float32",
    }
    seeds = {"data": SEED, "initialisation": SEED, "shuffling": SEED}
    save_problem(
        options.out / trained.name, trained, training=recipe, seeds=seeds, checkpoints=checkpoints, overwrite=True
    )
    save_problem(options.out / untrained.name, untrained, training={**recipe, "epochs": 0}, seeds=seeds, overwrite=True)


if __name__ == "__main__":
    main()
