"""Networks that are more than a chain of layers, or several: each is loaded from its weights and gives its own predictions."""

from __future__ import annotations

import importlib.util
import math
import os
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from lsr_core.errors import InputError
from lsr_core.intake import branches, compare, guess
from lsr_core.networks.layered import chain_of
from tests.core.oddities import Lambda

SAME = 5e-6  # single precision; sines of 30 times as much lose a digit
X = torch.rand(40, 3, generator=torch.Generator().manual_seed(1)) * 2 - 1


def linear(*widths: int) -> nn.ModuleList:
    return nn.ModuleList(nn.Linear(*pair) for pair in pairwise(widths))


def residual(
    step: Callable[[Any, int, Tensor], Tensor], *, first: bool = True, last: bool = False, count: int = 2
) -> nn.Module:
    """Layers `i` and `o`, and `a` and `b` in each of the steps between."""

    def forward(self: Any, x: Tensor) -> Tensor:
        hidden = torch.tanh(self.i(x)) if first else self.i(x)
        for place in range(count):
            hidden = step(self, place, hidden)
        return self.o(torch.tanh(hidden) if last else hidden)

    blocks = nn.ModuleList(nn.ModuleDict({"a": nn.Linear(8, 8), "b": nn.Linear(8, 8)}) for _ in range(count))
    return Lambda(forward, i=nn.Linear(3, 8), blocks=blocks, o=nn.Linear(8, 2))


def one_layer(self: Any, x: Tensor) -> Tensor:
    hidden = torch.sin(self.net[0](x))
    for layer in self.net[1:-1]:
        hidden = hidden + torch.sin(layer(hidden))
    return self.net[-1](hidden)


def features(order: str, *, factor: float, shape: str = "inputs first") -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        angles = factor * x @ (self.B if shape == "inputs first" else self.B.T)
        parts = {"x": x, "s": torch.sin(angles), "c": torch.cos(angles)}
        return self.b(torch.tanh(self.a(torch.cat([parts[letter] for letter in order], 1))))

    made = Lambda(forward, a=nn.Linear(10 + 3 * ("x" in order), 8), b=nn.Linear(8, 2))
    made.register_buffer("B", torch.randn(3, 5) if shape == "inputs first" else torch.randn(5, 3))
    return made


def slopes(kind: str) -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        for place, layer in enumerate(self.layers[:-1]):
            x = torch.tanh(10 * (self.a if kind == "one" else self.a[place]) * layer(x))
        return self.layers[-1](x)

    scale = nn.Parameter(torch.tensor(0.13)) if kind == "one" else nn.Parameter(torch.tensor([0.07, 0.12]))
    return Lambda(forward, layers=linear(3, 8, 8, 2), a=scale)


def siren(first: float, other: float) -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        hidden = torch.sin(first * self.net[0](x))
        for layer in self.net[1:-1]:
            hidden = torch.sin(other * layer(hidden))
        return self.net[-1](hidden)

    return Lambda(forward, net=linear(3, 8, 8, 2))


def bounded(inside: tuple[float, float], outside: str) -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        low, high = inside
        x = (x - self.x_min) / (self.x_max - self.x_min) * (high - low) + low
        y = self.b(torch.tanh(self.a(x)))
        return self.y_min + (self.y_max - self.y_min) * (y if outside == "unit" else (y + 1) / 2)

    made = Lambda(forward, a=nn.Linear(3, 8), b=nn.Linear(8, 2))
    for name, values in {"x_min": [-1.0, -2, 0], "x_max": [1.0, 3, 2], "y_min": [0.0, -5], "y_max": [1.0, 7]}.items():
        made.register_buffer(name, torch.tensor(values))
    return made


def heads(self: Any, x: Tensor) -> Tensor:
    hidden = torch.tanh(self.b(torch.tanh(self.a(x))))
    return torch.cat([self.u(hidden), self.v(hidden), self.p(hidden)], 1)


