"""The training error of every rank is that of the predictor of that rank, also where directions are fewer than ranks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, jvp

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.networks import strategies
from lsr_core.problems.splits import Split
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement


def _linear() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 8), nn.Linear(8, 2))


def _same_units() -> nn.Module:
    model = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 2))
    with torch.no_grad():
        for parameter in (model[0].weight, model[0].bias):
            parameter.copy_(parameter[:1].expand_as(parameter).clone())
    return model


def _smooth() -> nn.Module:
    """A network in one dimension, whose singular values fall to rounding within some fifteen."""
    return nn.Sequential(nn.Linear(3, 40), nn.Softplus(), nn.Linear(40, 2))


def _inputs(kind: str, rows: int) -> Tensor:
    x = torch.randn(rows, 3, dtype=torch.float64)
    if kind == "twice":
        return x[: rows // 2].repeat(2, 1)
    return x[:, :1] * torch.ones(1, 3, dtype=torch.float64) if kind == "line" else x


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("make", [_linear, _same_units, _smooth])
@pytest.mark.parametrize("inputs", ["apart", "twice", "line"])
@pytest.mark.parametrize("settings", [{}, {"strategy": "matrix-free"}, {"scaling": "singular-values"}])
def test_training_errors_by_the_factor_are_those_of_the_predictor(
    make: Callable[[], nn.Module], inputs: str, settings: dict[str, str], large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:
        monkeypatch.setattr(strategies, "SMALL", 0.0)  # factored directions where there are any
    torch.manual_seed(0)
    model, x = make().double(), _inputs(inputs, 24)
    y = torch.sin(2 * x[:, :2]) + 0.1 * torch.randn(24, 2, dtype=torch.float64)
    problem = SupervisedProblem("data", model, Split(x, y), None, Split(x, y))
    rank = min(48, sum(part.numel() for part in model.parameters()))
    refinement = refine(problem, max_rank=rank, seed=0, progress=lambda *_: None, **settings)
    said = torch.as_tensor(refinement.sweep.train_mse)
    true = _measured(refinement, x, y)
    assert ((said - true).abs() < 0.05 * said + 1e-9 * said[0]).all()


def _measured(refinement: Refinement, x: Tensor, y: Tensor) -> Tensor:
    model = refinement.problem.model
    names = dict(model.named_parameters())
    errors = []
    for rank in range(len(refinement.sweep.train_mse)):
        parts = refinement.delta_at(rank).split([value.numel() for value in names.values()])
        delta = {name: part.view_as(value) for (name, value), part in zip(names.items(), parts, strict=True)}
        values, moved = jvp(lambda given: functional_call(model, given, (x,)), (names,), (delta,))
        errors.append((values + moved - y).square().mean())
    return torch.stack(errors).detach()
