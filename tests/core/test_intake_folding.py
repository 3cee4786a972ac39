"""Norms, constants and missing biases are multiplied into linear layers, and the network is the same function."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

from lsr_core.errors import InputError
from lsr_core.intake import compare, guess

X = torch.rand(20, 3, generator=torch.Generator().manual_seed(1))
SAME = 1e-6  # single precision, a few operations more


def chain(first: nn.Module, middle: list[nn.Module], last: nn.Module) -> nn.Sequential:
    return nn.Sequential(first, *middle, last)


class Normalised(nn.Module):
    """(x − mean)/std before and y · std + mean behind, under names of the reader's choice."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.names, self.net = names, nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
        for name, values in zip(names, ([1.0, 2, 3], [2.0, 3, 4], [1.0, -1], [5.0, 0.1]), strict=True):
            self.register_buffer(name, torch.tensor(values))

    def forward(self, x: Tensor) -> Tensor:
        mean, std, shift, size = (getattr(self, name) for name in self.names)
        return self.net((x - mean) / std) * size + shift


def over_all(layer: nn.Linear) -> nn.Linear:
    """With one size for the whole matrix, which is not that of its values at the start."""
    weight_norm(layer, dim=None)
    with torch.no_grad():
        layer.parametrizations.weight.original0.mul_(1.5)  # type: ignore[union-attr,operator]
    return layer


class Bounded(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
        self.register_buffer("lb", torch.tensor([0.0, -1, -2]))
        self.register_buffer("ub", torch.tensor([1.0, 1, 3]))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(2 * (x - self.lb) / (self.ub - self.lb) - 1)


class Named(nn.Module):
    """Layers first, norms afterwards, as many register them; the names say which belongs to which."""

    def __init__(self, layer: str, norm: str) -> None:
        super().__init__()
        self.order = [(f"{layer}{place}", f"{norm}{place}") for place in (1, 2)]
        for place, (name, _) in enumerate(self.order):
            self.add_module(name, nn.Linear(8 if place else 3, 8))
        for _, name in self.order:
            self.add_module(name, nn.BatchNorm1d(8))
        self.add_module(f"{layer}3", nn.Linear(8, 2))
        self.last = f"{layer}3"

    def forward(self, x: Tensor) -> Tensor:
        for layer, norm in self.order:
            x = torch.tanh(getattr(self, norm)(getattr(self, layer)(x)))
        return getattr(self, self.last)(x)


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "weight norm": lambda: chain(weight_norm(nn.Linear(3, 8)), [nn.Tanh()], weight_norm(nn.Linear(8, 1))),
    "weight norm over all": lambda: chain(over_all(nn.Linear(3, 8)), [nn.Tanh()], nn.Linear(8, 1)),
    "pruned": lambda: chain(prune.l1_unstructured(nn.Linear(3, 8), "weight", 0.5), [nn.Tanh()], nn.Linear(8, 1)),
    "spectral norm": lambda: chain(spectral_norm(nn.Linear(3, 8)), [nn.Tanh()], spectral_norm(nn.Linear(8, 1))),
    "batch norm before": lambda: chain(nn.Linear(3, 8), [nn.BatchNorm1d(8), nn.Tanh()], nn.Linear(8, 1)),
    "batch norm behind": lambda: chain(nn.Linear(3, 8), [nn.Tanh(), nn.BatchNorm1d(8)], nn.Linear(8, 1)),
    "batch norm at both ends": lambda: chain(nn.BatchNorm1d(3), [nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1)], nn.BatchNorm1d(1, affine=False)),
    "batch norm by number": lambda: Named("fc", "bn"),
    "no bias": lambda: chain(nn.Linear(3, 8, bias=False), [nn.Tanh()], nn.Linear(8, 1, bias=False)),
    "x_mean": lambda: Normalised("x_mean", "x_std", "y_mean", "y_std"),
    "input_mean": lambda: Normalised("input_mean", "input_std", "output_mean", "output_std"),
    "mean": lambda: Normalised("mean", "std", "target_mean", "target_scale"),
    "bounds": Bounded,
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_folded_is_the_same_network(name: str) -> None:
    torch.manual_seed(0)
    model = NETWORKS[name]().train()
    with torch.no_grad():
        for _ in range(3):  # running statistics that are not those of the start
            model(1 + 2 * torch.rand(30, 3))
    model.eval()
    tensors = {key: value for key, value in model.state_dict().items() if value.is_floating_point()}

    found = guess.guess(tensors)

    loaded = compare.network(found.architecture, found.arguments, found, tensors)
    with torch.no_grad():
        wanted = model(X).numpy()
    assert compare.difference(loaded, X.numpy(), wanted) < SAME
    assert set(found.uses) >= set(tensors)  # every tensor is accounted for


def test_what_does_not_fold_is_named() -> None:
    model = chain(nn.Linear(3, 8), [nn.LayerNorm(8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh()], nn.Linear(8, 1))
    with pytest.raises(
        InputError, match=r"besides linear layers there are 1\.bias, 1\.weight.*behind each hidden layer"
    ):
        guess.guess(model.state_dict())


def test_a_batch_norm_without_a_layer_of_its_width_is_refused() -> None:
    tensors = chain(nn.Linear(3, 8), [nn.Tanh()], nn.Linear(8, 1)).state_dict()
    tensors |= {"norm.running_mean": torch.zeros(5), "norm.running_var": torch.ones(5)}
    with pytest.raises(InputError, match="a batch norm of 5 values"):
        guess.guess(tensors)


def test_batch_norms_whose_places_cannot_be_told_are_refused() -> None:
    tensors = {"a.weight": torch.ones(8, 3), "b.weight": torch.ones(8, 8)}
    for name in ("p", "q"):
        tensors |= {f"{name}.running_mean": torch.zeros(8), f"{name}.running_var": torch.ones(8)}
    with pytest.raises(InputError, match="a second batch norm at b"):
        guess.guess({**tensors, "c.weight": torch.ones(1, 8)})


def test_constants_of_another_width_are_refused() -> None:
    tensors = Normalised("x_mean", "x_std", "y_mean", "y_std").state_dict()
    tensors["x_mean"], tensors["x_std"] = torch.zeros(4), torch.ones(4)
    with pytest.raises(InputError, match="has 4 values for 3 inputs"):
        guess.guess(tensors)


@pytest.mark.parametrize("name", ["softplus", "sigmoid", "elu", "selu", "leaky-relu", "mish", "gelu-tanh"])
def test_predictions_tell_activations_apart(name: str) -> None:
    torch.manual_seed(1)
    modules = {
        "gelu-tanh": nn.GELU("tanh"),
        "leaky-relu": nn.LeakyReLU(),
        "selu": nn.SELU(),
        "elu": nn.ELU(),
        "mish": nn.Mish(),
    }
    model = chain(
        nn.Linear(3, 8),
        [modules.get(name) or {"softplus": nn.Softplus(), "sigmoid": nn.Sigmoid()}[name]],
        nn.Linear(8, 1),
    )
    found = guess.guess(model.state_dict())
    with torch.no_grad():
        tried = compare.by_activation(
            found, found.arguments, model.state_dict(), 4 * X.numpy() - 2, model(4 * X - 2).numpy()
        )
    (best, smallest), (_, second) = list(tried.items())[:2]
    assert best == name
    assert smallest < SAME
    assert np.isfinite(second)
    assert second > 10 * SAME
