"""Burgers' equation as an operator learnt from data: from the start of a solution to its end, a MultiONet.

    python -m lsr_samples.train_burgers_operator [--epochs 600] [--out DIR]

writes the bundles DIR/burgers-operator (trained) and DIR/burgers-operator-untrained (the same network at its random start). The set-up follows Cao &
Zhang (2026), smaller: 1,000 training functions on 32 grid points instead of 128, layers of width 32 instead of 128, and a training that is much
shorter, in which a tanh network learns no more than the mean; hence tanh-sin. Solutions are computed here by a Fourier spectral method.
"""

from __future__ import annotations

import argparse
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import nn

from lsr_core.networks import architectures
from lsr_core.problems.operators import OperatorProblem
from lsr_core.problems.physics.exponential import ExponentialRungeKutta
from lsr_core.problems.supervised import Architecture, Quantity, Split

GRID = 32
N_TRAIN, N_VALIDATION, N_TEST = 1000, 100, 200
VISCOSITY, TIME = 0.02, 1.0
MODES, STEPS = 128, 400  # of the solver; see the tests
SEED = 0
BATCH = 50
RATE = 5e-3
EPOCHS = 600


AXIS = {"points": GRID, "low": -1.0, "high": 1 - 2 / GRID}  # what the trunk sees of [0, 1)
ARGUMENTS: dict[str, object] = {"sensors": GRID, "width": 32, "depth": 3, "activation": "tanh-sin", "grid": AXIS}


def starts(count: int, modes: int = MODES) -> np.ndarray:
    """Fourier amplitudes (count, modes + 1) of periodic Gaussian random functions, covariance 625 (−∂_xx + 25)⁻² (Li et al. 2021)."""
    generator = np.random.default_rng(SEED)
    drawn = generator.standard_normal((count, 2, GRID // 2))
    k = np.arange(1, GRID // 2)
    deviation = 25 / ((2 * np.pi * k) ** 2 + 25)
    amplitudes = np.zeros((count, modes + 1), dtype=complex)
    amplitudes[:, 1 : GRID // 2] = deviation * (drawn[:, 0, 1:] + 1j * drawn[:, 1, 1:]) / np.sqrt(2)
    amplitudes[:, 0] = drawn[:, 0, 0]
    return amplitudes


def solve(start: np.ndarray, steps: int = STEPS) -> np.ndarray:
    """Amplitudes (n, modes + 1) of u_t + u u_x = ν u_xx at the end, periodic on [0, 1]; products are free of aliases."""
    modes = start.shape[1] - 1
    k = 2 * np.pi * np.arange(modes + 1)
    step = TIME / steps
    scheme = ExponentialRungeKutta(-step * VISCOSITY * k**2)

    def push(amplitudes: np.ndarray) -> np.ndarray:
        values = np.fft.irfft(amplitudes, 3 * modes, axis=-1, norm="forward")
        squares = np.fft.rfft(values * values, axis=-1, norm="forward")[..., : modes + 1]
        return -0.5j * step * k * squares

    for _ in range(steps):
        start = scheme.step(start, push)
    return start


def on_grid(amplitudes: np.ndarray) -> torch.Tensor:
    """Values (n, grid) at every 2·modes/grid-th point."""
    values = np.fft.irfft(amplitudes, 2 * (amplitudes.shape[1] - 1), axis=-1, norm="forward")
    return torch.from_numpy(values[:, :: values.shape[1] // GRID].astype(np.float32).copy())


def splits() -> tuple[Split, Split, Split]:
    start = starts(N_TRAIN + N_VALIDATION + N_TEST)
    inputs, targets = on_grid(start), on_grid(solve(start))
    ends = (0, N_TRAIN, N_TRAIN + N_VALIDATION, len(inputs))
    parts = [slice(*pair) for pair in pairwise(ends)]
    train, validation, test = (Split(inputs[part], targets[part]) for part in parts)
    return train, validation, test


def new_network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return architectures.build("multionet", ARGUMENTS)


def fit(model: nn.Module, train: Split, epochs: int) -> None:
    """Adam on the mean square error, in place; the rate falls to zero along a cosine."""
    optimiser = torch.optim.Adam(model.parameters(), lr=RATE, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    generator = torch.Generator().manual_seed(SEED)
    for epoch in range(1, epochs + 1):
        total = 0.0
        for batch in torch.randperm(len(train.inputs), generator=generator).split(BATCH):
            optimiser.zero_grad()
            loss = (model(train.inputs[batch]) - train.targets[batch]).square().mean()
            loss.backward()
            optimiser.step()
            total += float(loss.detach()) * len(batch)
        schedule.step()
        if epoch % 50 == 0:
            print(f"epoch {epoch}: mean square error {total / len(train.inputs):.3e}", file=sys.stderr, flush=True)


def problem(data: tuple[Split, Split, Split], *, trained: bool, epochs: int = EPOCHS) -> OperatorProblem:
    train, validation, test = data
    model = new_network()
    if trained:
        fit(model, train, epochs)
    return OperatorProblem(
        name="burgers-operator" if trained else "burgers-operator-untrained",
        title="Burgers' equation as an operator" + ("" if trained else ", untrained"),
        description="A MultiONet from the start of a periodic solution of Burgers' equation to its end, learnt from 1,000 "
        "pairs"
        + ("." if trained else "; here at its random start, where refinement is the only training.")
        + " Errors are relative L2 norms of "
        "single functions that neither training nor solve has seen.",
        model=model,
        train=train,
        validation=validation,
        test=test,
        input_quantities=tuple(Quantity(f"u0(x{index})") for index in range(GRID)),
        output_quantities=tuple(Quantity(f"u(x{index})") for index in range(GRID)),
        architecture=Architecture("multionet", dict(ARGUMENTS)),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the Burgers operator and write its two bundles.")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    torch.set_num_threads(1)
    from lsr_core.storage.bundles import save_problem

    data = splits()
    recipe = {
        "script": "lsr_samples.train_burgers_operator",
        "data": f"Fourier spectral solutions, viscosity {VISCOSITY}, time {TIME}",
        "optimiser": f"Adam, rate {RATE} at first, cosine decay",
        "loss": "mean square error",
        "batch": BATCH,
        "epochs": options.epochs,
        "dtype": "float32",
    }
    seeds = {"data": SEED, "initialisation": SEED, "shuffling": SEED}
    trained = problem(data, trained=True, epochs=options.epochs)
    save_problem(options.out / "burgers-operator", trained, training=recipe, seeds=seeds, overwrite=True)
    untrained = {key: recipe[key] for key in ("script", "data", "dtype")} | {"epochs": 0}
    start = problem(data, trained=False)
    save_problem(options.out / "burgers-operator-untrained", start, training=untrained, seeds=seeds, overwrite=True)


if __name__ == "__main__":
    main()
