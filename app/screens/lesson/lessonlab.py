"""The experiments of the lesson: a small network trained on the spot, and what LSR makes of it. Each takes seconds; knows no streamlit."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

import lsr_samples
from lsr_core.diagnosis.directions import directions
from lsr_core.diagnosis.loss_path import loss_path
from lsr_core.diagnosis.verdict import verdict_of
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.lab.race import RaceSettings, race
from lsr_core.lab.records import RaceRecord
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.data_residual import DataResidual
from lsr_core.problems.splits import Architecture, Quantity, Split
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.progress import silent
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.summary import Verdict
from lsr_core.storage.bundles import load_problem
from lsr_core.training.adam import adam
from lsr_samples import train_noisy1d
from lsr_samples.training import arguments, new_network

Floats = NDArray[np.float64]
LAYERS = [1, 32, 32, 1]
SAMPLES = {"train": 200, "validation": 120, "test": 400}
SEED = 0
TRAINING_STEPS = 3000
RATE = 1e-3
RANK = 30  # the same directions in every step
RACE_ITERATIONS = 1000
NOISY = "noisy1d"


@dataclass(frozen=True)
class LessonTraining:
    """The network of the lesson, trained.

    Attributes:
        problem: with the weights of the smallest loss.
        losses: after each step, (TRAINING_STEPS,).
        half, end: smallest loss in the first half of the steps, and of all.
        error: relative L2 error on test data.
        seconds: of the training.
    """

    problem: SupervisedProblem
    losses: Floats
    half: float
    end: float
    error: float
    seconds: float


@dataclass(frozen=True)
class Solution:
    """One refinement, with curves over the test inputs.

    Attributes:
        x, truth, network, refined: (n,).
        base_error, refined_error: relative L2 errors on test data.
    """

    refinement: Refinement
    x: Floats
    truth: Floats
    network: Floats
    refined: Floats
    base_error: float
    refined_error: float
    rank: int
    seconds: float


@dataclass(frozen=True)
class StepLosses:
    """Losses at θ0 + αΔθ on the training data, (a,), and at α = 1."""

    alpha: Floats
    linearised: Floats
    nonlinear: Floats
    base: float
    linear_at_one: float
    network_at_one: float
    seconds: float


@dataclass(frozen=True)
class SlowDirections:
    """Time constants of gradient descent along the directions that the solve uses.

    Attributes:
        index: numbers of the directions from 1, (k,).
        steps: time constants, (k,).
        slow_share: share of the squared residual that the solve removes along directions slower than the training was long.
        trained: steps of the training.
        condition_number: σ₁ over the smallest singular value that is used.
    """

    index: Floats
    steps: Floats
    slow_share: float
    trained: int
    condition_number: float
    seconds: float


@dataclass(frozen=True)
class NoisyFit:
    """Errors by rank on observations with noise.

    Attributes:
        training, validation, test: relative L2 errors at ranks 0…R, (R + 1,); the test data carry no noise.
        rank: the one that the validation error chooses.
    """

    training: Floats
    validation: Floats
    test: Floats
    rank: int
    verdict: Verdict
    seconds: float


def train() -> LessonTraining:
    """Fit the curve of the sample noisy1d, without its noise, by Adam on all samples at once."""
    splits = _splits()
    model = new_network(SEED, LAYERS, splits["train"].inputs).double().eval()
    objective = DataResidual(ParametricFunction.from_module(model, dtype=torch.float64), splits["train"])
    started = time.perf_counter()
    found = adam(objective, steps=TRAINING_STEPS, lr=RATE)
    seconds = time.perf_counter() - started
    torch.nn.utils.vector_to_parameters(found.theta, model.parameters())
    losses = np.array([step.loss for step in found.steps])
    problem = SupervisedProblem(
        name="lesson",
        title="The network of the lesson",
        description="",
        model=model,
        **splits,
        input_quantities=(Quantity("x"),),
        output_quantities=(Quantity("y"),),
        architecture=Architecture("mlp", arguments(LAYERS, True)),
    )
    with torch.no_grad():
        inputs, targets = splits["test"]
        error = float((model(inputs) - targets).norm() / targets.norm())
    half = float(losses[: len(losses) // 2].min())
    return LessonTraining(problem, losses, half, float(losses.min()), error, seconds)


def solve(problem: SupervisedProblem) -> Solution:
    """Refine with one direct solve."""
    started = time.perf_counter()
    found = refine(problem, RefineConfig(rank=RANK, max_rank=RANK), progress=silent)
    assert problem.test is not None
    inputs, targets = problem.test
    with torch.no_grad():
        network = problem.model(inputs)
        refined = found.predictor(inputs)
    seconds = time.perf_counter() - started
    size = float(targets.norm())
    return Solution(
        refinement=found,
        x=inputs[:, 0].numpy(),
        truth=targets[:, 0].numpy(),
        network=network[:, 0].numpy(),
        refined=refined[:, 0].detach().numpy(),
        base_error=float((network - targets).norm()) / size,
        refined_error=float((refined - targets).norm()) / size,
        rank=found.rank,
        seconds=seconds,
    )


def put_into_weights(solution: Solution) -> StepLosses:
    """Walk along the step and evaluate both losses."""
    started = time.perf_counter()
    path = loss_path(solution.refinement.problem, solution.refinement.delta)
    at = int(np.argmin(np.abs(path.alpha - 1)))
    return StepLosses(
        alpha=path.alpha,
        linearised=path.linearised,
        nonlinear=path.nonlinear,
        base=float(path.nonlinear[0]),
        linear_at_one=float(path.linearised[at]),
        network_at_one=float(path.nonlinear[at]),
        seconds=time.perf_counter() - started,
    )


def slow_directions(solution: Solution) -> SlowDirections:
    """Read off how long gradient descent would need along each direction that the solve uses."""
    started = time.perf_counter()
    found = directions(solution.refinement, RANK**2)  # so many that none is passed over
    used = (found.index <= solution.rank) & np.isfinite(found.steps)
    steps = found.steps[used]
    return SlowDirections(
        index=found.index[used].astype(np.float64),
        steps=steps,
        slow_share=float(found.share[used][steps > TRAINING_STEPS].sum()),
        trained=TRAINING_STEPS,
        condition_number=float(np.sqrt(steps[-1])),
        seconds=time.perf_counter() - started,
    )


def other_coordinates(problem: SupervisedProblem) -> RaceRecord:
    """The same optimisers on the same linear problem, in the original and in whitened coordinates."""
    settings = RaceSettings(iterations=RACE_ITERATIONS, dtype="float64")
    return race(problem, RefineConfig(max_rank=RANK), settings, progress=silent)


def noisy() -> NoisyFit:
    """Refine the sample noisy1d up to as many directions as there are observations."""
    started = time.perf_counter()
    found = refine(load_problem(lsr_samples.folder(NOISY)), progress=silent)
    sweep = found.sweep
    return NoisyFit(
        training=sweep.train_relative_l2,
        validation=sweep.val_relative_l2,
        test=sweep.test_relative_l2,
        rank=found.rank,
        verdict=verdict_of(found),
        seconds=time.perf_counter() - started,
    )


def _splits() -> dict[str, Split]:
    generator = np.random.default_rng(SEED)
    made = {}
    for name, count in SAMPLES.items():
        x = np.linspace(0, 2, count) if name != "validation" else np.sort(generator.uniform(0, 2, count))
        made[name] = Split(torch.from_numpy(x[:, None]), torch.from_numpy(train_noisy1d.truth(x[:, None])))
    return made
