"""A small regression with noisy observations, where a subspace that is too large fits the noise.

    python -m lsr_samples.train_noisy1d [--epochs 150] [--out DIR]

writes the bundle DIR/noisy1d. The training is short, so the network underfits; the test targets carry no noise.
"""

from __future__ import annotations

import numpy as np
import torch

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.problems.splits import Architecture, Quantity, Split
from lsr_samples import training

LAYERS = [1, 32, 32, 1]
SEED = 0
BATCH = 16
EPOCHS = 150
N_POINTS = 72
N_TEST = 400
NOISE = 0.1


def truth(x: np.ndarray) -> np.ndarray:
    return np.sin(2 * np.pi * x) * np.exp(-x)


def splits() -> tuple[Split, Split, Split]:
    """Noisy train and validation points, uniform on [0, 2]; a fine grid without noise to test on."""
    generator = np.random.default_rng(SEED)
    parts = []
    for _ in range(2):
        x = np.sort(generator.uniform(0, 2, (N_POINTS, 1)), axis=0)
        parts.append((x, truth(x) + NOISE * generator.standard_normal(x.shape)))
    grid = np.linspace(0, 2, N_TEST)[:, None]
    parts.append((grid, truth(grid)))
    train, validation, test = (Split(torch.from_numpy(x), torch.from_numpy(y)) for x, y in parts)
    return train, validation, test


def problem(epochs: int = EPOCHS) -> SupervisedProblem:
    train, validation, test = splits()
    model = training.new_network(SEED, LAYERS, train.inputs)
    training.adam(model, train, validation, epochs=epochs, batch=BATCH, seed=SEED)
    return SupervisedProblem(
        name="noisy1d",
        title="Noisy observations in one dimension",
        description="A briefly trained network and 72 observations of sin(2πx)·exp(-x) with noise of deviation 0.1. "
        "A few directions help; with as many directions as observations the predictor follows the noise. "
        "The validation error shows where to stop.",
        model=model,
        train=train,
        validation=validation,
        test=test,
        input_quantities=(Quantity("x"),),
        output_quantities=(Quantity("y"),),
        architecture=Architecture("mlp", training.arguments(LAYERS, True)),
    )


def main() -> None:
    options = training.asked("Train the noisy1d sample and write its bundle.", EPOCHS)
    from lsr_core.storage.bundles import save_problem

    recipe = {
        "script": "lsr_samples.train_noisy1d",
        "optimiser": "Adam, rate 1e-3, halved after 10 epochs without progress on validation",
        "loss": "mean square error",
        "batch": BATCH,
        "epochs": options.epochs,
        "dtype": "float32",
    }
    seeds = {"data": SEED, "initialisation": SEED, "shuffling": SEED}
    save_problem(options.out / "noisy1d", problem(options.epochs), training=recipe, seeds=seeds, overwrite=True)


if __name__ == "__main__":
    main()
