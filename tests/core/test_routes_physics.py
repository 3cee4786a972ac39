"""Equations solved by whatever way of differentiating their network allows."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from lsr_core import (
    Box,
    InputError,
    ResidualBlock,
    dirichlet,
    own_equation,
    refine,
)
from lsr_core.networks.activations import ACTIVATIONS
from lsr_core.problems.physics.problem import PhysicsProblem
from tests.core import oddities


def oscillator(model: nn.Module) -> PhysicsProblem:
    """u'' + 9u = 0 on [0, 1] with both ends given."""
    inside = ResidualBlock("inside", ("u_xx",), lambda u: u["u_xx"] + 9 * u["u"], Box({"x": (0, 1)}), 60)
    ends = [dirichlet(f"x={at}", _cosine, Box({"x": (0, 1)}, fixed={"x": at}), 1, weight=10) for at in (0, 1)]
    return own_equation("oscillator", model, {"x": (0, 1)}, [inside, *ends], solution=_cosine)


def _cosine(x: Tensor) -> Tensor:
    return torch.cos(3 * x[:, 0])


def _filled(self: nn.Module, x: Tensor) -> Tensor:
    out = torch.zeros(len(x), 1, dtype=x.dtype)
    out[:, 0] = self.b(torch.tanh(self.a(x)))[:, 0]
    return out


def _hooked() -> nn.Module:
    model = nn.Sequential(nn.Linear(1, 20), nn.Tanh(), nn.Linear(20, 1))
    model[0].register_forward_hook(lambda module, args, output: 2 * output)
    return model


def _lambda(forward: object, width: int = 20) -> nn.Module:
    return oddities.Lambda(forward, a=nn.Linear(1, width), b=nn.Linear(20, 1))  # type: ignore[arg-type]


EQUATIONS = {
    "silu": (lambda: _lambda(lambda self, x: self.b(functional.silu(self.a(x)))), "row-blocks", ""),
    "mish": (lambda: _lambda(lambda self, x: self.b(functional.mish(self.a(x)))), "row-blocks", ""),
    "glu": (
        lambda: _lambda(lambda self, x: self.b(functional.glu(self.a(x), 1)), 40),
        "matrix-free",
        "not defined for glu",
    ),
    "classic function": (
        lambda: _lambda(lambda self, x: self.b(oddities.Swish.apply(self.a(x)))),
        "matrix-free",
        "setup_context",
    ),
    "weight norm": (
        lambda: nn.Sequential(parametrizations.weight_norm(nn.Linear(1, 20)), nn.Tanh(), nn.Linear(20, 1)),
        "matrix-free",
        "not defined for weight_norm",
    ),
    "zeros filled": (lambda: _lambda(_filled), "matrix-free", "filled in place"),
    "hook in a chain": (_hooked, "row-blocks", "a hook on 0 changes what passes"),
}


@pytest.mark.parametrize("name", EQUATIONS)
def test_an_equation_is_solved_by_the_way_that_its_network_allows(name: str) -> None:
    make, strategy, reason = EQUATIONS[name]
    torch.manual_seed(0)
    result = refine(oscillator(make().double().eval()), max_rank=15)
    summary = result.summary
    assert summary.strategy == strategy
    assert summary.adjoint_error < 2e-11
    assert (summary.refined.relative_l2 or 1) < 1e-6
    assert summary.refined.train_mse == pytest.approx(float(result.sweep.train_mse[result.rank]), rel=1e-6, abs=1e-14)
    assert any(reason in item.reason for item in summary.routes_left) if reason else not summary.routes_left


def test_a_chain_of_layers_whose_activation_is_another_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = replace(
        ACTIVATIONS["tanh"],
        series=lambda z, order: [z, torch.ones_like(z), *[torch.zeros_like(z)] * (order - 1)][: order + 1],
    )
    monkeypatch.setitem(ACTIVATIONS, "tanh", wrong)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 20), nn.Tanh(), nn.Linear(20, 1)).double().eval()
    summary = refine(oscillator(model), max_rank=15).summary
    assert summary.routes_left[0].route == "derivatives carried through the layers"
    assert (summary.refined.relative_l2 or 1) < 1e-6
    with pytest.raises(InputError, match=r"factored cannot serve this network.*use row-blocks"):
        refine(oscillator(model), max_rank=15, strategy="factored")