def behind(self: Any, x: Tensor) -> Tensor:
    return torch.sigmoid(self.b(torch.relu(self.a(x))))


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "residual layers": lambda: Lambda(one_layer, net=linear(3, 8, 8, 8, 2)),
    "residual pairs": lambda: residual(lambda self, i, h: h + self.blocks[i]["b"](torch.tanh(self.blocks[i]["a"](h)))),
    "residual pairs, activated": lambda: residual(lambda self, i, h: torch.tanh(h + self.blocks[i]["b"](torch.tanh(self.blocks[i]["a"](h))))),
    "deep ritz": lambda: residual(lambda self, i, h: h + torch.tanh(self.blocks[i]["b"](torch.tanh(self.blocks[i]["a"](h)))), first=False),
    "residual before": lambda: residual(
        lambda self, i, h: h + self.blocks[i]["b"](torch.tanh(self.blocks[i]["a"](torch.tanh(h)))), first=False, last=True
    ),
    "fourier, sin first, turns": lambda: features("sc", factor=2 * math.pi),
    "fourier, cos first": lambda: features("cs", factor=1.0),
    "fourier with inputs": lambda: features("xsc", factor=2 * math.pi, shape="frequencies first"),
    "prelu": lambda: nn.Sequential(nn.Linear(3, 8), nn.PReLU(), nn.Linear(8, 8), nn.PReLU(), nn.Linear(8, 2)),
    "prelu by unit": lambda: nn.Sequential(nn.Linear(3, 8), nn.PReLU(8), nn.Linear(8, 2)),
    "prelu, one for all": lambda: Lambda(
        lambda self, x: self.c(self.act(self.b(self.act(self.a(x))))), a=nn.Linear(3, 8), b=nn.Linear(8, 8), act=nn.PReLU(), c=nn.Linear(8, 2)
    ),
    "adaptive, one": lambda: slopes("one"),
    "adaptive, by layer": lambda: slopes("layer"),
    "layer norm before": lambda: nn.Sequential(
        nn.Linear(3, 8), nn.LayerNorm(8), nn.SiLU(), nn.Linear(8, 6), nn.LayerNorm(6), nn.SiLU(), nn.Linear(6, 2)
    ),
    "layer norm after": lambda: nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.LayerNorm(8), nn.Linear(8, 2)),
    "siren, 30 throughout": lambda: siren(30, 30),
    "siren, 30 in the first layer": lambda: siren(30, 1),
    "bounds to [-1, 1] and [0, 1]": lambda: bounded((-1, 1), "unit"),
    "bounds to [0, 1] and [-1, 1]": lambda: bounded((0, 1), "both signs"),
    "heads": lambda: Lambda(heads, a=nn.Linear(3, 8), b=nn.Linear(8, 8), u=nn.Linear(8, 1), v=nn.Linear(8, 1), p=nn.Linear(8, 1)),
    "sigmoid of the outputs": lambda: Lambda(behind, a=nn.Linear(3, 8), b=nn.Linear(8, 2)),
    "an unknown of an equation": lambda: Lambda(
        lambda self, x: self.b(torch.tanh(self.a(x))), a=nn.Linear(3, 8), b=nn.Linear(8, 2), lambda_1=nn.Parameter(torch.tensor([0.3]))
    ),
}  # fmt: skip


def state(model: nn.Module) -> dict[str, Tensor]:
    return {name: value for name, value in model.state_dict().items() if value.is_floating_point()}


@pytest.mark.parametrize("name", NETWORKS)
def test_it_is_told_by_its_predictions(name: str) -> None:
    torch.manual_seed(0)
    model = NETWORKS[name]().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.05 * torch.randn(parameter.shape)  # norms and slopes that are not those of the start
        wanted = model(X).numpy()
    tensors = state(model)
    found = compare.best(guess.guess(tensors), tensors, X.numpy(), wanted)
    assert found.difference < SAME, (found.guess.form, found.activation)
    assert set(found.guess.uses) >= set(tensors)  # every tensor is accounted for
    loaded = compare.network(
        found.guess.architecture, {**found.guess.arguments, "activation": found.activation}, found.guess, tensors
    )
    assert sum(p.numel() for p in loaded.parameters()) >= sum(
        p.numel() for n, p in model.named_parameters() if not n.startswith("lambda")
    )


def test_features_leave_a_chain_that_equations_can_use() -> None:
    torch.manual_seed(0)
    model = features("sc", factor=1.0).eval()
    tensors = state(model)
    found = compare.best(guess.guess(tensors), tensors, X.numpy(), model(X).detach().numpy())
    assert (
        chain_of(compare.network("composed-mlp", {**found.guess.arguments, "activation": "tanh"}, found.guess, tensors))
        is not None
    )


def test_without_predictions_only_what_names_speak_for_is_tried() -> None:
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 2))
    found = guess.guess(plain.state_dict())
    assert found.architecture == "mlp"
    assert not any(other.likely for other in found.others)
    skipping = residual(lambda self, i, h: h + self.blocks[i]["b"](torch.tanh(self.blocks[i]["a"](h))))
    assert any(other.likely and other.arguments["skips"] == "pair" for other in guess.guess(state(skipping)).others)


