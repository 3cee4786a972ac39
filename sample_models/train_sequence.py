"""The damping of an oscillator from its path, by a small transformer.

    python -m lsr_samples.train_sequence [--epochs 60] [--out DIR]

writes the bundle DIR/sequence. A path is x(t) = a exp(−γt) cos(ωt + φ), the solution of x'' + 2γ x' + (ω² + γ²) x = 0, at 32 times on [0, 4]; the
network is asked for γ. There is no noise, so what is left of the error is the network's.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import nn

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.networks import architectures
from lsr_core.problems.splits import Architecture, Quantity, Split
from lsr_samples import training

STEPS, END = 32, 4.0
N_TRAIN, N_VALIDATION, N_TEST = 2000, 500, 500
DAMPING, FREQUENCY, AMPLITUDE = (0.0, 1.0), (2.0, 6.0), (0.5, 1.5)
SEED = 0
BATCH = 50
EPOCHS = 60
ARGUMENTS: dict[str, object] = {
    "length": STEPS,
    "features": 1,
    "width": 16,
    "heads": 2,
    "depth": 2,
    "feedforward": 32,
    "activation": "gelu",
}


def paths(damping: np.ndarray, frequency: np.ndarray, amplitude: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Paths (n, STEPS, 1) for n dampings, frequencies, amplitudes and phases."""
    t = np.linspace(0, END, STEPS)
    columns = (part[:, None] for part in (damping, frequency, amplitude, phase))
    gamma, omega, a, phi = columns
    values: np.ndarray = a * np.exp(-gamma * t) * np.cos(omega * t + phi)
    return values[..., None]


def splits() -> tuple[Split, Split, Split]:
    """All four parameters uniform; targets are the dampings (n, 1)."""
    count = N_TRAIN + N_VALIDATION + N_TEST
    generator = np.random.default_rng(SEED)
    drawn = [generator.uniform(low, high, count) for low, high in (DAMPING, FREQUENCY, AMPLITUDE, (0, 2 * np.pi))]
    inputs, targets = torch.from_numpy(paths(*drawn)).float(), torch.from_numpy(drawn[0][:, None]).float()
    ends = (0, N_TRAIN, N_TRAIN + N_VALIDATION, count)
    train, validation, test = (Split(inputs[start:end], targets[start:end]) for start, end in pairwise(ends))
    return train, validation, test


def new_network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return architectures.build("transformer-regressor", ARGUMENTS)


def problem(epochs: int = EPOCHS) -> SupervisedProblem:
    train, validation, test = splits()
    model = new_network()
    data = ((part.inputs, part.targets) for part in (train, validation))
    training.adam(model, *data, epochs=epochs, batch=BATCH, seed=SEED, rate=3e-3, patience=5)
    return SupervisedProblem(
        name="sequence",
        title="Damping of an oscillator from its path",
        description="A small transformer reads 32 values of a damped oscillation and says how strongly it is damped. Frequency, amplitude and phase "
        "differ from path to path.",
        model=model,
        train=train,
        validation=validation,
        test=test,
        input_quantities=tuple(Quantity(f"x(t{index})") for index in range(STEPS)),
        output_quantities=(Quantity("damping"),),
        architecture=Architecture("transformer-regressor", dict(ARGUMENTS)),
    )


def main() -> None:
    options = training.asked("Train the sequence sample and write its bundle.", EPOCHS)
    from lsr_core.storage.bundles import save_problem

    recipe = {
        "script": "lsr_samples.train_sequence",
        "data": "damped cosines, exact, parameters uniform",
        "optimiser": "Adam, rate 3e-3, halved after 5 epochs without progress on validation",
        "loss": "mean square error",
        "batch": BATCH,
        "epochs": options.epochs,
        "dtype": "float32",
    }
    seeds = {"data": SEED, "initialisation": SEED, "shuffling": SEED}
    save_problem(options.out / "sequence", problem(options.epochs), training=recipe, seeds=seeds, overwrite=True)


if __name__ == "__main__":
    main()
