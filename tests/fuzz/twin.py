"""The dense float64 twin: outputs and Jacobian of an untouched network, written out by plain reverse mode, one row at a time."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lsr_core.kinds.data.problem import SupervisedProblem
from tests.fuzz.networks import converted

SINGLE, DOUBLE = torch.finfo(torch.float32).eps, torch.finfo(torch.float64).eps


@dataclass(frozen=True)
class Rows:
    """Of one split, flat over samples and outputs: outputs q, Jacobian J (N, m), targets y."""

    outputs: Tensor
    jacobian: Tensor
    targets: Tensor

    @property
    def residual(self) -> Tensor:
        return self.outputs - self.targets

    def predicted(self, delta: Tensor) -> Tensor:
        """q + J Δθ, or by columns of Δθ."""
        return self.outputs + self.jacobian @ delta

    def divided(self, sizes: Tensor) -> Rows:
        """The same with each output (o,) in a unit of its own."""
        every = sizes.double().repeat(len(self.outputs) // len(sizes))
        return Rows(self.outputs / every, self.jacobian / every[:, None], self.targets / every)


@dataclass(frozen=True)
class Twin:
    """All splits, and the same from a network and inputs that differ by a rounding error: what no computation in that precision can
    tell apart.

    Attributes:
        rounding: of the precision that is compared with.
    """

    splits: dict[str, Rows]
    nearby: dict[str, Rows]
    rounding: float

    def divided(self, sizes: Tensor | None) -> Twin:
        """What a run solves that divides its outputs by these."""
        if sizes is None:
            return self
        of = ({name: rows.divided(sizes) for name, rows in split.items()} for split in (self.splits, self.nearby))
        return Twin(*of, self.rounding)

    def noise(self, split: str, delta: Tensor) -> float:
        """‖ ‖ of the change of q + J Δθ by rounding of parameters, inputs and the sum."""
        mine, other = self.splits[split], self.nearby[split]
        moved = (other.predicted(delta) - mine.predicted(delta)).norm()
        spread = mine.jacobian.abs() @ delta.abs() + mine.outputs.abs() + mine.targets.abs()
        return float(moved + self.rounding * spread.norm())


def make_twin(network: nn.Module, other: nn.Module, problem: SupervisedProblem, rounding: float) -> Twin:
    """The twin of a network that nobody has touched; `other` is a second copy, to be changed by rounding errors.

    A network that runs in single precision only has its twin in that.
    """
    dtype = torch.float64 if _runs_in_double(network, problem) else torch.float32
    rounding = max(rounding, torch.finfo(dtype).eps)
    network, other = converted(network, dtype), converted(other, dtype)
    generator = torch.Generator().manual_seed(0)

    def nudged(value: Tensor) -> Tensor:
        noise = torch.randn(value.shape, generator=generator, dtype=torch.float64)
        return (value * (1 + rounding * noise)).to(value.dtype)

    with torch.no_grad():
        for value in other.parameters():
            value.copy_(nudged(value))
    for part in list(other.modules())[1:]:  # and what is computed on the way
        part.register_forward_hook(lambda _, __, y: nudged(y) if isinstance(y, Tensor) else None)
    splits, nearby = {}, {}
    for name, (x, y) in problem.splits().items():
        x = x.to(dtype) if x.is_floating_point() else x
        splits[name] = rows_of(network, x, y)
        nearby[name] = rows_of(other, nudged(x) if x.is_floating_point() else x, y)
    return Twin(splits, nearby, rounding)


def _runs_in_double(network: nn.Module, problem: SupervisedProblem) -> bool:
    """Whether it does at all: some fill a tensor of single precision and multiply it by weights."""
    x = problem.train.inputs[:1].clone()
    try:
        converted(network, torch.float64)(x.double() if x.is_floating_point() else x)
    except RuntimeError:
        return False
    return True


def rows_of(network: nn.Module, x: Tensor, y: Tensor) -> Rows:
    """q, J and y at inputs x; columns in the order of the free parameters, real and imaginary parts side by side."""
    free = [value for value in network.parameters() if value.requires_grad]
    with torch.enable_grad():
        outputs = network(x.clone()).reshape(-1)
    rows = []
    for output in outputs:
        found = (
            torch.autograd.grad(output, free, retain_graph=True, allow_unused=True)
            if output.requires_grad
            else [None] * len(free)
        )
        rows.append(torch.cat([_flat(slope, value) for slope, value in zip(found, free, strict=True)]))
    return Rows(outputs.detach().double(), torch.stack(rows).double(), y.double().reshape(-1))


def _flat(slope: Tensor | None, value: Tensor) -> Tensor:
    full = torch.zeros_like(value) if slope is None else slope
    return (torch.view_as_real(full) if full.is_complex() else full).reshape(-1).detach()
