"""Burgers' equation as an operator learnt from data: from the start of a solution to its end, a MultiONet.

    python -m lsr_samples.train_burgers_operator [--epochs 300] [--iterations 600] [--activation tanh] [--out DIR]

writes the bundles DIR/burgers-operator (trained, tanh) and DIR/burgers-operator-untrained (tanh-sin, at its random start). Networks and numbers
of functions and grid points are those of Cao & Zhang (2026): 1,000 training functions on 128 points, layers of width 128. Solutions are computed
here by a Fourier spectral method.
"""

from __future__ import annotations

import argparse
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from scipy.special import ive
from torch import Tensor, nn

from lsr_core.kinds.operators import OperatorProblem
from lsr_core.networks import architectures
from lsr_core.problems.physics.exponential import ExponentialRungeKutta
from lsr_core.problems.splits import Architecture, Quantity, Split

GRID = 128
N_TRAIN, N_VALIDATION, N_TEST = 1000, 100, 200
VISCOSITY, TIME = 0.1, 1.0
LENGTH = 2.0  # ℓ of the covariance of the starts
MODES, STEPS = 128, 400  # of the solver; see the tests
SEED = 0
BATCH = 50
RATE = 1e-3
EPOCHS = 300  # of Adam
ITERATIONS = 600  # of L-BFGS after them
HISTORY, ROUND = 100, 100


AXIS = {"points": GRID, "low": -1.0, "high": 1 - 2 / GRID}  # what the trunk sees of [0, 1)
ARGUMENTS: dict[str, object] = {"sensors": GRID, "width": 128, "depth": 3, "grid": AXIS}
TRAINED, UNTRAINED = "tanh", "tanh-sin"  # activations


def starts(count: int, modes: int = MODES) -> np.ndarray:
    """Fourier amplitudes (count, modes + 1) of a periodic Gaussian process with covariance exp(−2 sin²(π(x − x'))/ℓ²), less its mean.

    Its variance at frequency k is 2 e⁻ᶻ I_k(z) with z = 1/ℓ² (MacKay 1998).
    """
    generator = np.random.default_rng(SEED)
    k = np.arange(1, GRID // 2)
    drawn = generator.standard_normal((2, count, len(k)))
    deviation = np.sqrt(ive(k, 1 / LENGTH**2) / 2)
    amplitudes = np.zeros((count, modes + 1), dtype=complex)
    amplitudes[:, 1 : GRID // 2] = deviation * (drawn[0] + 1j * drawn[1])
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
    """Targets are in units of their root mean square over the training functions: viscosity leaves a hundredth of the start."""
    start = starts(N_TRAIN + N_VALIDATION + N_TEST)
    inputs, targets = on_grid(start), on_grid(solve(start))
    targets /= targets[:N_TRAIN].square().mean().sqrt()
    ends = (0, N_TRAIN, N_TRAIN + N_VALIDATION, len(inputs))
    parts = [slice(*pair) for pair in pairwise(ends)]
    train, validation, test = (Split(inputs[part], targets[part]) for part in parts)
    return train, validation, test


def new_network(activation: str) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return architectures.build("multionet", ARGUMENTS | {"activation": activation})


def loss(model: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """The mean of ‖q − y‖²/‖y‖² over the functions: functions that have nearly died out count as much as the others."""
    return ((model(inputs) - targets).square().sum(1) / targets.square().sum(1)).mean()


def adam(model: nn.Module, train: Split, epochs: int) -> None:
    """In place and in single precision; the rate falls to zero along a cosine."""
    optimiser = torch.optim.Adam(model.parameters(), lr=RATE, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    generator = torch.Generator().manual_seed(SEED)
    for epoch in range(1, epochs + 1):
        for batch in torch.randperm(len(train.inputs), generator=generator).split(BATCH):
            optimiser.zero_grad()
            loss(model, train.inputs[batch], train.targets[batch]).backward()
            optimiser.step()
        schedule.step()
        if epoch % 50 == 0:
            report(f"epoch {epoch}", model, train)


def quasi_newton(model: nn.Module, train: Split, iterations: int) -> None:
    """L-BFGS on all functions in double precision, in place; the network is single again after it."""
    model.double()
    inputs, targets = train.inputs.double(), train.targets.double()
    optimiser = torch.optim.LBFGS(
        model.parameters(),
        max_iter=ROUND,
        history_size=HISTORY,
        line_search_fn="strong_wolfe",
        tolerance_grad=0,
        tolerance_change=0,
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = loss(model, inputs, targets)
        value.backward()
        return value

    for done in range(ROUND, iterations + 1, ROUND):
        optimiser.step(closure)
        report(f"iteration {done}", model, Split(inputs, targets))
    model.float()


def report(when: str, model: nn.Module, train: Split) -> None:
    with torch.no_grad():
        print(f"{when}: loss {float(loss(model, *train)):.3e}", file=sys.stderr, flush=True)


def problem(data: tuple[Split, Split, Split], model: nn.Module, activation: str, *, trained: bool) -> OperatorProblem:
    train, validation, test = data
    return OperatorProblem(
        name="burgers-operator" if trained else "burgers-operator-untrained",
        title="Burgers' equation as an operator" + ("" if trained else ", untrained"),
        description="A MultiONet from the start of a periodic solution of Burgers' equation to its end, learnt from 1,000 pairs"
        + ("." if trained else "; here at its random start, where refinement is the only training.")
        + " Errors are relative L2 norms of single functions that neither training nor solve has seen.",
        model=model,
        train=train,
        validation=validation,
        test=test,
        input_quantities=tuple(Quantity(f"u0(x{index})") for index in range(GRID)),
        output_quantities=tuple(Quantity(f"u(x{index})") for index in range(GRID)),
        architecture=Architecture("multionet", ARGUMENTS | {"activation": activation}),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the Burgers operator and write its two bundles.")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--iterations", type=int, default=ITERATIONS)
    parser.add_argument("--activation", default=TRAINED, help="of the trained network")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    torch.set_num_threads(1)
    from lsr_core.storage.bundles import save_problem

    data = splits()
    model = new_network(options.activation)
    adam(model, data[0], options.epochs)
    quasi_newton(model, data[0], options.iterations)
    recipe = {
        "script": "lsr_samples.train_burgers_operator",
        "data": f"Fourier spectral solutions, viscosity {VISCOSITY}, time {TIME}",
        "optimiser": f"Adam, rate {RATE} at first, cosine decay; then L-BFGS",
        "loss": "mean of squared relative L2 errors",
        "batch": BATCH,
        "epochs": options.epochs,
        "iterations": options.iterations,
        "dtype": "float32, L-BFGS float64",
    }
    seeds = {"data": SEED, "initialisation": SEED, "shuffling": SEED}
    trained = problem(data, model, options.activation, trained=True)
    save_problem(options.out / trained.name, trained, training=recipe, seeds=seeds, overwrite=True)
    start = problem(data, new_network(UNTRAINED), UNTRAINED, trained=False)
    untrained = {key: recipe[key] for key in ("script", "data")} | {"epochs": 0, "dtype": "float32"}
    save_problem(options.out / start.name, start, training=untrained, seeds=seeds, overwrite=True)


if __name__ == "__main__":
    main()
