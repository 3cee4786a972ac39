"""Units that do nothing: counted right whatever makes them idle, and not counted where they are not."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from benchmarks import _typed as typed
from lsr_core.diagnosis.coefficients import jump
from lsr_core.diagnosis.slowness import gradient_steps
from lsr_core.diagnosis.solved import solved
from lsr_core.diagnosis.units import LayerUnits, Units, units
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.physics.residuals import block_rows
from lsr_core.problems.splits import Split
from lsr_core.refinement.refine import refine
from lsr_core.refinement.report import unscaled


def network(widths: list[int], activation: type[nn.Module], **settings: bool) -> nn.Sequential:
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out), activation(**settings)]
    return nn.Sequential(*layers[:-1]).double().eval()


def data(dimension: int = 1) -> Split:
    x = 2 * torch.rand(200, dimension, generator=torch.Generator().manual_seed(1), dtype=torch.float64) - 1
    return Split(x, torch.sin(3 * x).sum(dim=1, keepdim=True))


def counted(model: nn.Module, dimension: int = 1) -> Units:
    found = units(SupervisedProblem("x", model, data(dimension)))
    assert found is not None
    return found


@pytest.mark.parametrize("activation", [nn.Tanh, nn.SiLU, nn.GELU, nn.Sigmoid, nn.ReLU])
def test_a_plain_network_has_no_idle_units(activation: type[nn.Module]) -> None:
    found = counted(network([3, 12, 12, 1], activation), 3)
    assert [layer.width for layer in found.layers] == [12, 12]
    assert sum(layer.saturated + layer.copies for layer in found.layers) == 0
    assert activation is nn.ReLU or all(layer.dead == 0 for layer in found.layers)


@pytest.mark.parametrize("inplace", [False, True])
def test_dead_units_and_the_parameters_behind_them(inplace: bool) -> None:
    model = network([2, 10, 1], nn.ReLU, inplace=inplace)
    with torch.no_grad():
        model[0].bias[:4] = -9.0
        model[0].bias[4:] = 2.0
    found = counted(model, 2)
    assert found.layers == (LayerUnits("0", 10, 4, 0, 0),)
    assert found.unused == 4 * (2 + 1 + 1)
    assert found.n_params == 41


def test_saturated_units() -> None:
    model = network([1, 8, 1], nn.Tanh)
    with torch.no_grad():
        model[0].bias[:3] = 12.0
        model[0].bias[3] = 400.0  # tanh is 1 exactly, and so is its slope zero
    assert counted(model).layers == (LayerUnits("0", 8, 0, 4, 0),)


def test_units_that_nothing_reads_are_dead() -> None:
    model = network([1, 8, 1], nn.Tanh)
    with torch.no_grad():
        model[2].weight[0, :5] = 0.0
    assert counted(model).layers == (LayerUnits("0", 8, 5, 0, 0),)


def test_copies_opposite_and_scaled_ones_included() -> None:
    model = network([1, 8, 1], nn.Tanh)
    with torch.no_grad():
        model[0].weight[1], model[0].bias[1] = model[0].weight[0], model[0].bias[0]
        model[0].weight[2], model[0].bias[2] = -model[0].weight[0], -model[0].bias[0]
    assert counted(model).layers[0].copies == 2
    scaled = network([1, 6, 1], nn.ReLU)
    with torch.no_grad():
        scaled[0].weight[:] = torch.arange(1.0, 7.0, dtype=torch.float64)[:, None]
        scaled[0].bias[:] = 0
    assert counted(scaled).layers[0].copies == 5


class Headed(nn.Module):
    """A head that is never called, and a layer called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.twice, self.last, self.unused = (
            nn.Linear(1, 6),
            nn.Linear(6, 6),
            nn.Linear(6, 1),
            nn.Linear(6, 2),
        )

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.tanh(self.first(x))
        for _ in range(2):
            hidden = torch.tanh(self.twice(hidden))
        return self.last(hidden)  # type: ignore[no-any-return]


def test_parameters_that_are_never_reached_count_as_unused() -> None:
    found = counted(Headed().double().eval())
    assert found.unused == 14
    assert [layer.name for layer in found.layers] == ["first"]


def test_a_network_without_gradients_is_not_counted() -> None:
    class Closed(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            with torch.no_grad():
                return super().forward(x)

    assert units(SupervisedProblem("x", Closed(1, 1).double().eval(), data())) is None


def test_gradient_steps_are_those_that_gradient_descent_takes() -> None:
    refinement = refine(SupervisedProblem("x", network([1, 12, 1], nn.Tanh), data()), max_rank=4)
    said = gradient_steps(refinement, 4)
    assert said is not None
    solver = refinement.solutions.solver
    triangle = unscaled(solver, refinement.subspace)[:4, :4]
    rate = float(torch.linalg.svdvals(triangle)[0]) ** -2
    goal = max(2 * refinement.sweep.residual_norm[4], 0.01 * solver.base_norm)
    at, taken = torch.zeros(4, dtype=torch.float64), 0
    outside = solver.base_norm**2 - float(solver.rhs[:4].square().sum())
    while float((triangle @ at - solver.rhs[:4]).square().sum()) + outside > goal**2:
        at = at - rate * triangle.T @ (triangle @ at - solver.rhs[:4])
        taken += 1
        assert taken < 1e6
    assert said == pytest.approx(taken, rel=0.01, abs=1)


def test_only_coefficients_that_jump_are_named() -> None:
    for equation, place in (
        ("(1 + 9*step(x - 0.3))*u_xx = 1", "at x = 0.3"),
        ("(1 + 9*tanh(40*(x - 0.3)))*u_xx = 1", ""),
        ("u_xx = step(x - 0.3)", ""),
        ("u_xx*(1 + u^2) = 1", ""),
    ):
        arguments = {
            "inputs": {"x": [0, 1]},
            "equations": typed.one(equation, 200),
            "conditions": [typed.at("x = 0, x = 1", "u = 0", 2)],
        }
        problem, _, _ = typed.typed(0, arguments, lambda points: points)
        rows = block_rows(problem, ParametricFunction.from_module(problem.model, dtype=torch.float64))
        assert jump(rows, tuple(problem.domain)) == place


def test_a_residual_is_small_beside_terms_and_not_by_itself() -> None:
    """Whatever the units of an equation, the measure is the same."""
    found = []
    for factor in (1.0, 1e6):
        arguments = {
            "inputs": {"t": [0, 1]}, "equations": typed.one(f"{factor}*u_t + {factor}*u = 0", 200), "conditions": [typed.at("t = 0", "u = 1", 1)],
        }  # fmt: skip
        problem, _, _ = typed.typed(0, arguments, lambda points: points)
        found.append(solved(refine(problem, rank=0, max_rank=20)))
    assert found[0].block == found[1].block
    assert found[0].relative_residual == pytest.approx(found[1].relative_residual, rel=1e-6)
    assert found[0].relative_residual > 0.03
    assert not found[0].nonlinear
