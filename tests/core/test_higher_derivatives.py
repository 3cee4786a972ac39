"""Derivatives of any order, mixed ones too: the same from layers, by forward mode and by reverse mode, and equations that need them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lsr_core import refine
from lsr_core.networks.activations import ACTIVATIONS
from lsr_core.networks.chainrule import chain_terms, closed, multiplied
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jets import JetFunction
from lsr_core.networks.layered import LayeredNetwork
from lsr_core.networks.pointjets import JetSpec, jets_of, reverse_jets_of, tracked_jets_of
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.network import StartingNetwork, problem_of

ORDER = 5
MIXED = JetSpec.of((0, 0, 1, 1), (0, 0, 0), (1,))


class Masked(LayeredNetwork):
    """With features, a lift and a mask that have derivatives of every order."""

    def __init__(self, activation: str) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.linears = nn.ModuleList([nn.Linear(3, 6), nn.Linear(6, 5), nn.Linear(5, 2)]).double()
        self.activation_name = activation

    def features(self, inputs: Tensor) -> Tensor:
        return torch.cat([inputs, torch.sin(inputs[:, :1] * inputs[:, 1:])], dim=1)

    def lift(self, inputs: Tensor) -> Tensor:
        return torch.exp(inputs[:, :1] * inputs[:, 1:])

    def mask(self, inputs: Tensor) -> Tensor:
        return torch.cos(inputs[:, :1] + 2 * inputs[:, 1:])


def points(count: int) -> Tensor:
    return 2 * torch.rand(count, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 1


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_have_their_derivatives(name: str) -> None:
    z = torch.linspace(-2.3, 2.1, 30, dtype=torch.float64).requires_grad_()
    found = ACTIVATIONS[name].derivatives(z.detach(), ORDER)
    wanted = ACTIVATIONS[name].function(z)
    for order in range(ORDER + 1):
        torch.testing.assert_close(found[order], wanted.detach(), rtol=1e-9, atol=1e-9)
        if not wanted.requires_grad:
            break
        (wanted,) = torch.autograd.grad(wanted.sum(), z, create_graph=True, materialize_grads=True)
        assert len(ACTIVATIONS[name].derivatives(z.detach(), order)) == order + 1


@pytest.mark.parametrize("name", [name for name, known in ACTIVATIONS.items() if known.smooth])
def test_jets_are_the_same_in_every_way(name: str) -> None:
    function = ParametricFunction.from_module(Masked(name), dtype=torch.float64)
    jets, at = JetFunction(function, MIXED), points(12)
    assert jets.chain is not None
    found = jets(function.theta0, at)
    for make in (jets_of, reverse_jets_of, tracked_jets_of):
        other = make(lambda x: function(function.theta0, x), at, MIXED)
        torch.testing.assert_close(found, other, rtol=1e-10, atol=1e-10)


def test_terms_of_the_chain_rule_are_counted() -> None:
    assert sum(count for _, count in chain_terms((0,) * 6)) == 203  # Bell's number: partitions of six things
    assert sum(count for _, count in chain_terms((0, 1, 2, 3))) == 15
    assert closed([(1, 0)]) == ((), (0,), (1,), (0, 1))
    one = {by: torch.tensor(float(len(by) + 1)) for by in closed([(0, 0, 1)])}
    assert float(multiplied(one, one, (0, 0, 1))) == 2 * 4 * 1 + 2 * 3 * (3 * 2)


def test_an_activation_with_kinks_has_no_third_derivative() -> None:
    function = ParametricFunction.from_module(
        nn.Sequential(nn.Linear(1, 3), nn.ReLU(), nn.Linear(3, 1)), dtype=torch.float64
    )
    with pytest.raises(Exception, match="second or higher order, and those of a network with ReLU are zero"):
        JetFunction(function, JetSpec.of((0, 0, 0)))


SOLVED: dict[str, dict[str, Any]] = {
    "third order": {
        "inputs": {"x": (0, 1)},
        "equations": [{"equation": "u_xxx = u", "points": 60}],
        "conditions": [{"where": "x = 0", "equation": f"{name} = 1", "points": 1} for name in ("u", "u_x", "u_xx")],
        "solution": {"u": "exp(x)"},
    },
    "fourth order": {
        "inputs": {"x": (0, 1)},
        "equations": [{"equation": "u_xxxx = 1", "points": 60}],
        "conditions": [
            {"where": "x = 0", "equation": "u = 0", "points": 1},
            {"where": "x = 0", "equation": "u_x = 0", "points": 1},
            {"where": "x = 1", "equation": "u_xx = 0", "points": 1},
            {"where": "x = 1", "equation": "u_xxx = 0", "points": 1},
        ],
        "solution": {"u": "x^2*(x^2 - 4*x + 6)/24"},
    },
    "mixed": {
        "inputs": {"x": (0, 1), "y": (0, 1)},
        "equations": [{"equation": "u_xy = exp(x + y)", "points": 150}],
        "conditions": [
            {"where": "x = 0", "equation": "u = exp(y)", "points": 40},
            {"where": "y = 0", "equation": "u = exp(x)", "points": 40},
        ],
        "solution": {"u": "exp(x + y)"},
    },
}


@pytest.mark.parametrize("name", SOLVED)
def test_equations_of_higher_order_are_solved(name: str) -> None:
    problem = problem_of(TypedArguments(**SOLVED[name]), StartingNetwork(widths=[60]))
    found = refine(problem, max_rank=63).summary.refined.relative_l2
    assert found is not None
    assert found < (1e-2 if name == "mixed" else 1e-8)
