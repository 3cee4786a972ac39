"""Six tangent spaces for `peers.py`: a network (or a residual), rows to fit, rows to validate by, and the Jacobian as other libraries take it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import laplacian
import numpy as np
import recipe
import torch
from _scaled import mlp
from scipy.sparse.linalg import LinearOperator
from torch import Tensor, nn
from torch.func import jacrev, jvp, vjp, vmap

import lsr_core
from lsr_core import PhysicsProblem, RefineConfig, Split, SupervisedProblem
from lsr_core.linalg.operators import LinearOperator as OurOperator
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.strategies import choose_strategy
from lsr_core.refinement.solve import planned

MIB = 2**20
ROWS_BYTES = 64 * MIB  # of rows that one vmap makes: more leaves the caches


@dataclass(frozen=True)
class Tangent:
    """min ‖f + J δ‖ over δ; errors are mean squares of the linearised outputs at other samples.

    Attributes:
        ours: the problem as `refine` takes it.
        plain: the same as a network alone, as other libraries take it: θ and inputs to outputs.
        rank: how many singular values are wanted.
    """

    name: str
    ours: SupervisedProblem | PhysicsProblem
    plain: SupervisedProblem
    rank: int

    def with_rank(self, rank: int) -> Tangent:
        return replace(self, rank=rank)

    @property
    def function(self) -> recipe.Flat:
        return recipe.Flat.of(self.plain.model, torch.float64)

    @property
    def shape(self) -> tuple[int, int]:
        return self.plain.train.targets.numel(), len(self.function.theta)

    def errors(self, split: Split) -> Tensor:
        """Rows of f = q − y at θ0, flat."""
        function = self.function
        return (function(function.theta, split.inputs.double()) - split.targets.double()).flatten().detach()

    def validation_mse(self, delta: Tensor) -> float:
        split = self.plain.validation
        assert split is not None
        refined = recipe.predict(self.function, delta.double(), split.inputs.double())
        return float((refined - split.targets.double()).square().mean())

    def dense(self) -> Tensor:
        """All rows of J, by reverse mode for each sample under vmap, as PyTorch's own documentation makes them."""
        function, inputs = self.function, self.plain.train.inputs.double()

        def one(theta: Tensor, sample: Tensor) -> Tensor:
            return function(theta, sample[None])[0]

        rows, (count, width) = [], self.shape
        together = max(1, ROWS_BYTES // (8 * width * (count // len(inputs))))
        for part in inputs.split(together):
            rows.append(vmap(jacrev(one), in_dims=(None, 0))(function.theta, part).flatten(0, 1).detach())
        return torch.cat(rows)

    def products(self) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
        """J v and Jᵀ u of single vectors, by forward and by reverse mode over all samples at once."""
        function, inputs = self.function, self.plain.train.inputs.double()

        def at(theta: Tensor) -> Tensor:
            return function(theta, inputs).flatten()

        pull = vjp(at, function.theta)[1]
        return lambda v: jvp(at, (function.theta,), (v,))[1].detach(), lambda u: pull(u)[0].detach()

    def scipy_operator(self) -> LinearOperator:
        push, pull = self.products()
        return LinearOperator(
            self.shape,
            matvec=lambda v: push(torch.from_numpy(np.ravel(v))).numpy(),
            rmatvec=lambda u: pull(torch.from_numpy(np.ravel(u))).numpy(),
            dtype=np.float64,
        )

    def our_operator(self) -> OurOperator:
        """J as the engine makes its rows, which are kept."""
        if isinstance(self.ours, PhysicsProblem):
            setting = planned(self.ours, RefineConfig(max_rank=min(self.rank, *self.shape), strategy="row-blocks"))
            (part,) = setting.fitted  # type: ignore[attr-defined]
            by_mean = part.residual.at(part.points, part.width, "row-blocks", keep=True)
            return Multiple(by_mean, math.sqrt(self.shape[0]))
        function = ParametricFunction.from_module(self.ours.model, dtype=torch.float64)
        inputs, targets = self.ours.train.inputs.double(), self.ours.train.targets
        strategy = choose_strategy(
            function, inputs[:2], targets.numel(), targets.shape[1], width=self.rank, wanted="row-blocks"
        )
        return strategy.at(inputs, keep=True)


class Multiple(OurOperator):
    """An operator times a number: rows of an equation are those of J by √N."""

    def __init__(self, inner: OurOperator, factor: float) -> None:
        self.inner, self.factor = inner, factor
        self.shape, self.dtype, self.device = inner.shape, inner.dtype, inner.device

    def matmat(self, block: Tensor) -> Tensor:
        return self.inner.matmat(block) * self.factor

    def rmatmat(self, block: Tensor) -> Tensor:
        return self.inner.rmatmat(block) * self.factor


def sines(count: int) -> Split:
    points = torch.rand(count, 2, dtype=torch.float64) * 2 - 1
    return Split(points, torch.sin(math.pi * points).prod(1, keepdim=True))


def trained_mlp(count: int) -> Tangent:
    """The network of sine2d, whose training by Adam has stalled."""
    whole = lsr_core.load_problem("sine2d")
    assert whole.test is not None
    spread = torch.randperm(len(whole.test.inputs))  # in order they are a grid, and the first of them one of its edges
    other = Split(whole.test.inputs[spread[:count]], whole.test.targets[spread[:count]])
    train = Split(whole.train.inputs[:count], whole.train.targets[:count])
    problem = SupervisedProblem("trained MLP", whole.model, train, other)
    return Tangent(problem.name, problem, problem, 100)


def untrained_mlp(count: int) -> Tangent:
    problem = SupervisedProblem("untrained MLP", mlp(2, 48, 48, 48, 1).double(), sines(count), sines(count // 2))
    return Tangent(problem.name, problem, problem, 100)


def residual(count: int) -> Tangent:
    """The Laplacian of an untrained network; ours takes it through the layers, others point by point."""
    pointwise, physics = laplacian.make(count)
    plain = SupervisedProblem("Laplacian", pointwise.model, pointwise.train, pointwise.test)
    return Tangent(plain.name, physics, plain, 100)


def classifier(count: int) -> Tangent:
    """An untrained network with ten outputs, towards handwritten digits."""
    return digits("classifier", mlp(64, 64, 64, 10).double(), count, lambda images: images.flatten(1))


def digits(name: str, model: nn.Module, count: int, shaped: Callable[[Tensor], Tensor]) -> Tangent:
    """Towards ones for the digit that is shown and zeros for the others, by plain squares."""
    images = lsr_core.load_problem("digits")
    assert images.test is not None
    parts = [
        Split(shaped(part.inputs[:count].double()), part.targets[:count].double())
        for part in (images.train, images.test)
    ]
    problem = SupervisedProblem(name, model, *parts)
    return Tangent(name, problem, problem, 50)


def convolutional(count: int) -> Tangent:
    """The same images, and a network of convolutions at its random start."""
    return digits("CNN", lsr_core.load_problem("digits-untrained").model, count, lambda images: images)


def transformer(count: int) -> Tangent:
    """The sample that reads sequences, trained."""
    whole = lsr_core.load_problem("sequence")
    train = Split(whole.train.inputs[:count], whole.train.targets[:count])
    problem = SupervisedProblem("transformer", whole.model, train, whole.validation)
    return Tangent(problem.name, problem, problem, 100)


TANGENTS: dict[str, tuple[Callable[[int], Tangent], int]] = {
    "untrained-mlp": (untrained_mlp, 1000),
    "trained-mlp": (trained_mlp, 400),
    "laplacian": (residual, 1000),
    "classifier": (classifier, 100),
    "cnn": (convolutional, 100),
    "transformer": (transformer, 1000),
}


def tangent(name: str, share: float = 1.0) -> Tangent:
    """With a share of the samples."""
    torch.manual_seed(0)
    make, count = TANGENTS[name]
    return make(max(6, round(share * count)))