def test_what_has_no_place_is_still_named() -> None:
    tensors = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1)).state_dict()
    with pytest.raises(InputError, match="for which no registered network has a place"):
        guess.guess({**tensors, "table": torch.ones(4, 7, 2)})


def test_normalised_inputs_before_features_are_refused() -> None:
    tensors = state(features("sc", factor=1.0))
    tensors |= {"x_mean": torch.zeros(3), "x_std": 2 * torch.ones(3)}
    with pytest.raises(InputError, match="normalises the inputs before Fourier features"):
        guess.guess(tensors)


DEEPXDE = pytest.mark.skipif(importlib.util.find_spec("deepxde") is None, reason="deepxde is not installed")


@pytest.fixture(scope="module")
def deepxde() -> Any:
    os.environ["DDE_BACKEND"] = "pytorch"
    import deepxde

    return deepxde


@DEEPXDE
@pytest.mark.parametrize(
    ("outputs", "strategy", "branch", "trunk"),
    [
        (1, None, [6, 8, 4], [2, 8, 4]),
        (2, "independent", [6, 8, 4], [2, 8, 4]),
        (2, "split_both", [6, 8, 4], [3, 8, 4]),
        (2, "split_branch", [6, 8, 8], [1, 8, 4]),
        (3, "split_trunk", [6, 8, 4], [2, 8, 12]),
    ],
)
def test_deeponets_of_deepxde(
    deepxde: Any, outputs: int, strategy: str | None, branch: list[int], trunk: list[int]
) -> None:
    torch.manual_seed(0)
    net = deepxde.nn.DeepONetCartesianProd(
        branch, trunk, "tanh", "Glorot normal", num_outputs=outputs, multi_output_strategy=strategy
    )
    functions, points = torch.rand(20, branch[0]), torch.rand(9, trunk[0])
    _same_operator(net, functions, points, net((functions, points)))


@DEEPXDE
@pytest.mark.parametrize("merge", ["mul", "add"])
def test_mionet_of_deepxde(deepxde: Any, merge: str) -> None:
    torch.manual_seed(0)
    net = deepxde.nn.pytorch.mionet.MIONetCartesianProd(
        [6, 8, 4], [5, 8, 4], [2, 8, 4], "tanh", "Glorot normal", merge_operation=merge
    )
    one, other, points = torch.rand(20, 6), torch.rand(20, 5), torch.rand(9, 2)
    _same_operator(net, torch.cat([one, other], 1), points, net((one, other, points)))


def _same_operator(net: nn.Module, functions: Tensor, points: Tensor, wanted: Tensor) -> None:
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if parameter.numel() == 1:
                wanted = wanted.detach()
                assert float(parameter) == 0, (
                    name
                )  # as made; a bias that is not zero is held by the test of this package's own network
    tensors = state(net)
    found = branches.with_points(guess.guess(tensors), points)
    told = compare.best(found, tensors, functions.numpy(), wanted.detach().flatten(1).numpy())
    assert told.difference < SAME, told.guess.form
    assert set(told.guess.uses) >= set(tensors)


@DEEPXDE
@pytest.mark.parametrize("layers", [[3, [8, 8], [6, 6], 2], [3, 8, [6, 5], [1, 2]], [3, [4, 4], 8, 2]])
def test_parallel_networks_of_deepxde(deepxde: Any, layers: list[Any]) -> None:
    torch.manual_seed(0)
    net = deepxde.nn.PFNN(layers, "tanh", "Glorot normal")
    tensors = state(net)
    told = compare.best(guess.guess(tensors), tensors, X.numpy(), net(X).detach().numpy())
    assert told.difference < SAME
    assert set(told.guess.uses) >= set(tensors)


def test_regular_points_are_a_grid_or_refused() -> None:
    assert branches.regular(9, 2).tolist()[1] == [0.0, 0.5]
    with pytest.raises(InputError, match="no grid of 2 equal axes"):
        branches.regular(10, 2)


def test_features_behind_functional_activations_are_those_of_the_paper() -> None:
    """Against the formula written out, not against the module."""
    from lsr_core.networks import architectures

    model = architectures.build(
        "composed-mlp", {"layers": [2, 4, 1], "features": "cos-sin", "frequencies": 3, "activation": "silu"}
    ).double()
    model.frequencies.copy_(torch.randn(2, 3))
    x = torch.rand(5, 2, dtype=torch.float64)
    angles = 2 * math.pi * x @ model.frequencies
    hidden = functional.silu(model.linears[0](torch.cat([angles.cos(), angles.sin()], 1)))
    np.testing.assert_allclose(model(x).detach(), model.linears[1](hidden).detach(), rtol=1e-9, atol=1e-12)
