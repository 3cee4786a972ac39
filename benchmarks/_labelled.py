"""Problems whose limit is known because they were built to have it: for each limit eight, of different seeds and sizes.

The first four of each were looked at when the rules of the verdict were written; the last four were made afterwards and changed nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.data_residual import DataResidual
from lsr_core.problems.splits import Split
from lsr_core.refinement.summary import Limit
from lsr_core.training.adam import adam
from lsr_core.training.levenberg_marquardt import levenberg_marquardt

PER_LIMIT = 8
Target = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Labelled:
    """A problem with its limit; `settings` for `refine`."""

    limit: Limit
    index: int
    problem: SupervisedProblem
    settings: dict[str, object]

    @property
    def tuned(self) -> bool:
        return self.index < PER_LIMIT // 2


def labelled(limits: tuple[Limit, ...] | None = None) -> Iterator[Labelled]:
    """All of them, made one after the other."""
    makers: dict[Limit, Callable[[int], tuple[SupervisedProblem, dict[str, object]]]] = {
        "conditioning": conditioned,
        "nonconvexity": wrong_valley,
        "capacity": too_small,
        "precision": rounded,
        "stationary": converged,
        "overfitting": few_samples,
    }
    for limit, make in makers.items():
        if limits is None or limit in limits:
            for index in range(PER_LIMIT):
                problem, settings = make(index)
                yield Labelled(limit, index, problem, settings)


def conditioned(index: int) -> tuple[SupervisedProblem, dict[str, object]]:
    """A wide network after a short Adam training on a smooth target with high frequencies; many exact samples."""
    dimension, width, waves, steps = [
        (1, 40, 4, 600), (2, 48, 1, 400), (1, 64, 6, 1500), (2, 32, 1.5, 800),
        (1, 32, 3, 500), (2, 40, 1.2, 700), (1, 80, 5, 1000), (3, 40, 0.6, 500),
    ][index]  # fmt: skip
    data = samples(lambda x: torch.sin(math.pi * waves * x).prod(dim=1, keepdim=True), dimension, 1500, 600, index)
    model = network([dimension, width, width, 1], index)
    function = trained_by_adam(model, data[0], steps)
    return problem("conditioning", index, function, data), {}


def wrong_valley(index: int) -> tuple[SupervisedProblem, dict[str, object]]:
    """A network that could fit its smooth target but began where its neurons are saturated, or dead, and was trained to the end there."""
    dimension, width = [(1, 6), (2, 16), (2, 8), (1, 12), (1, 9), (2, 24), (3, 10), (1, 20)][index]
    data = samples(lambda x: torch.sin(2 * x).sum(dim=1, keepdim=True), dimension, 600, 300, index)
    if index % 2 == 0:
        model = network([dimension, width, 1], index, stretch=200.0)
    else:
        model = network([dimension, width, 1], index, activation=nn.ReLU)
        with torch.no_grad():
            model[0].bias[2:] -= 8.0  # dead on all of the domain
    return problem("nonconvexity", index, trained_by_lm(model, data[0], 60), data), {}


def too_small(index: int) -> tuple[SupervisedProblem, dict[str, object]]:
    """A network of a few neurons, half trained, on a target that needs many."""
    dimension, width, steps = [
        (1, 3, 300), (2, 4, 400), (2, 3, 500), (1, 4, 200), (1, 5, 400), (2, 5, 300), (3, 4, 400), (2, 6, 600),
    ][index]  # fmt: skip
    waves = 30.0 if dimension == 1 else 11.0
    data = samples(lambda x: torch.sin(waves * x + 0.3).sum(dim=1, keepdim=True), dimension, 1000, 500, index)
    function = trained_by_adam(network([dimension, width, 1], index), data[0], steps)
    return problem("capacity", index, function, data), {}


def rounded(index: int) -> tuple[SupervisedProblem, dict[str, object]]:
    """A well-trained network: its weights rounded to half precision, or all of it in single precision."""
    dimension, width = [(1, 12), (1, 16), (1, 20), (2, 12), (1, 10), (1, 14), (2, 10), (1, 24)][index]
    data = samples(lambda x: torch.sin(2 * x).prod(dim=1, keepdim=True), dimension, 800, 400, index)
    found = trained_by_lm(network([dimension, width, 1], index), data[0], 250)
    if index % 2 == 0:
        dtype = torch.float16 if index % 4 == 0 else torch.bfloat16
        for value in found.parameters():
            value.data = value.data.to(dtype).double()
        return problem("precision", index, found, data), {}
    return problem("precision", index, found, data), {"dtype": "float32"}


def converged(index: int) -> tuple[SupervisedProblem, dict[str, object]]:
    """A network at the best that noisy data allow; its residual is the noise."""
    dimension, width, noise = [
        (1, 6, 0.1), (1, 8, 0.3), (2, 5, 0.2), (1, 5, 0.05), (1, 7, 0.2), (2, 6, 0.3), (1, 4, 0.15), (2, 4, 0.1),
    ][index]  # fmt: skip
    data = samples(lambda x: torch.sin(3 * x).sum(dim=1, keepdim=True), dimension, 4000, 1000, index, noise)
    found = trained_by_lm(network([dimension, width, 1], index), data[0], 300)
    return problem("stationary", index, found, data), {}


def few_samples(index: int) -> tuple[SupervisedProblem, dict[str, object]]:
    """A network with many more weights than noisy samples, stopped where its training was best."""
    dimension, width, count, noise = [
        (1, 24, 60, 0.2), (2, 20, 80, 0.3), (1, 40, 50, 0.3), (2, 28, 120, 0.25),
        (1, 20, 45, 0.25), (2, 24, 100, 0.2), (1, 32, 70, 0.4), (3, 20, 90, 0.3),
    ][index]  # fmt: skip
    data = samples(lambda x: torch.sin(2 * x).sum(dim=1, keepdim=True), dimension, count, 400, index, noise)
    function = trained_by_adam(network([dimension, width, width, 1], index), data[0], 800)
    return problem("overfitting", index, function, data), {}


def samples(
    target: Target, dimension: int, train: int, held: int, seed: int, noise: float = 0.0
) -> tuple[Split, Split, Split]:
    """Training, validation and test samples on [-1, 1]^d."""
    generator = torch.Generator().manual_seed(seed)
    splits = []
    for count in (train, held, held):
        x = 2 * torch.rand(count, dimension, generator=generator, dtype=torch.float64) - 1
        y = target(x)
        splits.append(Split(x, y + noise * torch.randn(y.shape, generator=generator, dtype=torch.float64)))
    return splits[0], splits[1], splits[2]


def network(
    widths: list[int], seed: int, stretch: float = 1.0, activation: Callable[[], nn.Module] = nn.Tanh
) -> nn.Sequential:
    """A network in float64; `stretch` multiplies the weights of its first layer."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for fan_in, fan_out in pairwise(widths):
            layers += [nn.Linear(fan_in, fan_out, dtype=torch.float64), activation()]
    model = nn.Sequential(*layers[:-1])
    with torch.no_grad():
        for value in model[0].parameters():
            value.mul_(stretch)
    model.eval()
    return model


def trained_by_adam(model: nn.Module, split: Split, steps: int) -> nn.Module:
    function = ParametricFunction.from_module(model, dtype=torch.float64)
    return with_weights(model, adam(DataResidual(function, split), steps=steps, lr=3e-3).theta)


def trained_by_lm(model: nn.Module, split: Split, steps: int) -> nn.Module:
    function = ParametricFunction.from_module(model, dtype=torch.float64)
    return with_weights(model, levenberg_marquardt(DataResidual(function, split), steps=steps, redraw_every=None).theta)


def with_weights(model: nn.Module, theta: Tensor) -> nn.Module:
    nn.utils.vector_to_parameters(theta, model.parameters())
    return model


def problem(name: str, index: int, model: nn.Module, data: tuple[Split, Split, Split]) -> SupervisedProblem:
    return SupervisedProblem(f"{name}-{index}", model, *data)
