"""Dense twins: the same things the straightforward way, for networks small enough to write everything out."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.linalg.operators import LinearOperator, random_block
from lsr_core.problems.splits import Split

EPS = torch.finfo(torch.float64).eps


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network(*layers: int, seed: int = 0, activation: Callable[[], nn.Module] = nn.Tanh) -> nn.Module:
    """An MLP in double precision with weights from a seed."""
    parts: list[nn.Module] = []
    for before, after in itertools.pairwise(layers):
        parts += [nn.Linear(before, after), activation()]
    model = nn.Sequential(*parts[:-1]).double().eval()
    draw = generator(seed)
    with torch.no_grad():
        for value in model.parameters():
            value.copy_(torch.randn(value.shape, generator=draw, dtype=torch.float64) / max(1, value.shape[-1]) ** 0.5)
    return model


def data(rows: int, n_inputs: int = 2, n_outputs: int = 1, seed: int = 1) -> Split:
    inputs = 2 * torch.rand(rows, n_inputs, generator=generator(seed), dtype=torch.float64) - 1
    targets = torch.cat([torch.sin((k + 2) * inputs.sum(1, keepdim=True)) + inputs[:, :1] for k in range(n_outputs)], 1)
    return Split(inputs, targets)


def problem(model: nn.Module, rows: int = 40, n_inputs: int = 2, n_outputs: int = 1) -> SupervisedProblem:
    splits = [data(rows, n_inputs, n_outputs, seed=seed) for seed in (1, 2, 3)]
    return SupervisedProblem("tiny", model, *splits)


def jacobian(model: nn.Module, inputs: Tensor) -> Tensor:
    """∂q/∂θ written out, (n·o, m), parameters in the order of named_parameters."""
    named = {name: value.detach() for name, value in model.named_parameters()}
    blocks = jacrev(lambda parameters: functional_call(model, parameters, (inputs,)).reshape(-1))(named)
    return torch.cat([blocks[name].reshape(len(blocks[name]), -1) for name in named], dim=1)


def prescribed(rows: int, columns: int, values: Tensor, seed: int = 0) -> Tensor:
    """A matrix with given singular values."""
    draw = generator(seed)
    left = torch.linalg.qr(torch.randn(rows, len(values), generator=draw, dtype=torch.float64)).Q
    right = torch.linalg.qr(torch.randn(columns, len(values), generator=draw, dtype=torch.float64)).Q
    return left * values @ right.T


def fitted(matrix: Tensor, rhs: Tensor) -> Tensor:
    """A c of the minimum-norm least-squares solution of A c ≈ rhs, by NumPy."""
    solution = np.linalg.lstsq(matrix.numpy(), rhs.numpy(), rcond=None)[0]
    return matrix @ torch.from_numpy(solution)


def dot_test(operator: LinearOperator, generator: torch.Generator, pairs: int = 3) -> float:
    """Largest relative defect of the adjoint identity ⟨A v, u⟩ = ⟨v, Aᵀ u⟩ over random pairs."""
    n_rows, n_columns = operator.shape
    v = random_block((n_columns, pairs), operator, generator)
    u = random_block((n_rows, pairs), operator, generator)
    image, preimage = operator.matmat(v), operator.rmatmat(u)
    left, right = (image * u).sum(0), (v * preimage).sum(0)
    size = (image.norm(dim=0) * u.norm(dim=0)).clamp_min(torch.finfo(operator.dtype).tiny)
    return float(((left - right).abs() / size).max())
